//! What the fields of a head mean, in the words of Jekyll, Hugo, Zola, Pelican and Eleventy.

use chrono_tz::Tz;

use super::values::{alias_path, boolean, field, image_leaf, one_line, without_address};
use super::{Head, HeadKind, Node, Value, parse_date};
use crate::content::characters::{holds_forbidden, without_forbidden};
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::ids::PostId;
use crate::domain::post::{Channel, Slug};
use crate::domain::publication::{Author, SiteUrl};
use crate::domain::time::{self, Dated};

/// Tables that hold further fields: Zola's `[extra]` and `[taxonomies]`, Hugo's `[params]`.
const TABLES: [&str; 3] = ["extra", "taxonomies", "params"];

/// Whether the author is done with a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub(in super::super) enum Status {
    /// Done.
    #[default]
    Ready,
    /// Not done.
    Draft,
    /// Done, but only for who knows the link (Pelican's `hidden`).
    Hidden,
}

/// A value with the place it stands in.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(in super::super) struct Placed<T> {
    pub(in super::super) value: T,
    pub(in super::super) span: std::ops::Range<usize>,
}

/// What a head says, in our own words.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(in super::super) struct Fields {
    pub(in super::super) title: Option<String>,
    #[serde(with = "time::exact")]
    pub(in super::super) date: Option<Dated>,
    #[serde(with = "time::exact")]
    pub(in super::super) updated: Option<Dated>,
    pub(in super::super) status: Status,
    pub(in super::super) tags: Vec<String>,
    pub(in super::super) slug: Option<Placed<Slug>>,
    pub(in super::super) summary: Option<String>,
    pub(in super::super) image: Option<Placed<String>>,
    pub(in super::super) authors: Vec<Author>,
    pub(in super::super) id: Option<Placed<PostId>>,
    pub(in super::super) aliases: Vec<String>,
    pub(in super::super) email: Option<Channel>,
    pub(in super::super) feed: Option<Channel>,
    pub(in super::super) language: Option<String>,
    pub(in super::super) number: Option<u32>,
    /// The generator's layout or type, which tells pages from posts.
    pub(in super::super) layout: Option<String>,
}

impl Fields {
    /// What the author said of a channel, or else what the post's status means for it.
    pub(in super::super) fn channel(&self, said: Option<Channel>) -> Channel {
        said.unwrap_or(match self.status {
            Status::Hidden => Channel::Off,
            Status::Ready | Status::Draft => Channel::On,
        })
    }

    /// Whether the post is mailed.
    pub(in super::super) fn is_mailed(&self) -> bool {
        self.channel(self.email) == Channel::On
    }
}

/// The file a head stands in, and what its values are read against.
#[derive(Clone, Copy)]
pub(in super::super) struct Surroundings<'a> {
    pub(in super::super) file: &'a str,
    pub(in super::super) text: &'a str,
    pub(in super::super) zone: Tz,
    pub(in super::super) base_url: &'a SiteUrl,
}

/// Reads the fields. Unknown ones are the author's own business; a known one with a value that
/// cannot be meant is an error, since guessing could publish a draft or lose a date.
pub(in super::super) fn read_fields(head: &Head, around: Surroundings<'_>, out: &mut Vec<Diagnostic>) -> Fields {
    let mut reader = Reader { head, around, out };
    Fields {
        title: reader.title(),
        date: reader.date(&["date", "pubdate", "publishdate", "published_at", "published", "publish_date", "created"]),
        updated: reader.date(&["updated", "lastmod", "last_modified_at", "modified", "last_updated", "updated_at"]),
        status: reader.status(),
        tags: reader.tags(),
        slug: reader.slug(),
        summary: reader.text(&["summary", "description", "excerpt", "subtitle"]).filter(|text| !text.is_empty()),
        image: reader.image(),
        authors: reader.authors(),
        id: reader.id(),
        aliases: reader.aliases(),
        email: reader.channel(&["email", "newsletter"]),
        feed: reader.channel(&["feed", "rss"]),
        language: reader.text(&["lang", "language", "locale"]).filter(|text| !text.is_empty()),
        number: reader.number(),
        layout: reader.text(&["layout", "type"]),
    }
}

struct Reader<'a, 'o> {
    head: &'a Head,
    around: Surroundings<'a>,
    out: &'o mut Vec<Diagnostic>,
}

