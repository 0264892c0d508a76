//! The second pass: every post's text, parsed or remembered.

use serde::{Deserialize, Serialize};

use super::article;
use super::cache::{Cache, Entry, Piece};
use super::draft::{Draft, Meant, Origin};
use super::held::Label;
use super::links::{Found, Linker};
use super::lint::Sights;
use super::lookup::Answers;
use super::mojibake::find_mojibake;
use super::names::{file_name, title_of};
use super::places::Places;
use super::site::Site;
use super::spam::Letter;
use super::texts::Whereabouts;
use super::{Look, Show, source, texts};
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::document::{Document, Target};
use crate::domain::ids::PostId;
use crate::domain::post::{Article, Asset, Contents, Post, Slug, Visibility};
use crate::files::{Fingerprint, packed};

/// How many broken runs of text are reported one by one in a file.
const MAX_MOJIBAKE: usize = 5;

/// A draft with its place in the world.
pub(super) struct Placed {
    pub(super) draft: Draft,
    pub(super) id: PostId,
    pub(super) slug: Slug,
    pub(super) origin: Origin,
    pub(super) visibility: Visibility,
    /// What is to be kept of it.
    pub(super) entry: Option<Entry>,
}

/// A post whose text was read.
pub(super) struct Parsed {
    /// The post; `None` when its text cannot be used. It is large, and is sorted by what points to it.
    pub(super) post: Option<Box<Post>>,
    /// Where its text is found again.
    pub(super) whereabouts: Whereabouts,
    /// What is wrong with it.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What it says about other places.
    pub(super) sights: Sights,
    /// What is to be kept of it.
    pub(super) entry: Option<Entry>,
}

/// What a text says, as it depends on the file and on what was looked up.
#[derive(Serialize, Deserialize)]
struct Reading {
    /// `None` when the text cannot be used.
    facts: Option<Facts>,
    diagnostics: Vec<Diagnostic>,
    sights: Sights,
    answers: Answers,
}

/// What a post takes from its text.
#[derive(Serialize, Deserialize)]
struct Facts {
    title: String,
    summary: String,
    image: Option<Target>,
    assets: Vec<Asset>,
    contents: Contents,
}

/// Parses the text of a post, unless what it says is known and would be the same.
pub(super) fn parse(mut placed: Placed, site: &Site, cache: &Cache, show: &Show<'_>) -> Parsed {
    let mut entry = placed.entry.take();
    let whereabouts = placed.draft.whereabouts();
    let known = entry.as_ref().and_then(|entry| cache.text::<Reading>(entry));
    if let Some(reading) = known.filter(|reading| site.still_answers(&reading.answers)) {
        let Reading { facts, diagnostics, sights, .. } = reading;
        let post = facts.map(|facts| Box::new(post(placed, facts)));
        return Parsed { post, whereabouts, diagnostics, sights, entry };
    }
    let text = match text_of(&mut placed.draft) {
        Ok(text) => text,
        Err(wrong) => {
            let (diagnostics, sights) = (vec![*wrong], Sights::default());
            return Parsed { post: None, whereabouts, diagnostics, sights, entry: None };
        }
    };
    let (reading, document) = read(&placed.draft, &text, site);
    let size = text.len();
    drop(text);
    entry = entry.and_then(|entry| Some(Entry { text: Piece::New(packed(&reading)?), ..entry }));
    let Reading { facts, diagnostics, sights, .. } = reading;
    let post = facts.zip(document).map(|(facts, document)| {
        let article = Article { post: post(placed, facts), document };
        show(&article);
        let Article { post, document } = article;
        site.held.put(Label::of(&post), size, document);
        Box::new(post)
    });
    Parsed { post, whereabouts, diagnostics, sights, entry }
}

/// The whole file of a post. It is read again when its head was remembered; then it must be what
/// it was.
fn text_of(draft: &mut Draft) -> Result<String, Box<Diagnostic>> {
    if let Some(text) = draft.text.take() {
        return Ok(text);
    }
    let source = source::read(&draft.found.path, &draft.found.name)?;
    if source.digest == draft.digest { Ok(source.text) } else { Err(texts::changed(&draft.found.name)) }
}

