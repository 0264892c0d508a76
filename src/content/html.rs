//! Raw HTML of a post: its relative addresses made to work wherever the post is read.

use std::ops::Range;
use std::path::Path;

use super::characters::{without_forbidden, without_forbidden_references};
use super::links::{Linker, Resolved, Use, is_refused};
use crate::domain::document::Target;
use crate::picture;

/// Rewrites the addresses in a piece of HTML. `span` is where the piece stands in the file.
pub(super) fn rewrite(html: &str, linker: &mut Linker<'_>, text: &str, span: Range<usize>) -> String {
    let html = without_forbidden_references(html);
    let html = without_forbidden(&html);
    let mut out = String::with_capacity(html.len());
    let mut done = 0;
    for attribute in addresses(&html) {
        let value = &html[attribute.value.clone()];
        let place = locate(text, &span, value);
        let new = match attribute.kind {
            Kind::Address(usage) => linker.html_url(&unescape(value), usage, place),
            Kind::Source => linker.html_source(&unescape(value), place),
            Kind::Set => Some(rewrite_set(value, linker, &place)),
        };
        if let Some(new) = new {
            out.push_str(&html[done..attribute.value.start]);
            let is_quoted = html[..attribute.value.start].ends_with(['"', '\'']);
            let quote = if is_quoted { "" } else { "\"" };
            out.push_str(quote);
            out.push_str(&escape(&new));
            out.push_str(quote);
            done = attribute.value.end;
        }
    }
    out.push_str(&html[done..]);
    out
}

impl Linker<'_> {
    /// The value for an attribute of raw HTML: an absolute site path or URL. What cannot be
    /// resolved stays as written; the complaint about it is made.
    fn html_url(&mut self, value: &str, usage: Use, span: Range<usize>) -> Option<String> {
        let resolved = self.html_target(value, usage, &span)?;
        Some(self.html_text(resolved.target))
    }

    /// The same for the `src` of an element, which mail shows if it is a picture: then what is wrong
    /// with it is said.
    fn html_source(&mut self, value: &str, span: Range<usize>) -> Option<String> {
        let Resolved { target, file } = self.html_target(value, Use::Embed, &span)?;
        if let Some(file) = file.filter(|file| is_named_like_a_picture(file)) {
            self.check_picture(&file, &span);
        }
        Some(self.html_text(target))
    }

    fn html_target(&mut self, value: &str, usage: Use, span: &Range<usize>) -> Option<Resolved> {
        // Scripts in raw HTML are the author's own; mail and feeds sanitise them.
        if is_refused(value) { None } else { self.resolve(value, usage, span) }
    }

    fn html_text(&self, target: Target) -> String {
        match target {
            Target::Url(url) => url,
            Target::Fragment(fragment) => format!("#{fragment}"),
            Target::Site(path) => {
                let url = self.lookup.site().base_url.join(&path);
                let host_end = url.find("://").and_then(|at| url[at + 3..].find('/').map(|slash| at + 3 + slash));
                host_end.map_or(url.clone(), |at| url[at..].to_owned())
            }
        }
    }
}

/// Raw HTML embeds films and pages, too.
fn is_named_like_a_picture(file: &Path) -> bool {
    file.extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| picture::Kind::promised_by(ending).is_some())
}

/// `a.png 1x, b.png 2x`
fn rewrite_set(value: &str, linker: &mut Linker<'_>, place: &Range<usize>) -> String {
    let candidates = value.split(',').map(str::trim).filter(|candidate| !candidate.is_empty());
    let rewritten = candidates.map(|candidate| {
        let (address, size) = candidate.split_once(char::is_whitespace).unwrap_or((candidate, ""));
        let new = linker.html_url(&unescape(address), Use::Embed, place.clone()).unwrap_or_else(|| address.to_owned());
        format!("{new} {}", size.trim()).trim().to_owned()
    });
    rewritten.collect::<Vec<_>>().join(", ")
}

fn locate(text: &str, span: &Range<usize>, value: &str) -> Range<usize> {
    let within = text.get(span.clone()).unwrap_or_default();
    within.find(value).map_or_else(|| span.clone(), |at| span.start + at..span.start + at + value.len())
}

fn unescape(value: &str) -> String {
    // Browsers drop line ends from addresses.
    value.trim().replace(['\n', '\r', '\t'], "").replace("&amp;", "&")
}

fn escape(value: &str) -> String {
    value.replace('&', "&amp;").replace('"', "&quot;").replace('\'', "&#39;").replace('<', "&lt;").replace('>', "&gt;")
}

enum Kind {
    Address(Use),
    Source,
    Set,
}

struct Attribute {
    kind: Kind,
    value: Range<usize>,
}

/// The attributes of a tag that hold addresses, found without judging the HTML.
fn addresses(html: &str) -> Vec<Attribute> {
    let bytes = html.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(offset) = html[at..].find('<') {
        at += offset;
        if html[at..].starts_with("<!--") {
            at = html[at..].find("-->").map_or(html.len(), |end| at + end + 3);
        } else if bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic) {
            at = tag(html, at + 1, &mut out);
        } else {
            at += 1;
        }
    }
    out
}

/// Where the tag that begins at `start` ends, its attributes with their quotes read.
pub(super) fn tag_end(html: &str, start: usize) -> usize {
    tag(html, start + 1, &mut Vec::new())
}

/// Reads one tag from its name on; returns where it ends.
fn tag(html: &str, start: usize, out: &mut Vec<Attribute>) -> usize {
    let bytes = html.as_bytes();
    let skip = |mut at: usize, keep: fn(u8) -> bool| {
        while at < bytes.len() && keep(bytes[at]) {
            at += 1;
        }
        at
    };
    let mut at = skip(start, |byte| !byte.is_ascii_whitespace() && !matches!(byte, b'>' | b'/'));
    loop {
        at = skip(at, |byte| byte.is_ascii_whitespace() || byte == b'/');
        if at >= bytes.len() || bytes[at] == b'>' {
            return (at + 1).min(bytes.len());
        }
        let name_start = at;
        at = skip(at, |byte| !byte.is_ascii_whitespace() && !matches!(byte, b'>' | b'/' | b'='));
        let name = &html[name_start..at];
        let after_name = skip(at, |byte| byte.is_ascii_whitespace());
        if bytes.get(after_name) != Some(&b'=') {
            // A name of no length would stop us here for ever.
            at = at.max(name_start + 1);
            continue;
        }
        let value_start = skip(after_name + 1, |byte| byte.is_ascii_whitespace());
        let quote = bytes.get(value_start).copied().filter(|byte| matches!(byte, b'"' | b'\''));
        let value = if let Some(quote) = quote {
            let inside = value_start + 1;
            let end = html[inside..].find(char::from(quote)).map_or(html.len(), |end| inside + end);
            at = (end + 1).min(html.len());
            inside..end
        } else {
            at = skip(value_start, |byte| !byte.is_ascii_whitespace() && byte != b'>');
            value_start..at
        };
        if let Some(kind) = kind_of(name).filter(|_| !html[value.clone()].trim().is_empty()) {
            out.push(Attribute { kind, value });
        }
    }
}

fn kind_of(name: &str) -> Option<Kind> {
    match name.to_ascii_lowercase().as_str() {
        "href" | "cite" => Some(Kind::Address(Use::Link)),
        "src" => Some(Kind::Source),
        "poster" => Some(Kind::Address(Use::Embed)),
        "srcset" => Some(Kind::Set),
        _ => None,
    }
}
