//! What fuzzing has found interesting holds.
#![expect(clippy::unwrap_used, reason = "what helps a test may fail as the test itself")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use windlass_fuzz_checks::{ALL, Check};

fn fuzz(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|err| panic!("{}: {err}", folder.display()));
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn run(name: &str, check: Check) {
    let corpus = fuzz(&format!("corpus/{name}"));
    assert!(!corpus.is_empty(), "{name} has a corpus");
    for path in corpus {
        check(&fs::read(path).unwrap());
    }
}

#[test]
fn every_input_of_every_corpus_holds() {
    for (name, check) in ALL {
        run(name, check);
    }
}

#[test]
fn every_check_is_a_fuzz_target() {
    let targets: BTreeSet<String> = fuzz("fuzz_targets")
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(targets, ALL.iter().map(|(name, _)| (*name).to_owned()).collect());
}
