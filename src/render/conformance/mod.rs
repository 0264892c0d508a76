//! Our pages hold what `CommonMark` and GFM say, through everything between a file and its
//! page: the examples of the specifications, and another program's reading of real posts.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "tests print what they skip and how much differs")]

mod comrak;
mod examples;
mod normal;
mod plain;

use std::path::Path;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use url::Url;

use self::examples::Example;
use self::normal::{Side, normal, without_unknown};
use super::html::{self, Medium, balanced};
use super::sample;
use crate::content::{self, Options};
use crate::domain::post::{Article, Post};
use crate::domain::publication::SiteUrl;
use crate::pictures::Pictures;

/// Where the site of the examples is.
const SITE: &str = "https://example.org/";

/// The examples of `CommonMark` that say something else here, and why.
const BY_DESIGN: &[(usize, &str)] = &[
    (21, "a backslash in an address of raw HTML is kept"),
    (31, "an entity in an address of raw HTML is left to the browser"),
    (144, "a language has letters"),
    (163, "`<Warning>` is no element, so it begins no block of HTML"),
    (590, "`![[foo]]` is a wiki link"),
    (602, "a bare address is a link: GFM"),
    (606, "a bare address is a link: GFM"),
    (608, "a bare address is a link: GFM"),
    (611, "a bare address is a link: GFM"),
    (612, "a bare address is a link: GFM"),
    (630, "an entity in an address of raw HTML is left to the browser"),
    (643, "an address of raw HTML with a backslash and a line end is left to the browser"),
];

/// The posts that some texts become.
fn posts(folder: &Path, texts: &[(String, String)]) -> Vec<Article> {
    for (name, text) in texts {
        let head = format!("---\ntitle: 'Title of {name}'\ndate: 2025-01-15\nslug: {name}\n---\n");
        std::fs::write(folder.join(format!("{name}.md")), head + text).unwrap();
    }
    let base_url = SiteUrl::parse(SITE).unwrap();
    let output = folder.join("public");
    let ignore = ["target.md".to_owned()];
    let options = Options {
        root: folder,
        source: folder,
        output: &output,
        time_zone: chrono_tz::UTC,
        base_url: &base_url,
        default_author: None,
        known: &[],
        retired: &[],
        // An example links to it.
        ignore: &ignore,
        pictures: &Arc::default(),
        now: "2026-06-01T00:00:00Z".parse().unwrap(),
        look: content::Look::Build,
        keep: None,
    };
    let loaded = content::load(&options, &|_| {});
    let is_ours = |post: &Post| texts.iter().any(|(name, _)| name == post.slug.as_str());
    let ours = loaded.posts.iter().filter(|post| is_ours(post));
    let mut posts: Vec<Article> = ours.map(|post| loaded.texts.read(post).unwrap()).collect();
    assert_eq!(posts.len(), texts.len(), "a text was refused");
    posts.sort_by(|a, b| a.post.slug.as_str().cmp(b.post.slug.as_str()));
    posts
}

/// Lets the relative links of some HTML lead to files.
fn make_targets(folder: &Path, html: &str) {
    let targets = html.split("href=\"").chain(html.split("src=\"")).skip(1).filter_map(|rest| rest.split('"').next());
    for target in targets {
        let path = target.split(['?', '#']).next().unwrap_or_default().replace("&amp;", "&").replace("&quot;", "\"");
        let is_relative =
            !path.is_empty() && Url::parse(&path).is_err() && !path.starts_with(['/', '\\']) && path.len() < 100;
        if let Ok(url) = Url::parse("x:/").unwrap().join(&path)
            && is_relative
        {
            let decoded = percent_decode_str(url.path().trim_start_matches('/')).decode_utf8_lossy();
            let file = folder.join(&*decoded);
            let _ = std::fs::create_dir_all(file.parent().unwrap());
            let _ = std::fs::write(file, "");
        }
    }
}

/// The examples whose page differs from the specification, with both sides.
fn differing(examples: &[&Example]) -> Vec<(usize, String)> {
    let dir = tempfile::tempdir().unwrap();
    let texts: Vec<(String, String)> =
        examples.iter().map(|example| (format!("ex-{:03}", example.number), example.markdown.clone())).collect();
    for example in examples {
        make_targets(dir.path(), &example.html);
    }
    let publication = sample::publication(SITE);
    let folder = Url::parse(SITE).unwrap();
    let compared = posts(dir.path(), &texts).into_iter().zip(examples).filter_map(|(post, example)| {
        let page = folder.join(&post.post.site_path()).unwrap();
        let ours =
            normal(&html::body(&post, &publication, &Pictures::default(), Medium::Web), Side::Ours, &folder, &page);
        let theirs = normal(&balanced(&without_unknown(&example.html)), Side::Theirs, &folder, &page);
        (ours != theirs).then(|| {
            let shown = format!("#{}\n{}\n--- theirs\n{theirs}\n--- ours\n{ours}\n", example.number, example.markdown);
            (example.number, shown)
        })
    });
    compared.collect()
}

#[test]
fn every_example_of_commonmark_is_a_page_that_says_the_same() {
    let Some(examples) = examples::of("commonmark") else { return };
    assert_eq!(examples.len(), 652);
    let wrong = differing(&examples.iter().collect::<Vec<_>>());
    let unexpected: Vec<&(usize, String)> =
        wrong.iter().filter(|(number, _)| !BY_DESIGN.iter().any(|(known, _)| known == number)).collect();
    let shown: String = unexpected.iter().map(|(_, shown)| shown.as_str()).collect();
    assert!(unexpected.is_empty(), "{} differ\n{shown}", unexpected.len());
    assert_eq!(wrong.len(), BY_DESIGN.len(), "an example named below differs no more");
}

#[test]
fn every_example_of_gfms_extensions_is_a_page_that_says_the_same() {
    let Some(examples) = examples::of("gfm") else { return };
    let extended: Vec<&Example> = examples.iter().filter(|example| !example.extension.is_empty()).collect();
    let wrong = differing(&extended);
    let shown: String = wrong.iter().map(|(_, shown)| shown.as_str()).collect();
    // The filter of dangerous tags: the author's own site trusts the author, and mail and feeds
    // are sanitised more strictly than it asks for.
    let filter: Vec<usize> =
        extended.iter().filter(|example| example.extension == "tagfilter").map(|example| example.number).collect();
    let numbers: Vec<usize> = wrong.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, filter, "{} of {} differ\n{shown}", wrong.len(), extended.len());
}
