//! Projects for Python.

use super::{Kind, Root, Runtime, StartHow};

pub(super) fn recognise(root: &Root) -> Option<Kind> {
    let has = |name: &str| root.has(name);
    let what = if has("requirements.txt") {
        "-r requirements.txt"
    } else if has("pyproject.toml") {
        "."
    } else {
        return None;
    };
    let build = format!("python3 -m venv .venv && .venv/bin/pip install {what}");
    let file = ["app.py", "main.py", "server.py"].into_iter().find(|name| has(name));
    let start = match file {
        // Unbuffered: what it prints is to be read while it runs.
        Some(file) => Ok(StartHow::Command(format!("python -u {file}"))),
        None => Err("this Python project has no Procfile, app.py, main.py or server.py: set \
                     start_command, for instance to `gunicorn --bind 127.0.0.1:$PORT app:app`"
            .to_owned()),
    };
    let paths = vec![".venv/bin".to_owned()];
    Some(Kind { runtime: Runtime::Python, paths, build: Some(build), start: Some(start) })
}
