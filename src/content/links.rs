//! Where a link of the source leads on the site.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;

use super::characters::without_forbidden;
use super::lint::{Seen, Sights};
use super::lookup::{Answers, Lookup, Standing};
use super::site::{PageRef, Showable, Site, names_markdown, normal};
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::document::{Document, Target};
use crate::domain::post::{Asset, Visibility};
use crate::picture;
use crate::pictures::Pictures;

/// Schemes that run code or carry a file instead of naming a place.
const REFUSED_SCHEMES: [&str; 5] = ["javascript", "vbscript", "data", "file", "blob"];

/// How often one complaint about one file is made in full.
const MAX_SAID: usize = 25;

/// Resolves the links of one post, and gathers the files it needs and what is wrong.
pub(super) struct Linker<'a> {
    /// What links are looked up in.
    pub(super) lookup: Lookup<'a>,
    /// The post's file on disk.
    path: &'a Path,
    /// The post's file as its author names it.
    name: &'a str,
    /// The file's whole text, for places.
    pub(super) text: &'a str,
    assets: Vec<Asset>,
    gathered: HashSet<PathBuf>,
    /// How often each complaint was made.
    said: BTreeMap<&'static str, usize>,
    /// What a check wants to know.
    pub(super) seen: Seen,
    /// What was wrong so far.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// What a post's links lead to.
pub(super) struct Found {
    /// The files the post needs, in the order of their first use.
    pub(super) assets: Vec<Asset>,
    /// What is wrong.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What it says about other places.
    pub(super) sights: Sights,
    /// What was looked up for it.
    pub(super) answers: Answers,
}

/// What refers to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// The reader may follow it.
    Link,
    /// It is shown in the page: without it the page is broken.
    Embed,
}

/// A place, and the local file behind it if there is one.
pub(super) struct Resolved {
    pub(super) target: Target,
    pub(super) file: Option<PathBuf>,
}

impl<'a> Linker<'a> {
    pub(super) fn new(site: &'a Site, path: &'a Path, name: &'a str, text: &'a str) -> Self {
        Self {
            lookup: Lookup::new(site),
            path,
            name,
            text,
            assets: Vec::new(),
            gathered: HashSet::new(),
            said: BTreeMap::new(),
            seen: Seen::new(site.look),
            diagnostics: Vec::new(),
        }
    }

