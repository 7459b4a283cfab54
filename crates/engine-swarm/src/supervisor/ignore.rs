//! `.dockerignore`: what of a folder is not sent.

use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

/// The name of the file that says so.
pub(super) const FILE: &str = ".dockerignore";

/// What a file of that name says. The last line that speaks of a path decides.
#[derive(Debug, Default)]
pub(super) struct Ignored {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    is_exception: bool,
    pattern: GlobMatcher,
}

impl Ignored {
    /// Reads it; the error is for the people of the project.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        let lines = lines.filter_map(|line| {
            let (is_exception, pattern) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            let pattern = clean(pattern);
            (!pattern.is_empty()).then_some((is_exception, pattern))
        });
        let line = |(is_exception, pattern): (bool, String)| {
            // Braces mean nothing to Docker.
            let literal = pattern.replace('{', r"\{").replace('}', r"\}");
            let mut glob = GlobBuilder::new(&literal);
            let glob = glob.literal_separator(true).backslash_escape(true);
            let pattern = glob.build().map_err(|error| format!("{FILE}: {error}"))?;
            Ok(Line { is_exception, pattern: pattern.compile_matcher() })
        };
        Ok(Self { lines: lines.map(line).collect::<Result<_, String>>()? })
    }

    /// Whether a path, relative to the folder, is left out.
    pub(super) fn excludes(&self, path: &Path) -> bool {
        let is_meant = |line: &Line| path.ancestors().any(|part| line.pattern.is_match(part));
        self.lines.iter().rev().find(|line| is_meant(line)).is_some_and(|line| !line.is_exception)
    }

    /// Whether something in a folder that is left out may have to be sent all the same.
    pub(super) fn has_exceptions(&self) -> bool {
        self.lines.iter().any(|line| line.is_exception)
    }
}

/// A pattern without what makes no difference: slashes around it, and `.` between them.
fn clean(pattern: &str) -> String {
    let parts = pattern.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Ignored;

    fn excluded(text: &str, paths: &[&'static str]) -> Vec<&'static str> {
        let ignored = Ignored::read(text).unwrap();
        let is_excluded = |path: &&&str| ignored.excludes(Path::new(path));
        paths.iter().filter(is_excluded).copied().collect()
    }

    #[test]
    fn patterns_begin_at_the_root_and_take_what_is_below() {
        let paths = ["target", "target/a", "sub/target", "targets"];
        assert_eq!(excluded("/target/", &paths), ["target", "target/a"]);
        assert_eq!(excluded("**/target", &paths), ["target", "target/a", "sub/target"]);
        assert_eq!(excluded("*/target", &paths), ["sub/target"]);
    }

    #[test]
    fn a_star_stays_within_its_folder() {
        assert_eq!(excluded("*.log", &["a.log", "b/a.log"]), ["a.log"]);
        assert_eq!(excluded("**/*.log", &["a.log", "b/a.log"]), ["a.log", "b/a.log"]);
        assert_eq!(excluded("a?c", &["abc", "a/c"]), ["abc"]);
    }

    #[test]
    fn the_last_line_decides() {
        let paths = ["docs", "docs/a.md", "docs/README.md"];
        assert_eq!(excluded("docs\n!docs/README.md", &paths), ["docs", "docs/a.md"]);
        assert_eq!(excluded("!docs/README.md\ndocs", &paths), paths);
    }

    #[test]
    fn comments_and_empty_lines_say_nothing_and_braces_are_letters() {
        assert_eq!(excluded("# a\n\n  \n.\n", &["a", "# a"]), [""; 0]);
        assert_eq!(excluded("{a,b}", &["a", "{a,b}"]), ["{a,b}"]);
        assert!(Ignored::read("[").unwrap_err().starts_with(".dockerignore: "));
    }
}
