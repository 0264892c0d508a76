//! Pictures put into the mail itself, as far as they fit; the others stay on the site.

use std::collections::HashMap;

use super::html::{attribute, with_images};
use super::{SiteContext, shown};
use crate::config::MailPictures;
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::document::{Block, Document};
use crate::domain::issue::{Embedded, Issue};
use crate::domain::post::{Article, Contents, Post};
use crate::picture::Kind;
use crate::pictures::{Picture, Subject};

/// Puts the pictures of a post's issue into it, in the order of their first use, and says how many
/// stay linked. Only what fieldpost made for mail is put in: the copies of the author's pictures,
/// formulas and diagrams.
pub(super) fn embedded(
    mut issue: Issue,
    place: MailPictures,
    site: &SiteContext,
    article: &Article,
) -> (Issue, Option<Diagnostic>) {
    let MailPictures::Embedded { cap } = place else { return (issue, None) };
    let mut chest = Chest { site, cap, ours: ours(site, &article.post), pictures: Vec::new(), left: HashMap::new() };
    issue.html = chest.packed(&issue.html);
    for parts in &mut issue.variants.parts {
        parts.html = chest.packed(&parts.html);
    }
    let told = chest.told(article);
    issue.pictures = chest.pictures;
    (issue, told)
}

/// What a post shows, by the address that its mail shows it from.
fn ours(site: &SiteContext, post: &Post) -> HashMap<String, (Subject, Picture)> {
    let all = shown::pictures_of(post, &site.publication.base_url, site.pictures).into_iter();
    all.map(|(subject, picture)| (site.publication.base_url.join(&picture.site_path), (subject, picture))).collect()
}

/// The pictures that an issue takes along.
struct Chest<'a> {
    site: &'a SiteContext<'a>,
    cap: usize,
    ours: HashMap<String, (Subject, Picture)>,
    pictures: Vec<Embedded>,
    /// Those for which there was no room, by their address, with their bytes.
    left: HashMap<String, usize>,
}

impl Chest<'_> {
    /// HTML in which the pictures that came along are named by their Content-ID.
    fn packed(&mut self, html: &str) -> String {
        with_images(html, |tag, out| self.image(tag, out))
    }

    fn image(&mut self, tag: &str, out: &mut String) {
        let found = attribute(tag, "src").and_then(|src| Some((src, self.content_id(src)?)));
        let Some((src, id)) = found else { return out.push_str(tag) };
        let at = src.as_ptr().addr() - tag.as_ptr().addr();
        out.push_str(&tag[..at]);
        out.push_str("cid:");
        out.push_str(&id);
        out.push_str(&tag[at + src.len()..]);
    }

    /// What names a picture in this mail; `None` for one that stays where it is.
    fn content_id(&mut self, src: &str) -> Option<String> {
        let (subject, picture) = self.ours.get(src)?;
        if let Some(known) = self.pictures.iter().find(|known| known.site_path == picture.site_path) {
            return Some(known.content_id.clone());
        }
        if self.left.contains_key(src) {
            return None;
        }
        let bytes = self.site.pictures.bytes(subject).ok()?;
        let used: usize = self.pictures.iter().map(|known| known.bytes.len()).sum();
        if used + bytes.len() > self.cap {
            self.left.insert(src.to_owned(), bytes.len());
            return None;
        }
        let name = picture.site_path.rsplit('/').next().unwrap_or_default();
        let digest = name.split('.').next().unwrap_or_default();
        let content_id = format!("{digest}@{}", self.site.publication.from.address.domain());
        let media_type = Kind::of(&bytes)?.media_type();
        let site_path = picture.site_path.clone();
        self.pictures.push(Embedded { content_id: content_id.clone(), site_path, media_type, bytes });
        Some(content_id)
    }

    fn told(&self, article: &Article) -> Option<Diagnostic> {
        let bytes: usize = self.left.values().sum();
        let count = match self.left.len() {
            0 => return None,
            1 => "one picture".to_owned(),
            many => format!("{many} pictures"),
        };
        let message = format!(
            "{count} of {} KB stay on the site: those in one mail have {} KB together at most",
            bytes.div_ceil(1000),
            self.cap / 1000
        );
        let message = if self.left.len() == 1 { message.replacen(" stay ", " stays ", 1) } else { message };
        let help = "make them smaller, or raise `[mail] cid_cap`: every recipient gets all of it";
        Some(
            Diagnostic::warning("mail-pictures", Place::line(&article.post.source, self.line(article)), message)
                .help(help),
        )
    }

    /// The line of the first block that shows a picture that was left; the first of all for a cover.
    fn line(&self, article: &Article) -> usize {
        let Article { post, document } = article;
        let shows = |block: &Block| {
            let alone = Document { blocks: vec![block.clone()], ..Document::default() };
            let post = Post { contents: Contents::of(&alone, None, String::new()), image: None, ..post.clone() };
            ours(self.site, &post).keys().any(|src| self.left.contains_key(src))
        };
        document.line(document.blocks.iter().position(shows).unwrap_or_default())
    }
}
