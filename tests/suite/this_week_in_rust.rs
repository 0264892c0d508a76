//! A real newsletter of twelve years, built whole.

use std::process::Command;

use crate::support::corpora;
use crate::support::site::Site;
use crate::support::tools::judge;

fn unpack() -> Option<Site> {
    let archive = corpora::file("this-week-in-rust.tar.zst")?;
    let site = Site::empty();
    let status = Command::new("tar")
        .arg("--zstd")
        .arg("-xf")
        .arg(archive)
        .arg("-C")
        .arg(site.path())
        .status()
        .expect("tar runs");
    assert!(status.success());
    Some(site)
}

#[test]
fn twelve_years_of_a_newsletter_build_without_an_error_into_well_formed_pages_and_feeds() {
    let Some(site) = unpack() else { return };
    let init = site.run(&["init"]).expect_code(0);
    println!("{}{}", init.stdout(), init.stderr());

    let plan = site.run(&["plan", "--json"]).expect_code(0).json();
    let posts = plan["posts"].as_array().expect("posts");
    assert!(posts.len() > 600, "{} posts", posts.len());
    assert!(posts.iter().all(|post| !post["source"].as_str().unwrap_or_default().contains("privacy-policy")));
    let issue = posts
        .iter()
        .find(|post| post["source"] == "content/2025-01-15-this-week-in-rust.md")
        .expect("issue 582 is a post");
    assert_eq!(issue["title"], "This Week in Rust 582");
    assert_eq!(issue["number"], 582);
    assert!(issue["date"].as_str().is_some_and(|date| date.starts_with("2025-01-15")));
    assert_eq!(issue["tags"][0], "This Week in Rust");

    let diagnostics = plan["diagnostics"].as_array().expect("diagnostics");
    assert!(diagnostics.iter().all(|one| one["severity"] != "error"), "{diagnostics:#?}");
    let control = diagnostics
        .iter()
        .find(|one| one["code"] == "control-character")
        .expect("the file with control characters gives a warning");
    assert_eq!(control["file"], "content/2022-01-19-this-week-in-rust.md");
    assert!(control["line"].as_u64().is_some_and(|line| line > 0));

    site.run(&["build"]).expect_code(0);
    if let Some(said) = judge("scripts/validate-feeds", &[site.file("public")]) {
        println!("{said}");
    }
}
