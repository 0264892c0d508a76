//! Whole publications, and every byte that comes of them; see `tests/support/golden.rs`.

use crate::support::golden::{Golden, Tree, differences};
use crate::support::tools::judge;

const PUBLISH: [&str; 4] = ["publish", "--yes", "--backfill", "100"];

/// Other people's parsers read the feeds, the pages and the mails.
#[track_caller]
fn assert_valid(golden: &Golden) {
    judge("scripts/validate-feeds", &[golden.public()]);
    judge("tests/support/check_mail.py", &[golden.outbox()]);
}

#[test]
fn the_essentials_are_as_expected_and_valid() {
    let golden = Golden::of("essentials")
        .run("check", &["check"], 0)
        .run("plan", &["plan", "--backfill", "100"], 0)
        .run("publish", &PUBLISH, 0)
        .run("publish-again", &["publish", "--yes"], 0)
        .run("report", &["report"], 0)
        .run("report-json", &["report", "--json"], 0)
        .run("subscribers", &["subscribers", "list"], 0);
    golden.assert_as_expected();
    assert_valid(&golden);
}

#[test]
fn the_same_post_in_the_manner_of_five_generators_is_the_same_publication() {
    let publish = |generator| Golden::variant("generators", generator).run("publish", &PUBLISH, 0);
    let jekyll = publish("jekyll");
    for generator in ["hugo", "zola", "pelican", "eleventy"] {
        let differences = differences(&jekyll.found(), &publish(generator).found());
        assert!(differences.is_empty(), "{generator} is not as jekyll:\n\n{differences}");
    }
    jekyll.assert_as_expected();
}

#[test]
fn a_post_without_a_head_is_as_expected() {
    Golden::of("headless").run("publish", &PUBLISH, 0).assert_as_expected();
}

#[test]
fn templates_of_a_publication_lie_over_the_built_in_ones() {
    let golden = Golden::of("overlay").run("publish", &PUBLISH, 0);
    golden.assert_as_expected();
    assert_valid(&golden);
}

#[test]
fn right_to_left_and_chinese_and_japanese_posts_are_as_expected_and_valid() {
    let golden = Golden::of("rtl-cjk").run("check", &["check"], 0).run("publish", &PUBLISH, 0);
    golden.assert_as_expected();
    assert_valid(&golden);
}

#[test]
fn mails_that_hold_their_pictures_are_as_expected_and_valid() {
    let golden = Golden::of("embedded").run("check", &["check"], 0).run("publish", &PUBLISH, 0);
    golden.assert_as_expected();
    assert_valid(&golden);
}

/// What other programs make of it is asked in `gallery.rs`.
#[test]
fn the_gallery_of_everything_there_is_is_as_expected_and_valid() {
    let golden = Golden::of("gallery").run("check", &["check"], 0).run("publish", &PUBLISH, 0);
    golden.assert_as_expected();
    assert_valid(&golden);
}

#[test]
fn what_is_wrong_is_said_as_expected() {
    Golden::of("wrong/posts").run("check", &["check"], 2).run("build", &["build"], 2).assert_as_expected();
    Golden::of("wrong/configuration").run("check", &["check"], 2).assert_as_expected();
    Golden::of("wrong/templates").run("check", &["check"], 2).assert_as_expected();
    Golden::of("wrong/subscribers").run("plan", &["plan"], 2).assert_as_expected();
}

mod each_difference_is_told {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn equal_trees_have_none() {
        let one = tree(&[("a", "1\n"), ("b/c", "2")]);
        assert_eq!(differences(&one, &one.clone()), "");
    }

    #[test]
    fn a_file_is_missing_or_nobody_expected_it() {
        let told = differences(&tree(&[("a", ""), ("b", "")]), &tree(&[("a", ""), ("c", "")]));
        assert_eq!(told, "b: missing\nc: nobody expected this file\n");
    }

    #[test]
    fn the_first_line_that_differs_is_shown_both_ways() {
        let told = differences(&tree(&[("a", "same\nred\nend\n")]), &tree(&[("a", "same\r\nblue\nend\n")]));
        assert_eq!(told, "a:1\n  expected same\\n\n  found    same\\r\\n\n");
        let told = differences(&tree(&[("a", "same\n")]), &tree(&[("a", "same\nmore\n")]));
        assert_eq!(told, "a:2\n  expected the end of the file\n  found    more\\n\n");
    }

    #[test]
    fn a_long_line_is_shown_around_the_difference() {
        let line = |c: char| format!("{}{c}{}", "x".repeat(5000), "y".repeat(5000));
        let told = differences(&tree(&[("a", &line('1'))]), &tree(&[("a", &line('2'))]));
        assert!(told.len() < 500 && told.contains("x1y") && told.contains("x2y"), "{told}");
    }
}
