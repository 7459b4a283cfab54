//! One line of a file of keys.

use std::{fmt::Display, str::FromStr};

use anyhow::{Context as _, anyhow};
use chrono::{DateTime, SubsecRound as _, Utc};
use serde::Deserialize;
use windlass_auth::{ImportedKey, NewApiKey};
use windlass_control::Newcomer;

/// A key as its export describes it. What is not known here is refused, or a limit that is spelt
/// differently would be none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    prefix: String,
    hash: String,
    name: String,
    scopes: Vec<String>,
    #[serde(alias = "createdAt")]
    created_at: Option<DateTime<Utc>>,
    #[serde(alias = "expiresAt")]
    expires_at: Option<DateTime<Utc>>,
    #[serde(alias = "projectIds")]
    project_ids: Option<Vec<String>>,
    #[serde(alias = "allowedAddresses")]
    allowed_addresses: Option<Vec<String>>,
    #[serde(alias = "userId")]
    user_id: Option<String>,
}

/// Reads a line; there is nothing in an empty one. An error repeats no value: one of them could be
/// a secret.
pub(super) fn parse(text: &str) -> anyhow::Result<Option<Newcomer>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let line: Line = serde_json::from_str(text).map_err(|err| explain(&err))?;
    let request = NewApiKey {
        name: field("name", &line.name)?,
        scopes: fields("scopes", &line.scopes)?,
        project_ids: line.project_ids.map(|ids| fields("project_ids", &ids)).transpose()?,
        allowed_addresses: line
            .allowed_addresses
            .map(|list| fields("allowed_addresses", &list))
            .transpose()?,
        // To the microsecond: what every database keeps.
        expires_at: line.expires_at.map(|at| at.trunc_subsecs(6)),
    };
    let owner = line.user_id.map(|id| field("user_id", &id)).transpose()?;
    let created_at = line.created_at.map(|at| at.trunc_subsecs(6));
    let key = ImportedKey::new(request, line.prefix, line.hash, created_at)?;
    Ok(Some(Newcomer { key, owner }))
}

fn explain(err: &serde_json::Error) -> anyhow::Error {
    let text = err.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    // `invalid type: string "…", expected …` would repeat the string.
    let what = match what.rsplit_once(", expected ") {
        Some((_, expected)) if what.starts_with("invalid ") => format!("expected {expected}"),
        Some(_) | None => what.to_owned(),
    };
    anyhow!("cannot be read: {what} (column {})", err.column())
}

fn field<T>(name: &'static str, text: &str) -> anyhow::Result<T>
where
    T: FromStr,
    T::Err: Display,
{
    text.parse().map_err(|err| anyhow!("{name} {err}"))
}

fn fields<T>(name: &'static str, texts: &[String]) -> anyhow::Result<Vec<T>>
where
    T: FromStr,
    T::Err: Display,
{
    let items = texts.iter().enumerate();
    items.map(|(index, text)| field(name, text).with_context(|| format!("item {index}"))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::parse;

    const HASH: &str = "$2y$10$abcdefghijklmnopqrstuuGmvP3WOEGuUoGXWuv0K7lM0N4YwgOdm";

    fn line(changes: &Value) -> String {
        let mut line = json!({
            "prefix": "nxs_a1b2c3d4", "hash": HASH, "name": "ci", "scopes": ["build", "usage:read"],
        });
        for (name, value) in changes.as_object().unwrap() {
            line[name] = value.clone();
        }
        line.to_string()
    }

    #[test]
    fn a_line_may_say_everything_in_either_spelling() {
        for [created, expires, projects, addresses, user] in [
            ["created_at", "expires_at", "project_ids", "allowed_addresses", "user_id"],
            ["createdAt", "expiresAt", "projectIds", "allowedAddresses", "userId"],
        ] {
            let newcomer = parse(&line(&json!({
                created: "2025-01-01T00:00:00Z",
                expires: "2035-01-01T00:00:00.1234567Z",
                projects: ["proj_01kdvdna000000000000000003"],
                addresses: ["10.0.0.0/8"],
                user: "usr_01kdvdna000000000000000001",
            })));
            let newcomer = newcomer.unwrap().unwrap();
            let request = newcomer.key.request();
            assert_eq!(request.scopes.len(), 2);
            assert_eq!(
                request.expires_at.unwrap().to_rfc3339(),
                "2035-01-01T00:00:00.123456+00:00"
            );
            assert_eq!(request.allowed_addresses, Some(vec!["10.0.0.0/8".parse().unwrap()]));
            assert_eq!(newcomer.owner.unwrap().to_string(), "usr_01kdvdna000000000000000001");
        }
        assert!(parse(&line(&json!({}))).unwrap().is_some());
        assert!(parse("  ").unwrap().is_none());
    }

    #[test]
    fn what_is_wrong_is_named_without_the_value() {
        for (changes, message) in [
            (json!({ "name": "" }), "name must be 1 to 100 characters long"),
            (json!({ "name": 7 }), "cannot be read: expected a string"),
            (json!({ "scopes": ["hunter2"] }), "item 0: scopes must be one of build,"),
            (json!({ "scopes": "hunter2" }), "cannot be read: expected a sequence"),
            (json!({ "scopes": null }), "cannot be read: expected a sequence"),
            (json!({ "expiry": "hunter2" }), "cannot be read: unknown field `expiry`"),
            (json!({ "expires_at": "hunter2" }), "cannot be read: "),
            (json!({ "allowed_addresses": ["hunter2"] }), "item 0: allowed_addresses must be an"),
            (json!({ "user_id": "hunter2" }), "user_id expected an identifier like `usr_`"),
            (json!({ "prefix": "hunter2" }), "the first characters of a key must be"),
            (json!({ "hash": "hunter2" }), "the hash must be one of bcrypt's"),
        ] {
            let text = line(&changes);
            let err = format!("{:#}", parse(&text).unwrap_err());
            assert!(err.starts_with(message), "{err}");
            assert!(!err.contains("hunter2") && !err.contains(HASH), "{err}");
        }
        for text in ["{", "[]", "hunter2", "{\"prefix\":\"nxs_a\"}"] {
            let err = format!("{:#}", parse(text).unwrap_err());
            assert!(err.starts_with("cannot be read: ") && !err.contains("hunter2"), "{err}");
        }
    }
}
