//! CSV, row by row: the reader that takes a million people in a few megabytes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder};

use super::cell::unguarded;
use super::columns::{Columns, delimiter};
use super::field::{self, Refusal};
use super::notes::{Notes, Seen};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::domain::address::Address;
use crate::domain::subscriber::{Cadence, Enrolment, SubscriberState};

/// How much of a line is read to show it.
const EXCERPT: usize = 4096;

/// A row longer than this, in bytes, is a quote that was never closed.
const MAX_ROW: usize = 1 << 20;

/// A list being read. Iterating gives the people whose rows can be used.
#[derive(Debug)]
pub(super) struct Rows {
    csv: csv::Reader<File>,
    lines: Lines,
    source: String,
    /// `None` when the header makes no sense: then there are no people.
    columns: Option<Columns>,
    record: ByteRecord,
    notes: Notes,
    seen: Seen<Start>,
}

/// Where the reader stood before it read a record.
#[derive(Debug, Clone, Copy)]
struct Start {
    byte: u64,
    line: u64,
}

/// A row with one cell that cannot be used.
struct Bad {
    cell: usize,
    refusal: Refusal,
}

impl Rows {
    /// Opens the list and reads its header.
    pub(super) fn open(file: File, path: &Path, source: &str) -> io::Result<Self> {
        let lines = Lines { path: path.to_owned(), file: file.try_clone()? };
        let start = lines.bytes(0)?;
        let first_line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let csv = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter(first_line))
            .buffer_capacity(1 << 16)
            .from_reader(file);
        let mut rows = Self {
            csv,
            lines,
            source: source.to_owned(),
            columns: None,
            record: ByteRecord::new(),
            notes: Notes::default(),
            seen: Seen::default(),
        };
        if start.starts_with(b"\xFF\xFE") || start.starts_with(b"\xFE\xFF") {
            rows.note_whole("not-utf8", "the list is UTF-16 text", "save it as `CSV UTF-8`");
        } else {
            rows.read_header();
        }
        Ok(rows)
    }

    fn read_header(&mut self) {
        if !self.read_record() {
            self.note_whole("subscriber", "the list is empty", "its first line is a header: `email,name`");
            return;
        }
        let header: Result<Vec<String>, Bad> = (0..self.record.len()).map(|i| self.text(i)).collect();
        let columns = header.and_then(|header| Columns::read(&header).map_err(|(cell, refusal)| Bad { cell, refusal }));
        match columns {
            Ok(columns) => self.columns = Some(columns),
            Err(bad) => self.note(&bad),
        }
    }

    /// Reads the next record; `false` at the end, and after an I/O error, which is noted.
    fn read_record(&mut self) -> bool {
        match self.csv.read_byte_record(&mut self.record) {
            Ok(is_there) => is_there,
            Err(error) => {
                self.note_whole("list-unreadable", &format!("reading stopped: {error}"), "run the command again");
                self.columns = None;
                false
            }
        }
    }

    /// One row; `None` when it is no new, active person.
    fn person(&mut self) -> Option<Enrolment> {
        match self.enrolment() {
            Ok((enrolment, SubscriberState::Active)) => self.is_first(&enrolment.address).then_some(enrolment),
            Ok((
                _,
                SubscriberState::Pending
                | SubscriberState::Unsubscribed
                | SubscriberState::Bounced
                | SubscriberState::Complained,
            )) => {
                self.notes.left_out += 1;
                None
            }
            Err(bad) => {
                self.note(&bad);
                None
            }
        }
    }

    fn enrolment(&self) -> Result<(Enrolment, SubscriberState), Bad> {
        let columns = self.columns.as_ref().expect("rows are read only under a header that was understood");
        self.check_shape(columns)?;
        let address = self.cell(columns.email, field::address)?;
        let topics = |text: &str| -> Result<Vec<String>, Refusal> {
            text.split(';').map(field::topic).filter_map(Result::transpose).collect()
        };
        let enrolment = Enrolment {
            address,
            name: self.optional(columns.name, field::name)?.flatten(),
            topics: self.optional(columns.topics, topics)?.unwrap_or_default(),
            cadence: self.optional(columns.cadence, field::cadence)?.unwrap_or_else(Cadence::default),
            attributes: self.attributes(columns)?,
            source: self.source.clone(),
        };
        let state = self.optional(columns.state, field::state)?.unwrap_or(SubscriberState::Active);
        Ok((enrolment, state))
    }

    fn attributes(&self, columns: &Columns) -> Result<BTreeMap<String, String>, Bad> {
        let mut attributes = BTreeMap::new();
        for (i, name) in &columns.attributes {
            let value = self.cell(*i, |text| field::attribute(name, text))?;
            if !value.is_empty() {
                attributes.insert(name.clone(), value);
            }
        }
        Ok(attributes)
    }

    fn check_shape(&self, columns: &Columns) -> Result<(), Bad> {
        if self.record.as_slice().len() > MAX_ROW {
            let refusal = Refusal::new("this row is longer than 1 MB", "a quote (\") that opens here is never closed");
            return Err(Bad { cell: 0, refusal });
        }
        let extra = (columns.count..self.record.len()).find(|i| !self.record[*i].trim_ascii().is_empty());
        match extra {
            Some(cell) => {
                let message = format!("the row has {} cells, the header {}", self.record.len(), columns.count);
                Err(Bad { cell, refusal: Refusal::new(message, "a cell that holds the divider stands in quotes") })
            }
            None => Ok(()),
        }
    }

    fn optional<T>(&self, column: Option<usize>, check: impl Fn(&str) -> Result<T, Refusal>) -> Result<Option<T>, Bad> {
        column.map(|column| self.cell(column, check)).transpose()
    }

    /// A cell, checked. A row may end early: what is not there is blank.
    fn cell<T>(&self, i: usize, check: impl Fn(&str) -> Result<T, Refusal>) -> Result<T, Bad> {
        check(&self.text(i)?).map_err(|refusal| Bad { cell: i, refusal })
    }

    fn text(&self, i: usize) -> Result<String, Bad> {
        let bytes = self.record.get(i).unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|_| Bad {
            cell: i,
            refusal: Refusal::new(
                "the cell is not UTF-8 text",
                "save the list as UTF-8 (`CSV UTF-8` in a spreadsheet)",
            ),
        })?;
        Ok(unguarded(text).to_owned())
    }

    fn is_first(&mut self, address: &Address) -> bool {
        let start = self.start();
        let Some(first) = self.seen.before(address, start) else { return true };
        let email = self.columns.as_ref().map_or(0, |columns| columns.email);
        let (lines, cell) = (&self.lines, self.record.get(email).unwrap_or_default());
        self.notes.add(Severity::Warning, || {
            let (line, _) = lines.line_of(first);
            let message = format!("this address is on the list already, at line {line}, and is taken once");
            Diagnostic::warning("subscriber-twice", lines.place(start, cell), message).help("remove one of the two")
        });
        false
    }

    fn note(&mut self, bad: &Bad) {
        let (lines, record, start) = (&self.lines, &self.record, self.start());
        self.notes.add(Severity::Error, || {
            let place = lines.place(start, record.get(bad.cell).unwrap_or_default());
            Diagnostic::error("subscriber", place, bad.refusal.message.clone()).help(bad.refusal.help.clone())
        });
    }

    fn note_whole(&mut self, code: &'static str, message: &str, help: &str) {
        let place = Place::file(&self.lines.path);
        self.notes.add(Severity::Error, || Diagnostic::error(code, place, message).help(help));
    }

    fn start(&self) -> Start {
        self.record.position().map_or(Start { byte: 0, line: 1 }, |at| Start { byte: at.byte(), line: at.line() })
    }

    /// What was found so far.
    pub(super) fn finish(self, path: &Path) -> Vec<Diagnostic> {
        self.notes.finish(path)
    }
}