impl<'a> Reader<'a, '_> {
    /// The first field of these names that says something, at the top or in one of the tables.
    fn find(&self, names: &[&str]) -> Option<&'a Node> {
        names.iter().find_map(|name| {
            let tables = self.head.fields.iter().filter(|(key, _)| TABLES.contains(&key.to_lowercase().as_str()));
            let inner = tables.filter_map(|(_, node)| match &node.value {
                Value::Map(fields) => Some(fields),
                Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) => None,
            });
            std::iter::once(&self.head.fields).chain(inner).find_map(|fields| field(fields, name))
        })
    }

    fn place(&self, node: &Node) -> Place {
        Place::span(self.around.file, self.around.text, node.span.clone())
    }

    fn error(&mut self, node: &Node, code: &'static str, message: String, help: &str) {
        self.out.push(Diagnostic::error(code, self.place(node), message).help(help));
    }

    fn warning(&mut self, node: &Node, code: &'static str, message: String, help: &str) {
        self.out.push(Diagnostic::warning(code, self.place(node), message).help(help));
    }

    /// A value as one text without characters that feeds cannot hold, or `None` for a list or table.
    fn as_text(&mut self, node: &Node) -> Option<String> {
        let text = match &node.value {
            Value::Text(text) => text.clone(),
            Value::Bool(_) => self.around.text.get(node.span.clone()).unwrap_or_default().to_owned(),
            Value::Null => String::new(),
            Value::List(_) | Value::Map(_) => return None,
        };
        if holds_forbidden(&text) {
            let help = "remove it: no feed and no mail can carry it";
            self.warning(
                node,
                "control-character",
                "the value holds a control character, which is left out".into(),
                help,
            );
        }
        Some(without_forbidden(text.trim()).into_owned())
    }

    fn text(&mut self, names: &[&str]) -> Option<String> {
        let node = self.find(names)?;
        self.as_text(node).map(|text| one_line(&text))
    }

    fn title(&mut self) -> Option<String> {
        let node = self.find(&["title"])?;
        let title = self.as_text(node).map(|text| one_line(&text)).unwrap_or_default();
        if title.is_empty() {
            let help = "write a title, or remove the field: then the first heading is the title";
            self.error(node, "title-empty", "the title is empty".to_owned(), help);
        }
        Some(title)
    }

    fn date(&mut self, names: &[&str]) -> Option<Dated> {
        // `published: false` is no date.
        let node =
            names.iter().filter_map(|name| self.find(&[name])).find(|node| !matches!(node.value, Value::Bool(_)))?;
        let text = self.as_text(node).unwrap_or_default();
        // Eleventy's ways to say "ask git".
        let asks_git =
            ["git last modified", "git created", "last modified", "created"].contains(&text.to_lowercase().as_str());
        if asks_git || (matches!(node.value, Value::Null) && text.is_empty()) {
            return None;
        }
        let date = parse_date(&text, self.around.zone);
        if date.is_none() && boolean(node).is_none() {
            let help = "write it as 2025-01-15, or 2025-01-15T09:30:00+01:00";
            self.error(node, "date-invalid", format!("`{text}` is no date"), help);
        }
        date
    }

    fn status(&mut self) -> Status {
        let mut status = Status::Ready;
        if let Some(node) = self.find(&["draft"]) {
            match boolean(node) {
                Some(true) => status = Status::Draft,
                Some(false) => {}
                None => self.error(
                    node,
                    "draft-invalid",
                    "`draft` is neither true nor false".into(),
                    "write `true` or `false`",
                ),
            }
        }
        if self.find(&["published"]).and_then(boolean) == Some(false) {
            status = Status::Draft;
        }
        if let Some(node) = self.find(&["status"]) {
            match self.as_text(node).unwrap_or_default().to_lowercase().as_str() {
                "draft" | "private" | "pending" | "skip" => status = Status::Draft,
                "hidden" | "unlisted" => status = Status::Hidden,
                "published" | "publish" | "public" | "" => {}
                other => {
                    let message = format!("`{other}` is no status we know; the post counts as published");
                    self.warning(node, "status-unknown", message, "write `draft`, `hidden` or `published`");
                }
            }
        }
        status
    }

    fn tags(&mut self) -> Vec<String> {
        let mut tags: Vec<String> = Vec::new();
        for name in ["tags", "tag", "topics", "categories", "category", "keywords"] {
            let Some(node) = self.find(&[name]) else { continue };
            for tag in self.words(node, name) {
                if !tags.iter().any(|known| known.to_lowercase() == tag.to_lowercase()) {
                    tags.push(tag);
                }
            }
        }
        tags
    }

    /// The words of a list, or of a text: divided at commas; Jekyll divides `tags: a b` at spaces.
    fn words(&mut self, node: &'a Node, name: &str) -> Vec<String> {
        let texts: Vec<String> = match &node.value {
            Value::List(items) => items.iter().filter_map(|item| self.as_text(item)).collect(),
            Value::Text(_) | Value::Bool(_) => {
                let text = self.as_text(node).unwrap_or_default();
                let spaced = self.head.kind == HeadKind::Yaml && matches!(name, "tags" | "categories");
                let separators: &[char] = if text.contains([',', ';']) || !spaced { &[',', ';'] } else { &[' '] };
                text.split(separators).map(str::to_owned).collect()
            }
            Value::Null => Vec::new(),
            Value::Map(_) => {
                self.warning(
                    node,
                    "tags-invalid",
                    format!("`{name}` is no list"),
                    "write it as a list: [\"one\", \"two\"]",
                );
                Vec::new()
            }
        };
        texts.iter().map(|text| one_line(text.trim_start_matches('#'))).filter(|text| !text.is_empty()).collect()
    }

    fn slug(&mut self) -> Option<Placed<Slug>> {
        for name in ["slug", "permalink", "url", "path"] {
            let Some(node) = self.find(&[name]) else { continue };
            let Some(text) = self.as_text(node).filter(|_| !matches!(node.value, Value::Bool(_) | Value::Null)) else {
                continue;
            };
            let text = text.strip_prefix(self.around.base_url.as_str()).unwrap_or(&text);
            if text.contains("://") || (name == "url" && text.contains('?')) {
                // A link blog's `url` is what the post is about, not where it lives.
                continue;
            }
            if text.contains(':') || text.contains("{{") {
                let message = format!("`{name}` holds placeholders, which are not filled in; the file name is used");
                self.warning(node, "permalink-pattern", message, "write `slug`, the post's own part of the URL");
                continue;
            }
            let path = text.trim_end_matches("index.html").trim_end_matches(".html").trim_end_matches(".htm");
            match Slug::from_text(path) {
                Some(slug) => return Some(Placed { value: slug, span: node.span.clone() }),
                None => self.error(
                    node,
                    "slug-empty",
                    format!("`{name}` holds no letter or digit"),
                    "write words joined by `-`",
                ),
            }
        }
        None
    }

    fn image(&mut self) -> Option<Placed<String>> {
        let names = [
            "image",
            "cover",
            "cover_image",
            "coverimage",
            "featured_image",
            "featuredimage",
            "feature_image",
            "featureimage",
            "thumbnail",
            "hero",
            "banner",
            "header",
            "og_image",
            "images",
        ];
        for name in names {
            let Some(node) = self.find(&[name]) else { continue };
            let leaf = image_leaf(node);
            if let Some(text) = leaf.and_then(|leaf| self.as_text(leaf)).filter(|text| !text.is_empty()) {
                let span = leaf.map_or_else(|| node.span.clone(), |leaf| leaf.span.clone());
                return Some(Placed { value: text, span });
            }
        }
        None
    }

    fn authors(&mut self) -> Vec<Author> {
        let Some(node) = self.find(&["authors", "author", "by"]) else { return Vec::new() };
        let mut authors: Vec<Author> = Vec::new();
        let items: Vec<&Node> = match &node.value {
            Value::List(items) => items.iter().collect(),
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::Map(_) => vec![node],
        };
        for item in items {
            for author in self.author(item) {
                if !authors.contains(&author) {
                    authors.push(author);
                }
            }
        }
        authors
    }

    fn author(&mut self, node: &'a Node) -> Vec<Author> {
        if let Value::Map(fields) = &node.value {
            let part = |reader: &mut Self, name| field(fields, name).and_then(|node| reader.as_text(node));
            let name = part(self, "name").or_else(|| part(self, "title")).filter(|name| !name.is_empty());
            let url = part(self, "url").or_else(|| part(self, "website")).or_else(|| part(self, "link"));
            return name
                .map(|name| Author { name: one_line(&name), url: url.filter(|url| !url.is_empty()) })
                .into_iter()
                .collect();
        }
        let text = self.as_text(node).unwrap_or_default();
        text.split([';', ','])
            .map(without_address)
            .filter(|name| !name.is_empty())
            .map(|name| Author { name, url: None })
            .collect()
    }

    fn id(&mut self) -> Option<Placed<PostId>> {
        let node = self.find(&["id", "guid"])?;
        let text = self.as_text(node)?;
        match PostId::parse(&text) {
            Ok(id) => Some(Placed { value: id, span: node.span.clone() }),
            Err(error) => {
                self.error(
                    node,
                    "id-invalid",
                    error.to_string(),
                    "remove the field: then an id is made and remembered",
                );
                None
            }
        }
    }

    fn aliases(&mut self) -> Vec<String> {
        let Some(node) = self.find(&["aliases", "redirect_from", "alias"]) else { return Vec::new() };
        let texts: Vec<String> = match &node.value {
            Value::List(items) => items.iter().filter_map(|item| self.as_text(item)).collect(),
            Value::Text(_) | Value::Bool(_) | Value::Null | Value::Map(_) => self.as_text(node).into_iter().collect(),
        };
        let base = self.around.base_url;
        let paths = texts.iter().map(|text| text.strip_prefix(base.as_str()).unwrap_or(text));
        paths.filter_map(alias_path).collect()
    }

    fn channel(&mut self, names: &[&str]) -> Option<Channel> {
        let node = self.find(names)?;
        match boolean(node) {
            Some(true) => Some(Channel::On),
            Some(false) => Some(Channel::Off),
            None => {
                let help = "write `true` or `false`";
                self.error(node, "channel-invalid", format!("`{}` is neither true nor false", names[0]), help);
                None
            }
        }
    }

    fn number(&mut self) -> Option<u32> {
        let node = self.find(&["number", "issue", "issue_number"])?;
        let text = self.as_text(node)?;
        let number = text.trim_start_matches('#').parse().ok();
        if number.is_none() {
            self.warning(node, "number-invalid", format!("`{text}` is no issue number"), "write a whole number");
        }
        number
    }
}
