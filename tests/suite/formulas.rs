//! Formulas from the author's folder to pages, feeds and mails.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::mail::Mail;
use crate::support::site::Site;

const POST: &str = "---\ntitle: Attention\ndate: 2026-01-01\n---\n\n\
    Let $x \\in \\R^d$ and $n^2$, so that $\\frac{1}{n}$.\n\n$$\n\\norm{x} = \\sqrt{x^\\top x}\n$$\n";

const CONFIG: &str = "[output]\ncards = 0\n[subscribers]\nfile = \"subscribers.toml\"\n\
    [math.macros]\nR = '\\mathbb{R}'\nnorm = '\\left\\lVert #1 \\right\\rVert'\n";

fn site() -> Site {
    let site = Site::with_config(CONFIG);
    site.write("content/attention.md", POST);
    site.write_subscribers(1);
    site
}

/// Every file of a folder by its name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    entries.map(|path| (name(&path), std::fs::read(&path).expect("a readable file"))).collect()
}

#[test]
fn a_formula_is_mathml_on_the_page_and_letters_or_a_picture_elsewhere() {
    let site = site();
    site.run(&["publish", "--yes", "--backfill", "1"]).expect_code(0);
    let page = site.read("public/attention/index.html");
    assert_eq!(page.matches("<math").count(), 4, "{page}");
    assert!(page.contains("<link rel=\"stylesheet\" href=\"../assets/math-"), "{page}");
    assert!(!site.read("public/index.html").contains("assets/math-"), "only pages with formulas load the font");

    let pictures = files(&site.file("public/pictures"));
    assert_eq!(pictures.len(), 2);
    let (_, outbox) = files(&site.file(".fieldpost/outbox/new")).pop_first().expect("a mail");
    let mail = Mail::parse(&outbox);
    let html = mail.part("text/html");
    for name in pictures.keys() {
        let url = format!("https://notes.example.org/pictures/{name}");
        assert!(html.contains(&url) && site.read("public/feed.xml").contains(&url), "{name}");
    }
    assert!(html.contains("alt=\"\\norm{x} = \\sqrt{x^\\top x}\"") && html.contains("<i>n</i><sup"), "{html}");
    assert!(
        html.contains("ℝ<sup") && html.contains("prefers-color-scheme: dark") && html.contains("invert(.91)"),
        "{html}"
    );
    let text = mail.part("text/plain");
    assert!(text.contains("n², so that $\\frac{1}{n}$") && text.contains("    \\norm{x} ="), "{text}");
}

#[test]
fn a_cache_that_is_damaged_or_gone_changes_nothing() {
    let site = site();
    site.run(&["build"]).expect_code(0);
    let cache = site.file(".fieldpost/cache/pictures");
    let (pictures, kept) = (files(&site.file("public/pictures")), files(&cache));
    assert_eq!(kept.len(), 2);
    for name in kept.keys() {
        std::fs::write(cache.join(name), "damaged").unwrap();
    }
    let again = site.run(&["build", "--json"]).expect_code(0).json();
    assert_eq!(again["files"]["changed"].as_array().map(Vec::len), Some(0), "{again}");
    assert_eq!(files(&cache), kept);
    std::fs::remove_dir_all(&cache).unwrap();
    std::fs::remove_dir_all(site.file("public")).unwrap();
    site.run(&["build"]).expect_code(0);
    assert_eq!(files(&site.file("public/pictures")), pictures);
}

#[test]
fn another_macro_makes_anew_what_needs_it_and_forgets_what_nobody_shows() {
    let site = site();
    site.run(&["build"]).expect_code(0);
    let before = files(&site.file("public/pictures"));
    let config = site.read("fieldpost.toml");
    site.write("fieldpost.toml", config.replace("lVert #1", "lvert #1").replace("right\\rVert", "right\\rvert"));
    site.run(&["build"]).expect_code(0);
    let after = files(&site.file("public/pictures"));
    assert!(before.keys().all(|name| after.contains_key(name)), "mails already sent show both");
    assert_eq!((before.len(), after.len()), (2, 3), "one of two formulas is as it was");
    assert_eq!(files(&site.file(".fieldpost/cache/pictures")).len(), 2);
}

#[test]
fn what_cannot_be_set_is_said_with_its_place_and_shown_as_typed() {
    let site = site();
    site.write("content/wrong.md", "# Wrong\n\nSee $a + \\oops{b}$.\n\n$$\n\\left( a\n$$\n");
    let checked = site.run(&["check", "--json"]).expect_code(2).json();
    let found = checked["diagnostics"].as_array().unwrap().iter().filter(|one| one["code"] == "math");
    let places: Vec<_> = found.map(|one| (one["line"].as_u64(), one["column"].as_u64())).collect();
    assert_eq!(places.len(), 2, "{checked:#}");
    assert_eq!(places[0], (Some(3), Some(10)), "{checked:#}");
    assert_eq!(places[1].0, Some(6), "{checked:#}");
    site.run(&["build"]).expect_code(2);
    let page = site.read("public/wrong/index.html");
    assert!(page.contains("<code class=\"math\">a + \\oops{b}</code>"), "{page}");

    site.write("fieldpost.toml", site.read("fieldpost.toml").replace("R = '\\mathbb{R}'", "R1 = '\\mathbb{R'"));
    let wrong = site.run(&["check"]).expect_code(2).stderr();
    assert!(wrong.contains("math-macro") && wrong.contains("`R1` is no name of a macro"), "{wrong}");
}
