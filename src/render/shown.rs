//! The pictures that a post shows.

use std::borrow::Cow;
use std::path::Path;

use super::html::{Piece, attribute, pieces, tag_name};
use super::links::{Links, Reach};
use super::views::byline;
use crate::domain::document::Target;
use crate::domain::post::Post;
use crate::domain::publication::{Publication, SiteUrl};
use crate::math::Style;
use crate::pictures::{Copies, Form, Formula, Picture, Pictures, Subject};

/// The pictures that a post shows in any medium, made now unless they were before; one that is
/// shown twice is there twice. What no picture can be made of is left out: it is shown otherwise.
pub fn pictures_of(post: &Post, base: &SiteUrl, pictures: &Pictures) -> Vec<(Subject, Picture)> {
    let exhibits = &post.contents.exhibits;
    let inline = exhibits.inline_formulas.iter().map(|tex| (tex, Style::Inline));
    let formulas = inline.chain(exhibits.displayed_formulas.iter().map(|tex| (tex, Style::Display)));
    let formulas = formulas.filter_map(|(tex, style)| match pictures.formula(tex, style) {
        Ok(Formula::Picture(picture)) => Some((Subject::Formula { tex: tex.clone(), style }, picture)),
        Ok(Formula::Text(_)) | Err(_) => None,
    });
    let forms =
        |source: &String| [Form::Drawing, Form::Pixels].map(|form| Subject::Diagram { source: source.clone(), form });
    let diagrams = exhibits.diagrams.iter().flat_map(forms);
    let diagrams = diagrams.filter_map(|subject| pictures.of(&subject).ok().map(|picture| (subject, picture)));
    let files = exhibits.images.iter().chain(&post.image).filter_map(|target| asset(post, target));
    let links = Links::new(base, post.site_path(), Reach::Absolute);
    let raw = exhibits.html_with_images.iter().flat_map(|html| pieces(html)).filter_map(|piece| match piece {
        Piece::Tag(tag) if tag_name(tag) == "img" => raw_asset(tag, post, &links),
        Piece::Tag(_) | Piece::Text(_) | Piece::Comment(_) => None,
    });
    let copies = files.chain(raw).flat_map(|file| copies_of(file, pictures));
    formulas.chain(diagrams).chain(copies).collect()
}

fn copies_of(file: &Path, pictures: &Pictures) -> Vec<(Subject, Picture)> {
    let Ok(copies) = pictures.copies(file) else { return Vec::new() };
    let subject = |number| Subject::Copy { file: file.to_owned(), number };
    copies.all().cloned().enumerate().map(|(number, picture)| (subject(number), picture)).collect()
}

/// The copies of an image of a post; `None` for one that lies elsewhere, or cannot be read.
pub(super) fn copies(post: &Post, target: &Target, pictures: &Pictures) -> Option<Copies> {
    pictures.copies(asset(post, target)?).ok()
}

/// The file behind an image.
fn asset<'p>(post: &'p Post, target: &Target) -> Option<&'p Path> {
    let Target::Site(path) = target else { return None };
    let asset = post.assets.iter().find(|asset| asset.url_path() == *path)?;
    Some(&asset.source)
}

/// The file behind an `img` of raw HTML.
pub(super) fn raw_asset<'p>(tag: &str, post: &'p Post, links: &Links) -> Option<&'p Path> {
    let url = links.resolve(&attribute(tag, "src")?.replace("&amp;", "&"))?;
    let asset = post.assets.iter().find(|asset| links.absolute(&asset.url_path()) == url)?;
    Some(&asset.source)
}

/// The absolute URL of a post's cover, in a form that every program shows.
pub(super) fn cover_url(post: &Post, base: &SiteUrl, pictures: &Pictures) -> Option<String> {
    let cover = post.image.as_ref()?;
    match copies(post, cover, pictures) {
        Some(copies) => Some(base.join(&copies.mail.site_path)),
        None => Links::new(base, post.site_path(), Reach::Absolute).href(cover).map(Cow::into_owned),
    }
}

/// The card of a post that has no picture of its own to be shared with.
pub fn card_of(post: &Post, publication: &Publication) -> Option<Subject> {
    post.image.is_none().then(|| Subject::Card {
        title: post.title.clone(),
        site: publication.title.clone(),
        byline: byline(post, publication),
    })
}
