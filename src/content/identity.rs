//! Which post is which: ids that survive renames, and the collisions nobody wants.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;

/// The code of the error about a published post that is gone.
pub const VANISHED: &str = "post-vanished";

use chrono::Datelike;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::ids::PostId;
use crate::domain::post::{KnownPost, Slug};
use crate::domain::time::Dated;

/// What is needed to know a post again. In the order of sources.
pub(super) struct Candidate<'a> {
    /// The file as its author names it.
    pub(super) source: &'a str,
    pub(super) digest: &'a str,
    pub(super) slug: &'a Slug,
    pub(super) date: Dated,
    /// The id the head declares.
    pub(super) declared: Option<Declared<'a>>,
    /// Names the file had before, as git remembers them, latest first.
    pub(super) former: Vec<String>,
}

/// An id that a head declares. To know where, the file may have to be read.
pub(super) struct Declared<'a> {
    pub(super) id: &'a PostId,
    pub(super) place: Box<dyn Fn() -> Place + 'a>,
}

/// What the ledger and the author say about ids.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a> {
    pub(super) known: &'a [KnownPost],
    pub(super) retired: &'a [PostId],
    pub(super) host: &'a str,
}

/// Gives every candidate its id, in the order given; `None` for one that may not have the id
/// it wants, which is then reported.
///
/// An id is, in this order: declared in the head; remembered for this file with this text;
/// remembered for this text, which moved; remembered for this file; remembered for a former
/// name of this file; or made of host, day and slug (RFC 4151).
pub(super) fn identify(
    candidates: &[Candidate<'_>],
    memory: Memory<'_>,
    out: &mut Vec<Diagnostic>,
) -> Vec<Option<PostId>> {
    let mut claims = Claims::new(candidates, memory);
    claims.declared(out);
    claims.by(|known, post| known.source == post.source && known.source_digest == post.digest, Index::Source);
    claims.by(|known, post| known.source_digest == post.digest, Index::Digest);
    claims.by(|known, post| known.source == post.source, Index::Source);
    claims.by_former_names();
    claims.mint();
    claims.ids
}

#[derive(Clone, Copy)]
enum Index {
    Source,
    Digest,
}

struct Claims<'a> {
    candidates: &'a [Candidate<'a>],
    memory: Memory<'a>,
    by_source: HashMap<&'a str, &'a KnownPost>,
    by_digest: HashMap<&'a str, &'a KnownPost>,
    ids: Vec<Option<PostId>>,
    refused: HashSet<usize>,
    taken: HashMap<PostId, usize>,
}

impl<'a> Claims<'a> {
    fn new(candidates: &'a [Candidate<'a>], memory: Memory<'a>) -> Self {
        let mut by_digest = HashMap::new();
        for known in memory.known {
            by_digest.entry(known.source_digest.as_str()).or_insert(known);
        }
        Self {
            candidates,
            memory,
            by_source: memory.known.iter().map(|known| (known.source.as_str(), known)).collect(),
            by_digest,
            ids: vec![None; candidates.len()],
            refused: HashSet::new(),
            taken: HashMap::new(),
        }
    }

    fn claim(&mut self, index: usize, id: PostId) {
        self.taken.insert(id.clone(), index);
        self.ids[index] = Some(id);
    }

    fn is_open(&self, index: usize) -> bool {
        self.ids[index].is_none() && !self.refused.contains(&index)
    }

    fn declared(&mut self, out: &mut Vec<Diagnostic>) {
        let candidates = self.candidates;
        let holders: HashMap<&str, &str> = self.holders();
        let declared_by: HashSet<&PostId> =
            candidates.iter().filter_map(|post| Some(post.declared.as_ref()?.id)).collect();
        for (index, post) in candidates.iter().enumerate() {
            let Some(Declared { id, place }) = &post.declared else { continue };
            let id = *id;
            let holder = holders.get(id.as_str()).filter(|holder| **holder != post.source);
            let other = self.taken.get(id).map(|&other| candidates[other].source).or(holder.copied());
            if let Some(other) = other {
                let message = format!("`{}` has the id `{}` too: `{other}`", post.source, id.as_str());
                out.push(Diagnostic::error("duplicate-id", place(), message).help(
                    "an id names one post for ever: remove the field from the copy, and it gets an id of its own",
                ));
                self.refused.insert(index);
                continue;
            }
            let before = self.by_source.get(post.source).filter(|known| known.published && known.id != *id);
            if let Some(before) = before.filter(|known| !declared_by.contains(&known.id)) {
                let message = format!("this post was published with the id `{}`", before.id);
                out.push(Diagnostic::error("id-changed", place(), message).help(format!(
                    "write `{}` again: with another id every reader sees and gets the post twice",
                    before.id
                )));
                self.refused.insert(index);
                continue;
            }
            self.claim(index, id.clone());
        }
    }

    /// Remembered ids → the files that hold them now without declaring one.
    fn holders(&self) -> HashMap<&'a str, &'a str> {
        let holding = self.candidates.iter().filter(|post| post.declared.is_none());
        holding
            .filter_map(|post| self.by_source.get(post.source).map(|known| (known.id.as_str(), post.source)))
            .collect()
    }

    fn by(&mut self, matches: impl Fn(&KnownPost, &Candidate<'_>) -> bool, index: Index) {
        let candidates = self.candidates;
        for (at, post) in candidates.iter().enumerate().filter(|(_, post)| post.declared.is_none()) {
            let known = match index {
                Index::Source => self.by_source.get(post.source),
                Index::Digest => self.by_digest.get(post.digest),
            };
            let known = known.copied().filter(|known| matches(known, post) && !self.taken.contains_key(&known.id));
            if let Some(known) = known.filter(|_| self.is_open(at)) {
                self.claim(at, known.id.clone());
            }
        }
    }

    fn by_former_names(&mut self) {
        let candidates = self.candidates;
        for (at, post) in candidates.iter().enumerate().filter(|(_, post)| post.declared.is_none()) {
            let known = post.former.iter().find_map(|name| self.by_source.get(name.as_str()).copied());
            if let Some(known) = known.filter(|known| self.is_open(at) && !self.taken.contains_key(&known.id)) {
                self.claim(at, known.id.clone());
            }
        }
    }

    fn mint(&mut self) {
        let remembered: HashSet<&str> = self.memory.known.iter().map(|known| known.id.as_str()).collect();
        for at in 0..self.candidates.len() {
            if self.is_open(at) {
                let post = &self.candidates[at];
                let base = minted(self.memory.host, post.date, post.slug);
                let mut number = 1;
                let id = loop {
                    let text = if number == 1 { base.clone() } else { format!("{base}-{number}") };
                    let id = PostId::parse(&text).expect("host, day and encoded slug hold no space and are short");
                    if !self.taken.contains_key(&id) && !remembered.contains(id.as_str()) {
                        break id;
                    }
                    number += 1;
                };
                self.claim(at, id);
            }
        }
    }
}

