//! What right files set.

use windlass_domain::{BuildResources, Hooks, Previews, ProjectSettings, Resources, Services};
use windlass_manifest::{Manifest, ManifestServices, parse};

fn read(text: &str) -> Manifest {
    parse("windlass.yaml", text).unwrap_or_else(|problems| panic!("{text:?}\n{problems}"))
}

/// The fenced block of YAML in the readme.
fn example() -> &'static str {
    let readme = include_str!("../../../../README.md");
    let (_, rest) = readme.split_once("```yaml\n").unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_example_in_the_readme_sets_every_field() {
    let manifest = read(example());
    assert_eq!(manifest.name.unwrap().as_str(), "shop");
    assert_eq!(manifest.build.dockerfile.as_deref(), Some("Dockerfile"));
    assert_eq!(manifest.build.context.as_deref(), Some("."));
    assert_eq!(manifest.build.command.unwrap().as_str(), "npm run build");
    let args: Vec<_> = manifest.build.args.iter().map(|(k, v)| (k.as_str(), &**v)).collect();
    assert_eq!(args, [("NODE_ENV", "production")]);
    assert_eq!(manifest.app.command.unwrap().as_str(), "node server.js");
    assert_eq!(manifest.app.port, Some(8080));
    assert_eq!(manifest.app.health_path.as_deref(), Some("/healthz"));
    let app = Resources { cpu_millis: Some(500), memory_mb: Some(512) };
    assert_eq!(manifest.app.resources, app);
    assert_eq!(manifest.app.replicas, Some(2));
    let build = BuildResources {
        cpu_millis: Some(2_000),
        memory_mb: Some(2_048),
        timeout_seconds: Some(900),
    };
    assert_eq!(manifest.build_resources, build);
    let services = ManifestServices { postgres: Some(true), redis: Some(false), s3: Some(false) };
    assert_eq!(manifest.services, services);
    assert_eq!(manifest.hooks.on_new.unwrap().as_str(), "npm run seed");
    assert_eq!(manifest.hooks.on_deploy.unwrap().as_str(), "npm run migrate");
    let env: Vec<_> = manifest.env.iter().map(|(k, v)| (k.as_str(), &**v)).collect();
    assert_eq!(env, [("GREETING", "hello")]);
}

#[test]
fn a_file_with_nothing_in_it_sets_nothing() {
    for text in ["", "\n", "# later\n", "---\n", "--- # later\n...\n", "{}", "null", "\u{feff}"] {
        assert_eq!(read(text), Manifest::default(), "{text:?}");
    }
    let sections = "build:\n  # command: make\napp:\nbuildResources: ~\nservices: {}\nenv:\n";
    assert_eq!(read(sections), Manifest::default());
}

#[test]
fn values_of_variables_stay_as_they_are_written() {
    let text = r#"
env:
  AGENT: 007
  VERSION: 1.10
  ANSWER: yes
  MASK: 0x1F
  BIG: 123456789012345678901234567890
  TIME: 12:30:45
  ON: True
  TILDE: "~"
  NULL_: 'null'
  EMPTY: ""
  ESCAPED: "a\tb\u00e9"
  URL: https://example.com/?a=b#c   # a comment
  TWO_LINES: |
    one
      two
  FOLDED: >-
    one
    two
"#;
    let manifest = read(text);
    let env: Vec<_> = manifest.env.iter().map(|(k, v)| (k.as_str(), &**v)).collect();
    let expected = [
        ("AGENT", "007"),
        ("ANSWER", "yes"),
        ("BIG", "123456789012345678901234567890"),
        ("EMPTY", ""),
        ("ESCAPED", "a\tbé"),
        ("FOLDED", "one two"),
        ("MASK", "0x1F"),
        ("NULL_", "null"),
        ("ON", "True"),
        ("TILDE", "~"),
        ("TIME", "12:30:45"),
        ("TWO_LINES", "one\n  two\n"),
        ("URL", "https://example.com/?a=b#c"),
        ("VERSION", "1.10"),
    ];
    assert_eq!(env, expected);
}

