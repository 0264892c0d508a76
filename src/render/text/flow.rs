//! Running text broken into lines.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Marks that must not begin a line in Chinese and Japanese (a short form of JIS X 4051).
const NEVER_FIRST: &str =
    "、。，．・：；？！゛゜ヽヾゝゞ々ー）］｝〕〉》」』】’”…‥ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ〜";
/// Marks that must not end one.
const NEVER_LAST: &str = "（［｛〔〈《「『【‘“";

/// Text on its way into lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Flow {
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// Letters that stay together as long as they fit a line.
    Text(String),
    /// Letters that stay together always: a URL, a piece of code.
    Fixed(String),
    /// A space, or a line end.
    Space,
    /// A place where a line may end without a space, as between two Chinese characters.
    Gap,
    /// A line end.
    Break,
}

impl Flow {
    /// Adds text; runs of white space are one space.
    pub fn text(&mut self, text: &str) {
        let mut word = String::new();
        for c in text.chars() {
            if is_space(c) {
                self.finish(&mut word);
                self.space();
                continue;
            }
            if let Some(last) = word.chars().last().or_else(|| self.last_char())
                && may_break_between(last, c)
            {
                self.finish(&mut word);
                self.items.push(Item::Gap);
            }
            word.push(c);
        }
        self.finish(&mut word);
    }

    /// Adds letters that no line end may divide.
    pub fn fixed(&mut self, text: &str) {
        if !text.is_empty() {
            self.items.push(Item::Fixed(text.to_owned()));
        }
    }

    /// Adds code: it may be divided at its spaces only.
    pub fn code(&mut self, code: &str) {
        for (number, word) in code.split(is_space).filter(|word| !word.is_empty()).enumerate() {
            if number > 0 {
                self.space();
            }
            self.fixed(word);
        }
    }

    /// Adds a space, unless one is there already.
    pub fn space(&mut self) {
        match self.items.last() {
            None | Some(Item::Space | Item::Break) => {}
            Some(Item::Text(_) | Item::Fixed(_) | Item::Gap) => self.items.push(Item::Space),
        }
    }

    /// Ends the line.
    pub fn line_break(&mut self) {
        while matches!(self.items.last(), Some(Item::Space | Item::Gap)) {
            self.items.pop();
        }
        if !self.items.is_empty() {
            self.items.push(Item::Break);
        }
    }

    /// Makes sure that at least so many line ends stand here: 1 begins a line, 2 leaves one
    /// blank. At the very beginning there is nothing to end.
    pub fn at_least_breaks(&mut self, wanted: usize) {
        while matches!(self.items.last(), Some(Item::Space | Item::Gap)) {
            self.items.pop();
        }
        let there = self.items.iter().rev().take_while(|item| matches!(item, Item::Break)).count();
        if !self.items.is_empty() {
            self.items.extend(std::iter::repeat_n(Item::Break, wanted.saturating_sub(there)));
        }
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        !self.items.iter().any(|item| matches!(item, Item::Text(_) | Item::Fixed(_)))
    }

    /// All of it on one line.
    pub fn one_line(&self) -> String {
        let mut out = String::new();
        for item in &self.items {
            match item {
                Item::Text(text) | Item::Fixed(text) => out.push_str(text),
                Item::Space | Item::Break => out.push(' '),
                Item::Gap => {}
            }
        }
        out.truncate(out.trim_end().len());
        out
    }

    /// The lines, none wider than `width` columns except for what may not be divided.
    pub fn lines(&self, width: usize) -> Vec<String> {
        let mut lines = Lines { done: Vec::new(), line: String::new(), width: width.max(2), pending_space: false };
        for word in self.items.split_inclusive(|item| !matches!(item, Item::Text(_) | Item::Fixed(_))) {
            match word.split_last() {
                Some((Item::Text(_) | Item::Fixed(_), _)) | None => lines.word(word),
                Some((end, letters)) => {
                    lines.word(letters);
                    lines.end(end);
                }
            }
        }
        lines.finish()
    }

    fn finish(&mut self, word: &mut String) {
        if !word.is_empty() {
            self.items.push(Item::Text(std::mem::take(word)));
        }
    }

    fn last_char(&self) -> Option<char> {
        match self.items.last() {
            Some(Item::Text(text) | Item::Fixed(text)) => text.chars().last(),
            Some(Item::Space | Item::Gap | Item::Break) | None => None,
        }
    }
}

/// Lines as they fill.
struct Lines {
    done: Vec<String>,
    line: String,
    width: usize,
    pending_space: bool,
}