    /// Makes pictures of what the post says.
    pub(super) fn pictures(&self) -> &'a Pictures {
        &self.lookup.site().pictures
    }

    /// Where a link leads; `None` when only its words may stay.
    pub(super) fn link(&mut self, destination: &str, span: Range<usize>) -> Option<Target> {
        self.resolve(destination, Use::Link, &span).map(|resolved| resolved.target)
    }

    /// Where an image is and how large; `None` when only its description may stay. What is wrong
    /// with the picture itself is said, and it is shown all the same: browsers may know better.
    pub(super) fn image(&mut self, destination: &str, span: Range<usize>) -> Option<(Target, Option<(u32, u32)>)> {
        let resolved = self.resolve(destination, Use::Embed, &span)?;
        let Some(file) = &resolved.file else { return Some((resolved.target, None)) };
        self.check_picture(file, &span);
        let size = std::fs::File::open(file).ok().and_then(|mut file| picture::size(&mut file));
        Some((resolved.target, size))
    }

    pub(super) fn check_picture(&mut self, file: &Path, span: &Range<usize>) {
        self.lookup.looks_into(file);
        match self.lookup.site().pictures.copies(file) {
            Ok(copies) => {
                for remark in copies.remarks {
                    self.warn("picture", span, remark.message, &remark.help);
                }
            }
            Err(problem) => self.error("picture", span, problem.message, &problem.help),
        }
    }

    /// The host of the publication's site, without `www.`.
    pub(super) fn own_host(&self) -> String {
        self.lookup.site().base_url.host().trim_start_matches("www.").to_owned()
    }

    fn is_file(&self, path: &Path) -> bool {
        self.lookup.standing(path) == Standing::File
    }

    /// Whether a file of that path lies beside the post.
    pub(super) fn has_beside(&self, path: &str) -> bool {
        self.is_file(&normal(&self.path.parent().unwrap_or(Path::new("")).join(path)))
    }

    /// What was gathered.
    pub(super) fn into_found(mut self, document: Option<&Document>) -> Found {
        self.count_unsaid();
        let assets = std::mem::take(&mut self.assets);
        let mut diagnostics = std::mem::take(&mut self.diagnostics);
        let sights = self.sights(document, &mut diagnostics);
        Found { assets, diagnostics, sights, answers: self.lookup.into_answers() }
    }

    pub(super) fn resolve(&mut self, destination: &str, usage: Use, span: &Range<usize>) -> Option<Resolved> {
        let destination = without_forbidden(destination.trim());
        let destination = destination.as_ref();
        if destination.is_empty() {
            return None;
        }
        if let Some(fragment) = destination.strip_prefix('#') {
            return Some(Resolved { target: Target::Fragment(fragment.to_owned()), file: None });
        }
        if let Some(rest) = self.inside_site(destination) {
            let rest = rest.to_owned();
            return self.absolute(&rest, usage, span);
        }
        if let Some(scheme) = scheme(destination) {
            return self.elsewhere(scheme, destination, span);
        }
        if destination.starts_with("//") {
            return Some(Resolved { target: Target::Url(format!("https:{destination}")), file: None });
        }
        self.local(destination, usage, span)
    }

    /// What follows the base URL in a link to our own site.
    fn inside_site<'d>(&self, destination: &'d str) -> Option<&'d str> {
        let base = self.lookup.site().base_url.as_str();
        if destination == base.trim_end_matches('/') { Some("") } else { destination.strip_prefix(base) }
    }

    fn elsewhere(&mut self, scheme: &str, destination: &str, span: &Range<usize>) -> Option<Resolved> {
        if is_refused_scheme(scheme) {
            let lower = scheme.to_ascii_lowercase();
            let message = format!("a `{lower}:` address is left out: mail and feeds cannot carry it");
            self.warn("link-refused", span, message, "link to an https address or to a file of the publication");
            return None;
        }
        Some(Resolved { target: Target::Url(destination.replace(' ', "%20")), file: None })
    }

    fn local(&mut self, destination: &str, usage: Use, span: &Range<usize>) -> Option<Resolved> {
        // Zola, Pelican: a path from the top of the content folder.
        let from_top = destination.strip_prefix("@/").or_else(|| {
            ["{filename}", "{static}", "{attach}", "{photo}", "|filename|", "|static|", "|attach|"]
                .iter()
                .find_map(|mark| destination.strip_prefix(mark))
        });
        match from_top {
            Some(rest) if rest.starts_with('/') || destination.starts_with("@/") => {
                self.absolute(rest.trim_start_matches('/'), usage, span)
            }
            Some(rest) => self.relative(rest, usage, span),
            None => match destination.strip_prefix('/') {
                Some(_) => {
                    let path =
                        destination.strip_prefix(self.lookup.site().base_url.path()).unwrap_or(&destination[1..]);
                    self.absolute(path.trim_start_matches('/'), usage, span)
                }
                None => self.relative(destination, usage, span),
            },
        }
    }

    fn absolute(&mut self, path: &str, usage: Use, span: &Range<usize>) -> Option<Resolved> {
        let (bare, tail) = split_tail(path);
        let decoded = percent_decode(bare);
        if let Some(file) = self.lookup.file_at(&decoded).filter(|_| !decoded.is_empty()) {
            return self.file(&file, tail, usage, span);
        }
        if let Some(page) =
            self.lookup.named(&decoded).cloned().filter(|page| decoded.trim_matches('/') == page.slug.as_str())
        {
            return Some(self.page_target(&page, tail, span));
        }
        if usage == Use::Embed {
            let help = "add the file to the content folder, or to `static/`";
            self.warn("missing-file", span, format!("there is no `/{decoded}` in the publication"), help);
        }
        // The path may be served by something else on the same host.
        let target = if tail.starts_with('?') {
            Target::Url(format!("{}{path}", self.lookup.site().base_url.as_str()))
        } else {
            Target::Site(path.to_owned())
        };
        Some(Resolved { target, file: None })
    }

    fn relative(&mut self, destination: &str, usage: Use, span: &Range<usize>) -> Option<Resolved> {
        let (bare, tail) = split_tail(destination);
        let decoded = percent_decode(bare);
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let file = normal(&folder.join(&decoded));
        if let Some(resolved) = self.folder_or_page(&file, tail, span) {
            return Some(resolved);
        }
        if self.is_file(&file) {
            return self.file(&file, tail, usage, span);
        }
        if usage == Use::Embed {
            self.missing(&decoded, usage, span);
            return None;
        }
        if let Some(page) = self.lookup.named(decoded.trim_start_matches(['.', '/'])).cloned() {
            return Some(self.page_target(&page, tail, span));
        }
        self.missing(&decoded, usage, span);
        None
    }

    /// A link to a folder means its contents page or its bundle.
    fn folder_or_page(&mut self, file: &Path, tail: &str, span: &Range<usize>) -> Option<Resolved> {
        if let Some(page) = self.lookup.page(file).cloned() {
            return Some(self.page_target(&page, tail, span));
        }
        if self.lookup.is_contents(file) {
            return Some(home());
        }
        if self.lookup.standing(file) != Standing::Folder {
            return None;
        }
        let bundle = self.lookup.page(&file.join("index.md")).cloned();
        let site = self.lookup.site();
        bundle.map(|page| self.page_target(&page, tail, span)).or_else(|| {
            let is_home = file == site.source || file == site.root || self.is_file(&file.join("README.md"));
            is_home.then(home)
        })
    }

    fn file(&mut self, file: &Path, tail: &str, usage: Use, span: &Range<usize>) -> Option<Resolved> {
        if let Some(resolved) = self.folder_or_page(file, tail, span) {
            return Some(resolved);
        }
        match self.lookup.may_show(file) {
            Showable::Outside => {
                let help = "copy the file into the publication: nothing outside it is shown";
                self.error("symlink-outside", span, "the file lies outside the publication".to_owned(), help);
                return None;
            }
            Showable::Private => {
                let help = "remove the link: the file holds settings, state or addresses";
                self.error("link-private", span, "the file is not for readers".to_owned(), help);
                return None;
            }
            Showable::Yes => {}
        }
        if usage == Use::Link && names_markdown(&file.to_string_lossy()) {
            let help = "link to a post, or remove the link: readers get the raw Markdown";
            self.warn("link-to-source", span, "the link leads to Markdown that is no post".to_owned(), help);
        }
        let site_path = self.lookup.site().asset_path(file);
        let asset = Asset { source: file.to_owned(), site_path };
        let target = Target::Site(format!("{}{}", asset.url_path(), fragment_of(tail)));
        if self.gathered.insert(file.to_owned()) {
            if self.lints() {
                self.lookup.looks_into(file);
                self.saw_file(std::fs::metadata(file).map_or(0, |meta| meta.len()), span);
            }
            self.assets.push(asset);
        }
        Some(Resolved { target, file: Some(file.to_owned()) })
    }

    fn page_target(&mut self, page: &PageRef, tail: &str, span: &Range<usize>) -> Resolved {
        match page.visibility {
            Visibility::Public => {}
            Visibility::Draft | Visibility::Scheduled => {
                let message = format!("the link leads to `{}`, which readers cannot see yet", page.slug.as_str());
                self.warn("link-to-unpublished", span, message, "publish that post first, or remove the link");
            }
        }
        Resolved { target: Target::Site(format!("{}/{}", page.slug.as_str(), fragment_of(tail))), file: None }
    }

    fn missing(&mut self, path: &str, usage: Use, span: &Range<usize>) {
        match usage {
            Use::Link => {
                let help = if path.starts_with("www.") {
                    "write `https://` before it"
                } else {
                    "correct the path; it is relative to the folder of this file"
                };
                self.warn("missing-link", span, format!("there is no `{path}`; the link is left out"), help);
            }
            Use::Embed => {
                let help = "add the file, or correct the path; it is relative to the folder of this file";
                self.error("missing-image", span, format!("there is no `{path}`"), help);
            }
        }
    }

    /// Reports a character that is left out.
    pub(super) fn control_character(&mut self, span: &Range<usize>, c: char) {
        let message = format!("the control character U+{:04X} is left out: no feed can carry it", u32::from(c));
        self.warn("control-character", span, message, "delete it; it is invisible in most editors");
    }

    /// A place in the post's file, by bytes.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        Place::span(self.name, self.text, span)
    }

    /// Reports what the author should know.
    pub(super) fn warn(&mut self, code: &'static str, span: &Range<usize>, message: String, help: &str) {
        if self.is_worth_saying(code) {
            self.diagnostics.push(Diagnostic::warning(code, self.place(span.clone()), message).help(help));
        }
    }

    pub(super) fn error(&mut self, code: &'static str, span: &Range<usize>, message: String, help: &str) {
        if self.is_worth_saying(code) {
            self.diagnostics.push(Diagnostic::error(code, self.place(span.clone()), message).help(help));
        }
    }

    /// The same complaint thousands of times helps nobody, and each holds a line of the file.
    fn is_worth_saying(&mut self, code: &'static str) -> bool {
        let said = self.said.entry(code).or_default();
        *said += 1;
        *said <= MAX_SAID
    }

    /// Says how often a complaint was not repeated.
    fn count_unsaid(&mut self) {
        for (code, said) in std::mem::take(&mut self.said) {
            if said > MAX_SAID {
                let message = format!("{} more of the same in this file", said - MAX_SAID);
                self.diagnostics.push(Diagnostic::warning(code, Place::file(self.name), message));
            }
        }
    }
}

fn home() -> Resolved {
    Resolved { target: Target::Site(String::new()), file: None }
}

/// Whether an address runs code or carries a file instead of naming a place.
pub(super) fn is_refused(address: &str) -> bool {
    scheme(address).is_some_and(is_refused_scheme)
}

fn is_refused_scheme(scheme: &str) -> bool {
    REFUSED_SCHEMES.iter().any(|refused| scheme.eq_ignore_ascii_case(refused))
}

/// The scheme of an absolute URL (RFC 3986, section 3.1).
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let mut chars = scheme.chars();
    let is_scheme = chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    is_scheme.then_some(scheme)
}

/// Divides a path from its `?query#fragment`.
fn split_tail(text: &str) -> (&str, &str) {
    text.find(['?', '#']).map_or((text, ""), |at| text.split_at(at))
}

fn fragment_of(tail: &str) -> &str {
    tail.find('#').map_or("", |at| &tail[at..])
}

/// A path without its percent signs. One that decodes to no text, or to what no path holds, is
/// meant as it stands.
fn percent_decode(text: &str) -> String {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.ok().filter(|text| !text.contains('\0')).unwrap_or(Cow::Borrowed(text)).into_owned()
}
