//! Heading ids, as GitHub makes them.

use std::collections::HashSet;

/// Hands out fragments, each once per post.
#[derive(Debug, Default)]
pub(super) struct Slugs {
    given: HashSet<String>,
    /// The next number to try for a text, so that a thousand equal headings cost a thousand steps.
    next: std::collections::HashMap<String, usize>,
}

impl Slugs {
    /// The fragment for a heading's text, or for the id its author gave it.
    pub(super) fn give(&mut self, text: &str) -> String {
        let base = fragment(text);
        let next = self.next.entry(base.clone()).or_insert(0);
        loop {
            let candidate = if *next == 0 { base.clone() } else { format!("{base}-{next}") };
            *next += 1;
            if self.given.insert(candidate.clone()) {
                return candidate;
            }
        }
    }
}

/// What GitHub makes of a heading's text: lower case, hyphens for spaces, no punctuation.
pub(super) fn fragment(text: &str) -> String {
    let base: String = text.trim().chars().flat_map(char::to_lowercase).filter_map(fragment_char).collect();
    if base.is_empty() { "section".to_owned() } else { base }
}

fn fragment_char(c: char) -> Option<char> {
    match c {
        c if c.is_alphanumeric() || matches!(c, '-' | '_') => Some(c),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Slugs;

    #[test]
    fn every_heading_of_a_post_has_its_own_fragment() {
        let mut slugs = Slugs::default();
        let given: Vec<String> =
            ["What's New?", "What's New?", "whats-new-1", "日本", "!", "!"].map(|text| slugs.give(text)).to_vec();
        assert_eq!(given, ["whats-new", "whats-new-1", "whats-new-1-1", "日本", "section", "section-1"]);
    }
}
