//! A diagnostic as a person reads it: the author's own line, with a caret under it.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use super::{Diagnostic, Severity};

/// Lines longer than this are shown as a window around the caret.
const WINDOW: usize = 100;

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        writeln!(f, "{word}[{}]: {}", self.code, self.message)?;
        let place = &self.place;
        let file = place.file.display();
        match (place.line, place.column) {
            (0, _) => writeln!(f, "  --> {file}")?,
            (line, 0) => writeln!(f, "  --> {file}:{line}")?,
            (line, column) => {
                writeln!(f, "  --> {file}:{line}:{column}")?;
                self.write_excerpt(f, line, column)?;
            }
        }
        match &self.help {
            Some(help) => writeln!(f, "  help: {help}"),
            None => Ok(()),
        }
    }
}

impl Diagnostic {
    fn write_excerpt(&self, f: &mut fmt::Formatter<'_>, line: usize, column: usize) -> fmt::Result {
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        let chars: Vec<char> = self.place.text.chars().map(visible).collect();
        let from = column.saturating_sub(WINDOW / 2).min(chars.len().saturating_sub(WINDOW));
        let shown: String = chars.iter().skip(from).take(WINDOW).collect();
        let before: String = chars.iter().take(column - 1).skip(from).collect();
        let marked: String = chars.iter().skip(column - 1).take(self.place.width.min(WINDOW)).collect();
        let caret = "^".repeat(marked.width().max(1));
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {shown}")?;
        writeln!(f, "{gutter} | {}{caret}", " ".repeat(before.width()))
    }
}

fn visible(c: char) -> char {
    if c == '\t' {
        ' '
    } else if c.is_control() {
        '\u{FFFD}'
    } else {
        c
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::{Diagnostic, Place};

    #[test]
    fn the_caret_stands_under_what_is_meant() {
        let text = "title = \"a\"\n日本 = oops\n";
        let place = Place::span("a.toml", text, text.find("oops").unwrap()..text.find("oops").unwrap() + 4);
        let shown = Diagnostic::error("syntax", place, "`oops` is no value").help("put it in quotes").to_string();
        assert_eq!(
            shown,
            "error[syntax]: `oops` is no value\n  --> a.toml:2:6\n  |\n2 | 日本 = oops\n  |        ^^^^\n  help: put it in quotes\n"
        );
    }

    #[test]
    fn a_huge_line_is_shown_as_a_window_and_a_wild_range_never_panics() {
        let text = format!("{}X{}", "a".repeat(5000), "b".repeat(5000));
        let shown = Diagnostic::error("c", Place::span("f", &text, 5000..5001), "m").to_string();
        assert!(shown.lines().all(|line| line.len() < 120));
        assert!(shown.contains("aX"));
        Diagnostic::error("c", Place::span("f", "é", 1..99), "m").to_string();
    }
}
