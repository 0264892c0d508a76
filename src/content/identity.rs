//! Which post is which: ids that survive renames.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
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

/// What ids are made from besides the posts.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a> {
    pub(super) known: &'a [KnownPost],
    pub(super) host: &'a str,
}

/// The ids of all candidates, and what nobody claimed.
pub(super) struct Identified<'a> {
    /// In the order of the candidates; `None` for one that may not have the id it wants.
    pub(super) ids: Vec<Option<PostId>>,
    /// Remembered posts whose id no candidate has.
    pub(super) unclaimed: Vec<&'a KnownPost>,
}

/// Gives every candidate its id. One that may not have the id it wants is reported.
///
/// An id is, in this order: declared in the head; remembered for this file with this text;
/// remembered for this text, which moved; remembered for this file; remembered for a former
/// name of this file; or made of host, day and slug (RFC 4151).
pub(super) fn identify<'a>(
    candidates: &[Candidate<'_>],
    memory: Memory<'a>,
    out: &mut Vec<Diagnostic>,
) -> Identified<'a> {
    let mut claims = Claims::new(candidates, memory);
    claims.declared(out);
    claims.by(|claims, post| claims.by_source(post.source).filter(|&n| memory.known[n].source_digest == post.digest));
    claims.by(|claims, post| claims.by_digest(post.digest));
    claims.by(|claims, post| claims.by_source(post.source));
    claims.by_former_names();
    claims.mint();
    let unclaimed = memory.known.iter().zip(&claims.holders).filter(|(_, holder)| holder.is_none());
    Identified { unclaimed: unclaimed.map(|(known, _)| known).collect(), ids: claims.ids }
}

/// Who has which id so far. Remembered posts are named by their numbers: in a folder where nothing
/// moved, all that happens is that each file finds its number.
struct Claims<'a> {
    candidates: &'a [Candidate<'a>],
    memory: Memory<'a>,
    sources: HashMap<&'a str, usize>,
    /// These two are made when the first file asks.
    digests: OnceCell<HashMap<&'a str, usize>>,
    numbers: OnceCell<HashMap<&'a PostId, usize>>,
    ids: Vec<Option<PostId>>,
    /// Which candidate has the id of a remembered post.
    holders: Vec<Option<usize>>,
    /// Which candidate has another id.
    others: HashMap<PostId, usize>,
}

