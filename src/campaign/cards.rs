//! What is left off the cards of posts.

use crate::config::Config;
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::post::Post;
use crate::picture;
use crate::render;

/// Says, once for all of them, which titles stand on no card because the embedded typeface lacks
/// their letters.
pub(super) fn left_off(config: &Config, posts: &[Post]) -> Option<Diagnostic> {
    let mut newest: Vec<&Post> = posts.iter().filter(|post| post.is_public()).collect();
    newest.sort_by(|a, b| b.date.cmp(&a.date).then_with(|| a.id.cmp(&b.id)));
    let with_cards = newest.into_iter().take(config.cards);
    let lacks = |post: &&Post| !picture::lacking_letters(&post.title).is_empty();
    let titles: Vec<&Post> =
        with_cards.filter(|post| render::card_of(post, &config.publication).is_some()).filter(lacks).collect();
    let first = titles.first()?;
    let message = match titles.len() {
        1 => "the title stands on no card: our typeface lacks its letters".to_owned(),
        many => format!("the titles of {many} posts stand on no card: our typeface lacks letters of theirs"),
    };
    let help = "give each a cover (`image`), or write `cards = 0` under `[output]`";
    Some(Diagnostic::warning("card", Place::file(&first.source), message).help(help))
}
