//! How much of everything an organization may use.

use std::{fmt, str::FromStr};

/// The name of a plan, as the operator's configuration calls it: 1 to 32 of `a`–`z`, `0`–`9`, `-`
/// and `_`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PlanName(String);

/// The text is no name of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 32 of a-z, 0-9, `-` and `_`")]
pub struct ParsePlanNameError;

/// An amount of everything that there is a limit for. What is in use, what is asked for, and what
/// is allowed are each one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    /// Projects that are not deleted.
    pub projects: u64,
    /// Environments that are not destroyed.
    pub environments: u64,
    /// CPUs that their apps may use, in thousandths.
    pub cpu_millis: u64,
    /// Memory that their apps may use, in MiB.
    pub memory_mb: u64,
    /// Wall-clock time of builds in a calendar month (UTC), in milliseconds.
    pub build_millis: u64,
}

/// Something that there is a limit for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limited {
    /// Projects.
    Projects,
    /// Environments.
    Environments,
    /// CPUs of apps.
    Cpu,
    /// Memory of apps.
    Memory,
    /// Wall-clock time of builds in a calendar month.
    BuildTime,
}

/// More was asked for than there is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaExceeded {
    /// What there is too little of.
    pub of: Limited,
    /// How much is allowed, in the unit of [`Amounts`].
    pub limit: u64,
    /// How much is in use.
    pub used: u64,
    /// How much more was asked for.
    pub asked: u64,
}

const MILLIS_PER_MINUTE: u64 = 60_000;

impl PlanName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for PlanName {
    /// `unlimited`: the plan that everybody has where nobody makes others.
    fn default() -> Self {
        Self("unlimited".to_owned())
    }
}

impl fmt::Display for PlanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PlanName {
    type Err = ParsePlanNameError;

    fn from_str(text: &str) -> Result<Self, ParsePlanNameError> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        if (1..=32).contains(&text.len()) && text.chars().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParsePlanNameError)
        }
    }
}

impl Amounts {
    /// No limit: more than anybody has, and yet a number that every client can read.
    pub const UNLIMITED: Self = Self {
        projects: Self::MOST,
        environments: Self::MOST,
        cpu_millis: Self::MOST * 1_000,
        memory_mb: Self::MOST,
        build_millis: Self::MOST * MILLIS_PER_MINUTE,
    };

    /// What stands for "no limit" in each of the units that people see.
    pub const MOST: u64 = i32::MAX as u64;

    /// Whole minutes of builds.
    #[must_use]
    pub fn build_minutes(&self) -> u64 {
        self.build_millis / MILLIS_PER_MINUTE
    }

    /// As much, with so many minutes of builds.
    #[must_use]
    pub fn with_build_minutes(self, minutes: u64) -> Self {
        Self { build_millis: minutes.saturating_mul(MILLIS_PER_MINUTE), ..self }
    }

    /// Whether `asked` fits beside `used` into these limits. What is not asked for is not looked
    /// at: whoever is over a limit that was lowered keeps what there is, and gets no more of it.
    pub fn check(&self, used: &Self, asked: &Self) -> Result<(), QuotaExceeded> {
        for of in Limited::ALL {
            let (limit, used, asked) = (self.of(of), used.of(of), asked.of(of));
            if 0 < asked && limit < used.saturating_add(asked) {
                return Err(QuotaExceeded { of, limit, used, asked });
            }
        }
        Ok(())
    }

    fn of(&self, of: Limited) -> u64 {
        match of {
            Limited::Projects => self.projects,
            Limited::Environments => self.environments,
            Limited::Cpu => self.cpu_millis,
            Limited::Memory => self.memory_mb,
            Limited::BuildTime => self.build_millis,
        }
    }
}

impl Limited {
    /// Everything that there is a limit for.
    pub const ALL: [Self; 5] =
        [Self::Projects, Self::Environments, Self::Cpu, Self::Memory, Self::BuildTime];