/// Parses a text and gathers what it says.
fn read(draft: &Draft, text: &str, site: &Site) -> (Reading, Option<Document>) {
    let mut linker = Linker::new(site, &draft.found.path, &draft.found.name, text);
    report_broken_text(text, &mut linker);
    let cover = draft.cover(&linker).and_then(|cover| linker.image(&cover.value, cover.span));
    let Meant { body, fields, .. } = &*draft.meant;
    let parsed = texts::parse(text, *body, fields.title.as_deref(), &mut linker);
    let (document, title) = match parsed {
        Ok(parsed) => parsed,
        Err(diagnostic) => {
            linker.diagnostics.push(*diagnostic);
            let Found { diagnostics, sights, answers, .. } = linker.into_found(None);
            return (Reading { facts: None, diagnostics, sights, answers }, None);
        }
    };
    let places = Places { name: &draft.found.name, text };
    let title = title.unwrap_or_else(|| title_of_file(draft, places.body(*body), &mut linker.diagnostics));
    let summary = fields.summary.clone().unwrap_or_else(|| article::summary(&document, site.pictures.macros()));
    let image: Option<Target> = cover.map(|(target, _)| target).or_else(|| article::cover(&document));
    if site.look == Look::Check && summary.is_empty() {
        linker.diagnostics.push(summary_missing(places.body(*body)));
    }
    if site.look == Look::Check && fields.is_mailed() {
        let letter = Letter { places, body: *body, title: &title, document: &document };
        linker.diagnostics.extend(letter.suspicions());
    }
    let Found { assets, diagnostics, sights, answers } = linker.into_found(Some(&document));
    let digest = Fingerprint::of("document").with(&(&document.blocks, &document.footnotes)).hex();
    let contents = Contents::of(&document, image.as_ref(), digest);
    let facts = Some(Facts { title, summary, image, assets, contents });
    (Reading { facts, diagnostics, sights, answers }, Some(document))
}

/// The post that a draft becomes with what its text says.
fn post(placed: Placed, facts: Facts) -> Post {
    let Placed { draft, id, slug, origin, visibility, .. } = placed;
    let Facts { title, summary, image, assets, contents } = facts;
    let fields = draft.meant.fields;
    let (email, feed) = (fields.channel(fields.email), fields.channel(fields.feed));
    Post {
        id,
        source: draft.found.name,
        slug,
        title,
        summary,
        language: fields.language.map(|language| language.replace('_', "-")),
        date: origin.date,
        updated: origin.updated,
        authors: origin.authors,
        tags: fields.tags,
        image,
        number: fields.number,
        aliases: fields.aliases,
        visibility,
        email,
        feed,
        contents,
        assets,
        commit: origin.commit,
        source_digest: draft.digest,
    }
}

fn summary_missing(place: Place) -> Diagnostic {
    let message = "no summary, and no paragraph to take one from: lists and inboxes show nothing but the title";
    Diagnostic::warning("summary-missing", place, message)
        .help("add `summary` to the front matter: one sentence on what the reader gets")
}

fn title_of_file(draft: &Draft, place: Place, out: &mut Vec<Diagnostic>) -> String {
    let title = title_of(file_name("", &draft.found.stem).words);
    let message = format!("no title and no heading: the post is called `{title}` after its file");
    out.push(
        Diagnostic::warning("title-unknown", place, message)
            .help("begin the text with `# Title`, or add `title` to the front matter"),
    );
    title
}

fn report_broken_text(text: &str, linker: &mut Linker<'_>) {
    let found = find_mojibake(text);
    for run in found.iter().take(MAX_MOJIBAKE) {
        let broken = &text[run.range.clone()];
        let message = format!("`{broken}` looks like `{}`, read in a wrong encoding and saved again", run.repaired);
        let place = linker.place(run.range.clone());
        linker.diagnostics.push(
            Diagnostic::warning("mojibake", place, message).help("`fieldpost check --fix` repairs it everywhere"),
        );
    }
    if let Some(at) = text.find('\u{FFFD}') {
        let message = "the replacement character U+FFFD: a letter was lost when the file was converted";
        let place = linker.place(at..at + '\u{FFFD}'.len_utf8());
        let wrong =
            Diagnostic::warning("replacement-character", place, message).help("write the letter that was meant");
        linker.diagnostics.push(wrong);
    }
}
