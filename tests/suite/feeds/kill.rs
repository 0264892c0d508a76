//! F30: the site is written and the writer killed again and again, while it is read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use fieldpost::domain::address::Mailbox;
use fieldpost::domain::document::{Block, Document, Inline};
use fieldpost::domain::ids::PostId;
use fieldpost::domain::post::{Channel, Post, Slug, Visibility};
use fieldpost::domain::publication::{Publication, SiteUrl};
use fieldpost::feed::Limit;
use fieldpost::publish::{self, Leftovers, Site, SiteChanges};
use fieldpost::render::Theme;

const FOLDER: &str = "FIELDPOST_TEST_KILLED_SITE";
const VERSIONS: [&str; 2] = ["The first text. ", "The second text, which is longer. "];
const KILLS: usize = 50;
const READS_PER_KILL: usize = 200;

type Tree = BTreeMap<PathBuf, Vec<u8>>;

fn post(number: u32, text: &str) -> Post {
    Post {
        id: PostId::parse(&format!("tag:notes.example.org,2026:{number}")).unwrap(),
        source: format!("posts/{number}.md"),
        slug: Slug::from_text(&format!("post-{number}")).unwrap(),
        title: format!("{text} {number}"),
        summary: text.to_owned(),
        language: None,
        date: format!("2026-03-{:02}T10:00:00Z", number + 1).parse().unwrap(),
        updated: None,
        authors: Vec::new(),
        tags: Vec::new(),
        image: None,
        number: None,
        aliases: Vec::new(),
        visibility: Visibility::Public,
        email: Channel::On,
        feed: Channel::On,
        document: Document {
            blocks: vec![Block::Paragraph(vec![Inline::Text(text.repeat(1000))])],
            footnotes: Vec::new(),
        },
        assets: Vec::new(),
        commit: None,
        source_digest: String::new(),
    }
}

fn build(folder: &Path, text: &str) -> SiteChanges {
    let publication = Publication {
        title: "Notes".to_owned(),
        description: String::new(),
        base_url: SiteUrl::parse("https://notes.example.org/").unwrap(),
        language: "en".to_owned(),
        author: None,
        time_zone: chrono_tz::UTC,
        postal_address: None,
        from: Mailbox::parse("notes@example.org").unwrap(),
        reply_to: None,
        list_id: "notes.example.org".to_owned(),
    };
    let theme = Theme::load(None).unwrap();
    let posts: Vec<Post> = (0..12).map(|number| post(number, text)).collect();
    publish::apply(&Site {
        publication: &publication,
        theme: &theme,
        theme_digest: &theme.digest(),
        posts: &posts,
        limit: Limit::default(),
        output: &folder.join("public"),
        manifest: &folder.join("site-manifest.json"),
        leftovers: Leftovers::Remove,
    })
    .unwrap()
}

fn tree(root: &Path) -> Tree {
    let mut files = Tree::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(root).unwrap().to_owned();
                files.insert(name, fs::read(entry.path()).unwrap());
            }
        }
    }
    files
}

/// What each version looks like when nobody disturbs it.
fn undisturbed() -> Vec<Tree> {
    let build = |text: &&str| {
        let folder = tempfile::tempdir().unwrap();
        build(folder.path(), text);
        tree(&folder.path().join("public"))
    };
    VERSIONS.iter().map(build).collect()
}

/// A process that builds for ever, killed (SIGKILL) when dropped.
struct Builder(Child);

impl Drop for Builder {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn start_builder(folder: &Path) -> Builder {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "feeds::kill::build_for_ever"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    Builder(child)
}

#[test]
#[ignore = "it never ends: the test that kills it starts it"]
fn build_for_ever() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("set by the test that starts this"));
    for text in VERSIONS.iter().cycle() {
        build(&folder, text);
    }
}

#[test]
fn readers_find_whole_files_while_the_writer_is_killed() {
    let versions = undisturbed();
    let folder = tempfile::tempdir().unwrap();
    build(folder.path(), VERSIONS[0]);
    let public = folder.path().join("public");
    let mut seen = [0; VERSIONS.len()];
    for _ in 0..KILLS {
        let builder = start_builder(folder.path());
        for name in versions[0].keys().cycle().take(READS_PER_KILL) {
            let held = fs::read(public.join(name)).unwrap();
            let version = versions.iter().rposition(|version| version[name] == held);
            seen[version.unwrap_or_else(|| panic!("{} is a mix of {} bytes", name.display(), held.len()))] += 1;
            std::thread::sleep(std::time::Duration::from_micros(300));
        }
        drop(builder);
    }
    assert!(seen.iter().all(|count| *count > 0), "nothing changed while it was read: {seen:?}");

    let last = build(folder.path(), VERSIONS[0]);
    assert_eq!(last.diagnostics, [], "every file is still known as ours");
    assert_eq!(tree(&public), versions[0], "nothing is left over, nothing is missing");
}
