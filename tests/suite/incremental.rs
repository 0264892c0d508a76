//! A build that remembers earlier ones writes what a build that remembers nothing writes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use crate::support::golden::tree;
use crate::support::site::Site;
use crate::support::strace::Strace;

/// How many changes are made in a row.
const STEPS: usize = 40;

/// How many posts there are at first.
const POSTS: usize = 9;

/// The clock's first moment: the twentieth day of a month in which every day can have posts.
const FIRST_DAY: usize = 20;

/// A publication whose author changes this and that.
struct Author {
    site: Site,
    dice: Dice,
    /// Counts the files written: each gets another time, long ago.
    written: u64,
    day: usize,
    title: usize,
    has_git: bool,
}

/// The same numbers every time for one seed (xorshift64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("it is below the end")
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

impl Author {
    fn new(seed: u64) -> Self {
        let site = Site::empty();
        let mut author = Self { site, dice: Dice(seed), written: 0, day: FIRST_DAY, title: 0, has_git: false };
        author.configure();
        for number in 0..POSTS {
            author.write_post(&format!("content/post-{number}.md"));
        }
        author.write_picture("content/img/one.svg");
        author
    }

    /// Writes a file as it was left long ago, or as it was left just now.
    fn write(&mut self, name: &str, text: &str) {
        self.site.write(name, text);
        self.written += 1;
        if self.dice.below(4) > 0 {
            let time = UNIX_EPOCH + Duration::from_secs(1_700_000_000 + self.written * 60);
            File::options().write(true).open(self.site.file(name)).unwrap().set_modified(time).unwrap();
        }
    }

    fn configure(&mut self) {
        let zone = self.dice.pick(&["UTC", "Europe/Berlin", "America/St_Johns"]);
        let base = self.dice.pick(&["https://notes.example.org/", "https://example.org/notes/"]);
        let (title, limit) = (self.title, 2 + self.dice.below(5));
        let macros = self.dice.pick(&["\\mathbb{R}", "\\mathbf{R}"]);
        let config = format!(
            "[publication]\ntitle = \"Notes {title}\"\nbase_url = \"{base}\"\ntime_zone = \"{zone}\"\nauthor = \"Ada\"\n\
             [source]\npath = \"content\"\nignore = [\"ignored-*\"]\n[output]\ncards = 0\n[feed]\nlimit = {limit}\n\
             [math.macros]\n\"\\\\R\" = '{macros}'\n"
        );
        self.write("fieldpost.toml", &config);
    }

    /// A post of any kind, with links to others.
    fn write_post(&mut self, name: &str) {
        let other = self.dice.below(POSTS + 2);
        let head = self.head();
        let link = match self.dice.below(8) {
            0 => format!("[next](post-{other}.md)"),
            1 => format!("[next](post-{other}.md#part)"),
            2 => format!("[[post-{other}]]"),
            3 => format!("[a folder](folder-{})", self.dice.below(2)),
            4 => format!("[absolute](/post-{other}/)"),
            5 => format!("{{{{< ref \"post-{other}\" >}}}}"),
            6 => format!("[file](files/{}.txt)", self.dice.below(3)),
            _ => format!("[home](index.md), [slug](moved-{other}), $x \\in \\R$"),
        };
        let shown = match self.dice.below(4) {
            0 => "![a picture](img/one.svg)",
            1 => "![a picture](/img/two.svg)",
            2 => "<img src=\"img/two.svg\" alt=\"\">",
            _ => "![[one.svg]]",
        };
        let number = self.dice.below(1000);
        self.write(name, &format!("{head}Text {number} with {link}.\n\n## Part\n\n{shown}\n\n$$\\R^{number}$$\n"));
    }

