//! Lists of subscribers, in and out of files, through the binary.

use serde_json::{Value, json};

use crate::support::site::{Ran, Site};

/// When every import of these tests takes place: exports say since when somebody is there.
const NOW: &str = "2026-11-24T09:00:00Z";

/// Names and values that spreadsheets, CSV readers and TOML readers have stumbled over.
const NASTY: &str = "email,name,topics,cadence,city\r\n\
    ada@example.org,\"Lovelace, Ada \"\"the first\"\"\",\"rust;feeds\",weekly,London\r\n\
    bob@example.org,=HYPERLINK(\"http://evil.example\"),,every,\"two, parts\"\r\n\
    chen@example.org,陈 – “Chen”,statistics,,北京\r\n\
    dora@example.org,'already quoted,,monthly,\r\n\
    emil+notes@example.org,,,daily,-1+1\r\n";

fn site() -> Site {
    Site::with_config("")
}

fn run(site: &Site, arguments: &[&str]) -> Ran {
    Ran::of(site.command(arguments).env("FIELDPOST_NOW", NOW).output().expect("the binary runs"))
}

/// Imports a file of the site and returns what was counted and what was wrong.
#[track_caller]
fn import(site: &Site, file: &str, code: i32) -> Value {
    let path = site.file(file);
    run(site, &["subscribers", "import", path.to_str().expect("UTF-8"), "--json"]).expect_code(code).json()
}

fn people(site: &Site) -> Vec<Value> {
    let list = run(site, &["subscribers", "list", "--json"]).expect_code(0).json();
    list["subscribers"].as_array().expect("people").clone()
}

fn export(site: &Site, format: &str) -> String {
    run(site, &["subscribers", "export", "--format", format]).expect_code(0).stdout()
}

fn count(added: u64, updated: u64, unchanged: u64, kept_out: u64) -> Value {
    json!({"added": added, "updated": updated, "unchanged": unchanged, "kept_out": kept_out})
}

#[test]
fn lists_are_imported_again_and_again_without_duplicates() {
    let site = site();
    site.write_subscribers(40);
    assert_eq!(import(&site, "subscribers.toml", 0)["count"], count(40, 0, 0, 0));
    assert_eq!(import(&site, "subscribers.toml", 0)["count"], count(0, 0, 40, 0));

    let rows: Vec<String> = (0..50).map(|i| format!("reader-{i}@EXAMPLE.org,Reader {i}\n")).collect();
    site.write("list.csv", format!("email,name\n{}", rows.concat()));
    assert_eq!(import(&site, "list.csv", 0)["count"], count(10, 0, 40, 0), "one person, however the domain is spelt");
    assert_eq!(import(&site, "list.csv", 0)["count"], count(0, 0, 50, 0));
    assert_eq!(people(&site).len(), 50);

    site.write("list.csv", "email,name\nreader-7@example.org,Another Name\n");
    assert_eq!(import(&site, "list.csv", 0)["count"], count(0, 1, 0, 0));
    let people = people(&site);
    assert_eq!(people.len(), 50);
    assert!(people.iter().any(|person| person["name"] == "Another Name"));
}

#[test]
fn an_export_read_back_is_the_same_list() {
    for format in ["csv", "toml"] {
        let (from, to) = (site(), site());
        from.write("nasty.csv", NASTY);
        assert_eq!(import(&from, "nasty.csv", 0)["count"], count(5, 0, 0, 0));
        let exported = export(&from, format);
        let file = format!("exported.{format}");
        to.write(&file, &exported);
        let read_back = import(&to, &file, 0);
        assert_eq!(read_back["count"], count(5, 0, 0, 0));
        assert_eq!(read_back["diagnostics"], json!([]), "{format}");
        assert_eq!(people(&to), people(&from), "{format}:\n{exported}");
        assert_eq!(export(&to, format), exported, "{format}");
        from.write(&file, &exported);
        assert_eq!(import(&from, &file, 0)["count"], count(0, 0, 5, 0), "{format}: nothing was lost on the way");
    }
}

#[test]
fn no_cell_of_an_export_is_a_formula() {
    let site = site();
    site.write("nasty.csv", NASTY);
    import(&site, "nasty.csv", 0);
    let exported = export(&site, "csv");
    let mut cells = exported.split([',', '\n']).map(|cell| cell.trim_start_matches('"'));
    assert_eq!(cells.find(|cell| cell.starts_with(['=', '-', '+', '@'])), None, "{exported}");
    assert!(exported.contains("HYPERLINK"), "{exported}");
}

