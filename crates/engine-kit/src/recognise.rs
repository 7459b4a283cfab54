//! How a repository is built and started, read from its settings and its files.

mod node;
mod procfile;
mod python;

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::order::RecipeOrder;

/// What is to be done with a workspace.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// What it is written for.
    pub runtime: Runtime,
    /// The folder in which it is done.
    pub folder: String,
    /// Folders that come first in `PATH`.
    pub paths: Vec<String>,
    /// Shell command that builds, if there is anything to build.
    pub build: Option<String>,
    /// How the app is started.
    pub start: StartHow,
}

/// What a repository is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// Node.js.
    Node,
    /// Python.
    Python,
    /// Nothing that is recognised.
    Other,
}

/// What is started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StartHow {
    /// A shell command.
    Command(String),
    /// A web server of ours, on the first of these folders that has an `index.html`.
    Static(Vec<String>),
}

/// What an engine does with a repository that brings a Dockerfile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dockerfiles {
    /// It builds them, so that only what has none is recognised.
    AreBuilt,
    /// It cannot.
    NeedAnotherEngine,
}

/// What the files of one kind of project say.
#[derive(Debug)]
struct Kind {
    runtime: Runtime,
    paths: Vec<String>,
    build: Option<String>,
    /// Or why it can't be told.
    start: Option<Result<StartHow, String>>,
}

/// Reads files of the project up to this size.
const MAX_FILE: u64 = 1024 * 1024;

/// Decides; the error is for the people of the project.
pub fn recognise(
    workspace: &Path,
    recipe: &RecipeOrder,
    dockerfiles: Dockerfiles,
) -> Result<Plan, String> {
    let folder = recipe.build_context.as_deref().unwrap_or(".");
    let root = Root::resolve(workspace, folder)?;
    let kind = node::recognise(&root).or_else(|| python::recognise(&root));
    let kind = kind.unwrap_or_else(|| static_files(&root));
    let has_dockerfile = recipe.dockerfile.is_some() || root.has("Dockerfile");
    let needs_docker = has_dockerfile && dockerfiles == Dockerfiles::NeedAnotherEngine;

    let start = if let Some(command) = &recipe.start_command {
        StartHow::Command(command.clone())
    } else if recipe.dockerfile.is_some() && needs_docker {
        return Err(another_engine());
    } else if let Some(command) = procfile::web(&root) {
        StartHow::Command(command)
    } else {
        match kind.start {
            Some(start) => start?,
            None if needs_docker => return Err(another_engine()),
            None => return Err(unknown(folder, dockerfiles)),
        }
    };
    let build = recipe.build_command.clone().or(kind.build);
    Ok(Plan { runtime: kind.runtime, folder: folder.to_owned(), paths: kind.paths, build, start })
}

/// The folder of a repository that is built. What it holds was written by others: a link may lead
/// elsewhere in the repository, and nowhere else.
#[derive(Debug)]
pub struct Root {
    workspace: PathBuf,
    path: PathBuf,
}

impl Root {
    /// The folder in the workspace, if it is one; the error is for the people of the project.
    pub fn resolve(workspace: &Path, folder: &str) -> Result<Self, String> {
        let no_folder = || format!("build_context `{folder}` is no folder of the repository");
        let workspace = workspace.canonicalize().map_err(|error| error.to_string())?;
        let relative = Path::new(folder);
        let is_inside = relative
            .components()
            .all(|part| matches!(part, Component::CurDir | Component::Normal(_)));
        let root = Self { path: workspace.clone(), workspace };
        let path = root.find(folder).filter(|path| is_inside && path.is_dir());
        Ok(Self { path: path.ok_or_else(no_folder)?, ..root })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is such a file.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some_and(|path| path.is_file())
    }

    /// The text of a file, if it is a reasonable one.
    #[must_use]
    pub fn read(&self, name: &str) -> Option<String> {
        let path = self.find(name)?;
        let metadata = fs::metadata(&path).ok()?;
        (metadata.is_file() && metadata.len() <= MAX_FILE).then(|| fs::read_to_string(path).ok())?
    }

    /// What a name leads to, if that is in the repository.
    fn find(&self, name: &str) -> Option<PathBuf> {
        let path = self.path.join(name).canonicalize().ok()?;
        path.starts_with(&self.workspace).then_some(path)
    }
}

fn static_files(root: &Root) -> Kind {
    let folders = [".", "public", "dist"];
    let is_site = folders.iter().any(|folder| root.has(&format!("{folder}/index.html")));
    let folders = folders.map(str::to_owned).to_vec();
    let start = is_site.then_some(Ok(StartHow::Static(folders)));
    Kind { runtime: Runtime::Other, paths: Vec::new(), build: None, start }
}

fn another_engine() -> String {
    "this repository is built with a Dockerfile, which needs the Docker Swarm engine; this server \
     runs apps as plain processes. Set start_command (and build_command), or add a Procfile with a \
     line such as `web: ./run`"
        .to_owned()
}

fn unknown(folder: &str, dockerfiles: Dockerfiles) -> String {
    let place = if folder == "." { "its root".to_owned() } else { format!("`{folder}`") };
    let dockerfile = match dockerfiles {
        Dockerfiles::AreBuilt => "Dockerfile, ",
        Dockerfiles::NeedAnotherEngine => "",
    };
    format!(
        "nothing says how to start this repository: {place} has no {dockerfile}Procfile (with a \
         `web:` line), package.json, requirements.txt, pyproject.toml or index.html. Set \
         start_command (and build_command, where something must be built)"
    )
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, path::Path};

    use tempfile::TempDir;

    use super::{Dockerfiles, Plan, Root, StartHow, recognise};
    use crate::order::RecipeOrder;

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
        decide(workspace(files).path(), &RecipeOrder::default())
    }

    fn decide(workspace: &Path, recipe: &RecipeOrder) -> Result<Plan, String> {
        recognise(workspace, recipe, Dockerfiles::NeedAnotherEngine)
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
        let found = decide(workspace(&files).path(), &recipe).unwrap();
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
            decide(folder.path(), &RecipeOrder { build_context, ..Default::default() })
        };
        assert_eq!(at("sub").unwrap().folder, "sub");
        for bad in ["..", "sub/../..", "/etc", "link", "missing", "sub/index.html"] {
            assert!(at(bad).unwrap_err().contains("build_context"), "{bad}");
        }
    }

    #[test]
    fn links_lead_to_nothing_outside_of_the_repository() {
        let folder = workspace(&[("shared/Procfile", "web: ./run"), ("app/x", "")]);
        symlink("../shared/Procfile", folder.path().join("app/Procfile")).unwrap();
        symlink("/etc/passwd", folder.path().join("app/package.json")).unwrap();
        let root = Root::resolve(folder.path(), "app").unwrap();
        assert_eq!(root.read("Procfile").as_deref(), Some("web: ./run"));
        assert!(!root.has("package.json") && root.read("package.json").is_none());
    }
}
