//! The story of loading: find, read, name, parse, check.

use std::cell::LazyCell;
use std::collections::HashSet;
use std::sync::Arc;

use rayon::prelude::*;

use super::cache::{Cache, Entry};
use super::collisions::{Claim, Rivals, Standing, collisions};
use super::discover::{Scope, boundary, discover};
use super::draft::{Draft, Origin};
use super::git::{History, NoHistory};
use super::head::Placed as Spanned;
use super::identity::{Candidate, Declared, Identified, Memory, identify, vanished};
use super::lint::dead_fragments;
use super::names::{Unnamed, slugs};
use super::parse::{Parsed, Placed, parse};
use super::paths::settle_paths;
use super::reading::{Readings, read_all};
use super::site::{PageRef, Site};
use super::texts::{Texts, place_in};
use super::{Content, Options, Show};
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::ids::PostId;
use crate::domain::post::{Post, Slug};

pub(super) fn load(options: &Options<'_>, show: &Show<'_>) -> Content {
    let scope = Scope { root: options.root, source: options.source, output: options.output, ignore: options.ignore };
    let (history, (cache, mut readings)) =
        rayon::join(|| History::of_folder(options.source, options.keep), || read_folder(scope, options));
    let mut diagnostics = std::mem::take(&mut readings.diagnostics);
    let history = history_or_warning(history, options, &mut diagnostics);
    let mut entries = std::mem::take(&mut readings.others);
    let contents = std::mem::take(&mut readings.contents);
    let (placed, left_out) = place_all(readings, &history, scope, options, &mut diagnostics);
    entries.extend(left_out);
    let page = |post: &Placed| PageRef { slug: post.slug.clone(), visibility: post.visibility };
    let pages = placed.iter().map(|post| (post.draft.found.path.clone(), page(post))).collect();
    let pictures = Arc::clone(options.pictures);
    let mut site = Site::new(scope, (options.base_url, pictures), boundary(scope), pages, contents);
    site.look = options.look;
    site.moment = cache.moment();
    let parsed: Vec<Parsed> = placed.into_par_iter().map(|placed| parse(placed, &site, &cache, show)).collect();
    diagnostics.extend(dead_fragments(&parsed));
    let mut posts: Vec<Box<Post>> = Vec::with_capacity(parsed.len());
    let mut files = Vec::with_capacity(parsed.len());
    let mut outbound = Vec::new();
    for mut parsed in parsed {
        posts.extend(parsed.post);
        files.push(parsed.whereabouts);
        entries.extend(parsed.entry);
        diagnostics.append(&mut parsed.diagnostics);
        outbound.append(&mut parsed.sights.outbound);
    }
    let settle = || {
        let locate = |post: &Post, words: &str| {
            let file = files.iter().find(|file| file.name == post.source);
            place_in(file, &post.source, |places| places.words(words))
        };
        settle_paths(&mut posts, &locate, &mut diagnostics);
        posts.sort_by(|a, b| b.date.cmp(&a.date).then_with(|| a.id.cmp(&b.id)));
        diagnostics.sort_by(|a, b| order(a).cmp(&order(b)));
        diagnostics.dedup();
        posts.into_iter().map(|post| *post).collect()
    };
    let ((), posts) = rayon::join(|| cache.save(&entries), settle);
    Content { posts, diagnostics, outbound, texts: Texts::new(site, files) }
}

/// Finds the files and what was kept of them, and reads those that changed.
fn read_folder(scope: Scope<'_>, options: &Options<'_>) -> (Cache, Readings) {
    let (discovery, cache) = rayon::join(|| discover(scope), || Cache::open(options));
    let readings = read_all(discovery, options, &cache);
    (cache, readings)
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

/// Gives every draft its date, slug and id. Those that may not have what they want are left out;
/// of them, what is to be kept is handed back.
fn place_all(
    readings: Readings,
    history: &History,
    scope: Scope<'_>,
    options: &Options<'_>,
    out: &mut Vec<Diagnostic>,
) -> (Vec<Placed>, Vec<Entry>) {
    let Readings { drafts, entries, no_drafts, .. } = readings;
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
            declared: draft.meant.fields.id.as_ref().map(|id| declared(draft, id)),
            former: former_names(history, draft, scope),
        })
        .collect();
    let memory = Memory { known: options.known, host: options.base_url.host() };
    let Identified { ids, unclaimed } = identify(&candidates, memory, out);
    let files = drafts.iter().map(|draft| &draft.found.name).chain(&no_drafts).map(String::as_str);
    vanished(&unclaimed, options.retired, files, out);
    let losers = colliding(&drafts, &slugs, &ids, options, out);
    drop(candidates);
    let (mut placed, mut left_out) = (Vec::with_capacity(drafts.len()), Vec::new());
    let all = drafts.into_iter().zip(slugs).zip(origins).zip(ids).zip(entries).enumerate();
    for (index, ((((draft, slug), origin), id), entry)) in all {
        match id.filter(|_| !losers.contains(&index)) {
            Some(id) => {
                let visibility = draft.visibility(origin.date, options);
                placed.push(Placed { draft, id, slug, origin, visibility, entry });
            }
            None => left_out.extend(entry),
        }
    }
    (placed, left_out)
}

fn declared<'a>(draft: &'a Draft, id: &'a Spanned<PostId>) -> Declared<'a> {
    Declared { id: &id.value, place: Box::new(|| draft.place(id.span.clone())) }
}

fn former_names(history: &History, draft: &Draft, scope: Scope<'_>) -> Vec<String> {
    let former = history.of(&draft.found.path).map(|history| history.former.as_slice()).unwrap_or_default();
    former.iter().map(|path| scope.name(path)).collect()
}

fn slugs_of(drafts: &[Draft]) -> Vec<Slug> {
    let unnamed: Vec<Unnamed<'_>> = drafts
        .iter()
        .filter(|draft| draft.meant.fields.slug.is_none())
        .map(|draft| Unnamed { folders: draft.folders(), stem: &draft.found.stem })
        .collect();
    let mut made = slugs(&unnamed).into_iter();
    let written = drafts.iter().map(|draft| draft.meant.fields.slug.as_ref().map(|slug| slug.value.clone()));
    written.map(|slug| slug.unwrap_or_else(|| made.next().expect("one slug per unnamed draft"))).collect()
}

fn colliding(
    drafts: &[Draft],
    slugs: &[Slug],
    ids: &[Option<PostId>],
    options: &Options<'_>,
    out: &mut Vec<Diagnostic>,
) -> HashSet<usize> {
    // A post that lost its id already is not blamed a second time.
    let alive: Vec<usize> = (0..drafts.len()).filter(|&index| ids[index].is_some()).collect();
    let claims: Vec<Claim<'_>> =
        alive.iter().map(|&index| Claim { source: &drafts[index].found.name, slug: &slugs[index] }).collect();
    let place = |claim: usize| {
        let draft = &drafts[alive[claim]];
        match &draft.meant.fields.slug {
            Some(slug) => draft.place(slug.span.clone()),
            None => Place::file(&draft.found.name),
        }
    };
    let published = || options.known.iter().filter(|known| known.published).map(|known| &known.id);
    let published: LazyCell<HashSet<&PostId>, _> = LazyCell::new(|| published().collect());
    let standing = |claim: usize| {
        let is_known = ids[alive[claim]].as_ref().is_some_and(|id| published.contains(id));
        if is_known { Standing::Published } else { Standing::New }
    };
    let rivals = Rivals { standing: &standing, place: &place };
    collisions(&claims, &rivals, out).into_iter().map(|index| alive[index]).collect()
}
