//! The story of loading: find, read, name, parse, check.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

use super::article;
use super::discover::{Discovery, Scope, boundary, discover};
use super::draft::{Draft, Origin, Reading};
use super::git::{History, NoHistory};
use super::head::Status;
use super::identity::{Candidate, Claim, Memory, Standing, collisions, identify, vanished};
use super::links::Linker;
use super::lint::{Sights, dead_fragments};
use super::mojibake::find_mojibake;
use super::names::{Unnamed, file_name, slugs, title_of};
use super::site::{PageRef, Site};
use super::spam::Letter;
use super::texts::{self, Texts};
use super::{Content, Look, Options, Show};
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::document::Target;
use crate::domain::ids::PostId;
use crate::domain::post::{Article, Channel, Contents, Post, Slug, Visibility};
use crate::files::Fingerprint;

/// How many broken runs of text are reported one by one in a file.
const MAX_MOJIBAKE: usize = 5;

/// A draft with its place in the world.
struct Placed {
    draft: Draft,
    id: PostId,
    slug: Slug,
    origin: Origin,
    visibility: Visibility,
}

pub(super) fn load(options: &Options<'_>, show: &Show<'_>) -> Content {
    let scope = Scope { root: options.root, source: options.source, output: options.output, ignore: options.ignore };
    let mut discovery = discover(scope);
    let mut diagnostics = std::mem::take(&mut discovery.diagnostics);
    let (history, drafts) = rayon::join(|| History::read(options.source), || read_all(&discovery, options));
    let history = history_or_warning(history, options, &mut diagnostics);
    let (drafts, mut wrong) = drafts;
    diagnostics.append(&mut wrong);
    let placed = place_all(drafts, &history, scope, options, &discovery, &mut diagnostics);
    let pages = placed.iter().map(|post| {
        let page = PageRef { slug: post.slug.clone(), visibility: post.visibility };
        (post.draft.found.path.clone(), page)
    });
    let contents: Vec<PathBuf> = std::mem::take(&mut discovery.contents);
    let pictures = Arc::clone(options.pictures);
    let pages = pages.collect::<Vec<_>>();
    let mut site = Site::new(scope, (options.base_url, pictures), boundary(scope), pages, contents);
    site.look = options.look;
    let files = placed.iter().map(|post| (post.draft.found.name.clone(), post.draft.whereabouts())).collect();
    let parsed: Vec<Parsed> = placed.into_par_iter().map(|placed| parse(placed, &site, show)).collect();
    diagnostics.extend(dead_fragments(&parsed));
    let mut posts = Vec::with_capacity(parsed.len());
    let mut outbound = Vec::new();
    for mut parsed in parsed {
        posts.extend(parsed.post);
        diagnostics.append(&mut parsed.diagnostics);
        outbound.append(&mut parsed.sights.outbound);
    }
    settle_paths(&mut posts, &mut diagnostics);
    posts.sort_by(|a, b| b.date.cmp(&a.date).then_with(|| a.id.cmp(&b.id)));
    diagnostics.sort_by(|a, b| order(a).cmp(&order(b)));
    diagnostics.dedup();
    Content { posts, diagnostics, outbound, texts: Texts::new(site, files) }
}

fn order(diagnostic: &Diagnostic) -> (&std::path::Path, usize, usize, &str) {
    (&diagnostic.place.file, diagnostic.place.line, diagnostic.place.column, diagnostic.code)
}

fn history_or_warning(
    history: Result<History, NoHistory>,
    options: &Options<'_>,
    out: &mut Vec<Diagnostic>,
) -> History {
    match history {
        Ok(history) => history,
        Err(NoHistory::NotARepository) => History::default(),
        Err(NoHistory::Refused(reason)) => {
            let message = format!("git does not read this repository, so no date comes from it: {reason}");
            let place = Place::file(options.root.join(".git")).file;
            out.push(
                Diagnostic::warning("git-unreadable", Place::file(place), message)
                    .help("run `git log` here; it says what to do"),
            );
            History::default()
        }
    }
}

fn read_all(discovery: &Discovery, options: &Options<'_>) -> (Vec<Draft>, Vec<Diagnostic>) {
    let read = |found| {
        let mut wrong = Vec::new();
        (Draft::read(found, options, &mut wrong), wrong)
    };
    let all: Vec<(Reading, Vec<Diagnostic>)> = discovery.posts.par_iter().map(read).collect();
    let mut drafts = Vec::with_capacity(all.len());
    let mut diagnostics = Vec::new();
    for (reading, mut wrong) in all {
        diagnostics.append(&mut wrong);
        match reading {
            Reading::Draft(draft) => drafts.push(*draft),
            Reading::NoPost | Reading::Broken => {}
        }
    }
    (drafts, diagnostics)
}

