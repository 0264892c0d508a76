//! What raw HTML may say in a feed or a mail. The list follows what readers keep anyway
//! (Miniflux, Gmail); scripts, handlers, styles, forms, frames, drawings and formulas are not on it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use ammonia::{Builder, UrlRelative, UrlRelativeEvaluate};

use super::Medium;
use super::depth::{shallow_source, shallow_tree};
use super::formulas::is_lowering;
use crate::render::links::{Links, SCHEMES};

/// Elements allowed everywhere.
const TAGS: [&str; 62] = [
    "a",
    "abbr",
    "b",
    "bdi",
    "bdo",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "u",
    "ul",
    "var",
    "wbr",
];

/// Elements that feeds keep and mail clients do not show.
const FEED_TAGS: [&str; 4] = ["picture", "source", "video", "audio"];

/// Elements that vanish with everything in them.
const GONE_WITH_CONTENT: [&str; 2] = ["script", "style"];

/// Attributes by element.
const ATTRIBUTES: [(&str, &[&str]); 15] = [
    ("a", &["href"]),
    ("blockquote", &["cite"]),
    ("del", &["cite", "datetime"]),
    ("ins", &["cite", "datetime"]),
    ("q", &["cite"]),
    ("img", &["src", "alt", "width", "height"]),
    ("ol", &["start", "reversed", "type"]),
    ("li", &["value"]),
    ("td", &["align", "colspan", "rowspan", "headers"]),
    ("th", &["align", "colspan", "rowspan", "headers", "scope"]),
    ("tr", &["align"]),
    ("col", &["span", "align"]),
    ("colgroup", &["span"]),
    ("time", &["datetime"]),
    ("bdo", &["dir"]),
];

const FEED_ATTRIBUTES: [(&str, &[&str]); 4] = [
    ("img", &["srcset", "sizes"]),
    ("source", &["src", "srcset", "sizes", "type", "media"]),
    ("video", &["src", "poster", "controls", "width", "height"]),
    ("audio", &["src", "controls"]),
];

const MAIL_ATTRIBUTES: [(&str, &[&str]); 3] = [
    ("a", &["name", "tabindex", "aria-hidden"]),
    ("img", &["style"]),
    ("table", &["role", "width", "cellpadding", "cellspacing", "border"]),
];

/// Elements whose id may be the target of a link.
const WITH_ID: [&str; 12] = ["h1", "h2", "h3", "h4", "h5", "h6", "li", "sup", "dt", "dd", "a", "figure"];

/// Makes HTML fit for one medium and one post. Costly to make, so made once per post.
pub(in crate::render) struct Sanitizer {
    builder: Builder<'static>,
}

impl Sanitizer {
    /// A sanitizer that makes URLs absolute by `links`.
    pub fn new(links: &Links, medium: Medium) -> Self {
        let filter = links.clone();
        let mut builder = Builder::empty();
        builder
            .tags(TAGS.into_iter().collect())
            .clean_content_tags(GONE_WITH_CONTENT.into_iter().collect())
            .tag_attributes(attributes(&ATTRIBUTES))
            .generic_attributes(HashSet::from(["dir", "lang", "title"]))
            .url_schemes(HashSet::from(SCHEMES))
            .link_rel(None)
            .url_relative(UrlRelative::Custom(Box::new(Resolver { links: links.clone(), medium })))
            .attribute_filter(move |_, name, value| filtered(name, value, &filter));
        for tag in WITH_ID {
            builder.add_tag_attributes(tag, &["id"]);
        }
        allow_for_medium(&mut builder, medium);
        Self { builder }
    }

    /// The HTML without what is not allowed, every URL absolute. Our own markup passes
    /// unchanged. Elements nested beyond all reason lose their tags.
    pub fn clean(&self, html: &str) -> String {
        shallow_tree(self.builder.clean(&shallow_source(html)).to_string())
    }
}

fn allow_for_medium(builder: &mut Builder<'static>, medium: Medium) {
    match medium {
        Medium::Web | Medium::Feed => {
            builder.add_tags(&FEED_TAGS);
            for (tag, names) in FEED_ATTRIBUTES {
                builder.add_tag_attributes(tag, names);
            }
        }
        Medium::Mail => {
            // Our classes carry the mail's look; the author's carry nothing.
            builder.add_generic_attributes(&["class"]);
            for (tag, names) in MAIL_ATTRIBUTES {
                builder.add_tag_attributes(tag, names);
            }
        }
    }
}

fn attributes(table: &[(&'static str, &[&'static str])]) -> HashMap<&'static str, HashSet<&'static str>> {
    table.iter().map(|(tag, names)| (*tag, names.iter().copied().collect())).collect()
}

/// Makes relative URLs absolute. A type, since a closure cannot say that what it returns
/// lives as long as its argument.
struct Resolver {
    links: Links,
    medium: Medium,
}

impl UrlRelativeEvaluate<'_> for Resolver {
    fn evaluate<'u>(&self, url: &'u str) -> Option<Cow<'u, str>> {
        relative(url, &self.links, self.medium)
    }
}

/// A relative URL made absolute. In mail a place in the same text stays one: the notes.
fn relative<'u>(url: &'u str, links: &Links, medium: Medium) -> Option<Cow<'u, str>> {
    match medium {
        Medium::Mail if url.starts_with("#fn") => Some(Cow::Borrowed(url)),
        Medium::Mail | Medium::Feed | Medium::Web => links.resolve(url).map(Cow::Owned),
    }
}

/// The values that the sanitiser itself does not know of: sets of images, posters, sources, styles.
fn filtered<'v>(name: &str, value: &'v str, links: &Links) -> Option<Cow<'v, str>> {
    match name {
        "srcset" => absolute_set(value, links).map(Cow::Owned),
        // What lowers a formula to its line, and nothing else.
        "style" => is_lowering(value).then_some(Cow::Borrowed(value)),
        "poster" | "cite" => links.resolve(value).map(Cow::Owned),
        _ => Some(Cow::Borrowed(value)),
    }
}

/// A `srcset` with absolute URLs (HTML, 4.8.4.2.1); `None` when one cannot be resolved.
fn absolute_set(value: &str, links: &Links) -> Option<String> {
    let candidates = value.split(", ").flat_map(|part| part.split(",\n")).map(str::trim);
    let absolute: Option<Vec<String>> = candidates
        .filter(|candidate| !candidate.is_empty())
        .map(|candidate| {
            let (url, descriptor) = candidate.split_once(char::is_whitespace).unwrap_or((candidate, ""));
            let url = links.resolve(url.trim_end_matches(','))?;
            Some(format!("{url} {}", descriptor.trim()).trim_end().to_owned())
        })
        .collect();
    absolute.map(|set| set.join(", "))
}
