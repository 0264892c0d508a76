//! Code taken to pieces: a language and a text in, stretches with a small set of token
//! classes out. Colours are the business of stylesheets.
//!
//! The grammars are Sublime's, two hundred languages of them, in the binary. They are read
//! when the first block of code needs them and shared by all threads. Nothing here depends on
//! a clock or a machine: the same text always gives the same pieces.

mod languages;
mod recent;
mod scopes;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use syntect::parsing::{ParseState, SyntaxReference};

pub use languages::{COMMON, has_colours, is_known};
use recent::Recent;
use scopes::Tokens;

/// Longer code stays plain: nobody reads it for its colours, and it would cost seconds.
const LONGEST_TEXT: usize = 100 * 1024;

/// Code with a longer line stays plain: it was made by a machine.
const LONGEST_LINE: usize = 2000;

/// The most work that a grammar may be given, see [`work`]. Ten thousand lines of 30 bytes are
/// less, and so are two of the longest.
const MOST_WORK: usize = 10_000_000;

/// Where more scopes than this lie in each other, the rest of the code stays plain: a grammar
/// goes through all of them at the end of each line.
const DEEPEST: usize = 1000;

/// What a stretch of code is. There are as many classes as a reader can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Token {
    /// A remark for people.
    Comment,
    /// A word of the language itself: `if`, `fn`, `class`; an element of a markup language.
    Keyword,
    /// Text in quotes.
    String,
    /// A number, `true`, an escape in a text.
    Constant,
    /// What is called, or defined to be.
    Function,
    /// A type, a class, a trait.
    Type,
    /// The name of a property: a key of JSON, an attribute of HTML, an annotation.
    Attribute,
    /// A heading of a text, the head of a hunk.
    Heading,
    /// A line that a patch adds.
    Inserted,
    /// A line that a patch takes away.
    Deleted,
}

impl Token {
    /// Every class.
    pub const ALL: [Self; 10] = [
        Self::Comment,
        Self::Keyword,
        Self::String,
        Self::Constant,
        Self::Function,
        Self::Type,
        Self::Attribute,
        Self::Heading,
        Self::Inserted,
        Self::Deleted,
    ];

    /// The class attribute of the element around it. Short, since a mail that is too long is
    /// cut off.
    pub fn class(self) -> &'static str {
        match self {
            Self::Comment => "hc",
            Self::Keyword => "hk",
            Self::String => "hs",
            Self::Constant => "hn",
            Self::Function => "hf",
            Self::Type => "ht",
            Self::Attribute => "ha",
            Self::Heading => "hh",
            Self::Inserted => "hi",
            Self::Deleted => "hd",
        }
    }
}

/// A stretch of a text that is something; what lies between spans is plain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The bytes of the text, at character boundaries, never empty.
    pub range: Range<usize>,
    /// What it is.
    pub token: Token,
}

/// The spans of a text, in order and apart from each other. A language that nobody knows, a
/// text of more than 100 KB, one with a line of more than 2,000 bytes and one with many lines
/// nearly as long have none. A second call with the same soon after the first finds them done.
pub fn spans(language: &str, text: &str) -> Arc<[Span]> {
    static RECENT: LazyLock<Recent> = LazyLock::new(Recent::new);
    match languages::grammar(language) {
        Some(grammar) if is_for_people(text) => RECENT.spans(language, text, || parsed(grammar, text)),
        Some(_) | None => Arc::default(),
    }
}

fn is_for_people(text: &str) -> bool {
    text.len() <= LONGEST_TEXT
        && text.lines().all(|line| line.len() <= LONGEST_LINE)
        && text.lines().map(work).sum::<usize>() <= MOST_WORK
}

/// What a line may cost. A grammar can read on to the end of the line from each of its bytes, and
/// tries the words in it piece by piece: ninety underscores take some grammars longer than a page.
fn work(line: &str) -> usize {
    let words = line.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')));
    line.len().pow(2) + words.map(|word| word.len().pow(3)).sum::<usize>()
}

fn parsed(grammar: &SyntaxReference, text: &str) -> Vec<Span> {
    let mut state = ParseState::new(grammar);
    let mut tokens = Tokens::default();
    let mut spans = Spans { text, spans: Vec::new() };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        // A grammar that is at a loss leaves the rest plain.
        let Ok(changes) = state.parse_line(line, languages::grammars()) else { break };
        let mut done = 0;
        for (at, change) in changes {
            spans.push(start + done..start + at, tokens.current());
            done = at;
            if tokens.apply(&change).is_err() || tokens.depth() > DEEPEST {
                return spans.spans;
            }
        }
        spans.push(start + done..start + line.len(), tokens.current());
        start += line.len();
    }
    spans.spans
}

/// Spans in the making.
struct Spans<'t> {
    text: &'t str,
    spans: Vec<Span>,
}

impl Spans<'_> {
    /// Adds a stretch, without the spaces around it; what follows its like, with nothing but
    /// spaces between, makes it longer.
    fn push(&mut self, range: Range<usize>, meaning: scopes::Meaning) {
        let stretch = &self.text[range.clone()];
        let words = stretch.trim();
        let Some(token) = meaning.token(words).filter(|_| !words.is_empty()) else { return };
        let start = range.start + (stretch.len() - stretch.trim_start().len());
        let end = start + words.len();
        match self.spans.last_mut() {
            Some(last) if last.token == token && self.text[last.range.end..start].trim().is_empty() => {
                last.range.end = end;
            }
            Some(_) | None => self.spans.push(Span { range: start..end, token }),
        }
    }
}