/// Gives every draft its date, slug and id; drops those that may not have what they want.
fn place_all(
    drafts: Vec<Draft>,
    history: &History,
    scope: Scope<'_>,
    options: &Options<'_>,
    discovery: &Discovery,
    out: &mut Vec<Diagnostic>,
) -> Vec<Placed> {
    let slugs = slugs_of(&drafts);
    let origins: Vec<Origin> =
        drafts.iter().map(|draft| draft.origin(history.of(&draft.found.path), options, out)).collect();
    let candidates: Vec<Candidate<'_>> = drafts
        .iter()
        .zip(&slugs)
        .zip(&origins)
        .map(|((draft, slug), origin)| Candidate {
            source: &draft.found.name,
            digest: &draft.digest,
            slug,
            date: origin.date,
            declared: draft.fields.id.as_ref().map(|id| (id.value.clone(), draft.place(id.span.clone()))),
            former: former_names(history, draft, scope),
        })
        .collect();
    let memory = Memory { known: options.known, retired: options.retired, host: options.base_url.host() };
    let ids = identify(&candidates, memory, out);
    let files: HashSet<&str> = discovery.posts.iter().map(|found| found.name.as_str()).collect();
    vanished(memory, &ids, &files, out);
    let losers = colliding(&drafts, &slugs, &ids, options, out);
    drop(candidates);
    let all = drafts.into_iter().zip(slugs).zip(origins).zip(ids).enumerate();
    all.filter(|(index, _)| !losers.contains(index))
        .filter_map(|(_, (((draft, slug), origin), id))| {
            let visibility = draft.visibility(origin.date, options);
            Some(Placed { id: id?, draft, slug, origin, visibility })
        })
        .collect()
}

fn former_names(history: &History, draft: &Draft, scope: Scope<'_>) -> Vec<String> {
    let former = history.of(&draft.found.path).map(|history| history.former.as_slice()).unwrap_or_default();
    former.iter().map(|path| scope.name(path)).collect()
}

fn slugs_of(drafts: &[Draft]) -> Vec<Slug> {
    let unnamed: Vec<Unnamed<'_>> = drafts
        .iter()
        .filter(|draft| draft.fields.slug.is_none())
        .map(|draft| Unnamed { folders: draft.folders(), stem: &draft.found.stem })
        .collect();
    let mut made = slugs(&unnamed).into_iter();
    let written = drafts.iter().map(|draft| draft.fields.slug.as_ref().map(|slug| slug.value.clone()));
    written.map(|slug| slug.unwrap_or_else(|| made.next().expect("one slug per unnamed draft"))).collect()
}

fn colliding(
    drafts: &[Draft],
    slugs: &[Slug],
    ids: &[Option<PostId>],
    options: &Options<'_>,
    out: &mut Vec<Diagnostic>,
) -> HashSet<usize> {
    let published: HashSet<&PostId> =
        options.known.iter().filter(|known| known.published).map(|known| &known.id).collect();
    // A post that lost its id already is not blamed a second time.
    let alive: Vec<usize> = (0..drafts.len()).filter(|&index| ids[index].is_some()).collect();
    let claims: Vec<Claim<'_>> = alive
        .iter()
        .map(|&index| {
            let draft = &drafts[index];
            let place = match &draft.fields.slug {
                Some(slug) => draft.place(slug.span.clone()),
                None => Place::file(&draft.found.name),
            };
            let known = ids[index].as_ref().is_some_and(|id| published.contains(id));
            let standing = if known { Standing::Published } else { Standing::New };
            Claim { source: &draft.found.name, slug: &slugs[index], place, standing }
        })
        .collect();
    collisions(&claims, out).into_iter().map(|index| alive[index]).collect()
}

/// A post whose text was read.
pub(super) struct Parsed {
    /// The post; `None` when its text cannot be used.
    pub(super) post: Option<Post>,
    /// What is wrong with it.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What it says about other places.
    pub(super) sights: Sights,
}

