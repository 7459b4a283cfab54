//! What is tried: texts that mislead, and JSON that misfits.

use serde_json::{Value, json};

use super::document::Field;

/// What a text would do to whoever reads it without care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Says nothing.
    Empty,
    /// Ends early for C.
    Nul,
    /// Moves a terminal, or begins another line.
    Control,
    /// Is not seen, or turns what is.
    Invisible,
    /// Is an option to a program.
    Flag,
    /// Makes git run a program, or keeps a password.
    Remote,
    /// Leaves a folder.
    Escape,
    /// Is a statement to something else; blanks and colons in it.
    Phrase,
    /// Is a number where somebody reads it as one.
    Number,
    /// Is odd, and a name all the same.
    Word,
    /// Is a name everywhere, and not what it seems.
    Identifier,
    /// Does not end.
    Long,
}

const TEXTS: [(Kind, &str); 37] = [
    (Kind::Empty, ""),
    (Kind::Nul, "\0"),
    (Kind::Nul, "a\0b"),
    (Kind::Control, "\n\r\t"),
    (Kind::Control, "\u{1}\u{7f}"),
    (Kind::Control, "\u{1b}[2J"),
    (Kind::Control, "next\u{85}line"),
    (Kind::Control, "/ HTTP/1.1\r\nX-Evil: 1"),
    (Kind::Invisible, "\u{202e}evil"),
    (Kind::Invisible, "\u{feff}bom"),
    (Kind::Invisible, "zero\u{200b}width"),
    (Kind::Invisible, "\u{61c}mark"),
    (Kind::Invisible, "\u{e0001}tag"),
    (Kind::Flag, "--upload-pack=touch /tmp/x"),
    (Kind::Flag, "-oProxyCommand=x"),
    (Kind::Flag, "-1"),
    (Kind::Remote, "ext::sh -c id"),
    (Kind::Remote, "ext::touch%20/tmp/x"),
    (Kind::Remote, "ssh://-oProxyCommand=x/y"),
    (Kind::Remote, "https://user:secret@git.example.com/x"),
    (Kind::Escape, "../../etc/passwd"),
    (Kind::Escape, ".."),
    (Kind::Escape, "a/../../b"),
    (Kind::Escape, "..\\..\\x"),
    (Kind::Phrase, "'; DROP TABLE project; --"),
    (Kind::Phrase, "${jndi:ldap://x}"),
    (Kind::Number, "999999999999999999999999999999"),
    (Kind::Number, "1e309"),
    (Kind::Word, "%00"),
    (Kind::Word, "%2e%2e%2f"),
    (Kind::Word, "$(id)`id`"),
    (Kind::Word, "<script>alert(1)</script>"),
    (Kind::Word, "\u{1f980}\u{fe0f}"),
    (Kind::Word, "\u{fdfa}"),
    (Kind::Identifier, "null"),
    (Kind::Identifier, "__proto__"),
    // Well-formed, and of a kind that nothing asks for.
    (Kind::Identifier, "bld_01kdvdna000000000000000007"),
];

/// Every text, a long one of so many bytes among them.
pub(super) fn texts(long: usize) -> impl Iterator<Item = (Kind, String)> {
    let texts = TEXTS.into_iter().map(|(kind, text)| (kind, text.to_owned()));
    texts.chain([(Kind::Long, "x".repeat(long))])
}

/// The kinds that a field or a header takes, because it is free text or they do no harm there.
/// Whatever has no line here refuses every text.
pub(super) fn takes(name: &str) -> &'static [Kind] {
    use Kind::{
        Control, Empty, Escape, Flag, Identifier, Invisible, Nul, Number, Phrase, Remote, Word,
    };
    match name {
        "name" | "label" => &[Flag, Remote, Escape, Phrase, Number, Word, Identifier],
        "build_command" | "start_command" | "on_new" | "on_deploy" => {
            &[Invisible, Flag, Remote, Escape, Phrase, Number, Word, Identifier]
        }
        "dockerfile" | "build_context" => &[Remote, Phrase, Number, Word, Identifier],
        "branch" | "default_branch" | "branches" => &[Number, Word, Identifier],
        // Anything will do that is long enough.
        "password" => {
            &[Nul, Control, Invisible, Flag, Remote, Escape, Phrase, Number, Word, Identifier]
        }
        // The audit log may know an operation of long ago by any name.
        "key" | "action" => &[Identifier],
        "value" => {
            &[Empty, Control, Invisible, Flag, Remote, Escape, Phrase, Number, Word, Identifier]
        }
        "If-None-Match" => &[Number],
        "Last-Event-ID" => &[Empty],
        _ => &[],
    }
}

