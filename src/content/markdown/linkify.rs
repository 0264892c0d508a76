//! Bare addresses become links, by the rules of GitHub's autolink extension.

use std::ops::Range;

use crate::domain::document::{Inline, Target};

/// No browser follows a longer address.
const MAX_ADDRESS: usize = 2048;

/// The longest local part of a mailbox (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL: usize = 64;

/// What addresses begin with.
const STARTS: [&str; 6] = ["https://", "http://", "ftp://", "www.", "mailto:", "xmpp:"];

/// Divides each text at the addresses in it.
pub(super) fn linkify(inlines: Vec<Inline>) -> Vec<Inline> {
    let has_address = |inline: &Inline| matches!(inline, Inline::Text(text) if may_hold_address(text));
    if !inlines.iter().any(has_address) {
        return inlines;
    }
    let mut out = Vec::with_capacity(inlines.len());
    for inline in inlines {
        match inline {
            Inline::Text(text) => split(&text, &mut out),
            other => out.push(other),
        }
    }
    out
}

fn may_hold_address(text: &str) -> bool {
    text.contains("://") || text.contains("www.") || text.contains('@')
}

fn split(text: &str, out: &mut Vec<Inline>) {
    let mut done = 0;
    let mut at = 0;
    while let Some(found) = next_mark(text, at) {
        match address_at(text, found, done) {
            Some(Address { shown, url }) => {
                push_text(&text[done..shown.start], out);
                let content = vec![Inline::Text(text[shown.clone()].to_owned())];
                out.push(Inline::Link { target: Target::Url(url), title: None, content });
                (done, at) = (shown.end, shown.end);
            }
            None => at = found + 1,
        }
    }
    push_text(&text[done..], out);
}

fn push_text(text: &str, out: &mut Vec<Inline>) {
    if !text.is_empty() {
        out.push(Inline::Text(text.to_owned()));
    }
}

/// An address in a text.
struct Address {
    shown: Range<usize>,
    url: String,
}

/// The next place that belongs to an address: the beginning of one, or the `@` in one.
fn next_mark(text: &str, from: usize) -> Option<usize> {
    // One walk over the text: looking for each beginning apart would walk it for every address.
    let mut candidates = text[from..].match_indices(['h', 'w', 'f', 'm', 'x', '@']).map(|(at, _)| from + at);
    candidates.find(|&at| text[at..].starts_with('@') || STARTS.iter().any(|start| text[at..].starts_with(start)))
}

/// The address around a mark, if one is; it begins at `from` or behind it.
fn address_at(text: &str, mark: usize, from: usize) -> Option<Address> {
    if text[mark..].starts_with('@') {
        return mailbox(text, mark, from);
    }
    let before = text[..mark].chars().next_back();
    let is_bare = text[mark..].starts_with("www.");
    let begins = |c: char| {
        if is_bare { c.is_whitespace() || "*_~([{\"'“‘".contains(c) } else { !c.is_alphanumeric() }
    };
    if !before.is_none_or(begins) {
        return None;
    }
    let rest = &text[mark..];
    if let Some(scheme) = ["mailto:", "xmpp:"].into_iter().find(|scheme| rest.starts_with(scheme)) {
        let at = mark + rest[..bound(rest)].find('@')?;
        let inner = mailbox(text, at, mark + scheme.len()).filter(|found| found.shown.start == mark + scheme.len())?;
        let end = if scheme == "xmpp:" { resource_end(text, inner.shown.end) } else { inner.shown.end };
        return Some(Address { shown: mark..end, url: text[mark..end].to_owned() });
    }
    let length = address_length(rest);
    let shown = &rest[..length];
    let url = if shown.starts_with("www.") { format!("https://{shown}") } else { shown.to_owned() };
    (length > 0).then_some(Address { shown: mark..mark + length, url })
}

