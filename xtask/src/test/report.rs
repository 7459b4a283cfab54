//! How many tests passed, from the report that nextest writes.

/// Counts of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// Those that passed.
    pub(super) passed: u64,
    /// All others that were run.
    pub(super) failed: u64,
}

impl Counts {
    /// Reads the totals of a `JUnit` report.
    pub(super) fn of_junit(report: &str) -> Option<Self> {
        let start = report.find("<testsuites ")?;
        let (totals, _) = report.get(start..)?.split_once('>')?;
        let number = |name: &str| -> Option<u64> {
            let (_, rest) = totals.split_once(&format!(" {name}=\""))?;
            rest.split_once('"')?.0.parse().ok()
        };
        let failed = number("failures")? + number("errors")?;
        Some(Self { passed: number("tests")?.checked_sub(failed)?, failed })
    }

    /// Adds those of another run.
    pub(super) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_totals_of_a_report_are_read() {
        let report = r#"<?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="nextest-run" tests="7" failures="2" errors="1" uuid="0">
            <testsuite name="one" tests="3" failures="3" errors="0"></testsuite></testsuites>"#;
        assert_eq!(Counts::of_junit(report), Some(Counts { passed: 4, failed: 3 }));
    }

    #[test]
    fn what_is_no_report_has_no_totals() {
        for text in ["", "<testsuites tests=\"1\">", "<testsuites tests=\"x\" failures=\"\">"] {
            assert_eq!(Counts::of_junit(text), None, "{text}");
        }
    }
}
