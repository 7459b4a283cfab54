//! How a repository is built and started, read from its settings and its files.

mod node;
mod procfile;
mod python;

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use crate::{prepare::RecipeOrder, record::StartHow};

/// What is to be done with a workspace.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The folder in which it is done.
    pub(crate) folder: String,
    /// Folders that come first in `PATH`.
    pub(crate) paths: Vec<String>,
    pub(crate) build: Option<String>,
    pub(crate) start: StartHow,
}

/// What the files of one kind of project say.
#[derive(Debug, Default)]
struct Kind {
    paths: Vec<String>,
    build: Option<String>,
    /// Or why it can't be told.
    start: Option<Result<StartHow, String>>,
}

/// Reads files of the project up to this size.
const MAX_FILE: u64 = 1024 * 1024;

/// Decides; the error is for the people of the project.
pub(crate) fn recognise(workspace: &Path, recipe: &RecipeOrder) -> Result<Plan, String> {
    let folder = recipe.build_context.as_deref().unwrap_or(".");
    let root = resolve(workspace, folder)?;
    let kind = node::recognise(&root).or_else(|| python::recognise(&root));
    let kind = kind.unwrap_or_else(|| static_files(&root));
    let has_dockerfile = recipe.dockerfile.is_some() || root.join("Dockerfile").is_file();

    let start = if let Some(command) = &recipe.start_command {
        StartHow::Command(command.clone())
    } else if recipe.dockerfile.is_some() {
        return Err(needs_docker());
    } else if let Some(command) = procfile::web(&root) {
        StartHow::Command(command)
    } else {
        match kind.start {
            Some(start) => start?,
            None if has_dockerfile => return Err(needs_docker()),
            None => return Err(unknown(folder)),
        }
    };
    let build = recipe.build_command.clone().or(kind.build);
    Ok(Plan { folder: folder.to_owned(), paths: kind.paths, build, start })
}

/// The folder in the workspace, if it is one.
fn resolve(workspace: &Path, folder: &str) -> Result<PathBuf, String> {
    let relative = Path::new(folder);
    let is_inside =
        relative.components().all(|part| matches!(part, Component::CurDir | Component::Normal(_)));
    let found = workspace.join(relative).canonicalize().ok().filter(|path| path.is_dir());
    let workspace = workspace.canonicalize().map_err(|error| error.to_string())?;
    found
        .filter(|path| is_inside && path.starts_with(workspace))
        .ok_or_else(|| format!("build_context `{folder}` is no folder of the repository"))
}

fn static_files(root: &Path) -> Kind {
    let folders = [".", "public", "dist"];
    let is_site = folders.iter().any(|folder| root.join(folder).join("index.html").is_file());
    let folders = folders.map(str::to_owned).to_vec();
    let start = is_site.then_some(Ok(StartHow::Static(folders)));
    Kind { start, ..Kind::default() }
}

fn needs_docker() -> String {
    "this repository is built with a Dockerfile, which needs the Docker Swarm engine; this server \
     runs apps as plain processes. Set start_command (and build_command), or add a Procfile with a \
     line such as `web: ./run`"
        .to_owned()
}

fn unknown(folder: &str) -> String {
    let place = if folder == "." { "its root".to_owned() } else { format!("`{folder}`") };
    format!(
        "nothing says how to start this repository: {place} has no Procfile (with a `web:` line), \
         package.json, requirements.txt, pyproject.toml or index.html. Set start_command (and \
         build_command, where something must be built)"
    )
}

/// The text of a file of the project, if it is a reasonable one.
fn read(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    (metadata.is_file() && metadata.len() <= MAX_FILE).then(|| fs::read_to_string(path).ok())?
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use tempfile::TempDir;

    use super::{Plan, recognise};
    use crate::{prepare::RecipeOrder, record::StartHow};

    fn workspace(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn plan(files: &[(&str, &str)]) -> Result<Plan, String> {
        recognise(workspace(files).path(), &RecipeOrder::default())
    }

    fn command(text: &str) -> StartHow {
        StartHow::Command(text.to_owned())
    }

    #[test]
    fn a_node_project_is_installed_built_and_started_as_its_package_says() {
        let package = r#"{"scripts":{"build":"tsc","start":"node dist/x.js"}}"#;
        let found = plan(&[("package.json", package), ("package-lock.json", "{}")]).unwrap();
        assert_eq!(found.build.as_deref(), Some("npm ci && npm run build"));
        assert_eq!(found.start, command("npm start"));
        assert_eq!(
            plan(&[("package.json", package)]).unwrap().build.unwrap().as_str(),
            "npm install && npm run build"
        );
    }

    #[test]
    fn a_node_project_without_a_start_script_is_started_by_its_file() {
        let server = plan(&[("package.json", "{}"), ("server.js", "")]).unwrap();
        assert_eq!(server.start, command("node server.js"));
        let main = plan(&[("package.json", r#"{"main":"lib/it's.js"}"#), ("lib/it's.js", "")]);
        assert_eq!(main.unwrap().start, command(r"node 'lib/it'\''s.js'"));
        let site = plan(&[("package.json", r#"{"scripts":{"build":"vite build"}}"#)]).unwrap();
        assert!(matches!(site.start, StartHow::Static(_)));
        assert!(plan(&[("package.json", "{}")]).unwrap_err().contains("start_command"));
        assert!(plan(&[("package.json", "{")]).unwrap_err().contains("package.json"));
    }

    #[test]
    fn a_python_project_gets_an_environment_of_its_own() {
        let found = plan(&[("requirements.txt", ""), ("app.py", "")]).unwrap();
        assert!(found.build.unwrap().contains("pip install -r requirements.txt"));
        assert_eq!(found.start, command("python -u app.py"));
        assert_eq!(found.paths, [".venv/bin"]);
        assert!(plan(&[("pyproject.toml", "")]).unwrap_err().contains("start_command"));
    }

    #[test]
    fn a_procfile_goes_before_what_is_recognised_and_settings_before_both() {
        let files = [("Procfile", "release: x\nweb:  ./run --fast \n"), ("index.html", "")];
        assert_eq!(plan(&files).unwrap().start, command("./run --fast"));
        let recipe = RecipeOrder { start_command: Some("./mine".to_owned()), ..Default::default() };
        let found = recognise(workspace(&files).path(), &recipe).unwrap();
        assert_eq!((found.start, found.build), (command("./mine"), None));
    }

    #[test]
    fn a_dockerfile_alone_and_nothing_at_all_are_explained() {
        let docker = plan(&[("Dockerfile", "FROM x")]).unwrap_err();
        assert!(docker.contains("Docker Swarm engine"), "{docker}");
        let nothing = plan(&[("README", "")]).unwrap_err();
        assert!(nothing.contains("Procfile") && nothing.contains("index.html"), "{nothing}");
    }

    #[test]
    fn the_build_context_cannot_lead_out_of_the_repository() {
        let folder = workspace(&[("sub/index.html", "")]);
        symlink("/etc", folder.path().join("link")).unwrap();
        let at = |context: &str| {
            let build_context = Some(context.to_owned());
            recognise(folder.path(), &RecipeOrder { build_context, ..Default::default() })
        };
        assert_eq!(at("sub").unwrap().folder, "sub");
        for bad in ["..", "sub/../..", "/etc", "link", "missing", "sub/index.html"] {
            assert!(at(bad).unwrap_err().contains("build_context"), "{bad}");
        }
    }
}
