//! `subscribers.toml`: a `[[subscriber]]` table per person.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use super::field::{self, Refusal};
use super::list::Listing;
use super::notes::Seen;
use crate::config::sheet::{Section, Sheet, Typed, utf8};
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::address::Address;
use crate::domain::subscriber::{Cadence, Enrolment, SubscriberState};

/// The largest list that is read as TOML, in bytes.
const MAX_SIZE: u64 = 64 << 20;

/// Reads the file whole. What cannot be used is a diagnostic of the listing.
pub(super) fn read(file: File, path: &Path, source: &str) -> io::Result<Listing> {
    let mut bytes = Vec::new();
    let read = file.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    if read as u64 > MAX_SIZE {
        let message = "a list of more than 64 MB is not read as TOML";
        let diagnostic = Diagnostic::error("list-too-large", Place::file(path), message)
            .help("write it as CSV, which is read row by row");
        return Ok(Listing { enrolments: Vec::new(), diagnostics: vec![diagnostic] });
    }
    Ok(match utf8(path, bytes) {
        Ok(text) => parse(path, &text, source),
        Err(diagnostic) => Listing { enrolments: Vec::new(), diagnostics: vec![*diagnostic] },
    })
}

/// Reads the text of such a file.
pub(super) fn parse(path: &Path, text: &str, source: &str) -> Listing {
    let (sheet, table) = match Sheet::parse(path, text) {
        Ok(parsed) => parsed,
        Err(diagnostics) => return Listing { enrolments: Vec::new(), diagnostics },
    };
    let mut reader = Reader { sheet: &sheet, source, seen: Seen::default(), left_out: 0 };
    let mut top = Section::top(&sheet, &table);
    let people = top.sections("subscriber", "[[subscriber]]");
    let enrolments = people.into_iter().filter_map(|section| reader.person(section)).collect();
    top.finish(&[("[[subscriber]]", &["email", "name", "topics", "cadence", "attributes"])]);
    let left_out = reader.left_out;
    if left_out > 0 {
        let message = format!("{left_out} subscribers are not `active` and were left out");
        let help = "people who left or never confirmed do not come back by a list";
        sheet.note(Diagnostic::warning("not-active", sheet.whole(), message).help(help));
    }
    Listing { enrolments, diagnostics: sheet.into_found() }
}

struct Reader<'s, 't> {
    sheet: &'s Sheet<'t>,
    source: &'s str,
    seen: Seen<usize>,
    left_out: u64,
}

impl Reader<'_, '_> {
    /// One person; `None` after an error, for one who is not active, and for a repetition.
    fn person(&mut self, mut section: Section<'_, '_>) -> Option<Enrolment> {
        let span = section.span().unwrap_or(0..0);
        let email = section.text("email");
        let name = section.text("name").map_or(Some(None), |typed| self.checked(&typed, field::name));
        let topics = self.topics(&section.texts("topics"));
        let cadence =
            section.text("cadence").map_or(Some(Cadence::default()), |typed| self.checked(&typed, field::cadence));
        let state =
            section.text("state").map_or(Some(SubscriberState::Active), |typed| self.checked(&typed, field::state));
        let attributes = self.attributes(&section.pairs("attributes"));
        section.finish(&[]);
        let address = self.address(email.as_ref(), span.clone())?;
        let (name, topics, cadence, attributes) = (name?, topics?, cadence?, attributes?);
        if state? != SubscriberState::Active {
            self.left_out += 1;
            return None;
        }
        self.is_first(&address, email?.span)?;
        Some(Enrolment { address, name, topics, cadence, attributes, source: self.source.to_owned() })
    }

    fn checked<T>(&self, typed: &Typed<String>, check: impl Fn(&str) -> Result<T, Refusal>) -> Option<T> {
        check(&typed.value)
            .map_err(|refusal| self.sheet.error("subscriber", typed.span.clone(), refusal.message, refusal.help))
            .ok()
    }

    fn topics(&self, typed: &[Typed<String>]) -> Option<Vec<String>> {
        let checked: Vec<_> = typed.iter().map(|typed| self.checked(typed, field::topic)).collect();
        checked.into_iter().collect::<Option<Vec<_>>>().map(|topics| topics.into_iter().flatten().collect())
    }

    fn attributes(&self, typed: &[(Typed<String>, Typed<String>)]) -> Option<BTreeMap<String, String>> {
        let check = |(name, value): &(Typed<String>, Typed<String>)| {
            let key = self.checked(name, |text| field::attribute_name(text).map(str::to_owned));
            let value = self.checked(value, |text| field::attribute(&name.value, text));
            Some((key?, value?))
        };
        typed.iter().map(check).collect::<Vec<_>>().into_iter().collect()
    }

    fn address(&self, typed: Option<&Typed<String>>, section: Range<usize>) -> Option<Address> {
        let Some(typed) = typed else {
            let help = "add email = \"name@example.org\"";
            self.sheet.error("subscriber", section, "a subscriber without `email`", help);
            return None;
        };
        self.checked(typed, field::address)
    }

    fn is_first(&mut self, address: &Address, span: Range<usize>) -> Option<()> {
        let Some(first) = self.seen.before(address, span.start) else { return Some(()) };
        let line = self.sheet.place(first..first).line;
        let message = format!("this address is on the list already, at line {line}, and is taken once");
        self.sheet.warn("subscriber-twice", span, message, "remove one of the two");
        None
    }
}
