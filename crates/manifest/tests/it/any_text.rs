//! Whatever a file holds, reading it ends well.

use std::fmt::Write as _;

use proptest::prelude::*;
use windlass_manifest::{MAX_BYTES, Manifest, Problems, parse};

/// Lines as YAML counts them, and one for what follows the last.
fn lines(text: &str) -> u64 {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    u64::try_from(text.matches('\n').count()).unwrap() + 1
}

/// What holds for any text.
fn check(text: &str) -> Result<Manifest, Problems> {
    let read = parse("windlass.yaml", text);
    if let Err(problems) = &read {
        let places: Vec<_> =
            problems.iter().map(|problem| (problem.line, problem.column)).collect();
        assert!((1..=20).contains(&places.len()), "{places:?}");
        assert!(places.is_sorted(), "{places:?}");
        for problem in problems {
            assert!((1..=lines(text)).contains(&problem.line), "{problem}");
            assert!(1 <= problem.column, "{problem}");
            assert!(!problem.message.is_empty());
            let shown = problem.to_string();
            assert!(shown.len() < 2_000 && !shown.chars().any(char::is_control), "{shown:?}");
        }
        assert_eq!(problems.to_string().lines().count(), places.len());
    }
    read
}

#[test]
fn a_laughing_bomb_is_a_few_problems() {
    let mut text = "a0: &a0 [lol]\n".to_owned();
    for n in 1..=100 {
        let before = n - 1;
        writeln!(text, "a{n}: &a{n} [{}]", vec![format!("*a{before}"); 20].join(", ")).unwrap();
    }
    assert_eq!(check(&text).unwrap_err().iter().count(), 20);
    assert!(check("a: &a [*a]\n").is_err());
    assert!(check("app: &a\n  command: *a\n").is_err());
    assert!(check("base: &a { port: 1 }\napp: { <<: *a }\n").is_err());
}

#[test]
fn the_longest_texts_are_read_in_an_instant() {
    for piece in [
        "[",
        "{",
        "- ",
        "? ",
        "a: ",
        "{a: ",
        "a:\n",
        "\"",
        "'",
        "!a ",
        "&a ",
        "*a : *b\n",
        "---\n",
        "a ",
        "a\n",
        "\n",
        " ",
        "%a\n",
        "#",
        "a: |\n",
        "a: >\n b\n\n",
        "\t",
        "- - ",
        "[a,",
        "<<: *a\n",
        ": ",
        "\\",
        "\u{feff}",
        "é: ",
    ] {
        let count = MAX_BYTES / piece.len();
        let _ = check(&piece.repeat(count));
        let _ = check(&format!("env: \"{}", piece.repeat(count - 6)));
        let _ = check(&format!("env:\n  A: {}", piece.repeat(count - 10)));
    }
    let names = (0..6_000).fold(String::new(), |text, n| format!("{text}x{n}: 1\n"));
    assert_eq!(check(&names).unwrap_err().iter().count(), 20);
    let long = format!("{}: 1", "x".repeat(60_000));
    check(&long).unwrap_err();
    check(&format!("app: {{ port: {} }}", "9".repeat(60_000))).unwrap_err();
}

#[test]
fn a_longer_text_is_not_read_at_all() {
    assert!(check(&" ".repeat(MAX_BYTES)).is_ok());
    let problems = check(&" ".repeat(MAX_BYTES + 1)).unwrap_err();
    assert_eq!(problems.to_string(), "windlass.yaml:1:1: must have at most 65536 bytes");
}

#[test]
fn what_is_not_utf_8_is_told_where() {
    let problems = parse("windlass.yaml", b"app:\n  command: caf\xe9\n").unwrap_err();
    assert_eq!(
        problems.to_string(),
        "windlass.yaml:2:15: this byte is not UTF-8: save the file as UTF-8"
    );
    assert!(parse("windlass.yaml", b"\xff\xfea\0p\0p\0").is_err());
}

/// Pieces of which files are made, and some that do not belong there.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "app",
        "build",
        "buildResources",
        "services",
        "hooks",
        "env",
        "port",
        "cpu",
        "memory",
        "command",
        "args",
        "postgres",
        "true",
        "8080",
        "500m",
        "A",
        ":",
        ": ",
        "\n",
        "\n  ",
        "\n    ",
        "\r\n",
        "\r",
        "\t",
        " ",
        "-",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "\"",
        "'",
        "#",
        " #",
        "&a",
        "*a",
        "!",
        "!!str ",
        "|",
        ">",
        "?",
        "? ",
        "---",
        "\n---\n",
        "\n...\n",
        "%YAML 1.2",
        "~",
        "null",
        "<<",
        "\\",
        "é",
        "\u{feff}",
        "\u{7}",
        "\u{2028}",
        "@",
        "`",
        "0x1F",
        "..",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_read_or_refused_with_places(text in any::<String>()) {
        let _ = check(&text);
    }

    #[test]
    fn nearly_right_text_is_read_or_refused_with_places(text in pieces()) {
        let _ = check(&text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = parse("windlass.yaml", bytes);
    }

    #[test]
    fn plain_values_of_variables_come_back(value in "[a-zA-Z0-9._/+=-]{1,40}") {
        // These mean nothing at all, or something else, without quotes.
        prop_assume!(!matches!(&*value.to_lowercase(), "null" | "-") && !value.starts_with("---"));
        let read = check(&format!("env:\n  A: {value}\n  B: '{value}'\n")).unwrap();
        prop_assert_eq!(read.env.values().collect::<Vec<_>>(), [&value, &value]);
    }
}
