//! What is wrong, where in whose file, and what to do about it.
//!
//! Diagnostics are values: collected, never thrown one by one, and printed by `cli` alone.

mod code;
mod show;

use std::path::{Path, PathBuf};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The file is used; the author should know.
    Warning,
    /// The file, or this part of it, cannot be used; the rest goes on.
    Error,
}

/// A place in a file the author can open.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// The file, as the author would name it.
    pub file: PathBuf,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// The column in characters, from 1; 0 when the whole line is meant.
    pub column: usize,
    /// How many characters the caret underlines, at least 1.
    pub width: usize,
    /// The line's text, for the caret to point into.
    pub text: String,
}

impl Place {
    /// The file as a whole.
    pub fn file(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), line: 0, column: 0, width: 1, text: String::new() }
    }

    /// A line of a file as a whole, from 1; 0 is the whole file.
    pub fn line(file: impl Into<PathBuf>, line: usize) -> Self {
        Self { line, ..Self::file(file) }
    }

    /// The place of a byte range in a file's text. A range outside the text, or inside a
    /// character, is moved to the nearest boundary.
    pub fn span(file: impl Into<PathBuf>, text: &str, range: std::ops::Range<usize>) -> Self {
        let start = floor_boundary(text, range.start);
        let end = floor_boundary(text, range.end).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |i| start + i);
        let line_text = text[line_start..line_end].trim_end_matches('\r');
        Self {
            file: file.into(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            width: text[start..end.min(line_end)].chars().count().max(1),
            text: line_text.to_owned(),
        }
    }
}

fn floor_boundary(text: &str, mut index: usize) -> usize {
    index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

/// The name of a kind of thing that is wrong.
pub type Code = &'static str;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// A stable name such as `front-matter-syntax`, for scripts and for silencing.
    #[serde(deserialize_with = "code::read")]
    pub code: Code,
    /// Where.
    pub place: Place,
    /// What is wrong, one sentence without a final dot, literals in backticks.
    pub message: String,
    /// What to do; `None` only when the message says it all.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, place, message: message.into(), help: None }
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, code, place, message: message.into(), help: None }
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The diagnostic with its file shown relative to a folder, when it lies in it.
    #[must_use]
    pub fn relative_to(mut self, root: &Path) -> Self {
        if let Ok(inner) = self.place.file.strip_prefix(root) {
            self.place.file = inner.to_owned();
        }
        self
    }

    /// The shape scripts read: severity, code, file, line, column, message, help.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "severity": self.severity,
            "code": self.code,
            "file": self.place.file.to_string_lossy(),
            "line": self.place.line,
            "column": self.place.column,
            "message": self.message,
            "help": self.help,
        })
    }
}

/// Whether any of them is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}