    fn head(&mut self) -> String {
        let (day, number) = (1 + self.dice.below(28), self.dice.below(100));
        match self.dice.below(9) {
            0 => "# A heading\n\n".to_owned(),
            1 => format!("---\ntitle: Dated {number}\ndate: 2026-03-{day:02}\n---\n"),
            2 => format!("---\ntitle: Draft {number}\ndate: 2026-03-{day:02}\ndraft: true\n---\n"),
            3 => format!("---\ntitle: Moved {number}\ndate: 2026-03-{day:02}\nslug: moved-{}\n---\n", number % 12),
            4 => format!("---\ntitle: Tagged\ndate: 2026-03-{day:02}\ntags: [a, T{}]\nsummary: S\n---\n", number % 3),
            5 => format!("---\ntitle: Old\ndate: 2026-03-{day:02}\naliases: [/old-{}/]\n---\n", number % 4),
            6 => {
                format!("---\ntitle: By\ndate: 2026-03-{day:02}\nauthor: Bo {}\nimage: img/two.svg\n---\n", number % 2)
            }
            7 => "---\ntitle: [broken\n---\n".to_owned(),
            _ => format!("---\ntitle: Quiet\ndate: 2026-03-{day:02}\nfeed: false\nid: quiet-{}\n---\n", number % 3),
        }
    }

    fn write_picture(&mut self, name: &str) {
        let (width, colour) = (20 + self.dice.below(3), 100 + self.dice.below(800));
        let drawing = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='20'><path fill='#{colour}' d='M0 0h9v9z'/></svg>"
        );
        self.write(name, &drawing);
    }

    fn any_post(&mut self) -> String {
        format!("content/post-{}.md", self.dice.below(POSTS + 2))
    }

    fn any_picture(&mut self) -> &'static str {
        self.dice.pick(&["content/img/one.svg", "content/img/two.svg", "content/one.svg"])
    }

    /// Changes one thing, and says what.
    fn change(&mut self) -> String {
        let (post, other, picture) = (self.any_post(), self.any_post(), self.any_picture());
        let (path, other) = (self.site.file(&post), self.site.file(&other));
        let kind = self.dice.below(16);
        // What is not there is neither removed nor renamed.
        match kind {
            0..=3 => self.write_post(&post),
            4 => self.change_in_secret(&post),
            5 => drop(fs::remove_file(path)),
            6 => drop(fs::rename(path, other)),
            7 => self.configure(),
            8 => {
                self.title += 1;
                self.configure();
            }
            9 => self.day += 1,
            10 => self.write_picture(picture),
            11 => drop(fs::remove_file(self.site.file(picture))),
            12 => self.change_template(),
            13 => self.change_surroundings(),
            14 => self.damage_the_memory(),
            _ => self.commit(),
        }
        format!("change {kind} of {post} or {picture}")
    }

    /// A change that keeps the length of a file and puts back its time.
    fn change_in_secret(&self, post: &str) {
        let path = self.site.file(post);
        let Ok(text) = fs::read_to_string(&path) else { return };
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        let changed = if text.contains("Text") { text.replace("Text", "Mass") } else { text.replace("Mass", "Text") };
        fs::write(&path, changed).unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    }

    fn change_template(&mut self) {
        let name = "templates/topic.html";
        if self.site.file(name).exists() {
            fs::remove_file(self.site.file(name)).unwrap();
        } else {
            let number = self.dice.below(100);
            self.write(name, &format!("<!doctype html><title>{number}</title>{{{{ topic.title }}}}\n"));
        }
    }

    /// What links may lead to beside posts and pictures.
    fn change_surroundings(&mut self) {
        let name = self.dice.pick(&[
            "content/folder-0/README.md",
            "content/folder-1/index.md",
            "content/files/1.txt",
            "static/img/two.svg",
            "content/index.md",
            "content/ignored-post.md",
            "content/drafts/post-3.md",
        ]);
        if self.site.file(name).exists() {
            fs::remove_file(self.site.file(name)).unwrap();
        } else if name.ends_with("svg") {
            self.write_picture(name);
        } else {
            self.write(name, "# Something\n\nElse.\n");
        }
    }

    fn damage_the_memory(&mut self) {
        let files: Vec<_> = tree(&self.site.file(".fieldpost/cache")).into_keys().collect();
        let Some(name) = files.get(self.dice.below(files.len().max(1))) else { return };
        let path = self.site.file(&format!(".fieldpost/cache/{name}"));
        let mut bytes = fs::read(&path).unwrap();
        match self.dice.below(3) {
            0 => return fs::remove_file(&path).unwrap(),
            1 => bytes.truncate(bytes.len() / 2),
            _ => {
                let middle = bytes.len() / 2;
                bytes.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 1);
            }
        }
        fs::write(&path, bytes).unwrap();
    }

    fn commit(&mut self) {
        let date = format!("2026-03-{:02}T12:00:00+01:00", 1 + self.dice.below(28));
        if !self.has_git {
            self.git(&["init", "-q"], &date);
            self.has_git = true;
        }
        self.git(&["add", "content"], &date);
        self.git(&["commit", "-q", "--allow-empty", "-m", "x"], &date);
    }

    fn git(&self, arguments: &[&str], date: &str) {
        let who = ["-c", "user.name=Ada Committer", "-c", "user.email=ada@example.org"];
        let mut git = Command::new("git");
        git.args(who).args(arguments).current_dir(self.site.path());
        git.env("HOME", self.site.path()).env("GIT_AUTHOR_DATE", date).env("GIT_COMMITTER_DATE", date);
        assert!(git.status().unwrap().success());
    }

    fn now(&self) -> String {
        format!("2026-03-{:02}T09:00:00Z", self.day.min(28))
    }

    /// The same publication in another folder, without a memory of builds.
    fn without_memory(&self) -> Site {
        let copy = Site::empty();
        let copied = Command::new("cp").arg("-a").arg(self.site.path().join(".")).arg(copy.path()).status();
        assert!(copied.unwrap().success());
        for folder in [".fieldpost/cache", "public"] {
            let gone = fs::remove_dir_all(copy.file(folder));
            assert!(gone.is_ok() || !copy.file(folder).exists());
        }
        let _ = fs::remove_file(copy.file(".fieldpost/site-manifest.json"));
        copy
    }
}

