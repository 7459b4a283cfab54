//! What no text that is checked in may say.

use super::{File, House};

/// Folders of one machine. In two pieces, so that this file does not break its own rule.
const PLACES: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];

/// First labels of the hosts from which package managers download.
const PACKAGE_HOSTS: [&str; 9] =
    ["deb", "files", "index", "mirror", "mirrors", "proxy", "pypi", "registry", "static"];

/// Notes to oneself, in two pieces as well.
const NOTES: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:"), concat!("db", "g!(")];

/// Nothing depends on, or tells of, the machine on which it was written.
pub(super) fn no_place_on_a_machine_is_named(house: &House) -> Vec<String> {
    lines_with(house, |line| PLACES.iter().any(|place| begins_a_path(line, place)))
        .map(|place| format!("{place}: names a folder of some machine"))
        .collect()
}

/// Package managers know where packages are; a text that says so is wrong behind a mirror.
pub(super) fn no_package_host_is_named(house: &House) -> Vec<String> {
    lines_with(house, names_package_host)
        .map(|place| format!("{place}: names a host of packages"))
        .collect()
}

/// Work that is left is an issue, not a comment.
pub(super) fn nothing_is_left_for_later(house: &House) -> Vec<String> {
    lines_with(house, |line| NOTES.iter().any(|note| line.contains(note)))
        .map(|place| format!("{place}: finish it, or file an issue"))
        .collect()
}

/// Whether a path in the line begins so, rather than has it somewhere on its way.
fn begins_a_path(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        before.is_none_or(|c| !(c.is_alphanumeric() || "*._-}".contains(c)))
    })
}

fn names_package_host(line: &str) -> bool {
    line.split("://").skip(1).any(|rest| {
        let host: &str = rest.split(['/', ':', '"', '\'', '`', ' ', '>']).next().unwrap_or(rest);
        let label = host.split_once('.').map(|(label, _)| label);
        label.is_some_and(|label| PACKAGE_HOSTS.contains(&label))
    })
}

/// Places, as `path:line`, of the lines for which `is_fault` holds.
fn lines_with(house: &House, is_fault: fn(&str) -> bool) -> impl Iterator<Item = String> {
    house.files.iter().flat_map(move |File { path, text }| {
        text.lines()
            .enumerate()
            .filter(move |(_, line)| is_fault(line))
            .map(move |(index, _)| format!("{path}:{}", index + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::{super::test_house::with_file, *};

    #[test]
    fn a_folder_of_some_machine_is_a_fault() {
        for place in PLACES {
            let house = with_file("README.md", &format!("fine\nsee {place}main\n"));
            let wanted = ["README.md:2: names a folder of some machine"];
            assert_eq!(no_place_on_a_machine_is_named(&house), wanted);
        }
        let house = with_file("README.md", &format!("the rootfs, /proc/*{}etc\n", PLACES[1]));
        assert_eq!(no_place_on_a_machine_is_named(&house), [""; 0]);
    }

    #[test]
    fn a_host_of_packages_is_a_fault() {
        for host in PACKAGE_HOSTS {
            let house = with_file("README.md", &format!("from https://{host}.example.org/x\n"));
            let faults = no_package_host_is_named(&house);
            assert_eq!(faults, ["README.md:1: names a host of packages"]);
        }
        let house = with_file("README.md", "https://docs.example.org/index.html http://files\n");
        assert_eq!(no_package_host_is_named(&house), [""; 0]);
    }

    #[test]
    fn a_note_to_oneself_is_a_fault() {
        for note in NOTES {
            let house = with_file("src/a.rs", &format!("// {note} later\n"));
            let wanted = ["src/a.rs:1: finish it, or file an issue"];
            assert_eq!(nothing_is_left_for_later(&house), wanted);
        }
    }
}
