//! Any bytes as a list of subscribers: read, or diagnosed, and never a panic. The first byte
//! chooses between CSV and TOML.
#![no_main]

use std::sync::LazyLock;

use fieldpost::audience;
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, list)) = bytes.split_first() else { return };
    let path = FOLDER.path().join(if choice % 2 == 1 { "list.csv" } else { "list.toml" });
    std::fs::write(&path, list).expect("the list can be written");
    let listing = audience::read(&path, "fuzz").expect("a file that is there can be read");
    let mut keys: Vec<String> = listing.enrolments.iter().map(|enrolment| enrolment.address.key()).collect();
    let people = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), people, "nobody is listed twice");
});