/// `tag:example.org,2025-01-15:slug`, in ASCII (RFC 4151, section 2.1).
fn minted(host: &str, date: Dated, slug: &Slug) -> String {
    let mut text = format!("tag:{host},{:04}-{:02}-{:02}:", date.year(), date.month(), date.day());
    for byte in slug.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'/') {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("writing to a string never fails");
        }
        if text.len() > 400 {
            break;
        }
    }
    text
}

/// Published posts that are gone and were not taken away on purpose.
pub(super) fn vanished(
    memory: Memory<'_>,
    ids: &[Option<PostId>],
    found_files: &HashSet<&str>,
    out: &mut Vec<Diagnostic>,
) {
    let present: HashSet<&PostId> = ids.iter().flatten().chain(memory.retired).collect();
    for known in memory.known.iter().filter(|known| known.published && !present.contains(&known.id)) {
        // A file that is there and cannot be read is reported as that.
        if !found_files.contains(known.source.as_str()) {
            let message = format!("the published post `{}` is gone", known.id);
            out.push(Diagnostic::error(VANISHED, Place::file(&known.source), message).help(format!(
                "restore the file; if it was renamed and rewritten, give the new one `id: {0}`; if it is gone for good, \
                 add \"{0}\" to `retired` in the `[content]` table",
                known.id
            )));
        }
    }
}

/// One post's claim on a part of the site.
pub(super) struct Claim<'a> {
    pub(super) source: &'a str,
    pub(super) slug: &'a Slug,
    /// Where the slug is written, if its author wrote one.
    pub(super) place: Box<dyn Fn() -> Place + 'a>,
    /// Whether readers already know the post under some URL.
    pub(super) standing: Standing,
}

/// Who goes first when two posts want one URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Published before.
    Published,
    /// New.
    New,
}

/// Names of files at the top of the site that no post may cover.
const RESERVED: [&str; 8] =
    ["index.html", "feed.xml", "atom.xml", "feed.json", "sitemap.xml", "robots.txt", "404.html", "opml.xml"];

