//! What people are told who made a mistake.

use windlass_manifest::parse;

/// A file, and the lines that are told about it, without its name.
const TOLD: &[(&str, &[&str])] = &[
    // Values.
    (
        "app:\n  port: http\n",
        &[r#"2:9: app.port: must be a whole number from 1 to 65535, and is "http""#],
    ),
    ("app: { port: 0 }", &["1:14: app.port: must be a whole number from 1 to 65535, and is 0"]),
    (
        "app: { port: 80.5 }",
        &["1:14: app.port: must be a whole number from 1 to 65535, and is 80.5"],
    ),
    (
        "app: { port: '8080' }",
        &[
            r#"1:14: app.port: must be a whole number from 1 to 65535, and is "8080": remove the quotes"#,
        ],
    ),
    ("app:\n  port:\n", &["2:3: app.port: must be a whole number from 1 to 65535, and is empty"]),
    (
        "app: { port: [80, 81] }",
        &["1:14: app.port: must be a whole number from 1 to 65535, and is a list"],
    ),
    (
        "app: { replicas: 101 }",
        &["1:18: app.replicas: must be a whole number from 1 to 100, and is 101"],
    ),
    (
        "app: { cpu: 0.001 }",
        &[
            "1:13: app.cpu: must be a number of CPUs from 0.01 to 1024, or text such as `500m`, and is 0.001",
        ],
    ),
    (
        "app: { memory: 512m }",
        &[
            r#"1:16: app.memory: must be a whole number of MiB from 8 to 16777216, or text such as `512Mi` or `1Gi`, and is "512m""#,
        ],
    ),
    (
        "buildResources: { timeout: 2d }",
        &[
            r#"1:28: buildResources.timeout: must be a whole number of seconds from 1 to 86400, or text such as `15m`, and is "2d""#,
        ],
    ),
    (
        "services: { redis: yes }",
        &[r#"1:20: services.redis: must be `true` or `false`, and is "yes""#],
    ),
    ("name: 2024", &["1:7: name: must be text, and is 2024: put it in quotes"]),
    (
        "build: { command: true }",
        &["1:19: build.command: must be text, and is true: put it in quotes"],
    ),
    (
        "build: { command: ' ' }",
        &[
            r#"1:19: build.command: must be a shell command of 1 to 4000 bytes without control characters, and is " ""#,
        ],
    ),
    (
        "build: { context: ../up }",
        &[
            r#"1:19: build.context: must be a path of at most 255 bytes inside the repository, without `..`, and is "../up""#,
        ],
    ),
    (
        "app: { health_path: healthz }",
        &[
            r#"1:21: app.health_path: must begin with `/` and have at most 1000 visible ASCII characters, and is "healthz""#,
        ],
    ),
    (
        "name: \"a\\eb\"",
        &[
            r#"1:7: name: must not contain control or invisible formatting characters, and is "a\u{1b}b""#,
        ],
    ),
    // Sections and variables.
    ("- app\n", &["1:1: must be a mapping of fields, and is a list"]),
    ("hello", &[r#"1:1: must be a mapping of fields, and is "hello""#]),
    ("app: node server.js", &[r#"1:6: app: must be a mapping of fields, and is "node server.js""#]),
    ("env: [A=1]", &["1:6: env: must be a mapping of names and values, and is a list"]),
    (
        "env:\n  A: [1]\n  B:\n  7C: x\n  PORT: 1\n",
        &[
            "2:6: env.A: must be text, a number, `true` or `false`, and is a list",
            r#"3:3: env.B: must be text, a number, `true` or `false`, and is empty: write "" for a text of nothing"#,
            "4:3: env.7C: must be 1 to 128 of A-Z, a-z, 0-9 and _, and not begin with a digit",
            "5:3: env.PORT: is set by the platform and cannot be changed",
        ],
    ),
    (
        "build:\n  args:\n    A: { b: c }\n",
        &["3:8: build.args.A: must be text, a number, `true` or `false`, and is a mapping"],
    ),
    // Names.
    (
        "build_resources: { cpu: 1 }",
        &["1:1: there is no `build_resources` here; did you mean `buildResources`?"],
    ),
    (
        "app: { prot: 1, healthPath: / }",
        &[
            "1:8: app: there is no `prot` here; did you mean `port`?",
            "1:17: app: there is no `healthPath` here; did you mean `health_path`?",
        ],
    ),
    (
        "dockerfile: Dockerfile\ncommand: x\n",
        &[
            "1:1: there is no `dockerfile` here; did you mean `build.dockerfile`?",
            "2:1: there is no `command` here; did you mean `build.command` or `app.command`?",
        ],
    ),
    (
        "hooks: { before: x }",
        &["1:10: hooks: there is no `before` here; there are `on_new`, `on_deploy`"],
    ),
    (": x", &["1:1: the name of a field is missing before this `:`"]),
    (
        "{ a }",
        &[
            "1:3: there is no `a` here; there are `name`, `build`, `app`, `buildResources`, `services`, `hooks`, `env`",
        ],
    ),
    ("? [a]\n: b\n", &["1:3: a name must be text"]),
    ("app: { port: 1 }\nname: x\napp: { port: 2 }\n", &["3:1: app: is there already, in line 1"]),
    ("env: { A: 1, \"A\": 2 }", &["1:14: env.A: is there already, in line 1"]),
    // YAML.
    ("app:\n\tport: 1\n", &["2:2: a tab cannot indent a line: use blanks"]),
    (
        "app:\n  port: 1\n   cpu: 2\n",
        &[
            "3:7: a `:` cannot stand here: put text with `: ` in it in quotes, indent this line as the one before, or end that one with `:`",
        ],
    ),
    (
        "app:\n   port: 1\n  cpu: 2\n",
        &[
            "3:3: this line is indented neither as a line before it nor further: give each field a line of its own, in line with its neighbours",
        ],
    ),
    (
        "app:\n  command: echo a: b\n",
        &[
            "2:18: a `:` cannot stand here: put text with `: ` in it in quotes, indent this line as the one before, or end that one with `:`",
        ],
    ),
    ("app:\n  command: @x\n", &["2:12: text cannot begin with `@`: put it in quotes"]),
    (
        "app\nbuild: {}\n",
        &[
            "2:6: a `:` cannot stand here: put text with `: ` in it in quotes, indent this line as the one before, or end that one with `:`",
        ],
    ),
    ("name: \"shop\n", &["1:7: this quote is not closed"]),
    ("app: { port: 1\n", &["1:6: this `{` is not closed"]),
    ("app: { port: 1 ]\n", &["1:6: this `{` is closed by a `]`"]),
    (
        "name: &a shop\nbuild: { command: *a }\n",
        &["2:19: an alias (`*`) cannot be read: repeat what it stands for"],
    ),
    (
        "name: !!str 5\n",
        &["1:7: a tag (`!`) cannot be read: put text in quotes, and the rest without"],
    ),
    ("name: a\n---\nname: b\n", &["2:1: only one document can be read: remove this `---`"]),
    ("name: a\u{7}b\n", &["1:8: the control character `\\u{7}` cannot stand here"]),
    (
        "{a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}}}}}}}}}}",
        &["1:65: this is nested more than 16 levels deep"],
    ),
    // Everything at once, in order of lines.
    (
        "env: { A: [] }\nnmae: shop\napp:\n  port: http\n  replicas: many\n  command: 'x\n",
        &[
            "1:11: env.A: must be text, a number, `true` or `false`, and is a list",
            "2:1: there is no `nmae` here; did you mean `name`?",
            r#"4:9: app.port: must be a whole number from 1 to 65535, and is "http""#,
            r#"5:13: app.replicas: must be a whole number from 1 to 100, and is "many""#,
            "6:12: this quote is not closed",
        ],
    ),
];

#[test]
fn every_mistake_is_told_with_its_place_and_what_was_expected() {
    for (text, told) in TOLD {
        let problems = parse("windlass.yaml", text).expect_err(text).to_string();
        let lines: Vec<_> = problems.lines().collect();
        let expected: Vec<_> = told.iter().map(|line| format!("windlass.yaml:{line}")).collect();
        assert_eq!(lines, expected, "{text}");
    }
}

#[test]
fn values_of_variables_are_not_repeated() {
    let text = "env: { A: \"hunter2\\0\", B: { hunter2: 1 }, 7: hunter2 }\nbuild: { args: { A: \"hunter2\\0\" } }";
    let problems = parse("windlass.yaml", text).unwrap_err();
    assert_eq!(problems.iter().count(), 4);
    assert!(!problems.to_string().contains("hunter2"), "{problems}");
}

#[test]
fn no_more_than_twenty_mistakes_are_told() {
    let text = (0..50).fold(String::new(), |text, n| format!("{text}nonsense{n}: 1\n"));
    let problems = parse("nexos.yaml", text).unwrap_err();
    assert_eq!(problems.iter().count(), 20);
    assert!(problems.iter().all(|problem| problem.file == "nexos.yaml"));
    assert_eq!(problems.iter().last().unwrap().line, 20);
}
