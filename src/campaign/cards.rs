//! What is left off the cards of posts.

use crate::config::Config;
use crate::content::Texts;
use crate::diagnostic::Diagnostic;
use crate::domain::post::Post;
use crate::picture;
use crate::render;

/// Says, once for all of them, which titles stand on no card because the embedded typeface lacks
/// their letters.
pub(super) fn left_off(config: &Config, posts: &[Post], texts: &Texts) -> Option<Diagnostic> {
    // They come newest first.
    let with_cards = posts.iter().filter(|post| post.is_public()).take(config.cards);
    let lacks = |post: &&Post| !picture::lacking_letters(&post.title).is_empty();
    let titles: Vec<&Post> =
        with_cards.filter(|post| render::card_of(post, &config.publication).is_some()).filter(lacks).collect();
    let first = titles.first()?;
    let message = match titles.len() {
        1 => "the title stands on no card: our typeface lacks its letters".to_owned(),
        many => format!("the titles of {many} posts stand on no card: our typeface lacks letters of theirs"),
    };
    let help = "give each a cover (`image`), or write `cards = 0` under `[output]`";
    Some(Diagnostic::warning("card", texts.title_place(first), message).help(help))
}
