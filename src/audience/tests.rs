//! Lists as people really write them, and as nobody should.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::address::Address;
use crate::domain::ids::SubscriberId;
use crate::domain::subscriber::{Cadence, Enrolment, Subscriber, SubscriberState};
use crate::domain::time::from_millis;

fn listing(name: &str, content: impl AsRef<[u8]>) -> Listing {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    let mut listing = read(&path, "file").unwrap();
    for diagnostic in &mut listing.diagnostics {
        diagnostic.place.file = PathBuf::from(name);
    }
    listing
}

fn addresses(listing: &Listing) -> Vec<&str> {
    listing.enrolments.iter().map(|person| person.address.as_str()).collect()
}

fn places(listing: &Listing) -> Vec<(usize, usize, usize, &str)> {
    let place = |found: &'static str, d: &Diagnostic| (d.place.line, d.place.column, d.place.width, found);
    listing
        .diagnostics
        .iter()
        .map(|d| place(if d.severity == Severity::Error { "error" } else { "warning" }, d))
        .collect()
}

#[test]
fn a_csv_list_is_read_as_spreadsheets_write_it() {
    let list = listing(
        "list.csv",
        "\u{FEFF}Email;Name;Topics;City\r\nada@example.org;\"Lovelace; Ada\";\"rust;math\";'=London\r\n\r\nbob@example.org\r\n",
    );
    assert_eq!(list.diagnostics, []);
    assert_eq!(list.enrolments[0].name.as_deref(), Some("Lovelace; Ada"));
    assert_eq!(list.enrolments[0].topics, ["rust", "math"]);
    assert_eq!(list.enrolments[0].attributes, BTreeMap::from([("City".to_owned(), "=London".to_owned())]));
    assert_eq!(list.enrolments[1].address.as_str(), "bob@example.org");
}

#[test]
fn bad_rows_are_named_by_line_and_the_others_kept() {
    let text = "email,name,cadence\n\
        ada@example.org,Ada,\n\
        bob@@example.org,Bob,weekly\n\
        \n\
        \n\
        eve@example.org,\"E\nve\",\n\
        fay@example.org,Fay,weakly\n\
        gus@example.org,Gus,daily,extra\n\
        Ada@Example.org,Ada again,\n\
        hal@example.org,Hal,monthly\n";
    for text in [text.to_owned(), text.replace('\n', "\r\n")] {
        let list = listing("list.csv", &text);
        assert_eq!(addresses(&list), ["ada@example.org", "hal@example.org"]);
        assert_eq!(
            places(&list),
            [
                (3, 1, 16, "error"),
                (6, 18, 1, "error"),
                (8, 21, 6, "error"),
                (9, 27, 5, "error"),
                (10, 1, 15, "warning")
            ],
            "{:#?}",
            list.diagnostics
        );
        assert_eq!(list.diagnostics[0].place.text, "bob@@example.org,Bob,weekly");
        assert!(list.diagnostics[4].message.contains("at line 2"));
    }
}

#[test]
fn bytes_that_are_no_text_cost_their_row_only() {
    let list = listing("list.csv", b"email,name\nada@example.org,Zo\xE9\nbob@example.org,Bob\n");
    assert_eq!(addresses(&list), ["bob@example.org"]);
    assert_eq!((list.diagnostics[0].place.line, list.diagnostics[0].place.column), (2, 17));
    let utf16: Vec<u8> = "\u{FEFF}email\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(listing("list.csv", utf16).diagnostics[0].message.contains("UTF-16"));
}

#[test]
fn a_quote_that_is_never_closed_is_found_where_it_opens() {
    let mut text = "email,name\nada@example.org,Ada\nbob@example.org,\"Bob\n".to_owned();
    for n in 0..60_000 {
        writeln!(text, "reader{n}@example.org,Reader").unwrap();
    }
    let list = listing("list.csv", text);
    assert_eq!(addresses(&list), ["ada@example.org"]);
    assert_eq!(list.diagnostics[0].place.line, 3);
    assert!(list.diagnostics[0].help.as_ref().unwrap().contains("never closed"));
}

#[test]
fn people_who_left_do_not_come_back_by_a_list() {
    let list =
        listing("list.csv", "email,state\na@example.org,unsubscribed\nb@example.org,active\nc@example.org,pending\n");
    assert_eq!(addresses(&list), ["b@example.org"]);
    assert!(list.diagnostics[0].message.starts_with("2 rows"));
}

#[test]
fn a_list_without_sense_is_empty_and_says_why() {
    for (text, reason) in [
        ("", "the list is empty"),
        ("ada@example.org,Ada\n", "the list has no header"),
        ("name\nAda\n", "no column is called `email`"),
    ] {
        let list = listing("list.csv", text);
        assert!(list.enrolments.is_empty());
        assert_eq!(list.diagnostics[0].message, reason);
    }
}

#[test]
fn a_million_bad_rows_are_counted_and_not_all_told() {
    let list = listing("list.csv", format!("email\n{}", "nobody\n".repeat(5000)));
    assert_eq!(list.diagnostics.len(), 1001);
    assert_eq!(list.diagnostics[1000].message, "4000 more rows cannot be used");
}

