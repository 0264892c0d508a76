//! Reads everything that a build, a plan or a publish is about.

use std::collections::HashSet;
use std::path::Path;

use super::news::Choice;
use crate::audience::{self, Listing};
use crate::config::Config;
use crate::content::{self, Content, Options};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::domain::post::{KnownPost, Post};
use crate::domain::time::Instant;
use crate::publish;
use crate::render::{self, FeedLink, Theme};

/// A publication as it stands in its folder now.
pub struct Prepared<'a> {
    /// Its settings.
    pub config: &'a Config,
    /// Its posts, and what is wrong with them.
    pub posts: Vec<Post>,
    /// Its templates.
    pub theme: Theme,
    /// Its feeds, for autodiscovery.
    pub feeds: Vec<FeedLink>,
    /// How many topics have a page.
    pub topic_count: usize,
    /// The list file, when there is one.
    pub listing: Listing,
    /// Everything that is wrong, in whichever file.
    pub diagnostics: Vec<Diagnostic>,
}

impl Prepared<'_> {
    /// The posts that readers may see, newest first.
    pub fn public_posts(&self) -> Vec<&Post> {
        self.posts.iter().filter(|post| post.is_public()).collect()
    }

    /// The posts without an error in their file. A page can be mended after it was built, a
    /// mail cannot: a post with a missing image is not mailed until its author has seen to it.
    pub fn sound_posts(&self) -> impl Iterator<Item = &Post> {
        let errors = self.diagnostics.iter().filter(|one| one.severity == Severity::Error);
        let broken: HashSet<&Path> = errors.map(|one| one.place.file.as_path()).collect();
        self.posts.iter().filter(move |post| !broken.contains(Path::new(&post.source)))
    }

    /// The posts as the ledger shall remember them, drafts too: an id is minted once.
    pub fn known(&self) -> Vec<KnownPost> {
        let known = |post: &Post| KnownPost {
            id: post.id.clone(),
            source: post.source.clone(),
            source_digest: post.source_digest.clone(),
            published: post.is_public(),
        };
        self.posts.iter().map(known).collect()
    }
}

/// Reads posts, templates and the list file. A template that is wrong ends it, since no page
/// can be trusted then; anything else wrong is a diagnostic, and the rest goes on.
pub fn prepare<'a>(config: &'a Config, known: &[KnownPost], now: Instant) -> Result<Prepared<'a>, Vec<Diagnostic>> {
    let Content { posts, mut diagnostics, .. } = content::load(&Options {
        root: &config.root,
        source: &config.source,
        output: &config.output,
        time_zone: config.publication.time_zone,
        base_url: &config.publication.base_url,
        default_author: config.publication.author.as_ref(),
        known,
        retired: &config.retired,
        ignore: &config.ignore,
        now,
    });
    let shown = |found: Vec<Diagnostic>| found.into_iter().map(|one| one.relative_to(&config.root)).collect();
    let theme = match Theme::load(config.templates.as_deref()) {
        Ok(theme) => theme,
        Err(wrong) => {
            diagnostics.extend(wrong);
            return Err(shown(diagnostics));
        }
    };
    let listing = listing(config);
    diagnostics.extend(listing.diagnostics.iter().cloned());
    let diagnostics = shown(diagnostics);
    let topic_count = render::topics_of(&posts.iter().filter(|post| post.is_public()).collect::<Vec<_>>()).len();
    let feeds = publish::feed_links(&config.publication);
    Ok(Prepared { config, posts, theme, feeds, topic_count, listing, diagnostics })
}

/// The list file's people; a list that cannot be read is empty, and an error says why.
fn listing(config: &Config) -> Listing {
    let Some(path) = &config.subscribers_file else { return Listing::default() };
    audience::read(path, "file").unwrap_or_else(|error| {
        let unreadable = Diagnostic::error("subscribers-unreadable", Place::file(path), error.to_string())
            .help("make the file readable, or correct `[subscribers] file`");
        Listing { diagnostics: vec![unreadable], ..Listing::default() }
    })
}

/// Finds a post by what an author would type: its id, its slug or its source file.
pub fn find_post<'a>(posts: &'a [Post], name: &str) -> Option<&'a Post> {
    let path = name.trim_start_matches("./");
    posts
        .iter()
        .find(|post| post.id.as_str() == name || post.slug.as_str() == name.trim_matches('/') || post.source == path)
}

/// The choice of posts named on the command line; the first name that fits no post is the error.
pub fn choose_named(posts: &[Post], names: &[String]) -> Result<Choice, String> {
    names
        .iter()
        .map(|name| find_post(posts, name).map(|post| post.id.clone()).ok_or_else(|| name.clone()))
        .collect::<Result<_, _>>()
        .map(Choice::Named)
}
