//! `cargo xtask tidy`: house rules that neither rustc nor clippy knows.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, bail};

use crate::{
    process,
    workspace::{self, Package},
};

mod architecture;
mod layers;
mod manifests;
mod sources;
mod texts;

/// Everything that the rules look at.
#[derive(Debug, Default)]
struct House {
    /// The workspace's members.
    packages: Vec<Package>,
    /// Every text file that is, or would be, checked in.
    files: Vec<File>,
}

/// A text file.
#[derive(Debug)]
struct File {
    /// Its path in the workspace.
    path: String,
    /// What is in it.
    text: String,
}

/// A rule finds what breaks it, and says how to mend it.
type Rule = fn(&House) -> Vec<String>;

const RULES: &[Rule] = &[
    layers::our_arrows_point_inwards,
    layers::their_crates_stay_in_their_layer,
    manifests::lints_are_the_workspaces,
    manifests::versions_are_the_workspaces,
    sources::modules_say_what_they_are_for,
    sources::modules_are_short,
    sources::modules_are_named_by_their_file,
    architecture::the_map_shows_every_crate_and_no_other,
    texts::no_place_on_a_machine_is_named,
    texts::no_package_host_is_named,
    texts::nothing_is_left_for_later,
];

pub(crate) fn run() -> anyhow::Result<()> {
    let house = House::load()?;
    let faults: Vec<String> = RULES.iter().flat_map(|rule| rule(&house)).collect();
    if faults.is_empty() {
        return Ok(());
    }
    bail!("{} house rules are broken:\n{}", faults.len(), faults.join("\n"));
}

impl House {
    fn load() -> anyhow::Result<Self> {
        let root = workspace::root();
        let mut list = Command::new("git");
        list.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let paths = process::read(list.current_dir(&root))?;
        let mut files = Vec::new();
        for path in paths.split('\0').filter(|path| !path.is_empty()) {
            // A file that was deleted is listed until that is committed.
            let Ok(bytes) = fs::read(root.join(path)) else { continue };
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(File { path: path.to_owned(), text });
            }
        }
        let packages = workspace::metadata().context("listing the workspace's packages")?.packages;
        Ok(Self { packages, files })
    }

    /// A file by its path.
    fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Rust sources outside of tests' folders.
    fn sources(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust() && !file.is_test())
    }
}

impl File {
    fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
    }

    fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

#[cfg(test)]
mod test_house {
    use super::{File, House};
    use crate::workspace::{Dependency, Package};

    /// A house with one file.
    pub(super) fn with_file(path: &str, text: &str) -> House {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        House { files: vec![file], ..House::default() }
    }

    /// A house with one package that depends on others: `(name, kind)`.
    pub(super) fn with_package(name: &str, dependencies: &[(&str, Option<&str>)]) -> House {
        let dependencies = dependencies
            .iter()
            .map(|(name, kind)| Dependency {
                name: (*name).to_owned(),
                kind: kind.map(str::to_owned),
            })
            .collect();
        let package = Package { name: name.to_owned(), dependencies };
        House { packages: vec![package], ..House::default() }
    }

    #[test]
    fn this_house_has_packages_and_files() {
        let house = House::load().unwrap();
        assert!(house.packages.iter().any(|package| package.name == "xtask"));
        assert!(house.file("Cargo.toml").is_some());
    }
}
