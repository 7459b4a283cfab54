//! Reading a token without being able to verify it.

use chrono::{DateTime, Utc};

use super::{narrow::parse, text::MalformedToken, vocabulary::hex};

/// What stands in a token. Nobody has verified it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The number of the root key that is said to have signed it.
    pub root_key: Option<u32>,
    /// Whether it can be narrowed no further.
    pub is_sealed: bool,
    /// When it stops working by itself, as far as its blocks say so in the usual way.
    pub expires_at: Option<DateTime<Utc>>,
    /// Its blocks, the first one first.
    pub blocks: Vec<InspectedBlock>,
}

/// One block of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectedBlock {
    /// Its facts, rules and checks, as Datalog. In a third-party block, keys after `trusting` may
    /// be other ones than those that count: `biscuit-auth` 6.0.0 takes them from the wrong table.
    pub source: String,
    /// By which the token up to this block, and all that was made of it, can be revoked.
    pub revocation_id: String,
    /// Whose public key has signed it besides, for a third-party block.
    pub external_key: Option<String>,
}

/// Reads a token, whoever has made it.
pub fn inspect(token: &str) -> Result<Inspection, MalformedToken> {
    let token = parse(token)?;
    let ids = token.revocation_identifiers();
    let external_keys = token.external_public_keys();
    let blocks: Result<Vec<_>, _> = ids
        .iter()
        .zip(external_keys)
        .enumerate()
        .map(|(index, (id, key))| {
            Ok(InspectedBlock {
                source: token.print_block_source(index).map_err(|_| MalformedToken)?,
                revocation_id: hex(id),
                external_key: key.map(|key| key.print()),
            })
        })
        .collect();
    let blocks = blocks?;
    Ok(Inspection {
        root_key: token.root_key_id(),
        is_sealed: token.third_party_request().is_err(),
        expires_at: blocks.iter().filter_map(|block| expiry(&block.source)).min(),
        blocks,
    })
}

/// The earliest time after which a check of the usual form fails.
///
/// Other forms are as good, but what they say is known only when they are asked.
pub(super) fn expiry(source: &str) -> Option<DateTime<Utc>> {
    source.lines().filter_map(expiry_of_check).min()
}

/// Of `check if time($t), $t < 2026-01-01T00:00:00Z;`, or with `<=`.
fn expiry_of_check(line: &str) -> Option<DateTime<Utc>> {
    let (variable, condition) = line.strip_prefix("check if time($")?.split_once("), $")?;
    let (compared, date) = condition.strip_suffix(';')?.split_once(" <")?;
    let date = date.strip_prefix('=').unwrap_or(date).trim_start();
    let is_usual = variable == compared;
    date.parse().ok().filter(|_| is_usual)
}

#[cfg(test)]
mod tests {
    use super::expiry;

    #[test]
    fn an_expiry_is_read_from_checks_of_the_usual_form_alone() {
        let source = "check if time($t), $t < 2026-06-16T12:14:00Z;\n\
                      check if time($time), $time <= 2026-05-01T00:00:00Z;\n";
        assert_eq!(expiry(source), "2026-05-01T00:00:00Z".parse().ok());
        for other in [
            "check if time($t), $t < 2026-05-01T00:00:00Z or operation(\"read\");",
            "check if time($t), $u < 2026-05-01T00:00:00Z;",
            "check if time($t), $t > 2026-05-01T00:00:00Z;",
            "check if time($t);",
            "time(2026-05-01T00:00:00Z);",
        ] {
            assert_eq!(expiry(other), None, "{other}");
        }
    }
}
