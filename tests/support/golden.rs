//! Fixture publications, and what the built binary must make of them, byte for byte.
//!
//! A folder of `tests/sites/` is a publication, and beside its files lies `expected/`, a tree
//! of real files that a browser, a mail program or a validator can open:
//!
//! - `public/…`: the site, every file of it
//! - `mail/RECIPIENT/SLUG.eml`: the mails
//! - `NAME.stdout.txt`, `NAME.stderr.txt`: what a command printed, where it printed anything
//!
//! A file nobody expected fails the test as a missing one does. With `FIELDPOST_BLESS=1` the
//! trees are written anew instead; read the difference before you commit it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::site::{Ran, Site};

/// The moment all fixture publications live in.
pub const NOW: &str = "2026-06-01T09:00:00Z";

/// Files by their path, with `/` between its parts.
pub type Tree = BTreeMap<String, Vec<u8>>;

/// A fixture publication in a temporary folder, and what commands made of it.
pub struct Golden {
    site: Site,
    fixture: PathBuf,
    printed: Tree,
}

impl Golden {
    /// A copy of `tests/sites/NAME`.
    pub fn of(name: &str) -> Self {
        let golden = Self { site: Site::empty(), fixture: fixture(name), printed: Tree::new() };
        golden.copy(&golden.fixture);
        golden
    }

    /// A copy of the files directly in `tests/sites/NAME`, and of its folder `variant` over them.
    pub fn variant(name: &str, variant: &str) -> Self {
        let golden = Self { site: Site::empty(), fixture: fixture(name), printed: Tree::new() };
        for (path, bytes) in tree(&golden.fixture).iter().filter(|(path, _)| !path.contains('/')) {
            golden.site.write(path, bytes);
        }
        golden.copy(&golden.fixture.join(variant));
        golden
    }

    fn copy(&self, from: &Path) {
        let files = tree(from);
        assert!(!files.is_empty(), "{} has no files", from.display());
        for (path, bytes) in files.iter().filter(|(path, _)| !path.starts_with("expected/")) {
            self.site.write(path, bytes);
        }
    }

    /// Runs a command that ends with `code`, and keeps what it prints under `name`.
    pub fn run(mut self, name: &str, arguments: &[&str], code: i32) -> Self {
        let output = self.site.command(arguments).env("FIELDPOST_NOW", NOW).output().expect("the binary runs");
        let ran = Ran::of(output).expect_code(code);
        for (stream, text) in [("stdout", ran.stdout()), ("stderr", ran.stderr())] {
            if !text.is_empty() {
                self.printed.insert(format!("{name}.{stream}.txt"), text.into_bytes());
            }
        }
        self
    }

    /// The built site.
    pub fn public(&self) -> PathBuf {
        self.site.file("public")
    }

    /// The mails as they were delivered, secrets and all.
    pub fn outbox(&self) -> PathBuf {
        self.site.file(".fieldpost/outbox/new")
    }

    /// All that came of it: what was printed, the site, the mails; without what is random.
    pub fn found(&self) -> Tree {
        let mails: Vec<String> = tree(&self.outbox()).into_values().map(ascii).collect();
        let mut words = vec![(self.site.path().display().to_string(), "/publication")];
        words.extend(mails.iter().flat_map(|mail| secrets(mail)));
        let public = tree(&self.public()).into_iter().map(|(path, bytes)| (format!("public/{path}"), bytes));
        let printed = self.printed.clone().into_iter();
        let printed = printed.map(|(name, bytes)| (name, stable(utf8(bytes), &words).into_bytes()));
        let mails = mails.iter().map(|mail| (mail_path(mail), stable(mail.clone(), &words).into_bytes()));
        public.chain(printed).chain(mails).collect()
    }

    /// Fails, showing the first difference of each file, unless all is as `expected/` has it.
    /// With `FIELDPOST_BLESS` set, writes `expected/` anew first.
    #[track_caller]
    pub fn assert_as_expected(&self) {
        let (expected, found) = (self.fixture.join("expected"), self.found());
        if std::env::var_os("FIELDPOST_BLESS").is_some() {
            bless(&expected, &found);
        }
        let differences = differences(&tree(&expected), &found);
        assert!(
            differences.is_empty(),
            "not as {} has it:\n\n{differences}\nIf this is what you meant: FIELDPOST_BLESS=1 cargo test --test suite golden\n",
            expected.display()
        );
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sites").join(name)
}

/// Every file under a folder; none when there is no such folder.
pub fn tree(folder: &Path) -> Tree {
    let mut files = Tree::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return files };
    for entry in entries {
        let entry = entry.expect("a folder can be listed");
        let name = entry.file_name().into_string().expect("fixtures have UTF-8 names");
        if entry.path().is_dir() {
            files.extend(tree(&entry.path()).into_iter().map(|(path, bytes)| (format!("{name}/{path}"), bytes)));
        } else {
            files.insert(name, std::fs::read(entry.path()).expect("the file can be read"));
        }
    }
    files
}