/// What a command says of a publication.
fn said(site: &Site, now: &str, command: &str) -> Value {
    site.run_with(&[("FIELDPOST_NOW", now)], &[command, "--json"]).json()
}

fn has_errors(said: &Value) -> bool {
    said["diagnostics"].as_array().unwrap().iter().any(|one| one["severity"] == "error")
}

/// What of an earlier build may be left: pictures that sent mails show, and whatever was there
/// while a post cannot be read.
fn may_be_left(path: &str, said: &Value) -> bool {
    path.starts_with("pictures/") || has_errors(said)
}

fn assert_same_sites(ours: &Path, clean: &Path, said: &Value, step: &str) {
    let (ours, clean) = (tree(ours), tree(clean));
    for (path, bytes) in &clean {
        let Some(own) = ours.get(path) else { panic!("{step}: {path} was not written") };
        let [own, theirs] = [own, bytes].map(|bytes| String::from_utf8_lossy(bytes));
        assert_eq!(own, theirs, "{step}: {path}");
    }
    let left: BTreeMap<_, _> = ours.iter().filter(|(path, _)| !clean.contains_key(*path)).collect();
    assert!(left.keys().all(|path| may_be_left(path, said)), "{step}: {:?} are left", left.keys());
}

fn change_and_compare(seed: u64) {
    let mut author = Author::new(seed);
    for step in 0..STEPS {
        let step = format!("seed {seed}, step {step}, {}", author.change());
        let now = author.now();
        // What another command remembers must not mislead a build, nor the other way round.
        if author.dice.below(3) == 0 {
            let clean = author.without_memory();
            let command = author.dice.pick(&["check", "plan"]);
            let [ours, theirs] = [&author.site, &clean].map(|site| said(site, &now, command));
            assert_eq!(ours["diagnostics"], theirs["diagnostics"], "{step}: {command}");
        }
        let clean = author.without_memory();
        let [ours, theirs] = [&author.site, &clean].map(|site| said(site, &now, "build"));
        assert_eq!(ours["diagnostics"], theirs["diagnostics"], "{step}");
        assert_same_sites(&author.site.file("public"), &clean.file("public"), &theirs, &step);
        assert_eq!(said(&author.site, &now, "build")["files"]["changed"], Value::Array(Vec::new()), "{step}: again");
    }
}

#[test]
fn whatever_changes_a_build_writes_what_a_clean_build_writes() {
    change_and_compare(0x5EED_0001);
}

#[test]
fn other_changes_in_another_order_do_not_matter_either() {
    change_and_compare(0x5EED_0002);
}

