//! Regular expressions for JSON Schemas.

use std::ops::RangeInclusive;

/// The inside of a class of the characters that [`windlass_domain::is_unprintable`] refuses.
/// Those beyond U+FFFF have no escape that all readers of schemas know, so they stand themselves.
pub(super) const UNPRINTABLE: &str = concat!(
    r"\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f",
    r"\ufeff\ufff0-\ufffb",
    "\u{e0000}-\u{e0fff}",
);

/// What matches exactly the numbers of a range, written without leading zeros.
pub(super) fn numbers(range: RangeInclusive<u32>) -> String {
    let (mut next, most) = (u64::from(*range.start()), u64::from(*range.end()));
    let mut alternatives = Vec::new();
    while next <= most {
        // The widest blocks that differ in one digit, with any digits after it.
        let mut block = 1;
        while next != 0 && next % (block * 10) == 0 && next + block * 10 - 1 <= most {
            block *= 10;
        }
        let digit = next / block % 10;
        let last = 9.min(digit + (most + 1 - next) / block - 1);
        let head = match next / block / 10 {
            0 => String::new(),
            head => head.to_string(),
        };
        let free = match block.ilog10() {
            0 => String::new(),
            1 => "[0-9]".to_owned(),
            count => format!("[0-9]{{{count}}}"),
        };
        let digits = if digit == last { digit.to_string() } else { format!("[{digit}-{last}]") };
        alternatives.push(format!("{head}{digits}{free}"));
        next += (last + 1 - digit) * block;
    }
    alternatives.join("|")
}

#[cfg(test)]
mod tests {
    use jsonschema::Validator;
    use proptest::prelude::*;
    use serde_json::json;

    use super::{UNPRINTABLE, numbers};

    fn matcher(pattern: &str) -> Validator {
        jsonschema::draft202012::new(&json!({ "pattern": format!("^({pattern})$") })).unwrap()
    }

    #[test]
    fn a_range_of_numbers_is_a_short_pattern() {
        assert_eq!(numbers(1..=24), "[1-9]|1[0-9]|2[0-4]");
        assert_eq!(numbers(8..=8), "8");
        assert_eq!(
            numbers(10..=1_024_000),
            "[1-9][0-9]|[1-9][0-9]{2}|[1-9][0-9]{3}|[1-9][0-9]{4}|[1-9][0-9]{5}\
             |10[0-1][0-9]{4}|102[0-3][0-9]{3}|1024000"
        );
    }

    #[test]
    fn what_cannot_be_seen_is_what_the_domain_says() {
        let visible = matcher(&format!("[^{UNPRINTABLE}]"));
        for c in ('\0'..='\u{ffff}').chain('\u{dfff0}'..='\u{e1010}') {
            let is_visible = visible.is_valid(&json!(c));
            assert_eq!(is_visible, !windlass_domain::is_unprintable(c), "{:x}", u32::from(c));
        }
    }

    proptest! {
        #[test]
        fn exactly_the_numbers_of_a_range_match(
            least in 0..3_000_u32,
            more in 0..3_000_000_u32,
            numbers_to_try in prop::collection::vec(0..4_000_000_u32, 50),
        ) {
            let most = least + more;
            let matcher = matcher(&numbers(least..=most));
            let edges = [least, most, most + 1, least.saturating_sub(1)];
            for number in numbers_to_try.into_iter().chain(edges) {
                let fits = matcher.is_valid(&json!(number.to_string()));
                prop_assert_eq!(fits, (least..=most).contains(&number), "{} {}-{}", number, least, most);
            }
        }
    }
}
