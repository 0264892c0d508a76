//! `subscribers`: who is on the list, in and out of files.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::args::{ListFormat, Subscribers};
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::{self, Format};
use crate::audience::{self, EnrolmentError, List};
use crate::diagnostic::{Diagnostic, has_errors};
use crate::domain::address::Address;
use crate::domain::subscriber::{ImportCount, Subscriber};
use crate::domain::time::Instant;
use crate::ledger::{Ledger, LedgerError, Removal};

/// How many people of a list are in memory at a time.
const BATCH: usize = 10_000;

/// Runs one of the verbs below `subscribers`.
pub fn run(context: &Context, verb: Subscribers) -> Result<Exit, Failure> {
    let ledger = context.ledger(&context.config_aloud()?)?;
    match verb {
        Subscribers::List => list(context, &ledger),
        Subscribers::Add { address, name, topics } => add(context, &ledger, &address, name.as_deref(), &topics),
        Subscribers::Import { file } => import(context, &ledger, &file),
        Subscribers::Export { format } => export(&ledger, format),
        Subscribers::Remove { address } => remove(context, &ledger, &address),
    }
}

fn list(context: &Context, ledger: &Ledger) -> Result<Exit, Failure> {
    match context.format {
        Format::Json => {
            let mut all = Vec::new();
            ledger.each_subscriber(&mut |person| all.push(as_json(&person)))?;
            printer::json(&json!({ "subscribers": all }));
        }
        Format::Text => {
            let mut count = 0;
            ledger.each_subscriber(&mut |person| {
                count += 1;
                printer::data(&line(&person));
            })?;
            printer::say(&printer::count(count, "subscriber"));
        }
    }
    Ok(Exit::Done)
}

/// One person on one line: state, address, name, and what they follow if it is not all.
fn line(person: &Subscriber) -> String {
    let mut line = format!("{:<12} {}", person.state.word(), person.address);
    if let Some(name) = &person.name {
        line = format!("{line} ({name})");
    }
    if !person.topics.is_empty() {
        line = format!("{line} [{}]", person.topics.join(", "));
    }
    line
}

fn as_json(person: &Subscriber) -> Value {
    json!({
        "address": person.address.as_str(),
        "name": person.name,
        "state": person.state,
        "topics": person.topics,
        "cadence": person.cadence,
        "attributes": person.attributes,
        "since": person.since.to_rfc3339(),
    })
}

fn add(
    context: &Context,
    ledger: &Ledger,
    address: &str,
    name: Option<&str>,
    topics: &[String],
) -> Result<Exit, Failure> {
    let mut person = audience::enrolment(address, name, topics, "command line")?;
    // Adding somebody twice must not make them forget what they follow.
    if let Some(known) = ledger.subscriber_by_address(&person.address)? {
        person.cadence = known.cadence;
        person.attributes = known.attributes;
        if person.topics.is_empty() {
            person.topics = known.topics;
        }
    }
    let count = ledger.enrol(std::slice::from_ref(&person), context.now())?;
    let (word, exit) = match count {
        ImportCount { added: 1.., .. } => ("is on the list", Exit::Done),
        ImportCount { updated: 1.., .. } => ("was on the list and is updated", Exit::Done),
        ImportCount { kept_out: 1.., .. } => {
            ("left, bounced, complained or is suppressed; only the person can come back", Exit::Invalid)
        }
        ImportCount { .. } => ("is on the list already", Exit::Done),
    };
    match context.format {
        Format::Json => printer::json(&json!({ "count": count })),
        Format::Text => printer::say(&format!("{} {word}", person.address)),
    }
    Ok(exit)
}

fn import(context: &Context, ledger: &Ledger, file: &Path) -> Result<Exit, Failure> {
    let mut list = List::open(file, "import").map_err(|error| Failure::usage(error.to_string()))?;
    let count = take_in(&mut list, ledger, context.now())?;
    let diagnostics = list.finish();
    printer::diagnostics(&diagnostics);
    match context.format {
        Format::Json => printer::json(&json!({
            "count": count,
            "diagnostics": diagnostics.iter().map(Diagnostic::to_json).collect::<Vec<_>>(),
        })),
        Format::Text => printer::say(&summary(count)),
    }
    Ok(if has_errors(&diagnostics) { Exit::Invalid } else { Exit::Done })
}

