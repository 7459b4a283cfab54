//! Projects for Node.js.

use serde_json::Value;

use super::{Kind, Root, Runtime, StartHow};

/// Folders into which the usual tools write a site.
const SITES: [&str; 5] = ["dist", "build", "out", "public", "."];

pub(super) fn recognise(root: &Root) -> Option<Kind> {
    if !root.has("package.json") {
        return None;
    }
    let paths = vec!["node_modules/.bin".to_owned()];
    let text = root.read("package.json").unwrap_or_default();
    let package = match serde_json::from_str::<Value>(&text) {
        Ok(package) => package,
        Err(error) => {
            let start = Some(Err(format!("package.json cannot be read: {error}")));
            return Some(Kind { runtime: Runtime::Node, paths, start, build: None });
        }
    };
    let has_script = |name: &str| package.pointer(&format!("/scripts/{name}")).is_some();
    let has_lock = ["package-lock.json", "npm-shrinkwrap.json"].iter().any(|name| root.has(name));

    let install = if has_lock { "npm ci" } else { "npm install" };
    let build = if has_script("build") { " && npm run build" } else { "" };
    let main = package.get("main").and_then(Value::as_str).into_iter();
    let file = ["server.js"].into_iter().chain(main).chain(["index.js"]);
    let file = file.into_iter().find(|name| root.has(name));
    let start = if has_script("start") {
        Ok(StartHow::Command("npm start".to_owned()))
    } else if let Some(file) = file {
        Ok(StartHow::Command(format!("node {}", quote(file))))
    } else if has_script("build") {
        Ok(StartHow::Static(SITES.map(str::to_owned).to_vec()))
    } else {
        Err("package.json has no `start` script, and there is no server.js or index.js: add one, \
             or set start_command"
            .to_owned())
    };
    let build = Some(format!("{install}{build}"));
    Some(Kind { runtime: Runtime::Node, paths, build, start: Some(start) })
}

/// A word for a shell, whatever is in it.
fn quote(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '_' | '-');
    if word.chars().all(is_plain) && !word.starts_with('-') {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