fn bless(folder: &Path, files: &Tree) {
    if folder.exists() {
        std::fs::remove_dir_all(folder).expect("the old tree can be removed");
    }
    for (path, bytes) in files {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().expect("a file has a folder")).expect("folders can be made");
        std::fs::write(file, bytes).expect("the file can be written");
    }
}

/// What is random in a mail, with the word that stands for it: its Message-ID and its tokens,
/// made from the ledger's secret key. Nothing else is.
fn secrets(mail: &str) -> Vec<(String, &'static str)> {
    let id = header(mail, "Message-ID");
    let id = id.trim_start_matches('<').split('@').next().expect("split gives one part at least");
    let link = header(mail, "List-Unsubscribe");
    let token = link.trim_end_matches('>').rsplit('/').next().expect("rsplit gives one part at least");
    let mut secrets = vec![(id.to_owned(), "MESSAGE-ID"), (token.to_owned(), "UNSUBSCRIBE-TOKEN")];
    secrets.extend(preferences_token(mail).map(|token| (token, "PREFERENCES-TOKEN")));
    secrets
}

/// The token of the link to the preferences, which may stand on two lines.
fn preferences_token(mail: &str) -> Option<String> {
    let whole = mail.replace("=\r\n", "").replace("=\n", "");
    let (_, after) = whole.split_once("/preferences/")?;
    let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))?;
    Some(after[..end].to_owned())
}

/// The text with a stable word in the place of each of these, also where quoted-printable has
/// broken it over two lines.
fn stable(text: String, words: &[(String, &'static str)]) -> String {
    words.iter().fold(text, |text, (random, word)| {
        assert!(random.len() > 8, "`{random}` is too short to be replaced wherever it stands");
        let whole = text.replace(random, word);
        (1..random.len()).fold(whole, |text, at| {
            let (before, after) = random.split_at(at);
            text.replace(&format!("{before}=\r\n{after}"), word).replace(&format!("{before}=\n{after}"), word)
        })
    })
}

/// Where a mail lies in the tree: by recipient, then by the post's slug.
fn mail_path(mail: &str) -> String {
    let to = header(mail, "To");
    let address = to.rsplit('<').next().expect("rsplit gives one part at least").trim_end_matches('>');
    let link = header(mail, "Archived-At");
    let slug = link.trim_end_matches("/>").rsplit('/').next().expect("rsplit gives one part at least");
    format!("mail/{address}/{slug}.eml")
}

/// The value of a header, unfolded.
fn header(mail: &str, name: &str) -> String {
    let mut lines = mail.lines().take_while(|line| !line.is_empty());
    let start = format!("{name}: ");
    let first = lines.by_ref().find_map(|line| line.strip_prefix(&start));
    let first = first.unwrap_or_else(|| panic!("no {name} in:\n{mail}")).to_owned();
    lines.take_while(|line| line.starts_with([' ', '\t'])).fold(first, |value, line| value + line)
}

fn ascii(bytes: Vec<u8>) -> String {
    assert!(bytes.is_ascii(), "a mail of ours is ASCII");
    utf8(bytes)
}

fn utf8(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("what we print is UTF-8")
}

/// One paragraph for each file that is missing, that nobody expected, or that differs.
pub fn differences(expected: &Tree, found: &Tree) -> String {
    let mut said = String::new();
    for path in expected.keys().filter(|path| !found.contains_key(*path)) {
        writeln!(said, "{path}: missing").expect("a String can be written");
    }
    for (path, bytes) in found {
        match expected.get(path) {
            None => writeln!(said, "{path}: nobody expected this file"),
            Some(wanted) if wanted == bytes => Ok(()),
            Some(wanted) => writeln!(said, "{path}{}", first_difference(wanted, bytes)),
        }
        .expect("a String can be written");
    }
    said
}

/// The first line that differs, as it should be and as it is.
fn first_difference(expected: &[u8], found: &[u8]) -> String {
    let (Ok(expected), Ok(found)) = (std::str::from_utf8(expected), std::str::from_utf8(found)) else {
        return format!(": {} other bytes than the {} expected", found.len(), expected.len());
    };
    let (mut wanted, mut got) = (expected.split_inclusive('\n'), found.split_inclusive('\n'));
    let mut number = 1;
    loop {
        let (want, have) = (wanted.next(), got.next());
        if want != have {
            let column = shared(want.unwrap_or_default(), have.unwrap_or_default());
            return format!(":{number}\n  expected {}\n  found    {}", window(want, column), window(have, column));
        }
        number += 1;
    }
}

/// How many characters two lines have in common at their beginning.
fn shared(one: &str, other: &str) -> usize {
    one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count()
}

/// The part of a line around a column, with line ends and the like made visible.
fn window(line: Option<&str>, column: usize) -> String {
    let Some(line) = line else { return "the end of the file".to_owned() };
    let from = column.saturating_sub(60);
    let shown: String = line.chars().skip(from).take(140).collect();
    let dots = |cut| if cut { "…" } else { "" };
    let end = shown.trim_end_matches(['\r', '\n']).len();
    let line_end = shown[end..].escape_default();
    format!("{}{}{line_end}{}", dots(from > 0), &shown[..end], dots(line.chars().count() > from + 140))
}
