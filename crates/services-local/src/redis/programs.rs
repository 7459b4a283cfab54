//! Redis's program, or Valkey's.

use std::{path::PathBuf, time::Duration};

use windlass_services::ServiceError;

use crate::programs::{Errand, command, find};

/// The oldest version that can say who may do what with channels.
const OLDEST: (u32, u32) = (6, 2);

/// The program, if it is new enough.
pub(crate) async fn installed(first: &[PathBuf]) -> Result<PathBuf, ServiceError> {
    let missing = || ServiceError::Missing {
        what: format!("Redis {}.{} or newer", OLDEST.0, OLDEST.1),
        advice: "install it (apt-get install redis-server, or valkey-server)".to_owned(),
    };
    let program = find(first, &["redis-server", "valkey-server"]).ok_or_else(missing)?;
    let mut ask = command(&program, None);
    ask.arg("--version");
    let limit = Duration::from_secs(10);
    let errand = Errand { purpose: "asking Redis for its version", limit, input: b"" };
    let version = parse_version(&errand.run(ask).await?);
    if version.is_some_and(|version| OLDEST <= version) { Ok(program) } else { Err(missing()) }
}

/// Reads `Redis server v=7.0.15 sha=00000000:0 malloc=…`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let (_, version) = text.split_once(" v=")?;
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_are_read() {
        let text = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64\n";
        assert_eq!(parse_version(text), Some((7, 0)));
        assert_eq!(parse_version("Valkey server v=8.1.0 sha=0\n"), Some((8, 1)));
        assert_eq!(parse_version("something else"), None);
    }
}
