//! The sample publication, as a newcomer meets it: one command, and everything is there.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::mail::Mail;
use crate::support::site::{Ran, Site};
use crate::support::tools::judge;

/// What a fresh clone has of the sample publication.
const SAMPLE: [&str; 3] = ["fieldpost.toml", "subscribers.example.toml", "content"];
/// Words of the draft and of the post for 2099, which nobody may see.
const UNSEEN: [&str; 4] = ["Reading a bounce", "reading-a-bounce", "next century", "next-century"];

/// The sample in a folder and a home of its own.
fn sample() -> Site {
    let site = Site::empty();
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in SAMPLE.iter().flat_map(|name| files(&repository.join(name))) {
        let name = path.strip_prefix(repository).expect("it is in the repository");
        site.write(name.to_str().expect("UTF-8"), std::fs::read(&path).expect("a readable file"));
    }
    site
}

/// A file, or every file below a folder.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut found: Vec<PathBuf> = entries.flat_map(|entry| files(&entry.expect("an entry").path())).collect();
    found.sort();
    found
}

fn outbox(site: &Site) -> Vec<PathBuf> {
    files(&site.file(".fieldpost/outbox/new"))
}

fn publish(site: &Site) -> Ran {
    site.run(&["publish", "--yes"]).expect_code(0)
}

/// Each file with its inode and time of change: a file that is written anew has others.
fn stamps(folder: &Path) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let stamp = |path: PathBuf| {
        let found = std::fs::metadata(&path).expect("a file that was just found");
        (path, (found.ino(), found.mtime(), found.mtime_nsec()))
    };
    files(folder).into_iter().map(stamp).collect()
}

/// Who must get what, read off the list and the public feed: the posts since `[mail] since`,
/// for everybody who wants every post and follows one of its topics or all.
fn expected_mail(site: &Site) -> BTreeSet<(String, String)> {
    let toml = |name: &str| site.read(name).parse::<toml::Table>().expect("TOML");
    let since = toml("fieldpost.toml")["mail"]["since"].as_str().expect("a date").to_owned();
    let feed: Value = serde_json::from_str(&site.read("public/feed.json")).expect("JSON");
    let list = toml("subscribers.example.toml");
    let people = list["subscriber"].as_array().expect("people");
    let mut expected = BTreeSet::new();
    for post in feed["items"].as_array().expect("posts") {
        if post["date_published"].as_str().expect("a date") < since.as_str() {
            continue;
        }
        for person in people.iter().filter(|person| wants(person, post)) {
            let text = |value: &str| value.to_owned();
            expected.insert((
                text(post["title"].as_str().expect("a title")),
                text(person["email"].as_str().expect("an address")),
            ));
        }
    }
    expected
}

fn wants(person: &toml::Value, post: &Value) -> bool {
    let is_every = person.get("cadence").is_none_or(|cadence| cadence.as_str() == Some("every"));
    let no_tags = Vec::new();
    let tags = post["tags"].as_array().unwrap_or(&no_tags);
    let topics = person.get("topics").and_then(toml::Value::as_array);
    let follows = |topic: &toml::Value| tags.iter().any(|tag| tag.as_str() == topic.as_str());
    is_every && topics.is_none_or(|topics| topics.iter().any(follows))
}

/// The subject and the address of a mail.
fn subject_and_address(path: &Path) -> (String, String) {
    let mail = Mail::parse(&std::fs::read(path).expect("a readable mail"));
    let to = mail.header("To").expect("a recipient");
    let address = to.rsplit_once('<').map_or(to.as_str(), |(_, rest)| rest.trim_end_matches('>'));
    (mail.subject(), address.to_owned())
}

#[test]
fn one_command_makes_the_site_and_the_mail_and_says_where_to_look() {
    let site = sample();
    let ran = publish(&site);
    for place in ["public/index.html", ".fieldpost/outbox", "fieldpost report"] {
        assert!(ran.stderr().contains(place), "{place} is not named in:\n{}", ran.stderr());
    }
    let expected = expected_mail(&site);
    assert!(expected.len() > 15, "the sample has something to mail: {expected:?}");
    let mails = outbox(&site);
    assert_eq!(mails.iter().map(|path| subject_and_address(path)).collect::<BTreeSet<_>>(), expected);
    assert_eq!(mails.len(), expected.len(), "nobody gets a post twice");
    for path in files(&site.file("public")).iter().chain(&mails) {
        let text = String::from_utf8_lossy(&std::fs::read(path).expect("a readable file")).into_owned();
        let leak = UNSEEN.iter().find(|words| text.contains(*words) || path.to_string_lossy().contains(*words));
        assert_eq!(leak, None, "{}", path.display());
    }
}

#[test]
fn a_second_publish_of_the_sample_writes_nothing_and_sends_nothing() {
    let site = sample();
    publish(&site);
    let (public, mails) = (stamps(&site.file("public")), outbox(&site));
    let report = site.report();
    publish(&site);
    assert_eq!(stamps(&site.file("public")), public);
    assert_eq!(outbox(&site), mails);
    assert_eq!(site.report(), report);
}

#[test]
fn check_finds_nothing_to_complain_about_in_the_sample() {
    let found = sample().run(&["check", "--json"]).expect_code(0).json();
    assert_eq!(found["diagnostics"], serde_json::json!([]));
}

#[test]
fn other_peoples_programs_read_the_samples_feeds_pages_and_mail() {
    let site = sample();
    publish(&site);
    judge("scripts/validate-feeds", &[site.file("public")]);
    let outbox_folder = site.file(".fieldpost/outbox");
    if let Some(told) = judge("tests/support/check_mail.py", &[outbox_folder.join("new")]) {
        assert!(told.contains(&format!("{0} messages, {0} Message-IDs", outbox(&site).len())), "{told}");
    }
    judge("scripts/open-in-mutt", &[outbox_folder]);
}

#[test]
fn spamassassin_has_nothing_against_any_issue_of_the_sample() {
    let site = sample();
    publish(&site);
    let one_of_each: BTreeMap<String, PathBuf> =
        outbox(&site).into_iter().map(|path| (subject_and_address(&path).0, path)).collect();
    if let Some(told) = judge("scripts/score-mail", &one_of_each.into_values().collect::<Vec<_>>()) {
        println!("{told}");
    }
}
