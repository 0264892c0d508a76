//! Reads everything that a build, a plan or a publish is about.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::caution::is_error;
use super::news::Choice;
use crate::audience::{self, Listing};
use crate::config::Config;
use crate::content::{self, Content, Keep, Look, Options, Outbound, Texts};
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::ids::PostId;
use crate::domain::post::{Article, Channel, KnownPost, Post, Visibility};
use crate::domain::time::Instant;
use crate::ledger::{Ledger, LedgerError};
use crate::pictures::Pictures;
use crate::publish::{self, Bodies};
use crate::render::{self, FeedLink, SiteContext, Theme};

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
    /// The pictures made of what its posts say.
    pub pictures: Arc<Pictures>,
    /// Texts of pages that were written while the posts were read.
    pub(super) bodies: Bodies,
    /// Where the posts' texts are read again.
    pub texts: Texts,
    /// The list file, when there is one.
    pub listing: Listing,
    /// Everything that is wrong, in whichever file.
    pub diagnostics: Vec<Diagnostic>,
    /// Every link to another site, when a check looks.
    pub outbound: Vec<Outbound>,
    /// What the ledger knew before.
    known: Vec<KnownPost>,
    /// How many topics and authors have a page, once it was asked for.
    counts: OnceLock<(usize, usize)>,
}

impl Prepared<'_> {
    /// What every page and mail knows of the publication.
    pub fn site(&self) -> SiteContext<'_> {
        let publication = &self.config.publication;
        let (topic_count, author_count) = *self.counts.get_or_init(|| {
            let posts = self.public_posts();
            (render::topics_of(&posts).len(), render::writers_of(&posts, publication).len())
        });
        SiteContext { publication, feeds: &self.feeds, topic_count, author_count, pictures: &self.pictures }
    }

    /// The posts that readers may see, newest first.
    pub fn public_posts(&self) -> Vec<&Post> {
        self.posts.iter().filter(|post| post.is_public()).collect()
    }

    /// The posts without an error in their file. A page can be mended after it was built, a
    /// mail cannot: a post with a missing image is not mailed until its author has seen to it.
    pub fn sound_posts(&self) -> impl Iterator<Item = &Post> {
        let errors = self.diagnostics.iter().filter(|one| is_error(one));
        let broken: HashSet<&Path> = errors.map(|one| one.place.file.as_path()).collect();
        self.posts.iter().filter(move |post| !broken.contains(Path::new(&post.source)))
    }

    /// Whether a post that was published is missing.
    pub(super) fn has_vanished(&self) -> bool {
        self.diagnostics.iter().any(|one| one.code == content::VANISHED)
    }

    /// Whether something is wrong with the posts.
    pub(super) fn has_content_errors(&self) -> bool {
        let lists = self.listing.diagnostics.iter().filter(|one| is_error(one)).count();
        self.diagnostics.iter().filter(|one| is_error(one)).count() > lists
    }

    /// What the ledger has to learn of the posts, drafts too: an id is minted once. While a
    /// post is missing no new id is remembered, for a new post may turn out to be it.
    pub fn news_of_posts(&self) -> Vec<KnownPost> {
        let may_be_new = !self.has_vanished();
        let known: HashMap<&PostId, &KnownPost> = self.known.iter().map(|known| (&known.id, known)).collect();
        let is_news = |post: &&Post| match known.get(&post.id) {
            Some(known) => {
                known.source != post.source
                    || known.source_digest != post.source_digest
                    || (post.is_public() && !known.published)
            }
            None => may_be_new,
        };
        let known = |post: &Post| KnownPost {
            id: post.id.clone(),
            source: post.source.clone(),
            source_digest: post.source_digest.clone(),
            published: post.is_public(),
        };
        self.posts.iter().filter(is_news).map(known).collect()
    }
}

/// Reads posts, templates and the list file. A template that is wrong ends it, since no page
/// can be trusted then; anything else wrong is a diagnostic, and the rest goes on.
pub fn prepare(
    config: &Config,
    known: Vec<KnownPost>,
    now: Instant,
    look: Look,
) -> Result<Prepared<'_>, Vec<Diagnostic>> {
    let pictures = Pictures::cached_in(&config.state_dir.join("cache/pictures"), config.macros.clone());
    let pictures = Arc::new(pictures);
    let bodies = Bodies::default();
    let write = |article: &Article| {
        if article.post.is_public() {
            bodies.hold(&article.post.id, &render::body(article, &config.publication, &pictures));
        }
    };
    let options = Options {
        root: &config.root,
        source: &config.source,
        output: &config.output,
        time_zone: config.publication.time_zone,
        base_url: &config.publication.base_url,
        default_author: config.publication.author.as_ref(),
        known: &known,
        retired: &config.retired,
        ignore: &config.ignore,
        pictures: &pictures,
        now,
        look,
        keep: Some(Keep { folder: &config.state_dir.join("cache/posts"), program: &config.program }),
    };
    let (content, theme) = rayon::join(|| content::load(&options, &write), || Theme::load(config.templates.as_deref()));
    let Content { posts, mut diagnostics, outbound, texts } = content;
    let shown = |found: Vec<Diagnostic>| found.into_iter().map(|one| one.relative_to(&config.root)).collect();
    let theme = match theme {
        Ok(theme) => theme,
        Err(wrong) => {
            diagnostics.extend(wrong);
            return Err(shown(diagnostics));
        }
    };
    let listing = listing(config);
    diagnostics.extend(listing.diagnostics.iter().cloned());
    diagnostics.extend(super::cards::left_off(config, &posts, &texts));
    let diagnostics = shown(diagnostics);
    let feeds = publish::feed_links(&config.publication);
    Ok(Prepared {
        config,
        posts,
        theme,
        feeds,
        pictures,
        bodies,
        texts,
        listing,
        diagnostics,
        outbound,
        known,
        counts: OnceLock::new(),
    })
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

/// The choice of posts named on the command line, or why one of them cannot be mailed.
pub fn choose_named(prepared: &Prepared, ledger: &Ledger, names: &[String]) -> Result<Choice, Unmailable> {
    let mut ids = Vec::new();
    for name in names {
        let post = find_post(&prepared.posts, name).ok_or_else(|| Unmailable::Unknown(name.clone()))?;
        let because = |why| Err(Unmailable::Named { name: name.clone(), why });
        match post.visibility {
            Visibility::Draft => return because("is a draft"),
            Visibility::Scheduled => return because("is dated in the future"),
            Visibility::Public => {}
        }
        if post.email == Channel::Off {
            return because("says `email: false`");
        }
        if !prepared.sound_posts().any(|sound| sound.id == post.id) {
            return because("has an error, which `fieldpost check` shows");
        }
        if ledger.latest_generation(&post.id)?.is_some() {
            return because("was mailed already");
        }
        ids.push(post.id.clone());
    }
    Ok(Choice::Named(ids))
}

/// Why a named post is not mailed.
#[derive(Debug, thiserror::Error)]
pub enum Unmailable {
    /// Nothing has that name.
    #[error("there is no post `{0}`")]
    Unknown(String),
    /// It is there and must not go out.
    #[error("`{name}` {why}")]
    Named {
        /// What was typed.
        name: String,
        /// What keeps it back.
        why: &'static str,
    },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
