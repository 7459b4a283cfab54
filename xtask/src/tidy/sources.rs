//! The shape of source files.

use super::House;

/// Most lines of a file before its tests.
const MOST_LINES: usize = 400;

/// Every file begins with a line that says what it is for.
pub(super) fn modules_say_what_they_are_for(house: &House) -> Vec<String> {
    let rust = house.files.iter().filter(|file| file.is_rust());
    rust.filter(|file| !file.text.starts_with("//! "))
        .map(|file| format!("{}: begin with a `//!` that says what it is for", file.path))
        .collect()
}

/// A file that is long is two.
pub(super) fn modules_are_short(house: &House) -> Vec<String> {
    let mut faults = Vec::new();
    for file in house.sources() {
        let lines = file.text.lines().take_while(|line| !line.contains("#[cfg(test)]")).count();
        if MOST_LINES < lines {
            faults.push(format!("{}: {lines} lines; split it ({MOST_LINES} at most)", file.path));
        }
    }
    faults
}

/// `name.rs` beside its folder, so that no two editor tabs have the same name.
pub(super) fn modules_are_named_by_their_file(house: &House) -> Vec<String> {
    let unnamed = house.files.iter().filter(|file| file.name() == "mod.rs");
    unnamed.map(|file| format!("{}: name the file after its folder", file.path)).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::test_house::with_file, *};

    #[test]
    fn a_file_without_a_purpose_is_a_fault() {
        let faults = modules_say_what_they_are_for(&with_file("src/a.rs", "fn main() {}\n"));
        assert_eq!(faults.len(), 1);
        let house = with_file("src/a.rs", "//! Begins.\nfn main() {}\n");
        assert_eq!(modules_say_what_they_are_for(&house), [""; 0]);
    }

    #[test]
    fn a_long_file_is_a_fault_however_short_its_tests() {
        let long = "//! Long.\n".repeat(MOST_LINES + 1);
        assert_eq!(modules_are_short(&with_file("src/a.rs", &long)).len(), 1);
        assert_eq!(modules_are_short(&with_file("tests/it/a.rs", &long)), [""; 0]);
        let tested = format!("//! Short.\n#[cfg(test)]\n{long}");
        assert_eq!(modules_are_short(&with_file("src/a.rs", &tested)), [""; 0]);
    }

    #[test]
    fn a_file_named_mod_is_a_fault() {
        assert_eq!(modules_are_named_by_their_file(&with_file("src/a/mod.rs", "")).len(), 1);
        assert_eq!(modules_are_named_by_their_file(&with_file("src/a.rs", "")), [""; 0]);
    }
}