/// Finds posts that want the same URL, or one that is taken by a file of ours; each group of
/// offenders is named as a whole. The result says which posts lose, by position.
pub(super) fn collisions(claims: &[Claim<'_>], out: &mut Vec<Diagnostic>) -> HashSet<usize> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, claim) in claims.iter().enumerate() {
        groups.entry(claim.slug.as_str().to_lowercase()).or_default().push(index);
    }
    let mut losers = HashSet::new();
    for (slug, mut group) in groups {
        if RESERVED.contains(&slug.as_str()) {
            for &index in &group {
                let message = format!("the URL `{slug}` is taken by a file of the site itself");
                let place = (claims[index].place)();
                out.push(Diagnostic::error("slug-reserved", place, message).help("choose another `slug`"));
            }
            losers.extend(group);
            continue;
        }
        if group.len() == 1 {
            continue;
        }
        group.sort_by_key(|&index| (claims[index].standing, index));
        let names: Vec<String> = group.iter().map(|&index| format!("`{}`", claims[index].source)).collect();
        for &index in group.iter().skip(1) {
            let message = format!("{} posts want the URL `{slug}/`: {}", group.len(), names.join(", "));
            let place = (claims[index].place)();
            out.push(
                Diagnostic::error("slug-collision", place, message)
                    .help("give each its own `slug` in the front matter"),
            );
            losers.insert(index);
        }
    }
    losers
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Post {
        source: &'static str,
        digest: &'static str,
        slug: Slug,
        declared: Option<&'static str>,
        former: Vec<String>,
    }

    fn post(source: &'static str, digest: &'static str) -> Post {
        Post {
            source,
            digest,
            slug: Slug::from_text(source.trim_end_matches(".md")).unwrap(),
            declared: None,
            former: Vec::new(),
        }
    }

    fn known(id: &str, source: &str, digest: &str) -> KnownPost {
        KnownPost {
            id: PostId::parse(id).unwrap(),
            source: source.into(),
            source_digest: digest.into(),
            published: true,
        }
    }

    fn ids(posts: &[Post], known: &[KnownPost]) -> (Vec<String>, Vec<&'static str>) {
        let declared: Vec<Option<PostId>> =
            posts.iter().map(|post| post.declared.map(|id| PostId::parse(id).unwrap())).collect();
        let candidates: Vec<Candidate<'_>> = posts
            .iter()
            .zip(&declared)
            .map(|(post, declared)| Candidate {
                source: post.source,
                digest: post.digest,
                slug: &post.slug,
                date: "2025-01-15T00:00:00+01:00".parse().unwrap(),
                declared: declared.as_ref().map(|id| Declared { id, place: Box::new(|| Place::file(post.source)) }),
                former: post.former.clone(),
            })
            .collect();
        let mut out = Vec::new();
        let memory = Memory { known, retired: &[], host: "example.org" };
        let ids = identify(&candidates, memory, &mut out);
        let found: HashSet<&str> = posts.iter().map(|post| post.source).collect();
        vanished(memory, &ids, &found, &mut out);
        let shown = ids.iter().map(|id| id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default()).collect();
        (shown, out.iter().map(|diagnostic| diagnostic.code).collect())
    }

    #[test]
    fn a_new_post_gets_an_id_of_host_day_and_slug() {
        assert_eq!(ids(&[post("größe.md", "d")], &[]).0, ["tag:example.org,2025-01-15:gr%C3%B6%C3%9Fe"]);
    }

    #[test]
    fn a_post_keeps_its_id_when_it_is_edited_moved_or_both() {
        let memory = [known("k1", "a.md", "d1")];
        assert_eq!(ids(&[post("a.md", "edited")], &memory), (vec!["k1".into()], vec![]));
        assert_eq!(ids(&[post("b.md", "d1")], &memory), (vec!["k1".into()], vec![]));
        let mut moved = post("b.md", "edited");
        moved.former = vec!["a.md".into()];
        assert_eq!(ids(&[moved], &memory), (vec!["k1".into()], vec![]));
        let (swapped, codes) = ids(&[post("a.md", "new text"), post("b.md", "d1")], &memory);
        assert_eq!((swapped[1].as_str(), codes.len()), ("k1", 0), "the text moved, and another took its name");
        assert_ne!(swapped[0], "k1");
    }

    #[test]
    fn a_copy_does_not_take_the_id_of_its_original() {
        let (given, codes) = ids(&[post("a-copy.md", "d1"), post("a.md", "d1")], &[known("k1", "a.md", "d1")]);
        assert_eq!((given[1].as_str(), codes.len()), ("k1", 0));
        assert_ne!(given[0], "k1");
    }

    #[test]
    fn duplicate_changed_and_vanished_ids_explain_themselves() {
        let mut first = post("a.md", "d1");
        first.declared = Some("x");
        let mut second = post("b.md", "d2");
        second.declared = Some("x");
        assert_eq!(ids(&[first, second], &[]).1, ["duplicate-id"]);
        let mut changed = post("a.md", "d1");
        changed.declared = Some("y");
        assert_eq!(ids(&[changed], &[known("k1", "a.md", "d1")]).1, ["id-changed",][..]);
        let mut thief = post("b.md", "d2");
        thief.declared = Some("k1");
        assert_eq!(ids(&[post("a.md", "d1"), thief], &[known("k1", "a.md", "d1")]).1, ["duplicate-id"]);
        assert_eq!(ids(&[post("b.md", "d2")], &[known("k1", "a.md", "d1")]).1, ["post-vanished"]);
    }

    #[test]
    fn all_posts_that_want_one_url_are_named_and_the_published_one_keeps_it() {
        let slug = Slug::from_text("x").unwrap();
        let claim =
            |source, standing| Claim { source, slug: &slug, place: Box::new(move || Place::file(source)), standing };
        let mut out = Vec::new();
        let claims = [claim("a.md", Standing::New), claim("b.md", Standing::Published), claim("c.md", Standing::New)];
        assert_eq!(collisions(&claims, &mut out), HashSet::from([0, 2]));
        assert!(out.iter().all(|d| ["a.md", "b.md", "c.md"].iter().all(|name| d.message.contains(name))));
    }
}