#[test]
fn who_left_stays_away_whatever_list_names_them() {
    let (site, other) = (site(), site());
    site.write_subscribers(3);
    import(&site, "subscribers.toml", 0);
    run(&site, &["subscribers", "remove", "reader-1@example.org"]).expect_code(0);
    site.write("list.csv", "email\nreader-0@example.org\nREADER-1@example.org\nreader-1@Example.ORG\n");
    for (file, unchanged) in [("subscribers.toml", 2), ("list.csv", 1), ("subscribers.toml", 2)] {
        let counted = &import(&site, file, 0)["count"];
        assert_eq!((&counted["added"], &counted["unchanged"]), (&json!(0), &json!(unchanged)), "{file}: {counted}");
        assert_ne!(counted["kept_out"], 0, "{file}: {counted}");
    }
    run(&site, &["subscribers", "add", "reader-1@example.org"]).expect_code(2);
    let active = |site: &Site| people(site).iter().filter(|person| person["state"] == "active").count();
    assert_eq!(active(&site), 2);

    other.write("exported.csv", export(&site, "csv"));
    import(&other, "exported.csv", 0);
    assert_eq!(active(&other), 2, "an export of people who left is no list of people who joined");
}

#[test]
fn rows_that_cannot_be_used_are_named_with_their_lines_and_the_others_are_taken() {
    let site = site();
    site.write(
        "hostile.csv",
        b"email,name\n\
          ada@example.org,Ada\n\
          nobody,No Address\n\
          \"multi\nline@example.org\",Two lines\n\
          bcc@example.org\r,Carriage return\n\
          a b@example.org,Blank\n\
          bob@example.org,Latin \xe9\n\
          <cy@example.org>,Brackets\n\
          ,Nobody at all\n\
          zoe@example.org,Zoe\n",
    );
    let told = import(&site, "hostile.csv", 2);
    let errors = located(&told);
    for line in [3, 4, 7, 8, 10] {
        assert!(errors.contains(&line), "line {line} is not named: {told:#}");
    }
    assert!(!errors.contains(&2) && !errors.contains(&11), "{told:#}");
    let names: Vec<String> = people(&site).iter().map(|person| person["address"].to_string()).collect();
    for address in ["\"ada@example.org\"", "\"zoe@example.org\""] {
        assert!(names.iter().any(|name| name == address), "{address} was not taken: {names:?}");
    }
    assert!(names.iter().all(|name| !name.contains(['\\', ' ', '<'])), "{names:?}");
}

#[test]
fn tables_that_cannot_be_used_are_named_with_their_lines_and_the_others_are_taken() {
    let site = site();
    site.write(
        "hostile.toml",
        "[[subscriber]]\nemail = \"ada@example.org\"\n\n\
         [[subscriber]]\nemail = \"nobody\"\n\n\
         [[subscriber]]\nemail = \"bob@example.org\"\ncadence = \"hourly\"\n\n\
         [[subscriber]]\nname = \"No address\"\n\n\
         [[subscriber]]\nemail = \"zoe@example.org\"\n",
    );
    let told = import(&site, "hostile.toml", 2);
    let errors = located(&told);
    for lines in [5..=5, 9..=9, 11..=12] {
        assert!(errors.iter().any(|line| lines.contains(line)), "lines {lines:?} are not named: {told:#}");
    }
    assert!(people(&site).len() >= 2, "{:?}", people(&site));

    site.write("broken.toml", "[[subscriber]]\nemail = \"eve@example.org\"\n[[subscriber]\n");
    assert_eq!(located(&import(&site, "broken.toml", 2)), [3]);
    site.write("headless.csv", "name,city\nAda,London\n");
    let told =
        run(&site, &["subscribers", "import", site.file("headless.csv").to_str().expect("UTF-8")]).expect_code(2);
    assert!(told.stderr().contains("email") && told.stderr().contains("headless.csv:1"), "{}", told.stderr());
    run(&site, &["subscribers", "import", "no-such-list.csv"]).expect_code(2);
}

/// The lines at which errors were found.
fn located(told: &Value) -> Vec<u64> {
    let diagnostics = told["diagnostics"].as_array().expect("diagnostics");
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic["severity"] == "error");
    errors.map(|error| error["line"].as_u64().expect("a line")).collect()
}
