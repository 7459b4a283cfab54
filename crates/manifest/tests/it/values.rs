//! Right and wrong values of every field.

use serde_json::{Value, json};

/// A field, and values of it.
pub(crate) struct Field {
    /// Its path.
    pub(crate) path: &'static str,
    /// What it may be.
    pub(crate) right: Vec<Value>,
    /// What it may not.
    pub(crate) wrong: Vec<Value>,
}

/// The items of a list of JSON.
macro_rules! values {
    ($($value:tt)*) => {
        match json!([$($value)*]) {
            Value::Array(values) => values,
            other => panic!("{other}"),
        }
    };
}

/// What a field may be, and what not.
type Values = (Vec<Value>, Vec<Value>);

/// Every field.
pub(crate) fn fields() -> Vec<Field> {
    let all: [(&'static str, Values); 25] = [
        ("name", name()),
        ("build", section()),
        ("build.dockerfile", path()),
        ("build.context", path()),
        ("build.command", command()),
        ("build.args", variables()),
        ("app", section()),
        ("app.command", command()),
        ("app.port", port()),
        ("app.health_path", health_path()),
        ("app.cpu", cpu()),
        ("app.memory", memory()),
        ("app.replicas", replicas()),
        ("buildResources", section()),
        ("buildResources.cpu", cpu()),
        ("buildResources.memory", memory()),
        ("buildResources.timeout", timeout()),
        ("services", section()),
        ("services.postgres", switch()),
        ("services.redis", switch()),
        ("services.s3", switch()),
        ("hooks", section()),
        ("hooks.on_new", command()),
        ("hooks.on_deploy", command()),
        ("env", variables()),
    ];
    all.into_iter().map(|(path, (right, wrong))| Field { path, right, wrong }).collect()
}

fn section() -> Values {
    (values![null, {}], values![[], "x", 1, { "x": 1 }, { "name": "x" }])
}

fn name() -> Values {
    let right = values!["shop", "Öl & Co", "é".repeat(100)];
    let wrong =
        values!["", " shop", "shop\u{a0}", "a\u{200b}b", "a\u{e0041}b", "x".repeat(101), 1, null,];
    (right, wrong)
}

fn command() -> Values {
    let right = values!["make", " a\n\tb ", "x".repeat(4_000), "é"];
    let wrong =
        values!["", " \n", "a\u{7}b", "a\u{85}b", "x".repeat(4_001), 1, true, null, ["make"],];
    (right, wrong)
}

fn path() -> Values {
    let right = values![".", "a/b", "a/..b", "...", "x".repeat(255)];
    let wrong = values![
        "",
        "..",
        "../a",
        "a/../b",
        "a/..",
        "/a",
        "-a",
        "a\\b",
        "a\nb",
        "a\u{202e}b",
        "a\u{e0041}b",
        "x".repeat(256),
        1,
        null,
    ];
    (right, wrong)
}

fn health_path() -> Values {
    let right = values!["/", "/healthz?a=%20", format!("/{}", "x".repeat(999))];
    let wrong = values!["", "healthz", "/a b", "/a#b", "/é", "/\n", "/".repeat(1_001), 1];
    (right, wrong)
}

fn port() -> Values {
    (values![1, 8080, 8080.0, 65_535], values![0, 65_536, -1, 1.5, "8080", null])
}

fn replicas() -> Values {
    (values![1, 100], values![0, 101, "2", 1.5, 1e9, null])
}

fn cpu() -> Values {
    let right = values![0.01, 1, 1_024, "10m", "999m", "1024000m"];
    let wrong = values![
        0, 0.009, 1_024.5, -1, "9m", "010m", "1024001m", "1", "m", "1.5m", "١m", true, null,
    ];
    (right, wrong)
}

fn memory() -> Values {
    let right = values![8, 512.0, 16_777_216, "8Mi", "8MB", "16777216Mi", "1Gi", "16384GB"];
    let wrong = values![
        7,
        8.5,
        16_777_217,
        -8,
        "7Mi",
        "0Gi",
        "16385Gi",
        "99999999999999999999Gi",
        "512",
        "512m",
        "512mi",
        "512 Mi",
        "512Mi\n",
        null,
    ];
    (right, wrong)
}

fn timeout() -> Values {
    let right = values![1, 86_400, "1s", "86400s", "1440m", "24h"];
    let wrong = values![0, 86_401, "86401s", "1441m", "25h", "1d", "1m30s", null];
    (right, wrong)
}

fn switch() -> Values {
    (values![true, false], values!["true", "yes", 1, null])
}

fn variables() -> Values {
    let right = values![
        null,
        {},
        { "A": "1", "_b": 2, "C9": false, "D": 1.5, "E": "" },
        { "A".repeat(128): "x" },
        { "PORTS": 1, "LDX": 1, "WINDLASS": 1 },
        { "A": "a\nb\tc\u{e9}" },
    ];
    let wrong = values![
        [],
        "A=1",
        true,
        { "A": null },
        { "A": [] },
        { "A": {} },
        { "": 1 },
        { "7": 1 },
        { "A-B": 1 },
        { "A\n": 1 },
        { "A".repeat(129): 1 },
        { "PORT": 1 },
        { "LD_PRELOAD": 1 },
        { "WINDLASS_X": 1 },
        { "A": "a\u{0}b" },
        { "A": "x".repeat(32_769) },
    ];
    (right, wrong)
}