impl Iterator for Rows {
    type Item = Enrolment;

    fn next(&mut self) -> Option<Enrolment> {
        while self.columns.is_some() && self.read_record() {
            if self.record.iter().all(|cell| cell.trim_ascii().is_empty()) {
                continue;
            }
            if let Some(person) = self.person() {
                return Some(person);
            }
        }
        None
    }
}

/// The file once more, to show a line in which something is wrong.
#[derive(Debug)]
struct Lines {
    path: PathBuf,
    file: File,
}

impl Lines {
    fn bytes(&self, offset: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; EXCERPT];
        let mut filled = 0;
        while filled < bytes.len() {
            match self.file.read_at(&mut bytes[filled..], offset + filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// The line a record begins on, and its text as far as it is shown. The reader's position
    /// may lie before line ends that it skipped.
    fn line_of(&self, start: Start) -> (u64, String) {
        let bytes = self.bytes(start.byte).unwrap_or_default();
        let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let skipped = bytes[..blank].split(|byte| *byte == b'\n').count() as u64 - 1;
        let line = start.line + skipped;
        let text = bytes[blank..].split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        (line, String::from_utf8_lossy(text).trim_start_matches('\u{FEFF}').to_owned())
    }

    /// The place of a cell in the record that begins there; the whole line when the cell is
    /// blank or not on it.
    fn place(&self, start: Start, cell: &[u8]) -> Place {
        let (line, text) = self.line_of(start);
        let cell = String::from_utf8_lossy(cell);
        let needle = cell.split(['\r', '\n']).next().unwrap_or_default();
        let found = if needle.trim().is_empty() { None } else { text.find(needle) };
        Place {
            file: self.path.clone(),
            line: usize::try_from(line).unwrap_or(usize::MAX),
            column: found.map_or(0, |at| text[..at].chars().count() + 1),
            width: needle.chars().count().max(1),
            text,
        }
    }
}
