//! A TOML file under examination: values are taken out key by key, every mistake is noted at
//! its place, and what nobody asked for at the end is an unknown key.

use std::cell::{Cell, RefCell};
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::nearest::nearest;
use crate::diagnostic::{Diagnostic, Place};

/// A value with its place in the file, in bytes.
#[derive(Debug, Clone)]
pub(crate) struct Typed<T> {
    /// What was typed.
    pub value: T,
    /// Where, quotes included.
    pub span: Range<usize>,
}

/// A section by its place, and every key that a section of another name knows: to answer a
/// key that is right but stands in the wrong section.
pub(crate) type KnownKeys = [(&'static str, &'static [&'static str])];

/// The file and the mistakes found in it so far.
pub(crate) struct Sheet<'t> {
    file: PathBuf,
    text: &'t str,
    found: RefCell<Vec<Diagnostic>>,
    untold: Cell<usize>,
}

/// More mistakes than this are only counted: finding a place costs a walk through the file,
/// and nobody reads a thousand and first.
const MAX_FOUND: usize = 1000;

impl<'t> Sheet<'t> {
    /// Parses a file's text. Every syntax error is returned when there is one: the values of a
    /// file whose syntax is broken are a guess.
    pub(crate) fn parse(file: &Path, text: &'t str) -> Result<(Self, Spanned<DeTable<'t>>), Vec<Diagnostic>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let sheet = Self { file: file.to_owned(), text, found: RefCell::default(), untold: Cell::new(0) };
        for error in &errors {
            let span = error.span().unwrap_or(text.len()..text.len());
            sheet.error(
                "toml-syntax",
                span,
                format!("no valid TOML: {}", error.message()),
                syntax_help(error.message()),
            );
        }
        if errors.is_empty() { Ok((sheet, table)) } else { Err(sheet.into_found()) }
    }

    /// Notes an error at a place of the file.
    pub(crate) fn error(
        &self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.note_if_room(|| Diagnostic::error(code, self.place(span), message).help(help));
    }

    /// Notes something odd at a place of the file.
    pub(crate) fn warn(
        &self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.note_if_room(|| Diagnostic::warning(code, self.place(span), message).help(help));
    }

    fn note_if_room(&self, make: impl FnOnce() -> Diagnostic) {
        if self.found.borrow().len() < MAX_FOUND {
            self.note(make());
        } else {
            self.untold.set(self.untold.get() + 1);
        }
    }

    /// Notes a finding that already knows its place.
    pub(crate) fn note(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    /// The place of a byte range. A password in the line is shown as stars: diagnostics are
    /// pasted into chats and stay in the logs of build servers.
    pub(crate) fn place(&self, span: Range<usize>) -> Place {
        let mut place = Place::span(&self.file, self.text, span);
        place.text = without_password(&place.text);
        place
    }

    /// The place of the whole file.
    pub(crate) fn whole(&self) -> Place {
        Place::file(&self.file)
    }

    /// What was typed in a byte range.
    pub(crate) fn typed(&self, span: Range<usize>) -> &'t str {
        self.text.get(span).unwrap_or_default()
    }

    /// Everything that was found, in the order of the file.
    pub(crate) fn into_found(self) -> Vec<Diagnostic> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|diagnostic| (diagnostic.place.line, diagnostic.place.column));
        if self.untold.get() > 0 {
            let message = format!("and {} more mistakes like these", self.untold.get());
            found.push(Diagnostic::error("many-mistakes", Place::file(self.file), message));
        }
        found
    }
}

/// A line in which the password of `scheme://user:password@host` is stars, as many as letters.
fn without_password(line: &str) -> String {
    let hidden = line.find("://").map(|i| i + 3).and_then(|start| {
        let end = start + line[start..].rfind('@')?;
        let from = start + line[start..end].find(':')? + 1;
        Some(from..end)
    });
    match hidden {
        Some(hidden) => {
            let stars = "*".repeat(line[hidden.clone()].chars().count());
            format!("{}{stars}{}", &line[..hidden.start], &line[hidden.end..])
        }
        None => line.to_owned(),
    }
}

/// What to do about the syntax errors that people really make.
fn syntax_help(message: &str) -> &'static str {
    if message.contains("string values must be quoted") || message.contains("missing value") {
        "text stands in quotes: key = \"text\""
    } else if message.contains("duplicate key") {
        "keep one of the two"
    } else {
        "a line is `key = \"text\"`, `key = 4`, `key = [\"a\", \"b\"]` or `[section]`"
    }
}

