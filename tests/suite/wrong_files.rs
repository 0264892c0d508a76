//! A site of wrong files: every error is named with its line, and the good posts are built.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::site::Site;

/// A good post, and beside it one of each kind that cannot be used.
fn site_of_wrong_files() -> Site {
    let site = Site::with_config("");
    site.write("content/good.md", "---\ntitle: Good\ndate: 2026-01-01\n---\n\nAll is well.\n");
    site.write("content/broken-toml.md", "+++\ntitle = \"Broken\ndate = 2026-01-01\n+++\n\nText.\n");
    site.write("content/bad-date.md", "---\ntitle: Bad date\ndate: the day after\n---\n\nText.\n");
    site.write("content/first.md", "---\ntitle: First\ndate: 2026-01-01\nid: urn:same\n---\n\nText.\n");
    site.write("content/second.md", "---\ntitle: Second\ndate: 2026-01-02\nid: urn:same\n---\n\nText.\n");
    site.write(
        "content/no-image.md",
        "---\ntitle: No image\ndate: 2026-01-01\n---\n\nText.\n\n![A chart](chart.png)\n",
    );
    site.write("content/latin.md", b"---\ntitle: Latin\ndate: 2026-01-01\n---\n\ncaf\xe9\n");
    site.write(
        "content/shortcode.md",
        "---\ntitle: Shortcode\ndate: 2026-01-01\n---\n\nText.\n\n{{< spaceship speed=\"11\" >}}\n",
    );
    let huge = std::fs::File::create(site.file("content/huge.md")).expect("the file can be made");
    huge.set_len(100 * 1024 * 1024).expect("a sparse file of 100 MB");
    std::os::unix::fs::symlink("/etc/hostname", site.file("content/link.md")).expect("a link");
    make_fifo(&site);
    site
}

/// A FIFO nobody writes to: whoever opens it hangs.
fn make_fifo(site: &Site) {
    let made = std::process::Command::new("mkfifo").arg(site.file("content/pipe.md")).status();
    assert!(made.expect("mkfifo runs").success());
}

fn by_file(diagnostics: &[Value]) -> BTreeMap<String, Vec<&Value>> {
    let mut map: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for diagnostic in diagnostics {
        map.entry(diagnostic["file"].as_str().expect("a file").to_owned()).or_default().push(diagnostic);
    }
    map
}

#[test]
fn every_wrong_file_is_named_with_its_line_and_the_good_posts_are_built() {
    let site = site_of_wrong_files();
    let check = site.run(&["check", "--json"]).expect_code(2).json();
    let diagnostics = check["diagnostics"].as_array().expect("a list of diagnostics").clone();
    let found = by_file(&diagnostics);
    for (file, severity, line) in [
        ("content/broken-toml.md", "error", 2),
        ("content/bad-date.md", "error", 3),
        ("content/second.md", "error", 4),
        ("content/no-image.md", "error", 8),
        ("content/latin.md", "error", 6),
        ("content/huge.md", "error", 0),
        ("content/link.md", "error", 0),
        ("content/pipe.md", "error", 0),
        ("content/shortcode.md", "warning", 8),
    ] {
        let here = found.get(file).unwrap_or_else(|| panic!("nothing is said about {file}: {diagnostics:#?}"));
        assert!(
            here.iter().any(|d| d["severity"] == severity && d["line"] == line),
            "{file}: expected a {severity} at line {line}, got {here:#?}"
        );
        assert!(here.iter().all(|d| d["help"].is_string()), "{file}: no remedy in {here:#?}");
    }
    assert!(!found.contains_key("content/good.md"));

    site.run(&["build"]).expect_code(2);
    assert!(site.read("public/good/index.html").contains("All is well."));
    for feed in ["feed.xml", "atom.xml", "feed.json"] {
        let text = site.read(&format!("public/{feed}"));
        assert!(text.contains("Good") && text.contains("First") && text.contains("Shortcode"), "{feed}: {text}");
    }
}

#[test]
fn a_wrong_configuration_is_told_all_at_once_with_carets() {
    let site = Site::empty();
    site.write(
        "fieldpost.toml",
        "[publication]\ntitel = \"Notes\"\nbase_url = \"notes.example.org\"\n\n[mail]\nfrom = \"nobody\"\n",
    );
    let ran = site.run(&["build"]).expect_code(2);
    let text = ran.stderr();
    for part in ["fieldpost.toml:2:1", "`title`", "fieldpost.toml:3:12", "fieldpost.toml:6:8", "^"] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
}

#[test]
fn a_wrong_template_is_named_with_its_line() {
    let site = Site::with_config("");
    site.write("content/good.md", "---\ntitle: Good\ndate: 2026-01-01\n---\n\nText.\n");
    site.write("templates/page.html", "<p>\n{{ post.titel | safe }\n</p>\n");
    let ran = site.run(&["build"]).expect_code(2);
    assert!(ran.stderr().contains("templates/page.html:2"), "{}", ran.stderr());
}
