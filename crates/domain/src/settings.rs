//! What the settings of a project may be, whoever writes them down.

use std::ops::RangeInclusive;

use crate::name::is_unprintable;

/// CPUs of an app or a build, in thousandths.
pub const CPU_MILLIS: RangeInclusive<u32> = 10..=1_024_000;
/// Memory of an app or a build, in MiB.
pub const MEMORY_MB: RangeInclusive<u32> = 8..=16_777_216;
/// How long a build may take, in seconds.
pub const TIMEOUT_SECONDS: RangeInclusive<u32> = 1..=86_400;

/// The number is not one of CPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be between 0.01 and 1024")]
pub struct CpusError;

/// CPUs in thousandths, rounded to the nearest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range was checked: at most 1024 CPUs"
)]
pub fn cpu_millis(cpus: f64) -> Result<u32, CpusError> {
    let bound = |millis: &u32| f64::from(*millis) / 1_000.0;
    if !(bound(CPU_MILLIS.start())..=bound(CPU_MILLIS.end())).contains(&cpus) {
        return Err(CpusError);
    }
    Ok((cpus * 1_000.0).round() as u32)
}

/// The text is not a path inside a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a path of at most 255 bytes inside the repository, without `..`")]
pub struct RepositoryPathError;

/// Checks that a path stays inside the repository, and cannot be taken for an option.
pub fn check_repository_path(text: &str) -> Result<(), RepositoryPathError> {
    let is_fine = (1..=255).contains(&text.len())
        && !text.starts_with(['/', '-'])
        && !text.contains('\\')
        && text.split('/').all(|part| part != "..")
        && !text.chars().any(is_unprintable);
    if is_fine { Ok(()) } else { Err(RepositoryPathError) }
}

/// The text is not the path of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must begin with `/` and have at most 1000 visible ASCII characters")]
pub struct HealthPathError;

/// Checks that a text can follow the host in an address.
pub fn check_health_path(text: &str) -> Result<(), HealthPathError> {
    let is_fine = text.starts_with('/')
        && text.len() <= 1_000
        && text.chars().all(|c| c.is_ascii_graphic() && c != '#');
    if is_fine { Ok(()) } else { Err(HealthPathError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_are_rounded_to_thousandths() {
        for (cpus, millis) in [(0.01, 10), (0.5, 500), (1.000_4, 1_000), (1_024.0, 1_024_000)] {
            assert_eq!(cpu_millis(cpus), Ok(millis), "{cpus}");
        }
        for cpus in [0.0, -1.0, 0.009_9, 1_024.1, f64::NAN, f64::INFINITY] {
            assert_eq!(cpu_millis(cpus), Err(CpusError), "{cpus}");
        }
    }

    #[test]
    fn a_path_stays_in_the_repository() {
        for text in [".", "Dockerfile", "deploy/Dockerfile", "a/..b/c", "ü"] {
            assert_eq!(check_repository_path(text), Ok(()), "{text}");
        }
        let long = "x".repeat(256);
        for text in ["", "/etc", "-f", "..", "a/../b", "a\\b", "a\nb", "a\u{202e}b", &long] {
            assert_eq!(check_repository_path(text), Err(RepositoryPathError), "{text:?}");
        }
    }

    #[test]
    fn a_health_path_is_part_of_an_address() {
        for text in ["/", "/healthz?full=1"] {
            assert_eq!(check_health_path(text), Ok(()), "{text}");
        }
        for text in ["", "healthz", "/a b", "/a#b", "/ü", &"/".repeat(1_001)] {
            assert_eq!(check_health_path(text), Err(HealthPathError), "{text}");
        }
    }
}