impl Lines {
    fn word(&mut self, parts: &[Item]) {
        let word: String = parts.iter().map(letters).collect();
        if word.is_empty() {
            return;
        }
        let space = usize::from(self.pending_space && !self.line.is_empty());
        if self.line.width() + space + word.width() > self.width && !self.line.is_empty() {
            self.next_line();
        } else if space == 1 {
            self.line.push(' ');
        }
        self.pending_space = false;
        if word.width() <= self.width {
            self.line.push_str(&word);
            return;
        }
        for part in parts {
            match part {
                Item::Text(text) => self.divided(text),
                Item::Fixed(_) | Item::Space | Item::Gap | Item::Break => self.line.push_str(letters(part)),
            }
        }
    }

    /// A word longer than a line, divided wherever a line is full. The line is measured as a
    /// whole: a sign and what modifies it can be wider together than apart.
    fn divided(&mut self, text: &str) {
        for c in text.chars() {
            self.line.push(c);
            if self.line.width() > self.width {
                let cut = self.cut();
                if cut > 0 {
                    let sign = self.line.split_off(cut);
                    self.next_line();
                    self.line = sign;
                }
            }
        }
    }

    /// Where to divide a line that is too wide: behind a mark in its second half, as in a path or
    /// two long numbers with dots between, or before its last sign.
    fn cut(&self) -> usize {
        let begins_a_sign = |(_, c): &(usize, char)| c.width().is_some_and(|width| width > 0);
        let last = self.line.char_indices().rfind(begins_a_sign).map_or(0, |(at, _)| at);
        let mark = self.line[..last].rfind(['/', '.', '-', '_', ',', '=', '&', '?', ':']).map_or(0, |at| at + 1);
        if mark > last / 2 { mark } else { last }
    }

    fn end(&mut self, item: &Item) {
        match item {
            Item::Space => self.pending_space = true,
            Item::Break => self.next_line(),
            Item::Gap | Item::Text(_) | Item::Fixed(_) => {}
        }
    }

    fn next_line(&mut self) {
        self.done.push(std::mem::take(&mut self.line));
        self.pending_space = false;
    }

    fn finish(mut self) -> Vec<String> {
        if !self.line.is_empty() {
            self.done.push(self.line);
        }
        while self.done.last().is_some_and(String::is_empty) {
            self.done.pop();
        }
        self.done
    }
}

fn letters(item: &Item) -> &str {
    match item {
        Item::Text(text) | Item::Fixed(text) => text,
        Item::Space | Item::Gap | Item::Break => "",
    }
}

/// White space that a line end may replace; no-break spaces are letters here.
fn is_space(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{202f}' | '\u{2007}')
}

fn may_break_between(before: char, after: char) -> bool {
    (is_ideographic(before) || is_ideographic(after)) && !NEVER_FIRST.contains(after) && !NEVER_LAST.contains(before)
}

/// Whether the character belongs to a script written without spaces and two columns wide.
/// Hangul is wide too, but has spaces.
fn is_ideographic(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{30ff}' | '\u{31c0}'..='\u{a4cf}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flow(text: &str) -> Flow {
        let mut flow = Flow::default();
        flow.text(text);
        flow
    }

    #[test]
    fn words_fill_lines_and_never_pass_their_end() {
        assert_eq!(flow("one two  three\nfour").lines(9), ["one two", "three", "four"]);
        assert_eq!(flow("abcdefghij").lines(4), ["abcd", "efgh", "ij"]);
        assert_eq!(flow("a\u{a0}b c").lines(3), ["a\u{a0}b", "c"]);
    }

    #[test]
    fn a_sign_and_its_modifier_stay_together() {
        assert_eq!(flow("abcd↩\u{fe0f}").lines(5), ["abcd", "↩\u{fe0f}"]);
    }

    #[test]
    fn a_url_is_never_divided() {
        let mut flow = flow("see");
        flow.space();
        flow.fixed("https://example.org/long");
        assert_eq!(flow.lines(10), ["see", "https://example.org/long"]);
    }

    #[test]
    fn chinese_is_broken_between_characters_but_not_before_a_full_stop() {
        assert_eq!(flow("天地玄黄。宇宙").lines(8), ["天地玄", "黄。宇宙"]);
    }

    proptest! {
        #[test]
        fn no_line_of_plain_text_is_too_wide_and_no_letter_is_lost(text in "\\PC{0,120}", width in 4usize..40) {
            let lines = flow(&text).lines(width);
            for line in &lines {
                prop_assert!(line.width() <= width, "{line:?}");
            }
            let letters = |text: &str| text.chars().filter(|c| !is_space(*c)).collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
