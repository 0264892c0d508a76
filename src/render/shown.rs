//! The pictures that a post shows.

use super::links::{Links, Reach};
use super::views::byline;
use crate::domain::document::Target;
use crate::domain::post::Post;
use crate::domain::publication::{Publication, SiteUrl};
use crate::math::Style;
use crate::pictures::{Copies, Form, Formula, Picture, Pictures, Subject};

/// The pictures that a post shows in any medium, made now unless they were before; one that is
/// shown twice is there twice. What no picture can be made of is left out: it is shown otherwise.
pub fn pictures_of(post: &Post, pictures: &Pictures) -> Vec<(Subject, Picture)> {
    let contents = &post.contents;
    let inline = contents.inline_formulas.iter().map(|tex| (tex, Style::Inline));
    let formulas = inline.chain(contents.displayed_formulas.iter().map(|tex| (tex, Style::Display)));
    let formulas = formulas.filter_map(|(tex, style)| match pictures.formula(tex, style) {
        Ok(Formula::Picture(picture)) => Some((Subject::Formula { tex: tex.clone(), style }, picture)),
        Ok(Formula::Text(_)) | Err(_) => None,
    });
    let forms =
        |source: &String| [Form::Drawing, Form::Pixels].map(|form| Subject::Diagram { source: source.clone(), form });
    let diagrams = contents.diagrams.iter().flat_map(forms);
    let diagrams = diagrams.filter_map(|subject| pictures.of(&subject).ok().map(|picture| (subject, picture)));
    let images = contents.images.iter().chain(&post.image);
    let copies = images.flat_map(|target| copies_of(post, target, pictures));
    formulas.chain(diagrams).chain(copies).collect()
}

fn copies_of(post: &Post, target: &Target, pictures: &Pictures) -> Vec<(Subject, Picture)> {
    let Some(file) = asset(post, target) else { return Vec::new() };
    let Some(copies) = copies(post, target, pictures) else { return Vec::new() };
    let subject = |number| Subject::Copy { file: file.to_owned(), number };
    copies.all().cloned().enumerate().map(|(number, picture)| (subject(number), picture)).collect()
}

/// The copies of an image of a post; `None` for one that lies elsewhere, or cannot be read.
pub(super) fn copies(post: &Post, target: &Target, pictures: &Pictures) -> Option<Copies> {
    pictures.copies(asset(post, target)?).ok()
}

/// The file behind an image.
fn asset<'p>(post: &'p Post, target: &Target) -> Option<&'p std::path::Path> {
    let Target::Site(path) = target else { return None };
    let asset = post.assets.iter().find(|asset| asset.url_path() == *path)?;
    Some(&asset.source)
}

/// The absolute URL of a post's cover, in a form that every program shows.
pub(super) fn cover_url(post: &Post, base: &SiteUrl, pictures: &Pictures) -> Option<String> {
    let cover = post.image.as_ref()?;
    match copies(post, cover, pictures) {
        Some(copies) => Some(base.join(&copies.mail.site_path)),
        None => Links::new(base, post.site_path(), Reach::Absolute).href(cover),
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