#[test]
fn an_untouched_post_is_neither_read_nor_parsed_and_what_is_wrong_with_it_is_said_again() {
    // A feed that carries a post has to read it again when another one of its posts changes, and a
    // page is made again when its neighbour has another summary.
    let site = Site::with_config("[output]\ncards = 0\n[feed]\nlimit = 1\n");
    let time = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for (name, day) in [("content/a.md", 15), ("content/b.md", 14)] {
        site.write(name, format!("---\ntitle: T\nsummary: S\ndate: 2025-01-{day}\n---\n[x](missing.md)\n"));
        File::options().write(true).open(site.file(name)).unwrap().set_modified(time).unwrap();
    }
    let first = site.run(&["build", "--json"]).expect_code(0).json();
    assert_eq!(first["diagnostics"].as_array().unwrap().len(), 2);
    assert_eq!(opened(&site, &first), Vec::<String>::new());
    site.write("content/a.md", "---\ntitle: T\nsummary: S\ndate: 2025-01-15\n---\n[x](missing.md) and more\n");
    let opened = opened(&site, &first);
    assert!(!opened.is_empty() && opened.iter().all(|line| line.contains("/a.md")), "{opened:?}");
}

#[test]
fn a_build_after_one_change_keeps_one_part_of_what_it_knows_anew() {
    let site = Site::with_config("[output]\ncards = 0\n");
    let time = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for number in 0..40 {
        let name = format!("content/post-{number}.md");
        site.write(&name, format!("---\ntitle: T {number}\ndate: 2025-01-15\n---\nText.\n"));
        File::options().write(true).open(site.file(&name)).unwrap().set_modified(time).unwrap();
    }
    let kept = || {
        site.run(&["build"]).expect_code(0);
        tree(&site.file(".fieldpost/cache/posts"))
    };
    let before = kept();
    assert!(before.len() > 8, "{:?}", before.keys());
    assert_eq!(kept(), before);
    site.write("content/post-7.md", "---\ntitle: T 7\ndate: 2025-01-15\n---\nAnother text.\n");
    let after = kept();
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    assert_eq!(after.iter().filter(|(name, bytes)| before[*name] != **bytes).count(), 1);
}

#[test]
fn of_a_part_that_is_kept_anew_the_posts_that_did_not_change_are_still_known() {
    let site = Site::with_config("[output]\ncards = 0\n");
    let time = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let write = |number: u64, text: &str, moment: Duration| {
        let name = format!("content/post-{number}.md");
        site.write(&name, format!("---\ntitle: T {number}\ndate: 2025-01-15\n---\n{text}\n"));
        File::options().write(true).open(site.file(&name)).unwrap().set_modified(time + moment).unwrap();
    };
    (0..40).for_each(|number| write(number, "Text.", Duration::ZERO));
    site.run(&["build"]).expect_code(0);
    // Among forty in sixteen parts, half of them share each part with some of the others.
    (0..20).for_each(|number| write(number, "Another text.", Duration::from_secs(1)));
    let said = site.run(&["build", "--json"]).expect_code(0).json();
    assert_eq!(opened(&site, &said), Vec::<String>::new());
}

#[test]
fn a_post_that_was_just_written_is_opened_no_more_once_the_clock_has_gone_on() {
    let site = Site::with_config("[output]\ncards = 0\n[feed]\nlimit = 1\n");
    site.write("content/a.md", "---\ntitle: T\nsummary: S\ndate: 2025-01-15\n---\nText.\n");
    let first = site.run(&["build", "--json"]).expect_code(0).json();
    let is_trusted = |_| {
        std::thread::sleep(Duration::from_millis(100));
        opened(&site, &first).is_empty()
    };
    assert!((0..100).any(is_trusted), "it is read at every build");
}

/// The posts that a build opens, which says the same as the first.
fn opened(site: &Site, first: &Value) -> Vec<String> {
    let strace = Strace::of("openat");
    let said = strace.run(site, &["build", "--json"]).expect_code(0).json();
    assert_eq!(said["diagnostics"], first["diagnostics"]);
    let is_post = |line: &String| line.contains("/content/") && line.contains(".md\"");
    strace.lines().into_iter().filter(is_post).collect()
}
