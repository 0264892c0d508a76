//! What `comrak` makes of twelve years of a real newsletter, and what we make of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use rayon::prelude::*;
use url::Url;

use super::normal::{Side, normal, without_unknown};
use super::{SITE, make_targets, posts};
use crate::domain::post::Article;
use crate::pictures::Pictures;
use crate::render::html::{self, Medium};
use crate::render::sample;

/// The posts that read otherwise here, and why.
const KNOWN: &[(&str, &str)] = &[
    ("2015-02-09-this-week-in-rust", "a link to a folder that is not there is its words"),
    ("2017-08-22-this-week-in-rust", "a comment of HTML that holds HTML"),
    ("2018-11-13-this-week-in-rust", "`FromIterator<A>` is a type and no link"),
    ("2022-01-19-this-week-in-rust", "control characters are left out, and with them gone a link is one"),
    ("2022-02-02-this-week-in-rust", "`<$t> for Wrapping<$t>` has a formula between its dollars"),
    ("2024-12-18-this-week-in-rust", "a comment of HTML that holds names in angle brackets"),
];

/// A file of the corpora; `None`, said loudly, where the machine has it not. In continuous
/// integration that is a failure.
pub(super) fn corpus(name: &str) -> Option<PathBuf> {
    let Some(corpora) = std::env::var_os("FIELDPOST_CORPORA") else {
        assert!(std::env::var_os("CI").is_none(), "nothing may be skipped here: FIELDPOST_CORPORA is not set");
        eprintln!("SKIPPED: FIELDPOST_CORPORA is not set, so {name} cannot be read");
        return None;
    };
    Some(PathBuf::from(corpora).join(name))
}

/// The texts of the newsletter by name, its files unpacked into a folder.
pub(super) fn newsletter(folder: &Path) -> Option<Vec<(String, String)>> {
    let archive = corpus("this-week-in-rust.tar.zst")?;
    let status = Command::new("tar").arg("--zstd").arg("-xf").arg(archive).arg("-C").arg(folder).status();
    assert!(status.unwrap().success());
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder.join("content")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let texts = files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "md")).map(|path| {
        let text = std::fs::read_to_string(path).unwrap().replace("\r\n", "\n");
        let body = text.split_once("\n\n").map_or("", |(_, body)| body).to_owned();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), body)
    });
    Some(texts.collect())
}

fn theirs(markdown: &str) -> String {
    let mut options = comrak::Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.alerts = true;
    options.render.r#unsafe = true;
    without_unknown(&comrak::markdown_to_html(markdown, &options))
}

#[test]
fn a_real_newsletter_reads_as_comrak_reads_it() {
    let source = tempfile::tempdir().unwrap();
    let Some(texts) = newsletter(source.path()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let rendered: Vec<String> = texts.par_iter().map(|(_, text)| theirs(text)).collect();
    // A link to nowhere is its words here; there it is a link.
    for html in &rendered {
        make_targets(dir.path(), html);
    }
    let posts = posts(dir.path(), &texts);
    let differing: Vec<(&str, Differences)> = posts
        .par_iter()
        .zip(texts.par_iter().zip(&rendered))
        .filter_map(|(post, ((name, _), theirs))| {
            assert_eq!(post.post.slug.as_str(), name);
            let differences = differences(post, theirs);
            (!differences.is_empty()).then_some((name.as_str(), differences))
        })
        .collect();
    for (name, differences) in &differing {
        for (ours, theirs) in differences {
            println!("{name}\n  ours   {ours}\n  theirs {theirs}");
        }
    }
    println!("{} of {} posts differ", differing.len(), texts.len());
    let names: Vec<&str> = differing.iter().map(|(name, _)| *name).collect();
    let known: Vec<&str> = KNOWN.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, known);
}

/// Lines of ours with the lines of theirs in their place.
type Differences = Vec<(String, String)>;

fn differences(post: &Article, theirs: &str) -> Differences {
    let folder = Url::parse(SITE).unwrap();
    let page = folder.join(&post.post.site_path()).unwrap();
    let publication = sample::publication(SITE);
    let ours = normal(&html::body(post, &publication, &Pictures::default(), Medium::Web), Side::Ours, &folder, &page);
    let theirs = normal(theirs, Side::Theirs, &folder, &page);
    let (mut a, mut b) = (ours.lines(), theirs.lines());
    let mut found = Vec::new();
    loop {
        match (a.next(), b.next()) {
            (None, None) => return found,
            (Some(a), Some(b)) if a == b => {}
            (a, b) => found.push((a.unwrap_or_default().to_owned(), b.unwrap_or_default().to_owned())),
        }
    }
}