/// A file's bytes as text; the error points at the first byte that is no UTF-8.
pub(crate) fn utf8(file: &Path, bytes: Vec<u8>) -> Result<String, Box<Diagnostic>> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let readable = String::from_utf8_lossy(error.as_bytes());
        let place = Place::span(file, &readable, at..at + 1);
        Box::new(
            Diagnostic::error("not-utf8", place, "the file is not UTF-8 text").help("save it as UTF-8 in your editor"),
        )
    })
}

/// Texts with their names.
pub(crate) type Pairs = Vec<(Typed<String>, Typed<String>)>;

/// One table of the file, whose keys are taken out one by one.
pub(crate) struct Section<'s, 't> {
    sheet: &'s Sheet<'t>,
    /// The section's name as the author writes it, such as `[mail]`; empty for the top.
    name: &'static str,
    table: Option<&'s DeTable<'t>>,
    known: Vec<&'static str>,
    span: Option<Range<usize>>,
}

impl<'s, 't> Section<'s, 't> {
    /// The top of the file.
    pub(crate) fn top(sheet: &'s Sheet<'t>, table: &'s Spanned<DeTable<'t>>) -> Self {
        Self { sheet, name: "", table: Some(table.get_ref()), known: Vec::new(), span: Some(table.span()) }
    }

    fn take(&mut self, key: &'static str) -> Option<&'s Spanned<DeValue<'t>>> {
        self.known.push(key);
        self.table?.get(key)
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'t>>, wanted: &str) {
        let message = format!("`{key}` is {wanted}, not {}", kind(value.get_ref()));
        self.sheet.error("config-type", value.span(), message, example(wanted, key));
    }