#[test]
fn poison_among_ten_thousand_is_left_out_row_by_row() {
    let mut text = "email,name\n".to_owned();
    for n in 0..9000 {
        writeln!(text, "reader{n}@example.org,Reader {n}").unwrap();
    }
    let names = ["A\rB", "A\nB", "A\0B", "A\u{2028}B", &"x".repeat(65_536)];
    for n in 0..1000 {
        writeln!(text, "poison{n}@example.org,\"{}\"", names[n % names.len()]).unwrap();
    }
    let list = listing("list.csv", text);
    assert_eq!(list.enrolments.len(), 9000);
    assert_eq!(list.diagnostics.len(), 1000);
    assert!(list.diagnostics.iter().all(|d| d.place.line > 9001 && d.to_string().len() < 1000));
}

#[test]
fn a_toml_list_is_read_with_every_mistake_at_its_place() {
    let text = r#"
[[subscriber]]
email = "ada@example.org"
name = "Ada"
topics = ["rust", "math"]
cadence = "weekly"
attributes = { city = "London" }

[[subscriber]]
emial = "bob@example.org"

[[subscriber]]
email = "eve.example.org"
cadence = "hourly"

[[subscriber]]
email = "ADA@example.org"

[[subscriber]]
email = "fay@example.org"
name = "F\nay"
"#;
    let list = listing("subscribers.toml", text);
    assert_eq!(addresses(&list), ["ada@example.org"]);
    assert_eq!(list.enrolments[0].cadence, Cadence::Weekly);
    assert_eq!(list.enrolments[0].attributes["city"], "London");
    assert_eq!(
        places(&list),
        [
            (9, 1, 14, "error"),
            (10, 1, 5, "error"),
            (13, 9, 17, "error"),
            (14, 11, 8, "error"),
            (17, 9, 17, "warning"),
            (21, 8, 7, "error"),
        ],
        "{:#?}",
        list.diagnostics
    );
    assert_eq!(list.diagnostics[1].help.as_deref(), Some("did you mean `email`?"));
}

#[test]
fn a_list_that_is_not_there_is_an_error() {
    assert!(read(Path::new("/nowhere/list.csv"), "file").is_err());
    assert!(read(Path::new("/"), "file").is_err());
}

fn person(text: (String, Option<String>, Vec<String>, BTreeMap<String, String>, u8)) -> Subscriber {
    let (local, name, topics, attributes, n) = text;
    Subscriber {
        id: SubscriberId(i64::from(n)),
        address: Address::parse(&format!("{local}{n}@example.org")).unwrap(),
        name,
        topics,
        cadence: [Cadence::Every, Cadence::Daily, Cadence::Weekly, Cadence::Monthly][usize::from(n % 4)],
        attributes,
        state: SubscriberState::Active,
        since: from_millis(1_700_000_000_000),
    }
}

fn people() -> impl Strategy<Value = Vec<Subscriber>> {
    let cell = "[='+@\",;a-zé-][='+@\",; a-zé-]{0,6}[='+@\",;a-zé-]";
    let topic = "[='+@\"a-zé-]{1,5}";
    let one = (
        "[a-z'+=-]{1,5}",
        proptest::option::of(cell),
        proptest::collection::vec(topic, 0..3),
        proptest::collection::btree_map("[x-z=][a-z]{1,3}q", cell, 0..3),
        any::<u8>(),
    );
    proptest::collection::vec(one.prop_map(person), 0..8).prop_map(|mut people| {
        let mut seen = std::collections::BTreeSet::new();
        people.retain(|person| seen.insert(person.address.key()));
        people
    })
}

fn exported(people: &[Subscriber]) -> String {
    let attributes = people.iter().flat_map(|person| person.attributes.keys().cloned()).collect();
    people.iter().fold(csv_header(&attributes), |out, person| out + &csv_row(person, &attributes))
}

fn enrolments(people: &[Subscriber]) -> Vec<Enrolment> {
    let enrolment = |person: &Subscriber| Enrolment {
        address: person.address.clone(),
        name: person.name.clone(),
        topics: person.topics.clone(),
        cadence: person.cadence,
        attributes: person.attributes.clone(),
        source: "file".to_owned(),
    };
    people.iter().map(enrolment).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_exported_list_is_read_back_as_it_was(people in people()) {
        let toml: String = people.iter().map(toml_entry).collect();
        for list in [listing("list.csv", exported(&people)), listing("list.toml", toml)] {
            prop_assert_eq!(&list.diagnostics, &[]);
            prop_assert_eq!(&list.enrolments, &enrolments(&people));
        }
    }

    #[test]
    fn no_cell_of_an_export_begins_a_formula(people in people()) {
        let out = exported(&people);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(out.as_bytes());
        for record in reader.records() {
            for cell in &record.unwrap() {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{:?}", cell);
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "(email|,|;|\"|\n|\r|a@b.c|=){0,30}") {
        listing("list.csv", &bytes);
        listing("list.toml", &bytes);
        listing("list.csv", format!("email,name\n{text}"));
        listing("list.toml", format!("[[subscriber]]\nemail = \"{text}\""));
    }
}

#[test]
fn the_example_in_the_repository_is_a_good_list() {
    let list = listing("list.toml", include_str!("../../subscribers.example.toml"));
    assert_eq!(list.diagnostics, []);
    assert!(list.enrolments.len() > 3);
}