/// Enrols a list batch by batch. Killed in between, a second import does the rest.
fn take_in(list: &mut List, ledger: &Ledger, now: Instant) -> Result<ImportCount, LedgerError> {
    let mut sum = ImportCount::default();
    loop {
        let batch = list.next_batch(BATCH);
        if batch.is_empty() {
            return Ok(sum);
        }
        let count = ledger.enrol(&batch, now)?;
        sum.added += count.added;
        sum.updated += count.updated;
        sum.unchanged += count.unchanged;
        sum.kept_out += count.kept_out;
    }
}

fn summary(count: ImportCount) -> String {
    let n = printer::thousands;
    let mut text = format!("{} added, {} updated, {} unchanged", n(count.added), n(count.updated), n(count.unchanged));
    if count.kept_out > 0 {
        text = format!("{text}; {} left, bounced, complained or are suppressed and stay out", n(count.kept_out));
    }
    text
}

fn export(ledger: &Ledger, format: ListFormat) -> Result<Exit, Failure> {
    let mut page = Page(String::new());
    match format {
        ListFormat::Csv => {
            let mut attributes = BTreeSet::new();
            ledger.each_subscriber(&mut |person| attributes.extend(person.attributes.into_keys()))?;
            page.push(&audience::csv_header(&attributes));
            ledger.each_subscriber(&mut |person| page.push(&audience::csv_row(&person, &attributes)))?;
        }
        ListFormat::Toml => ledger.each_subscriber(&mut |person| page.push(&audience::toml_entry(&person)))?,
    }
    page.print();
    Ok(Exit::Done)
}

/// Text on its way to standard output, printed in large pieces: a million single lines would
/// be a million system calls.
struct Page(String);

impl Page {
    fn push(&mut self, text: &str) {
        self.0.push_str(text);
        if self.0.len() > 1 << 16 {
            self.print();
        }
    }

    fn print(&mut self) {
        printer::bytes(self.0.as_bytes());
        self.0.clear();
    }
}

/// Off the list for good: unsubscribed first, so that no list file brings the person back.
fn remove(context: &Context, ledger: &Ledger, address: &str) -> Result<Exit, Failure> {
    let address = Address::parse(address).map_err(|error| Failure::usage(format!("`{address}`: {error}")))?;
    let now = context.now();
    if let Some(known) = ledger.subscriber_by_address(&address)? {
        ledger.unsubscribe(known.id, now)?;
    }
    match ledger.remove(&address, now)? {
        Removal::Removed => {
            printer::say(&format!("{address} is off the list, and no import brings it back"));
            Ok(Exit::Done)
        }
        Removal::Unknown => Err(Failure::Usage {
            message: format!("{address} is not on the list"),
            help: Some("`fieldpost subscribers list` shows who is".to_owned()),
        }),
    }
}

impl From<EnrolmentError> for Failure {
    fn from(error: EnrolmentError) -> Self {
        Self::Usage { message: error.message, help: Some(error.help) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::subscriber::SubscriberState;
    use crate::domain::time::from_millis;

    const NOW: i64 = 1_800_000_000_000;

    #[test]
    fn a_list_is_imported_again_and_again_without_reviving_anybody() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("state.db"), from_millis(NOW)).unwrap();
        let file = folder.path().join("list.csv");
        std::fs::write(&file, "email,name\nada@example.org,Ada\nbob@example.org,Bob\nnobody\n").unwrap();
        let import = || take_in(&mut List::open(&file, "import").unwrap(), &ledger, from_millis(NOW)).unwrap();
        assert_eq!(import(), ImportCount { added: 2, ..ImportCount::default() });
        assert_eq!(import(), ImportCount { unchanged: 2, ..ImportCount::default() });
        let ada = ledger.subscriber_by_address(&Address::parse("ada@example.org").unwrap()).unwrap().unwrap();
        ledger.unsubscribe(ada.id, from_millis(NOW)).unwrap();
        assert_eq!(import(), ImportCount { unchanged: 1, kept_out: 1, ..ImportCount::default() });
        let ada = ledger.subscriber(ada.id).unwrap().unwrap();
        assert_eq!(ada.state, SubscriberState::Unsubscribed);
        assert_eq!(line(&ada), "unsubscribed ada@example.org (Ada)");
    }
}