    /// A text.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<Typed<String>> {
        let value = self.take(key)?;
        let DeValue::String(text) = value.get_ref() else {
            self.wrong_type(key, value, "a text");
            return None;
        };
        Some(Typed { value: text.to_string(), span: value.span() })
    }

    /// A list of texts; absent is empty.
    pub(crate) fn texts(&mut self, key: &'static str) -> Vec<Typed<String>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(key, value, "a list of texts");
            return Vec::new();
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match item.get_ref() {
                DeValue::String(text) => texts.push(Typed { value: text.to_string(), span: item.span() }),
                other @ (DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_)
                | DeValue::Table(_)) => {
                    let message = format!("`{key}` holds texts only, not {}", kind(other));
                    self.sheet.error("config-type", item.span(), message, "put it in quotes");
                }
            }
        }
        texts
    }

    /// A whole number within bounds.
    pub(crate) fn number(&mut self, key: &'static str, bounds: RangeInclusive<usize>) -> Option<usize> {
        let value = self.take(key)?;
        let DeValue::Integer(number) = value.get_ref() else {
            self.wrong_type(key, value, "a whole number");
            return None;
        };
        let read = usize::from_str_radix(number.as_str(), number.radix()).ok();
        let read = read.filter(|number| bounds.contains(number));
        if read.is_none() {
            let message = format!("`{key}` cannot be {}", self.sheet.typed(value.span()));
            let help = format!("a number from {} to {}", bounds.start(), bounds.end());
            self.sheet.error("config-number", value.span(), message, help);
        }
        read
    }

    /// Yes or no.
    pub(crate) fn yes(&mut self, key: &'static str) -> Option<bool> {
        let value = self.take(key)?;
        let DeValue::Boolean(yes) = value.get_ref() else {
            self.wrong_type(key, value, "`true` or `false`");
            return None;
        };
        Some(*yes)
    }

    /// A date or a moment, bare or in quotes, as it was typed.
    pub(crate) fn date(&mut self, key: &'static str) -> Option<Typed<String>> {
        let value = self.take(key)?;
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(moment) => moment.to_string(),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Array(_) | DeValue::Table(_) => {
                self.wrong_type(key, value, "a date");
                return None;
            }
        };
        Some(Typed { value: text, span: value.span() })
    }

    /// A table of texts, whatever its keys; absent is empty.
    pub(crate) fn pairs(&mut self, key: &'static str) -> Pairs {
        self.table(key, "a table of texts").map(|table| self.pairs_of(table)).unwrap_or_default()
    }

    /// Tables of texts in one, such as `[key.a]` and `[key.b]`, with their names; absent is empty.
    pub(crate) fn groups(&mut self, key: &'static str) -> Vec<(Typed<String>, Pairs)> {
        let Some(tables) = self.table(key, "a table of tables") else { return Vec::new() };
        self.named(tables, "a table of texts", |value| Some(self.pairs_of(value.get_ref().as_table()?)))
    }

    fn pairs_of(&self, table: &DeTable<'t>) -> Pairs {
        let text = |value: &Spanned<DeValue<'t>>| {
            Some(Typed { value: value.get_ref().as_str()?.to_owned(), span: value.span() })
        };
        self.named(table, "a text", text)
    }

    /// The values of a table with their names; one that `read` does not know is a mistake.
    fn named<T>(
        &self,
        table: &DeTable<'t>,
        expected: &str,
        read: impl Fn(&Spanned<DeValue<'t>>) -> Option<T>,
    ) -> Vec<(Typed<String>, T)> {
        let mut named = Vec::with_capacity(table.len());
        for (name, value) in table {
            match read(value) {
                Some(value) => named.push((Typed { value: name.get_ref().to_string(), span: name.span() }, value)),
                None => self.wrong_type(name.get_ref(), value, expected),
            }
        }
        named
    }

    fn table(&mut self, key: &'static str, expected: &str) -> Option<&'s DeTable<'t>> {
        let value = self.take(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(key, value, expected);
        }
        table
    }

    /// The section `[key]`; an absent one is empty.
    pub(crate) fn section(&mut self, key: &'static str, name: &'static str) -> Section<'s, 't> {
        let value = self.take(key);
        let table = value.and_then(|value| value.get_ref().as_table());
        if let (Some(value), None) = (value, table) {
            self.wrong_type(key, value, "a section");
        }
        Section { sheet: self.sheet, name, table, known: Vec::new(), span: value.map(Spanned::span) }
    }

    /// The sections `[[key]]`, in the order of the file.
    pub(crate) fn sections(&mut self, key: &'static str, name: &'static str) -> Vec<Section<'s, 't>> {
        let sheet = self.sheet;
        let Some(value) = self.take(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of sections");
            return Vec::new();
        };
        let mut sections = Vec::with_capacity(items.len());
        for item in items {
            match item.get_ref().as_table() {
                Some(table) => {
                    sections.push(Section {
                        sheet,
                        name,
                        table: Some(table),
                        known: Vec::new(),
                        span: Some(item.span()),
                    });
                }
                None => self.wrong_type(key, item, "a list of sections"),
            }
        }
        sections
    }

    /// Where the section stands, for what is missing in it; `None` when it is absent.
    pub(crate) fn span(&self) -> Option<Range<usize>> {
        self.span.clone()
    }

    /// Notes every key that nobody took as an error, with the key that was probably meant.
    pub(crate) fn finish(self, elsewhere: &KnownKeys) {
        for (key, _) in self.table.into_iter().flatten() {
            let typed: &str = key.get_ref();
            if self.known.contains(&typed) {
                continue;
            }
            let place = if self.name.is_empty() { String::new() } else { format!(" in `{}`", self.name) };
            let message = format!("unknown key `{typed}`{place}");
            self.sheet.error("unknown-key", key.span(), message, self.unknown_help(typed, elsewhere));
        }
    }

    fn unknown_help(&self, typed: &str, elsewhere: &KnownKeys) -> String {
        if let Some(meant) = nearest(typed, self.known.iter().copied()) {
            return format!("did you mean `{meant}`?");
        }
        let home = |keys: &[&'static str]| nearest(typed, keys.iter().copied());
        match elsewhere.iter().find_map(|(section, keys)| Some((section, home(keys)?))) {
            Some((section, meant)) => format!("`{meant}` belongs in `{section}`"),
            None => format!("known here: {}", self.known.join(", ")),
        }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

fn example(wanted: &str, key: &str) -> String {
    match wanted {
        "a text" => format!("write {key} = \"...\""),
        "a list of texts" => format!("write {key} = [\"...\"]"),
        "a whole number" => format!("write {key} = 4"),
        "a date" => format!("write {key} = 2026-01-31"),
        "a section" => format!("write [{key}] on a line of its own, and its keys below"),
        "a list of sections" => format!("write [[{key}]] on a line of its own, and its keys below"),
        other => format!("write {key} as {other}"),
    }
}
