//! The Dockerfile of a repository that has none.

use std::fmt::Write as _;

use windlass_engine_kit::recognise::{Plan, Runtime, StartHow};

use crate::config::BaseImages;

/// Nobody's account: apps are not root.
const USER: &str = "10001:10001";

/// Writes it. The variables that builds get are its arguments, by their names alone.
pub(super) fn write(plan: &Plan, images: &BaseImages, variables: &[(String, String)]) -> String {
    let base = match (plan.runtime, &plan.start, &plan.build) {
        (Runtime::Node, ..) => &images.node,
        (Runtime::Python, ..) => &images.python,
        (Runtime::Other, StartHow::Static(_), None) => &images.site,
        (Runtime::Other, ..) => &images.other,
    };
    let mut text = String::new();
    begin(&mut text, base);
    // Writing to a string does not fail.
    for path in &plan.paths {
        let _ = writeln!(text, "ENV PATH=\"/app/{path}:$PATH\"");
    }
    let _ = writeln!(text, "COPY --chown={USER} . .");
    for (name, _) in variables {
        let _ = writeln!(text, "ARG {name}");
    }
    if let Some(command) = &plan.build {
        let _ = writeln!(text, "RUN {}", shell(command));
    }
    match &plan.start {
        StartHow::Command(command) => {
            let _ = writeln!(text, "CMD {}", shell(command));
        }
        StartHow::Static(folders) => {
            if base != &images.site {
                begin(&mut text, &images.site);
                let _ = writeln!(text, "COPY --from=0 --chown={USER} /app /app");
            }
            let _ = writeln!(text, "CMD {}", shell(&site(folders)));
        }
    }
    text
}

/// The beginning of a stage.
fn begin(text: &mut String, base: &str) {
    let _ = writeln!(
        text,
        "FROM {base}\n\
         USER 0:0\n\
         RUN [\"/bin/sh\", \"-c\", \"mkdir -p /app /home/app && chown {USER} /app /home/app\"]\n\
         WORKDIR /app\n\
         ENV HOME=/home/app LANG=C.UTF-8\n\
         USER {USER}\n\
         ENTRYPOINT []"
    );
}

/// A shell command, in the form that no shell of Docker's reads.
fn shell(command: &str) -> String {
    serde_json::Value::from(vec!["/bin/sh", "-c", command]).to_string()
}

/// Serves the first of these folders that has an `index.html`.
fn site(folders: &[String]) -> String {
    let list = folders.join(" ");
    format!(
        "for folder in {list}; do \
         [ -f $folder/index.html ] && exec httpd -f -p $PORT -h $folder; \
         done; \
         echo 'no index.html in any of: {list}' >&2; exit 1"
    )
}

#[cfg(test)]
mod tests {
    use windlass_engine_kit::recognise::{Plan, Runtime, StartHow};

    use super::write;
    use crate::config::BaseImages;

    fn plan(runtime: Runtime, build: Option<&str>, start: StartHow) -> Plan {
        let (folder, build) = (".".to_owned(), build.map(str::to_owned));
        Plan { runtime, folder, paths: vec![".venv/bin".to_owned()], build, start }
    }

    #[test]
    fn commands_are_taken_as_they_are_and_values_stay_out() {
        let start = StartHow::Command("exec run \"$PORT\" \\ $(id)".to_owned());
        let variables = [("KEY".to_owned(), "secret".to_owned())];
        let plan = plan(Runtime::Python, Some("make 'all'"), start);
        let text = write(&plan, &BaseImages::default(), &variables);
        assert!(text.starts_with("FROM python:"), "{text}");
        assert!(text.contains("ENV PATH=\"/app/.venv/bin:$PATH\"\n"), "{text}");
        assert!(text.contains("ARG KEY\nRUN [\"/bin/sh\",\"-c\",\"make 'all'\"]\n"), "{text}");
        assert!(text.ends_with("CMD [\"/bin/sh\",\"-c\",\"exec run \\\"$PORT\\\" \\\\ $(id)\"]\n"));
        assert!(!text.contains("secret"));
    }

    #[test]
    fn a_site_that_must_be_built_is_served_by_another_image() {
        let start = || StartHow::Static(vec!["dist".to_owned(), ".".to_owned()]);
        let images = BaseImages::default();
        let built = write(&plan(Runtime::Node, Some("npm ci"), start()), &images, &[]);
        assert!(built.contains("FROM node:") && built.contains("FROM busybox:"), "{built}");
        let plain = write(&plan(Runtime::Other, None, start()), &images, &[]);
        assert!(plain.starts_with("FROM busybox:") && plain.matches("FROM ").count() == 1);
    }
}