/// The mailbox around an `@`.
fn mailbox(text: &str, at: usize, from: usize) -> Option<Address> {
    let is_local = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    let is_domain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let local = text[from..at].chars().rev().take(MAX_LOCAL).take_while(|c| is_local(*c)).count();
    let start = at - local;
    let rest = &text[at + 1..];
    let rest = &rest[..rest.find(|c| !is_domain(c)).unwrap_or(rest.len())];
    let domain = rest.trim_end_matches('.');
    let inner_dot = domain.find('.').is_some_and(|dot| dot > 0) && !domain.contains("..");
    let follows_at = text[..start].ends_with('@');
    if local == 0 || follows_at || !inner_dot || domain.ends_with(['-', '_']) || domain.len() > MAX_ADDRESS {
        return None;
    }
    let end = at + 1 + domain.len();
    // `a@b.c@d.e` is nobody's address.
    if text[end..].starts_with('@') {
        return None;
    }
    Some(Address { shown: start..end, url: format!("mailto:{}", &text[start..end]) })
}

/// Where the resource of an XMPP address ends: `/` and one word.
fn resource_end(text: &str, from: usize) -> usize {
    let Some(resource) = text[from..].strip_prefix('/') else { return from };
    let length =
        resource.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '@' | '.'))).unwrap_or(resource.len());
    let length = resource[..length].trim_end_matches('.').len();
    if length == 0 { from } else { from + 1 + length }
}

/// The length of the address a text begins with, without the punctuation of its sentence; 0
/// when it is none.
fn address_length(text: &str) -> usize {
    let text = &text[..bound(text)];
    let end = text.find(|c: char| c.is_whitespace() || c == '<').unwrap_or(text.len());
    let address = without_punctuation(&text[..end]);
    let host = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = host.split(['/', '?', '#', ':']).next().unwrap_or_default();
    if is_host(host) && host != "www." { address.len() } else { 0 }
}

fn without_punctuation(mut address: &str) -> &str {
    loop {
        let marks = ['?', '!', '.', ',', ':', '*', '_', '~', '\'', '"', '”', '’', ']', '}'];
        let mut shorter = address.trim_end_matches(marks);
        if shorter.ends_with(')') && shorter.matches(')').count() > shorter.matches('(').count() {
            shorter = &shorter[..shorter.len() - 1];
        }
        if let Some(inner) = shorter.strip_suffix(';') {
            // `&hl;` at the end is meant as a character.
            let entity = inner.rfind('&').filter(|at| inner[at + 1..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
            shorter = entity.map_or(inner, |at| &inner[..at]);
        }
        if shorter.len() == address.len() {
            return address;
        }
        address = shorter;
    }
}

/// At least two labels, the last two without underscores.
fn is_host(host: &str) -> bool {
    let labels: Vec<&str> = host.rsplit('.').collect();
    let is_label = |label: &&str| label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    labels.len() >= 2
        && !host.starts_with('.')
        && labels.iter().all(is_label)
        && labels.iter().take(2).all(|label| !label.contains('_'))
}

fn bound(text: &str) -> usize {
    let mut bound = text.len().min(MAX_ADDRESS);
    while !text.is_char_boundary(bound) {
        bound -= 1;
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let parts = linkify(vec![Inline::Text(text.to_owned())]);
        parts
            .iter()
            .map(|part| match part {
                Inline::Text(text) => text.clone(),
                Inline::Link { target: Target::Url(url), .. } => format!("<{url}>"),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn bare_addresses_become_links_without_the_sentence_around_them() {
        assert_eq!(
            shown("See https://a.example/x_y(z), www.b.example."),
            "See <https://a.example/x_y(z)>, <https://www.b.example>."
        );
        assert_eq!(shown("(https://a.example/)"), "(<https://a.example/>)");
        assert_eq!(
            shown("https://a.example/?q=b&hl; and ftp://a.b/c;"),
            "<https://a.example/?q=b>&hl; and <ftp://a.b/c>;"
        );
        assert_eq!(shown("a_b.c+d@e.example."), "<mailto:a_b.c+d@e.example>.");
        assert_eq!(shown("mailto:a@b.example, xmpp:a@b.example/x.y."), "<mailto:a@b.example>, <xmpp:a@b.example/x.y>.");
        for text in ["a@b", "@b.example", "a@b.example-", "a@b.c@d.e", "@user and a @ b.example", "https://a_b.example"]
        {
            assert_eq!(shown(text), text);
        }
        for text in ["xhttps://a.example", "https://", "http://localhost", "www.", "a://b", "the www. is"] {
            assert_eq!(shown(text), text);
        }
    }
}
