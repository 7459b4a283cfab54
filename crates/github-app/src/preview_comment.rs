//! What a comment says of a preview.

use chrono::{DateTime, Utc};
use url::Url;
use windlass_domain::CommitId;

use crate::text::escape;

/// What there is to say of a preview.
#[derive(Debug, Clone)]
pub struct PreviewComment<'a> {
    /// What people call it.
    pub environment: &'a str,
    /// How it stands, in words.
    pub state: &'a str,
    /// Where it can be visited.
    pub address: Option<&'a Url>,
    /// What is deployed.
    pub commit: &'a CommitId,
    /// Where its log is.
    pub log: Option<&'a Url>,
    /// As of when that is so.
    pub updated_at: DateTime<Utc>,
}

/// A table of one preview, in GitHub's Markdown. Whatever the texts are, they mention nobody, link
/// to nothing and stay in their cells.
#[must_use]
pub fn preview_comment(preview: &PreviewComment<'_>) -> String {
    let PreviewComment { environment, state, address, commit, log, updated_at } = preview;
    let address = address.map(|url| link(url, url.as_str()));
    let log = log.map(|url| link(url, "Log"));
    let or_dash = |cell: Option<String>| cell.unwrap_or_else(|| "–".to_owned());
    let commit: String = commit.as_str().chars().take(7).collect();
    format!(
        "| Environment | State | Address | Commit | Log | Updated |\n\
         |---|---|---|---|---|---|\n\
         | {} | {} | {} | {} | {} | {} |\n",
        code(environment),
        escape(state),
        or_dash(address),
        code(&commit),
        or_dash(log),
        updated_at.format("%Y-%m-%d %H:%M UTC"),
    )
}

/// GitHub looks for names of people and issues everywhere but in code and in links.
fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// An address that no browser visits is shown as text.
fn link(url: &Url, text: &str) -> String {
    match url.scheme() {
        "https" | "http" => format!("<a href=\"{}\">{}</a>", escape(url.as_str()), escape(text)),
        _ => code(url.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::{PreviewComment, preview_comment};

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn said(environment: &str, address: Option<&str>, state: &str) -> String {
        let address = address.map(|address| address.parse().unwrap());
        preview_comment(&PreviewComment {
            environment,
            state,
            address: address.as_ref(),
            commit: &COMMIT.parse().unwrap(),
            log: Some(&"https://windlass.example/logs/1".parse().unwrap()),
            updated_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        })
    }

    #[test]
    fn a_preview_is_told_in_a_table() {
        let said = said("login", Some("https://login.example/"), "running");
        let row = said.lines().last().unwrap();
        assert_eq!(
            row,
            "| <code>login</code> | running | \
             <a href=\"https&#58;&#47;&#47;login&#46;example&#47;\">\
             https&#58;&#47;&#47;login&#46;example&#47;</a> | <code>0123456</code> | \
             <a href=\"https&#58;&#47;&#47;windlass&#46;example&#47;logs&#47;1\">Log</a> | \
             2026-01-02 03:04 UTC |"
        );
    }

    #[test]
    fn a_name_of_a_branch_stays_in_its_cell_and_mentions_nobody() {
        let said = said("@octo/a|b`</code>\n# x", Some("https://x.example/a|b"), "_x_ #1");
        assert_eq!(said.lines().count(), 3, "{said}");
        let row = said.lines().last().unwrap();
        assert_eq!(row.matches('|').count(), 7, "{row}");
        assert!(!row.contains(['@', '`', '_']) && !row.contains("#1 "), "{row}");
    }

    #[test]
    fn what_is_not_there_is_a_dash_and_no_browser_runs_anything() {
        assert!(said("x", None, "queued").contains("| queued | – |"));
        assert!(!said("x", Some("javascript:alert(1)"), "x").contains("<a href=\"javascript"));
    }
}
