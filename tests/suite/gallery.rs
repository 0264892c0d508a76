//! The gallery as a validator and a browser see it. They look at `tests/sites/gallery/expected`,
//! which `golden.rs` proves to be what the program writes.

use crate::support::tools::judge;

const GALLERY: &str = "tests/sites/gallery/expected";

#[track_caller]
fn judged(script: &str, folders: &[&str], verdict: &str) {
    if let Some(told) = judge(script, folders) {
        print!("{told}");
        assert!(told.contains(verdict), "{script} looked at less than it should have:\n{told}");
    }
}

#[test]
fn every_page_mail_and_entry_is_valid_html() {
    judged("scripts/check-html", &[GALLERY, "tests/sites/essentials/expected"], "exit code 0");
}

#[test]
fn nobody_is_shut_out_of_a_page_or_a_mail_by_day_or_by_night() {
    judged("scripts/check-accessibility", &[GALLERY], "0 violations");
}

#[test]
fn a_mail_looks_the_same_without_its_style_element() {
    judged("scripts/check-inlining", &[GALLERY], "0 different");
}
