//! A folder of Markdown becomes posts.
//!
//! [`load`] reads every post of a folder, whatever generator it was written for, and never
//! fails as a whole: what is wrong with one file is a [`Diagnostic`] that points into it, and
//! the other posts go on. [`survey`] looks at a folder nobody has described yet.
//!
//! Nothing here reads the clock, writes a file or touches the network; the one program it
//! starts is `git`, to read history.

mod article;
mod cache;
mod characters;
mod collisions;
mod discover;
mod draft;
mod elements;
mod git;
mod head;
mod held;
mod html;
mod identity;
mod ignore;
mod links;
mod lint;
mod load;
mod lookup;
mod markdown;
mod mojibake;
mod names;
mod parse;
mod paths;
mod places;
mod reading;
mod remembered;
mod site;
mod source;
mod spam;
mod survey;
mod texts;

use std::path::Path;
use std::sync::Arc;

use chrono_tz::Tz;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::ids::PostId;
use crate::domain::post::{Article, KnownPost, Post};
use crate::domain::publication::{Author, SiteUrl};
use crate::domain::time::Instant;
use crate::pictures::Pictures;

pub use cache::Keep;
pub use head::HeadKind;
pub use identity::VANISHED;
pub use mojibake::{Mojibake, find_mojibake, repair_mojibake};
pub use survey::{Survey, survey};
pub use texts::Texts;

/// Where the posts are, and what the publication says about posts that do not say it.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// The publication's folder; nothing outside it is read.
    pub root: &'a Path,
    /// The folder of posts, absolute; usually inside `root`, or `root` itself.
    pub source: &'a Path,
    /// The output folder, absolute: never read as content.
    pub output: &'a Path,
    /// The zone of dates that name none.
    pub time_zone: Tz,
    /// Where the site will be: links into it become links of the site.
    pub base_url: &'a SiteUrl,
    /// Whose posts they are when neither the post nor git says.
    pub default_author: Option<&'a Author>,
    /// What the ledger remembers: how a post keeps its id when its file moves.
    pub known: &'a [KnownPost],
    /// Ids of posts the author took away on purpose.
    pub retired: &'a [PostId],
    /// Files that are no posts: globs (`drafts/**`, `*.bak.md`) or path prefixes, relative to `source`.
    pub ignore: &'a [String],
    /// Makes pictures of what posts say, or tells why it cannot.
    pub pictures: &'a Arc<Pictures>,
    /// The moment of loading: a post dated later is scheduled.
    pub now: Instant,
    /// What is looked for beside the posts.
    pub look: Look,
    /// Where what is found out is kept for the next load; `None`: nowhere.
    pub keep: Option<Keep<'a>>,
}

/// What loading looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    /// The posts, and what keeps them from being right.
    #[default]
    Build,
    /// Also what could be better, and where the links lead: slower, and needs more memory.
    Check,
}

/// A link to another site, and where it is written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Outbound {
    /// The URL, `http` or `https`.
    pub url: String,
    /// Where it stands.
    pub place: Place,
}

/// What a folder holds.
#[derive(Debug)]
pub struct Content {
    /// The posts, newest first, equal dates by id; drafts and scheduled posts are among them,
    /// told apart by their visibility.
    pub posts: Vec<Post>,
    /// What is wrong, by file and line.
    pub diagnostics: Vec<Diagnostic>,
    /// Every link to another site, when a check looks.
    pub outbound: Vec<Outbound>,
    /// Where the posts' texts are read again.
    pub texts: Texts,
}

/// What is shown each post with its text.
pub type Show<'a> = dyn Fn(&Article) + Sync + 'a;

/// Reads all posts of a folder. The same folder gives the same posts in the same order; a file
/// that cannot be read or understood is left out with an error that says why.
///
/// `show` is shown every post that is parsed, with its text, by whichever thread parsed it, before
/// the text is dropped.
pub fn load(options: &Options<'_>, show: &Show<'_>) -> Content {
    load::load(options, show)
}

#[cfg(test)]
mod tests;
