//! How long something is to last.

/// Seconds, out of words such as `90d` or `1h 30m`.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if 0 < duration.as_secs() => Ok(duration.as_secs()),
        Ok(_) => Err("must be a second or more".to_owned()),
        Err(err) => Err(format!("{err}; try 90d, 12h or 30m")),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(parse("90d"), Ok(7_776_000));
        assert_eq!(parse("1h 30m"), Ok(5_400));
        for wrong in ["", "90", "0s", "10ms", "-1d", "99999999999999999999d"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