/// Percent-encoded bytes that are no UTF-8, and what is no encoding at all.
pub(super) const MISENCODED: [&str; 6] =
    ["%ff%fe", "%c0%ae%c0%ae", "%ed%a0%80", "%zz", "%", "%u0000"];

/// A value for one field, as it is sent.
pub(super) struct Token {
    pub(super) json: Vec<u8>,
    /// What it says, if the field is to take it.
    pub(super) good: Option<Value>,
}

impl Token {
    fn new(value: Value, is_good: bool) -> Self {
        Self { json: value.to_string().into_bytes(), good: is_good.then_some(value) }
    }

    fn broken(json: impl Into<Vec<u8>>) -> Self {
        Self { json: json.into(), good: None }
    }
}

/// Everything that one field is tried with.
pub(super) fn tokens(field: &Field) -> Vec<Token> {
    let taken = if field.is("string") { takes(field.name()) } else { &[] };
    // Much, and yet not more than a body may have.
    let texts = texts(1_000_000);
    let texts = texts.map(|(kind, text)| Token::new(json!(text), taken.contains(&kind)));
    let misfits = [
        // A project's source can be changed, but not be taken away.
        Token::new(Value::Null, field.is("null") && field.name() != "git_url"),
        Token::new(json!(true), field.is("boolean")),
        Token::new(json!([]), field.is("array")),
        Token::new(json!([[[]]]), false),
        Token::new(json!(vec!["read"; 1_000]), false),
        Token::new(json!({ "a": {} }), false),
    ];
    let numbers = [-7.0, 0.5, 5e-324, 1e30, 1e300].into_iter().chain(field.edges());
    let numbers = numbers.map(|number| Token::new(json!(number), field.takes_number(number)));
    texts.chain(misfits).chain(numbers).chain(broken()).collect()
}

/// What is no JSON, or no parser should follow.
fn broken() -> impl Iterator<Item = Token> {
    [
        b"\"a\xff\"".to_vec(),
        b"\"\xed\xa0\x80\"".to_vec(),
        br#""\ud800""#.to_vec(),
        b"\"\0\"".to_vec(),
        b"'x'".to_vec(),
        b"NaN".to_vec(),
        b"0x10".to_vec(),
        b"1e400".to_vec(),
        b",".to_vec(),
        "9".repeat(400).into_bytes(),
        format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)).into_bytes(),
        format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000)).into_bytes(),
    ]
    .into_iter()
    .map(Token::broken)
}

/// Bodies that are not what `good` is, though some of them hold it.
pub(super) fn bodies(good: &Value) -> Vec<Vec<u8>> {
    let text = good.to_string();
    let members: Vec<&Value> = good.as_object().unwrap().values().collect();
    let mut bodies: Vec<Vec<u8>> = ["", " ", "{", "}", "null", "true", "7", "\"x\"", "[]", "[{}]"]
        .map(|text| text.as_bytes().to_vec())
        .into();
    bodies.extend([
        json!(members).to_string().into_bytes(),
        text.as_bytes()[..text.len() - 1].to_vec(),
        format!("{text}{text}").into_bytes(),
        format!("{text}\0").into_bytes(),
        format!("\u{feff}{text}").into_bytes(),
        format!("[{text}]").into_bytes(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        b"{\"a\xff\":1}".to_vec(),
        "[".repeat(100_000).into_bytes(),
        "{\"a\":".repeat(100_000).into_bytes(),
    ]);
    bodies
}