/// The second pass: the text of one post.
fn parse(placed: Placed, site: &Site, show: &Show<'_>) -> Parsed {
    let Placed { draft, id, slug, origin, visibility } = placed;
    let mut linker = Linker::new(site, &draft.found.path, &draft.found.name, &draft.text);
    report_broken_text(&draft, &mut linker.diagnostics);
    let cover = draft.cover().and_then(|cover| linker.image(&cover.value, cover.span));
    let declared = draft.fields.title.as_deref();
    let (document, title) = match texts::parse(&draft.text, draft.body, declared, site, &mut linker) {
        Ok(parsed) => parsed,
        Err(diagnostic) => {
            linker.diagnostics.push(*diagnostic);
            let (_, diagnostics, sights) = linker.into_parts(None);
            return Parsed { post: None, diagnostics, sights };
        }
    };
    let title = title.unwrap_or_else(|| title_of_file(&draft, &mut linker.diagnostics));
    let summary = draft.fields.summary.clone().unwrap_or_else(|| article::summary(&document, site.pictures.macros()));
    let image: Option<Target> = cover.map(|(target, _)| target).or_else(|| article::cover(&document));
    if site.look == Look::Check && summary.is_empty() {
        linker.diagnostics.push(summary_missing(&draft));
    }
    let hidden = if draft.fields.status == Status::Hidden { Channel::Off } else { Channel::On };
    let email = draft.fields.email.unwrap_or(hidden);
    if site.look == Look::Check && email == Channel::On {
        let (name, text, body) = (&draft.found.name, &draft.text, draft.body);
        let letter = Letter { name, text, body, title: &title, document: &document };
        linker.diagnostics.extend(letter.suspicions());
    }
    let (assets, diagnostics, sights) = linker.into_parts(Some(&document));
    let digest = Fingerprint::of("document").with(&document).hex();
    let contents = Contents::of(&document, image.as_ref(), digest);
    let fields = draft.fields;
    let post = Post {
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
        feed: fields.feed.unwrap_or(hidden),
        contents,
        assets,
        commit: origin.commit,
        source_digest: draft.digest,
    };
    let article = Article { post, document };
    show(&article);
    Parsed { post: Some(article.post), diagnostics, sights }
}

fn summary_missing(draft: &Draft) -> Diagnostic {
    let message = "no summary, and no paragraph to take one from: lists and inboxes show nothing but the title";
    Diagnostic::warning("summary-missing", Place::file(&draft.found.name), message)
        .help("add `summary` to the front matter: one sentence on what the reader gets")
}

fn title_of_file(draft: &Draft, out: &mut Vec<Diagnostic>) -> String {
    let title = title_of(file_name("", &draft.found.stem).words);
    let message = format!("no title and no heading: the post is called `{title}` after its file");
    out.push(
        Diagnostic::warning("title-unknown", Place::file(&draft.found.name), message)
            .help("begin the text with `# Title`, or add `title` to the front matter"),
    );
    title
}

fn report_broken_text(draft: &Draft, out: &mut Vec<Diagnostic>) {
    let found = find_mojibake(&draft.text);
    for run in found.iter().take(MAX_MOJIBAKE) {
        let broken = &draft.text[run.range.clone()];
        let message = format!("`{broken}` looks like `{}`, read in a wrong encoding and saved again", run.repaired);
        out.push(
            Diagnostic::warning("mojibake", draft.place(run.range.clone()), message)
                .help("`fieldpost check --fix` repairs it everywhere"),
        );
    }
    if let Some(at) = draft.text.find('\u{FFFD}') {
        let message = "the replacement character U+FFFD: a letter was lost when the file was converted";
        let place = draft.place(at..at + '\u{FFFD}'.len_utf8());
        out.push(Diagnostic::warning("replacement-character", place, message).help("write the letter that was meant"));
    }
}

/// Sees to it that no two things are copied to one path: assets of different files, an asset
/// and a page, an alias and either.
fn settle_paths(posts: &mut [Post], out: &mut Vec<Diagnostic>) {
    let pages: HashSet<String> = posts.iter().map(|post| post.slug.as_str().to_owned()).collect();
    let mut assets: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut aliases: HashMap<String, String> = HashMap::new();
    for post in posts.iter_mut() {
        for asset in &post.assets {
            let first = assets.entry(asset.site_path.clone()).or_insert_with(|| asset.source.clone());
            let covers_page = asset.site_path.strip_suffix("/index.html").is_some_and(|slug| pages.contains(slug));
            if *first != asset.source || covers_page || pages.contains(&asset.site_path) {
                let message = format!(
                    "the file `{}` would be copied to `{}`, which is taken",
                    asset.source.display(),
                    asset.site_path
                );
                out.push(
                    Diagnostic::error("asset-collision", Place::file(&post.source), message).help("rename the file"),
                );
            }
        }
        post.aliases.retain(|alias| {
            let page = alias.trim_end_matches("index.html").trim_end_matches('/');
            let other = aliases.entry(page.to_owned()).or_insert_with(|| post.source.clone());
            let free = !pages.contains(page) && *other == post.source;
            if !free && page != post.slug.as_str() {
                let message = format!("the alias `{alias}` is left out: another page has that URL");
                out.push(
                    Diagnostic::warning("alias-taken", Place::file(&post.source), message)
                        .help("remove it from the front matter"),
                );
            }
            free
        });
    }
}