#[test]
fn amounts_can_have_units() {
    for (cpu, millis) in
        [("0.5", 500), ("2", 2_000), ("500m", 500), ("\"10m\"", 10), ("1e1", 10_000)]
    {
        let manifest = read(&format!("app: {{ cpu: {cpu} }}"));
        assert_eq!(manifest.app.resources.cpu_millis, Some(millis), "{cpu}");
    }
    for (memory, mib) in [
        ("512", 512),
        ("512.0", 512),
        ("512Mi", 512),
        ("512MB", 512),
        ("1Gi", 1_024),
        ("16384GB", 16_777_216),
    ] {
        let manifest = read(&format!("app: {{ memory: {memory} }}"));
        assert_eq!(manifest.app.resources.memory_mb, Some(mib), "{memory}");
    }
    for (timeout, seconds) in [("900", 900), ("90s", 90), ("15m", 900), ("24h", 86_400)] {
        let manifest = read(&format!("buildResources: {{ timeout: {timeout} }}"));
        assert_eq!(manifest.build_resources.timeout_seconds, Some(seconds), "{timeout}");
    }
}

#[test]
fn line_ends_of_windows_and_json_are_fine() {
    let crlf = read("app:\r\n  port: 8080\r\n  command: node server.js\r\n");
    let json = read(r#"{ "app": { "port": 8080, "command": "node server.js" } }"#);
    assert_eq!(crlf, json);
    assert_eq!(crlf.app.command.unwrap().as_str(), "node server.js");
}

#[test]
fn bytes_are_read_like_text() {
    assert_eq!(parse("windlass.yaml", b"app: { port: 1 }").unwrap(), read("app: { port: 1 }"));
}

#[test]
fn what_a_file_sets_wins_and_the_rest_stays() {
    let project = ProjectSettings {
        dockerfile: Some("Dockerfile".to_owned()),
        build_context: Some("shop".to_owned()),
        services: Services { postgres: true, redis: true, s3: false },
        build_command: Some("make".parse().unwrap()),
        start_command: Some("make run".parse().unwrap()),
        health_path: Some("/up".to_owned()),
        port: Some(1),
        resources: Resources { cpu_millis: Some(100), memory_mb: Some(100) },
        build_resources: BuildResources {
            cpu_millis: Some(100),
            memory_mb: Some(100),
            timeout_seconds: Some(100),
        },
        previews: Previews { enabled: false, ..Previews::default() },
        hooks: Hooks {
            on_new: Some("make seed".parse().unwrap()),
            on_deploy: Some("make migrate".parse().unwrap()),
        },
    };
    assert_eq!(Manifest::default().over(&project), project);

    let some = "
build: { command: npm run build }
app: { port: 8080, memory: 1Gi }
buildResources: { timeout: 15m }
services: { redis: false, s3: true }
hooks: { on_deploy: npm run migrate }
";
    let expected = ProjectSettings {
        services: Services { postgres: true, redis: false, s3: true },
        build_command: Some("npm run build".parse().unwrap()),
        port: Some(8080),
        resources: Resources { cpu_millis: Some(100), memory_mb: Some(1_024) },
        build_resources: BuildResources { timeout_seconds: Some(900), ..project.build_resources },
        hooks: Hooks {
            on_deploy: Some("npm run migrate".parse().unwrap()),
            ..project.hooks.clone()
        },
        ..project.clone()
    };
    assert_eq!(read(some).over(&project), expected);

    let all = read(example());
    let ours = all.over(&ProjectSettings::default());
    let services = Services { postgres: true, redis: false, s3: false };
    assert_eq!(
        all.over(&project),
        ProjectSettings { services, previews: project.previews.clone(), ..ours }
    );
}
