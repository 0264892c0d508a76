//! Any bytes as a post: front matter and Markdown are read, or diagnosed, and never a panic.
#![no_main]

use std::sync::{Arc, LazyLock};

use fieldpost::content::{self, Options};
use fieldpost::domain::publication::SiteUrl;
use fieldpost::domain::time;
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

fuzz_target!(|bytes: &[u8]| {
    let root = FOLDER.path();
    std::fs::write(root.join("a-post.md"), bytes).expect("the post can be written");
    let base_url = SiteUrl::parse("https://example.org/").expect("a URL");
    let options = Options {
        root,
        source: root,
        output: &root.join("public"),
        time_zone: chrono_tz::UTC,
        base_url: &base_url,
        default_author: None,
        known: &[],
        retired: &[],
        ignore: &[],
        pictures: &Arc::default(),
        now: time::from_millis(1_800_000_000_000),
        look: content::Look::Check,
        keep: None,
    };
    let content = content::load(&options, &|_| {});
    assert!(content.posts.len() <= 1);
    assert!(!content.posts.is_empty() || !content.diagnostics.is_empty(), "a post does not vanish in silence");
});