    /// An amount of it, for people.
    fn amount(self, count: u64) -> String {
        let counted = |thing: &str| format!("{count} {thing}{}", if count == 1 { "" } else { "s" });
        match self {
            Self::Projects => counted("project"),
            Self::Environments => counted("environment"),
            Self::Cpu => {
                let (whole, rest) = (count / 1_000, count % 1_000);
                let text = format!("{whole}.{rest:03}");
                let text = text.trim_end_matches('0').trim_end_matches('.');
                format!("{text} CPU{}", if count == 1_000 { "" } else { "s" })
            }
            Self::Memory => format!("{count} MiB of memory"),
            Self::BuildTime => {
                let minutes = count / MILLIS_PER_MINUTE;
                format!("{minutes} build minute{} a month", if minutes == 1 { "" } else { "s" })
            }
        }
    }
}

impl fmt::Display for QuotaExceeded {
    /// The rest of a sentence that begins with whose limit it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, limit, used, asked } = *self;
        let limit = of.amount(limit);
        match of {
            Limited::BuildTime => {
                let minutes = used / MILLIS_PER_MINUTE;
                write!(f, "allows {limit}, and {minutes} are used: builds go on next month")
            }
            Limited::Projects | Limited::Environments | Limited::Cpu | Limited::Memory => {
                let (used, asked) = (of.amount(used), of.amount(asked));
                write!(f, "allows {limit}; {used} in use and {asked} more asked for")
            }
        }
    }
}

impl std::error::Error for QuotaExceeded {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Amounts, Limited, PlanName, QuotaExceeded};

    #[test]
    fn a_plan_s_name_is_a_plain_word() {
        for good in ["free", "pro-2", "a_b"] {
            assert_eq!(good.parse::<PlanName>().unwrap().as_str(), good);
        }
        for bad in ["", "Pro", "a b", "ä", &"x".repeat(33)] {
            assert!(bad.parse::<PlanName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_refusal_names_limit_use_and_what_was_asked_for() {
        let limits = Amounts { projects: 3, cpu_millis: 2_500, ..Amounts::UNLIMITED };
        let limits = limits.with_build_minutes(1);
        let used =
            Amounts { projects: 3, cpu_millis: 2_000, build_millis: 61_000, ..Amounts::default() };
        let refusal = |asked: Amounts| limits.check(&used, &asked).unwrap_err().to_string();
        assert_eq!(
            refusal(Amounts { projects: 1, ..Amounts::default() }),
            "allows 3 projects; 3 projects in use and 1 project more asked for"
        );
        assert_eq!(
            refusal(Amounts { cpu_millis: 501, ..Amounts::default() }),
            "allows 2.5 CPUs; 2 CPUs in use and 0.501 CPUs more asked for"
        );
        assert_eq!(
            refusal(Amounts { build_millis: 1, ..Amounts::default() }),
            "allows 1 build minute a month, and 1 are used: builds go on next month"
        );
    }

    prop_compose! {
        fn amounts()(
            projects in 0..20_u64, environments in 0..20_u64, cpu_millis in 0..20_u64,
            memory_mb in 0..20_u64, build_millis in 0..20_u64,
        ) -> Amounts {
            Amounts { projects, environments, cpu_millis, memory_mb, build_millis }
        }
    }

    proptest! {
        #[test]
        fn exactly_what_fits_is_granted(limit in amounts(), used in amounts(), asked in amounts()) {
            let is_short =
                |of: Limited| 0 < asked.of(of) && limit.of(of) < used.of(of) + asked.of(of);
            match limit.check(&used, &asked) {
                Ok(()) => prop_assert!(!Limited::ALL.into_iter().any(is_short)),
                Err(QuotaExceeded { of, limit: most, used: there, asked: more }) => {
                    prop_assert!(is_short(of));
                    prop_assert_eq!((most, there, more), (limit.of(of), used.of(of), asked.of(of)));
                }
            }
        }
    }
}
