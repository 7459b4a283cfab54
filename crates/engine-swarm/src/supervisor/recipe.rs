//! Which Dockerfile a repository is built with: its own, or one that is made.

use std::path::{Path, PathBuf};

use windlass_engine_kit::{
    order::RecipeOrder,
    recognise::{Dockerfiles, Root, recognise},
};

use super::dockerfile;
use crate::config::BaseImages;

/// What is sent to the daemon.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Recipe {
    /// The folder that is built.
    pub(super) context: PathBuf,
    pub(super) dockerfile: Dockerfile,
}

/// The Dockerfile.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Dockerfile {
    /// Of the folder, by its path there.
    Inside(String),
    /// Of elsewhere in the repository, or made here.
    Text(String),
}

/// Decides; the error is for the people of the project.
pub(super) fn decide(
    workspace: &Path,
    recipe: &RecipeOrder,
    images: &BaseImages,
    variables: &[(String, String)],
) -> Result<Recipe, String> {
    let root = Root::resolve(workspace, recipe.build_context.as_deref().unwrap_or("."))?;
    let context = root.path().to_owned();
    let usual = || {
        let is_there = recipe.build_command.is_none() && root.has("Dockerfile");
        is_there.then(|| "Dockerfile".to_owned())
    };
    let dockerfile = if let Some(path) = recipe.dockerfile.clone().or_else(usual) {
        find(workspace, &root, path)?
    } else {
        let plan = recognise(workspace, recipe, Dockerfiles::AreBuilt)?;
        Dockerfile::Text(dockerfile::write(&plan, images, variables))
    };
    Ok(Recipe { context, dockerfile })
}

/// Looks in the folder that is built, and then from the root of the repository on.
fn find(workspace: &Path, root: &Root, path: String) -> Result<Dockerfile, String> {
    if root.has(&path) {
        return Ok(Dockerfile::Inside(path));
    }
    let text = Root::resolve(workspace, ".")?.read(&path);
    text.map(Dockerfile::Text)
        .ok_or_else(|| format!("dockerfile `{path}` is no file of the repository"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;
    use windlass_engine_kit::order::RecipeOrder;

    use super::{Dockerfile, decide};
    use crate::config::BaseImages;

    fn workspace(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn dockerfile(files: &[(&str, &str)], recipe: &RecipeOrder) -> Result<Dockerfile, String> {
        let folder = workspace(files);
        let recipe = decide(folder.path(), recipe, &BaseImages::default(), &[]);
        recipe.map(|recipe| recipe.dockerfile)
    }

    #[test]
    fn a_dockerfile_goes_before_what_is_recognised_unless_a_command_builds() {
        let files = [("Dockerfile", "FROM x"), ("index.html", "")];
        let inside = || Ok(Dockerfile::Inside("Dockerfile".to_owned()));
        assert_eq!(dockerfile(&files, &RecipeOrder::default()), inside());
        let mut recipe =
            RecipeOrder { build_command: Some("make".to_owned()), ..RecipeOrder::default() };
        assert!(matches!(dockerfile(&files, &recipe), Ok(Dockerfile::Text(_))));
        recipe.dockerfile = Some("Dockerfile".to_owned());
        assert_eq!(dockerfile(&files, &recipe), inside());
    }

    #[test]
    fn a_dockerfile_is_looked_for_in_the_context_and_in_the_repository_and_nowhere_else() {
        let files =
            [("app/Dockerfile", "FROM in"), ("app/x", ""), ("other/Dockerfile", "FROM out")];
        let at = |path: &str| {
            let recipe = RecipeOrder {
                dockerfile: Some(path.to_owned()),
                build_context: Some("app".to_owned()),
                ..RecipeOrder::default()
            };
            dockerfile(&files, &recipe)
        };
        assert_eq!(at("Dockerfile"), Ok(Dockerfile::Inside("Dockerfile".to_owned())));
        assert_eq!(at("other/Dockerfile"), Ok(Dockerfile::Text("FROM out".to_owned())));
        for bad in ["missing", "/etc/passwd", "../../../../etc/passwd", "app"] {
            assert!(at(bad).unwrap_err().contains("is no file of the repository"), "{bad}");
        }
    }

    #[test]
    fn what_nobody_could_build_is_explained() {
        let nothing = dockerfile(&[("README", "")], &RecipeOrder::default()).unwrap_err();
        assert!(nothing.contains("Dockerfile") && nothing.contains("Procfile"), "{nothing}");
    }
}
