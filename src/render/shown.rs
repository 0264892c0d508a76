//! The pictures that a post shows.

use super::walk;
use crate::domain::post::Post;
use crate::pictures::{Formula, Picture, Pictures, Subject};

/// Whether a post says anything in TeX.
pub fn has_formulas(post: &Post) -> bool {
    walk::has_formulas(&post.document)
}

/// The pictures that a post shows in any medium, made now unless they were before; one that is
/// shown twice is there twice. What no picture can be made of is left out: it is shown otherwise.
pub fn pictures_of(post: &Post, pictures: &Pictures) -> Vec<(Subject, Picture)> {
    let formulas = walk::formulas(&post.document).into_iter();
    formulas
        .filter_map(|(tex, style)| match pictures.formula(&tex, style) {
            Ok(Formula::Picture(picture)) => Some((Subject::Formula { tex, style }, picture)),
            Ok(Formula::Text(_)) | Err(_) => None,
        })
        .collect()
}
