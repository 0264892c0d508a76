//! Bare addresses become links, by the rules of GitHub's autolink extension.

use crate::domain::document::{Inline, Target};

/// No browser follows a longer address.
const MAX_ADDRESS: usize = 2048;

/// Divides each text at the addresses in it.
pub(super) fn linkify(inlines: Vec<Inline>) -> Vec<Inline> {
    let has_address =
        |inline: &Inline| matches!(inline, Inline::Text(text) if text.contains("://") || text.contains("www."));
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

fn split(text: &str, out: &mut Vec<Inline>) {
    let mut done = 0;
    let mut at = 0;
    while let Some(found) = next_start(text, at) {
        let length = address_length(&text[found..]);
        if length == 0 {
            at = found + 1;
            continue;
        }
        push_text(&text[done..found], out);
        let shown = &text[found..found + length];
        let url = if shown.starts_with("www.") { format!("https://{shown}") } else { shown.to_owned() };
        out.push(Inline::Link { target: Target::Url(url), title: None, content: vec![Inline::Text(shown.to_owned())] });
        done = found + length;
        at = done;
    }
    push_text(&text[done..], out);
}

fn push_text(text: &str, out: &mut Vec<Inline>) {
    if !text.is_empty() {
        out.push(Inline::Text(text.to_owned()));
    }
}

/// Where an address may begin: after a space, a bracket or a mark of emphasis.
fn next_start(text: &str, from: usize) -> Option<usize> {
    // One walk over the text: looking for each beginning apart would walk it for every address.
    let mut candidates = text[from..].match_indices(['h', 'w']).map(|(at, _)| from + at);
    candidates.find(|&at| {
        let before = text[..at].chars().next_back();
        let begins = ["https://", "http://", "www."].iter().any(|start| text[at..].starts_with(start));
        begins && before.is_none_or(|c| c.is_whitespace() || "*_~([{\"'“‘".contains(c))
    })
}

/// The length of the address a text begins with, without the punctuation of its sentence.
fn address_length(text: &str) -> usize {
    let mut bound = text.len().min(MAX_ADDRESS);
    while !text.is_char_boundary(bound) {
        bound -= 1;
    }
    let end = text[..bound].find(|c: char| c.is_whitespace() || c == '<').unwrap_or(bound);
    let mut address = &text[..end];
    loop {
        let shorter =
            address.trim_end_matches(['?', '!', '.', ',', ':', ';', '*', '_', '~', '\'', '"', '”', '’', ']', '}']);
        let unbalanced = shorter.ends_with(')') && shorter.matches(')').count() > shorter.matches('(').count();
        let shorter = if unbalanced { &shorter[..shorter.len() - 1] } else { shorter };
        if shorter.len() == address.len() {
            break;
        }
        address = shorter;
    }
    let host = address
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .split(['/', '?', '#', ':'])
        .next()
        .unwrap_or_default();
    let is_host = host.contains('.')
        && !host.starts_with('.')
        && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_'));
    if is_host && host != "www." { address.len() } else { 0 }
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
        for text in ["xhttps://a.example", "https://", "http://localhost", "www.", "a://b", "the www. is"] {
            assert_eq!(shown(text), text);
        }
    }
}
