//! Numbers in a range, some of which can be text with a unit.

use std::ops::RangeInclusive;

use serde_json::{Value, json};
use windlass_domain::{CPU_MILLIS, MEMORY_MB, TIMEOUT_SECONDS, cpu_millis};

use super::{Kind, pattern, refused_in_quotes};
use crate::scalar::Scalar;

/// A number in a range.
pub(crate) struct Amount {
    /// What it counts, after "number".
    of: &'static str,
    /// What it may be.
    range: RangeInclusive<u32>,
    /// What a number without a unit means.
    bare: Bare,
    /// Units, and how much each is.
    units: &'static [(&'static str, u32)],
    /// What texts with a unit are like.
    such_as: &'static str,
}

/// What a number without a unit means.
#[derive(Clone, Copy)]
enum Bare {
    /// That many, and only whole ones.
    Whole,
    /// A thousand times as many.
    Thousands,
}

/// A TCP port.
pub(crate) const PORT: Amount = whole(1..=65_535);

/// How many of an app run.
pub(crate) const REPLICAS: Amount = whole(1..=100);

/// CPUs, in thousandths.
pub(crate) const CPU: Amount = Amount {
    of: " of CPUs",
    range: CPU_MILLIS,
    bare: Bare::Thousands,
    units: &[("m", 1)],
    such_as: ", or text such as `500m`",
};

/// Memory in MiB. People who write `MB` mean that as well, as Docker does.
pub(crate) const MEMORY: Amount = Amount {
    of: " of MiB",
    range: MEMORY_MB,
    bare: Bare::Whole,
    units: &[("Mi", 1), ("MB", 1), ("Gi", 1_024), ("GB", 1_024)],
    such_as: ", or text such as `512Mi` or `1Gi`",
};

/// A time in seconds.
pub(crate) const TIMEOUT: Amount = Amount {
    of: " of seconds",
    range: TIMEOUT_SECONDS,
    bare: Bare::Whole,
    units: &[("s", 1), ("m", 60), ("h", 3_600)],
    such_as: ", or text such as `15m`",
};

const fn whole(range: RangeInclusive<u32>) -> Amount {
    Amount { of: "", range, bare: Bare::Whole, units: &[], such_as: "" }
}

impl Amount {
    fn amount(&self, scalar: Scalar<'_>) -> Option<u32> {
        let amount = match scalar {
            Scalar::Number(number, _) => match self.bare {
                Bare::Whole => whole_number(number),
                Bare::Thousands => cpu_millis(number).ok(),
            },
            Scalar::Text(text) => self.with_unit(text),
            Scalar::Null | Scalar::Bool(..) => None,
        };
        amount.filter(|amount| self.range.contains(amount))
    }

    fn with_unit(&self, text: &str) -> Option<u32> {
        self.units.iter().find_map(|(unit, factor)| {
            let digits = text.strip_suffix(unit)?;
            let is_plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
            if is_plain { digits.parse::<u32>().ok()?.checked_mul(*factor) } else { None }
        })
    }

    fn bounds(&self) -> (String, String) {
        let (least, most) = (*self.range.start(), *self.range.end());
        match self.bare {
            Bare::Whole => (least.to_string(), most.to_string()),
            Bare::Thousands => (in_thousands(least).to_string(), in_thousands(most).to_string()),
        }
    }
}

impl<V: TryFrom<u32>> Kind<V> for Amount {
    fn expected(&self) -> String {
        let Self { of, such_as, .. } = self;
        let number = match self.bare {
            Bare::Whole => "a whole number",
            Bare::Thousands => "a number",
        };
        let (least, most) = self.bounds();
        format!("{number}{of} from {least} to {most}{such_as}")
    }

    fn read(&self, scalar: Scalar<'_>) -> Result<V, String> {
        let amount = self.amount(scalar).and_then(|amount| V::try_from(amount).ok());
        amount.ok_or_else(|| {
            let expected = Kind::<V>::expected(self);
            refused_in_quotes(&expected, scalar, |scalar| self.amount(scalar).is_some())
        })
    }

    fn schema(&self) -> Value {
        let (least, most) = (*self.range.start(), *self.range.end());
        let number = match self.bare {
            Bare::Whole => json!({ "type": "integer", "minimum": least, "maximum": most }),
            Bare::Thousands => json!({
                "type": "number",
                "minimum": in_thousands(least),
                "maximum": in_thousands(most),
            }),
        };
        if self.units.is_empty() {
            return number;
        }
        let texts: Vec<String> = self
            .units
            .iter()
            .map(|(unit, factor)| {
                let digits = pattern::numbers(least.div_ceil(*factor)..=most / factor);
                format!("({digits}){unit}")
            })
            .collect();
        let text = format!("^({})$", texts.join("|"));
        json!({ "anyOf": [number, { "type": "string", "pattern": text }] })
    }
}

fn in_thousands(amount: u32) -> f64 {
    f64::from(amount) / 1_000.0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "that it is a whole number in the range was checked"
)]
fn whole_number(number: f64) -> Option<u32> {
    let is_whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    is_whole.then_some(number as u32)
}
