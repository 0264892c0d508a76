//! A [`Document`](crate::domain::document::Document) becomes a page, a feed entry, a mail
//! issue and plain text. Writers only: nothing here reads a post, a clock or the network.
//!
//! Post text is data. It is written as HTML or text by our own writers first, and enters a
//! template as one finished value; no template engine ever sees it as a template.

mod entry;
mod issue;
mod pages;
mod site;
mod theme;

pub use entry::entry;
pub use issue::issue;
pub use pages::{Neighbours, index, not_found, page, redirect, topic, topics};
pub use site::{FeedLink, SiteContext, Topic, topics_of};
pub use theme::{Theme, stylesheet, stylesheet_path};
