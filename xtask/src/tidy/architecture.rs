//! ARCHITECTURE.md is true.

use std::collections::BTreeSet;

use super::House;

const MAP: &str = "ARCHITECTURE.md";

/// The map names exactly the crates that there are.
pub(super) fn the_map_shows_every_crate_and_no_other(house: &House) -> Vec<String> {
    let text = house.file(MAP).map_or("", |file| file.text.as_str());
    // What stands in backticks is every second piece.
    let shown: BTreeSet<&str> = text.split('`').skip(1).step_by(2).collect();
    let real: BTreeSet<&str> = house.packages.iter().map(|package| package.name.as_str()).collect();
    let missing = real.difference(&shown).map(|name| format!("{MAP} does not mention `{name}`"));
    let gone = shown
        .iter()
        .filter(|name| is_crate_name(name) && !real.contains(*name))
        .map(|name| format!("{MAP} mentions `{name}`, which is not a crate"));
    missing.chain(gone).collect()
}

fn is_crate_name(text: &str) -> bool {
    let rest = text.strip_prefix("windlass-");
    rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{File, test_house::with_package},
        *,
    };

    fn house(map: &str) -> House {
        let mut house = with_package("windlass-domain", &[]);
        house.files.push(File { path: MAP.to_owned(), text: map.to_owned() });
        house
    }

    fn check(map: &str) -> Vec<String> {
        the_map_shows_every_crate_and_no_other(&house(map))
    }

    #[test]
    fn a_crate_that_the_map_does_not_show_is_a_fault() {
        assert_eq!(check("Nothing."), ["ARCHITECTURE.md does not mention `windlass-domain`"]);
    }

    #[test]
    fn a_crate_that_is_only_on_the_map_is_a_fault() {
        let faults = check("`windlass-domain` and `windlass-attic`");
        assert_eq!(faults, ["ARCHITECTURE.md mentions `windlass-attic`, which is not a crate"]);
    }

    #[test]
    fn a_true_map_is_none() {
        assert_eq!(check("`windlass-domain`, `windlass.yaml`, `windlass-server serve`"), [""; 0]);
    }
}
