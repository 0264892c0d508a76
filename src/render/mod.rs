//! A [`Document`](crate::domain::document::Document) becomes a page, a feed entry, a mail
//! issue and plain text. Writers only: nothing here reads a post, a clock or the network.
//!
//! Post text is data. It is written as HTML or text by our own writers first, and enters a
//! template as one finished value; no template engine ever sees it as a template.

mod clip;
#[cfg(test)]
mod conformance;
mod digest;
mod embed;
mod entry;
mod html;
mod issue;
mod links;
mod mail;
mod most;
mod pages;
pub mod preview;
#[cfg(test)]
mod sample;
mod shown;
mod site;
mod slots;
mod structured;
#[cfg(test)]
mod tests;
mod text;
mod theme;
mod variants;
mod views;
#[cfg(test)]
mod words_tests;

pub use digest::digest as digest_issue;
pub use entry::entry;
pub use issue::issue;
pub use pages::{Neighbours, author, body, index, not_found, page, redirect, topic, topics};
pub use shown::{card_of, pictures_of};
pub use site::{FeedLink, SiteContext, Topic, Writer, topics_of, writers_of};
pub use theme::{Formulas, Theme, math_font, stylesheet, stylesheet_path};

/// A short name for some bytes: the first 16 hex digits of the SHA-256 over them, each part
/// preceded by its length so that no two lists of parts run into one.
fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let digest = context.finish();
    let first = digest.as_ref().first_chunk().expect("a SHA-256 has 32 bytes");
    format!("{:016x}", u64::from_be_bytes(*first))
}