impl<'a> Claims<'a> {
    fn new(candidates: &'a [Candidate<'a>], memory: Memory<'a>) -> Self {
        let known = memory.known.iter().enumerate();
        Self {
            candidates,
            memory,
            sources: known.map(|(number, known)| (known.source.as_str(), number)).collect(),
            digests: OnceCell::new(),
            numbers: OnceCell::new(),
            ids: vec![None; candidates.len()],
            holders: vec![None; memory.known.len()],
            others: HashMap::new(),
        }
    }

    fn by_source(&self, source: &str) -> Option<usize> {
        self.sources.get(source).copied()
    }

    /// The first remembered post with a text.
    fn by_digest(&self, digest: &str) -> Option<usize> {
        let known = self.memory.known.iter().enumerate().rev();
        let digests = || known.map(|(number, known)| (known.source_digest.as_str(), number)).collect();
        self.digests.get_or_init(digests).get(digest).copied()
    }

    fn by_id(&self, id: &PostId) -> Option<usize> {
        let known = self.memory.known.iter().enumerate();
        let numbers = || known.map(|(number, known)| (&known.id, number)).collect();
        self.numbers.get_or_init(numbers).get(id).copied()
    }

    /// The candidate that has an id.
    fn holder(&self, id: &PostId) -> Option<usize> {
        match self.by_id(id) {
            Some(number) => self.holders[number],
            None => self.others.get(id).copied(),
        }
    }

    fn claim(&mut self, index: usize, id: PostId) {
        match self.by_id(&id) {
            Some(number) => self.holders[number] = Some(index),
            None => drop(self.others.insert(id.clone(), index)),
        }
        self.ids[index] = Some(id);
    }

    /// Whether a candidate has no id yet and may get one.
    fn is_open(&self, index: usize) -> bool {
        self.ids[index].is_none() && self.candidates[index].declared.is_none()
    }

    fn declared(&mut self, out: &mut Vec<Diagnostic>) {
        let candidates = self.candidates;
        let declared_by: HashSet<&PostId> =
            candidates.iter().filter_map(|post| Some(post.declared.as_ref()?.id)).collect();
        if declared_by.is_empty() {
            return;
        }
        let owners = self.owners();
        for (index, post) in candidates.iter().enumerate() {
            let Some(Declared { id, place }) = &post.declared else { continue };
            let id = *id;
            let owner = owners.get(id).filter(|owner| **owner != post.source);
            let other = self.holder(id).map(|other| candidates[other].source).or(owner.copied());
            if let Some(other) = other {
                let message = format!("`{}` has the id `{}` too: `{other}`", post.source, id.as_str());
                out.push(Diagnostic::error("duplicate-id", place(), message).help(
                    "an id names one post for ever: remove the field from the copy, and it gets an id of its own",
                ));
                continue;
            }
            let before = self.by_source(post.source).map(|number| &self.memory.known[number]);
            let before = before.filter(|known| known.published && known.id != *id);
            if let Some(before) = before.filter(|known| !declared_by.contains(&known.id)) {
                let message = format!("this post was published with the id `{}`", before.id);
                out.push(Diagnostic::error("id-changed", place(), message).help(format!(
                    "write `{}` again: with another id every reader sees and gets the post twice",
                    before.id
                )));
                continue;
            }
            self.claim(index, id.clone());
        }
    }

    /// Remembered ids → the files that own them now without declaring one.
    fn owners(&self) -> HashMap<&'a PostId, &'a str> {
        let known = self.memory.known;
        let owning = self.candidates.iter().filter(|post| post.declared.is_none());
        owning.filter_map(|post| Some((&known[self.by_source(post.source)?].id, post.source))).collect()
    }

    /// Gives open candidates the ids of the remembered posts that are found for them, unless
    /// another one has them.
    fn by(&mut self, find: impl Fn(&Self, &Candidate<'_>) -> Option<usize>) {
        for (index, post) in self.candidates.iter().enumerate() {
            let found = if self.is_open(index) { find(self, post) } else { None };
            if let Some(number) = found.filter(|&number| self.holders[number].is_none()) {
                self.holders[number] = Some(index);
                self.ids[index] = Some(self.memory.known[number].id.clone());
            }
        }
    }

    fn by_former_names(&mut self) {
        self.by(|claims, post| post.former.iter().find_map(|name| claims.by_source(name)));
    }

    fn mint(&mut self) {
        for index in 0..self.candidates.len() {
            if self.is_open(index) {
                let post = &self.candidates[index];
                let base = minted(self.memory.host, post.date, post.slug);
                let mut number = 1;
                let id = loop {
                    let text = if number == 1 { base.clone() } else { format!("{base}-{number}") };
                    let id = PostId::parse(&text).expect("host, day and encoded slug hold no space and are short");
                    if self.by_id(&id).is_none() && !self.others.contains_key(&id) {
                        break id;
                    }
                    number += 1;
                };
                self.claim(index, id);
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

/// Published posts that are gone and were not taken away on purpose. `found` are the names of all
/// files, readable or not.
pub(super) fn vanished<'a>(
    unclaimed: &[&KnownPost],
    retired: &[PostId],
    found: impl Iterator<Item = &'a str>,
    out: &mut Vec<Diagnostic>,
) {
    let missing = unclaimed.iter().filter(|known| known.published && !retired.contains(&known.id));
    let missing: Vec<&&KnownPost> = missing.collect();
    if missing.is_empty() {
        return;
    }
    let found: HashSet<&str> = found.collect();
    // A file that is there and cannot be read is reported as that.
    for known in missing.into_iter().filter(|known| !found.contains(known.source.as_str())) {
        let message = format!("the published post `{}` is gone", known.id);
        out.push(Diagnostic::error(VANISHED, Place::file(&known.source), message).help(format!(
            "restore the file; if it was renamed and rewritten, give the new one `id: {0}`; if it is gone for good, \
             add \"{0}\" to `retired` in the `[content]` table",
            known.id
        )));
    }
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
        let memory = Memory { known, host: "example.org" };
        let Identified { ids, unclaimed } = identify(&candidates, memory, &mut out);
        vanished(&unclaimed, &[], posts.iter().map(|post| post.source), &mut out);
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
}
