//! Posts that want the same URL.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::post::Slug;

/// One post's claim on a part of the site.
#[derive(Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) source: &'a str,
    pub(super) slug: &'a Slug,
}

/// Who goes first when two posts want one URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Readers know the post under some URL.
    Published,
    /// New.
    New,
}

/// What is asked about a post by its position, when it is in the way of another.
pub(super) struct Rivals<'a> {
    pub(super) standing: &'a dyn Fn(usize) -> Standing,
    /// Where the slug is written, if its author wrote one.
    pub(super) place: &'a dyn Fn(usize) -> Place,
}

/// Names of files at the top of the site that no post may cover.
const RESERVED: [&str; 8] =
    ["index.html", "feed.xml", "atom.xml", "feed.json", "sitemap.xml", "robots.txt", "404.html", "opml.xml"];

/// Finds posts that want the same URL, or one that is taken by a file of ours; each group of
/// offenders is named as a whole. The result says which posts lose, by position.
pub(super) fn collisions(claims: &[Claim<'_>], rivals: &Rivals<'_>, out: &mut Vec<Diagnostic>) -> HashSet<usize> {
    let mut wanted: Vec<(Cow<'_, str>, usize)> =
        claims.iter().enumerate().map(|(index, claim)| (lower(claim.slug.as_str()), index)).collect();
    wanted.sort();
    let mut losers = HashSet::new();
    for group in wanted.chunk_by(|(one, _), (other, _)| one == other) {
        let slug = group[0].0.as_ref();
        let mut group: Vec<usize> = group.iter().map(|(_, index)| *index).collect();
        if RESERVED.contains(&slug) {
            for &index in &group {
                let message = format!("the URL `{slug}` is taken by a file of the site itself");
                let place = (rivals.place)(index);
                out.push(Diagnostic::error("slug-reserved", place, message).help("choose another `slug`"));
            }
            losers.extend(group);
            continue;
        }
        if group.len() == 1 {
            continue;
        }
        group.sort_by_key(|&index| ((rivals.standing)(index), index));
        let names: Vec<String> = group.iter().map(|&index| format!("`{}`", claims[index].source)).collect();
        for &index in group.iter().skip(1) {
            let message = format!("{} posts want the URL `{slug}/`: {}", group.len(), names.join(", "));
            let place = (rivals.place)(index);
            out.push(
                Diagnostic::error("slug-collision", place, message)
                    .help("give each its own `slug` in the front matter"),
            );
            losers.insert(index);
        }
    }
    losers
}

/// A text in lower case, which slugs mostly are.
fn lower(text: &str) -> Cow<'_, str> {
    let is_lower = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_lower { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_posts_that_want_one_url_are_named_and_the_published_one_keeps_it() {
        let slug = Slug::from_text("x").unwrap();
        let claims = ["a.md", "b.md", "c.md"].map(|source| Claim { source, slug: &slug });
        let standing = |index| if index == 1 { Standing::Published } else { Standing::New };
        let rivals = Rivals { standing: &standing, place: &|index| Place::file(claims[index].source) };
        let mut out = Vec::new();
        assert_eq!(collisions(&claims, &rivals, &mut out), HashSet::from([0, 2]));
        assert!(out.iter().all(|d| ["a.md", "b.md", "c.md"].iter().all(|name| d.message.contains(name))));
    }
}
