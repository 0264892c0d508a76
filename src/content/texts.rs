//! The texts of posts: parsed when they are asked for, unless they are held.

use std::path::PathBuf;

use super::held::Label;
use super::links::Linker;
use super::places::Places;
use super::site::Site;
use super::source;
use super::{article, markdown};
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::document::Document;
use crate::domain::post::{Article, Post};

/// Where a post's text is found again.
#[derive(Debug, Clone)]
pub(super) struct Whereabouts {
    /// The file as its author names it.
    pub(super) name: String,
    /// The file on disk.
    pub(super) path: PathBuf,
    /// The byte at which the text begins.
    pub(super) body: usize,
    /// The title that the head declares.
    pub(super) title: Option<String>,
}

/// Where the texts of the posts of one load are read again.
#[derive(Debug)]
pub struct Texts {
    site: Site,
    /// In the order of names.
    files: Vec<Whereabouts>,
}

impl Texts {
    pub(super) fn new(site: Site, mut files: Vec<Whereabouts>) -> Self {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Self { site, files }
    }

    /// Where a post's file says its title.
    pub fn title_place(&self, post: &Post) -> Place {
        place_in(self.file(&post.source), &post.source, |places| places.title(&post.title))
    }

    fn file(&self, name: &str) -> Option<&Whereabouts> {
        let found = self.files.binary_search_by(|file| file.name.as_str().cmp(name));
        found.ok().map(|at| &self.files[at])
    }

    /// The text of a post of this load, read again: one of the newest is still held, others are parsed
    /// anew. A second call gives the same.
    ///
    /// A file that was changed since the load is an error: its text would not be that of the post.
    pub fn read(&self, post: &Post) -> Result<Article, Box<Diagnostic>> {
        let file = self.file(&post.source).ok_or_else(|| changed(&post.source))?;
        let source = source::read(&file.path, &post.source)?;
        if source.digest != post.source_digest {
            return Err(changed(&post.source));
        }
        if let Some(document) = self.site.held.get(Label::of(post)) {
            return Ok(Article { post: post.clone(), document });
        }
        // What is wrong was said when the post was loaded.
        let mut linker = Linker::new(&self.site, &file.path, &post.source, &source.text);
        let (document, _) = parse(&source.text, file.body, file.title.as_deref(), &mut linker)?;
        self.site.held.put(Label::of(post), source.text.len(), document.clone());
        Ok(Article { post: post.clone(), document })
    }
}

/// A place in a post's file, which is read again for that; the first line if it is gone.
pub(super) fn place_in(file: Option<&Whereabouts>, name: &str, find: impl FnOnce(Places<'_>) -> Place) -> Place {
    let source = file.and_then(|file| source::read(&file.path, name).ok());
    source.map_or_else(|| Place::line(name, 1), |source| find(Places { name, text: &source.text }))
}

/// Parses a post's text, which begins at byte `body` of its file. The heading that repeats the
/// declared title is left out; without a declared title, the first heading is taken out and
/// becomes it.
pub(super) fn parse(
    text: &str,
    body: usize,
    declared: Option<&str>,
    linker: &mut Linker<'_>,
) -> Result<(Document, Option<String>), Box<Diagnostic>> {
    let mut document = markdown::parse(text, body, linker)?;
    article::remove_footer(&mut document);
    let title = match declared {
        Some(title) => {
            article::remove_repeated_title(&mut document, title);
            Some(title.to_owned())
        }
        None => article::take_title(&mut document, linker.pictures().macros()),
    };
    Ok((document, title))
}

/// What it means that a file is not what it was when it was loaded.
pub(super) fn changed(file: &str) -> Box<Diagnostic> {
    let message = "the file was changed while it was being worked on";
    Box::new(Diagnostic::error("file-changed", Place::file(file), message).help("run the command again"))
}
