//! What every package's manifest says.

use super::{File, House};

fn manifests(house: &House) -> impl Iterator<Item = &File> {
    // A workspace has nothing to take from ours, which is one itself.
    let is_workspace = |file: &File| file.text.lines().any(|line| line == "[workspace]");
    house.files.iter().filter(move |file| file.name() == "Cargo.toml" && !is_workspace(file))
}

/// Every package takes its lints from the workspace.
pub(super) fn lints_are_the_workspaces(house: &House) -> Vec<String> {
    manifests(house)
        .filter(|file| !file.text.contains("[lints]\nworkspace = true\n"))
        .map(|file| format!("{}: `[lints] workspace = true` is missing", file.path))
        .collect()
}

/// Every version is in the workspace's manifest, once.
pub(super) fn versions_are_the_workspaces(house: &House) -> Vec<String> {
    let mut faults = Vec::new();
    for file in manifests(house) {
        let mut among_dependencies = false;
        for line in file.text.lines().map(str::trim) {
            if let Some(section) = line.strip_prefix('[') {
                among_dependencies = section.trim_end_matches(']').ends_with("dependencies");
                continue;
            }
            let entry = line.split_once('=').filter(|_| among_dependencies);
            if let Some((name, value)) = entry
                && !name.trim_end().ends_with(".workspace")
                && !value.contains("workspace = true")
                // The package itself, with features for its own tests.
                && !value.contains("path = \".\"")
                && !line.starts_with('#')
            {
                faults.push(format!("{}: take `{}` from the workspace", file.path, name.trim()));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::{super::test_house::with_file, *};

    #[test]
    fn lints_of_its_own_are_a_fault() {
        let house = with_file("crates/a/Cargo.toml", "[lints.rust]\nunsafe_code = \"allow\"\n");
        assert_eq!(lints_are_the_workspaces(&house).len(), 1);
        let house = with_file("crates/a/Cargo.toml", "[lints]\nworkspace = true\n");
        assert_eq!(lints_are_the_workspaces(&house), [""; 0]);
    }

    #[test]
    fn a_version_of_its_own_is_a_fault() {
        for line in ["serde = \"1\"", "serde = { version = \"1\", features = [\"derive\"] }"] {
            for section in ["dependencies", "dev-dependencies", "target.'cfg(unix)'.dependencies"] {
                let text = format!("[package]\nname = \"a\"\n[{section}]\n{line}\n");
                let faults = versions_are_the_workspaces(&with_file("crates/a/Cargo.toml", &text));
                assert_eq!(faults, ["crates/a/Cargo.toml: take `serde` from the workspace"]);
            }
        }
    }

    #[test]
    fn the_workspaces_version_is_none() {
        let text = "[dependencies]\n# why = this one\nserde.workspace = true\n\
                    a = { path = \".\", features = [\"test-util\"] }\ntokio = { workspace = true, features = [\"net\"] }\n[features]\nx = []\n";
        let house = with_file("crates/a/Cargo.toml", text);
        assert_eq!(versions_are_the_workspaces(&house), [""; 0]);
    }
}
