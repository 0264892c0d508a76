//! Whole sites in temporary folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::*;
use crate::domain::address::Mailbox;
use crate::domain::document::{Block, Document, Inline};
use crate::domain::ids::PostId;
use crate::domain::post::{Asset, Channel, Contents, Slug, Visibility};
use crate::domain::publication::SiteUrl;
use crate::files;

struct Fixture {
    folder: tempfile::TempDir,
    publication: Publication,
    theme: Theme,
    posts: Vec<Post>,
    pictures: Pictures,
    leftovers: Leftovers,
}

impl Fixture {
    fn new(posts: Vec<Post>) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            publication: publication(),
            theme: Theme::load(None).unwrap(),
            posts,
            pictures: Pictures::default(),
            leftovers: Leftovers::Remove,
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn with_site<T>(&self, work: impl FnOnce(&Site) -> T) -> T {
        work(&Site {
            publication: &self.publication,
            theme: &self.theme,
            theme_digest: "built-in",
            posts: &self.posts,
            limit: Limit::default(),
            output: &self.path("public"),
            manifest: &self.path("state/site.json"),
            cards: 0,
            pictures: &self.pictures,
            bodies: &Bodies::default(),
            read: &|post| Ok(read(post)),
            leftovers: self.leftovers,
        })
    }

    fn plan(&self) -> SiteChanges {
        self.with_site(|site| plan(site).unwrap())
    }

    fn apply(&self) -> SiteChanges {
        self.with_site(|site| apply(site).unwrap())
    }

    /// Every file of the output folder with its bytes.
    fn output(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        read_tree(&self.path("public"), "", &mut files);
        files
    }
}

fn read_tree(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            read_tree(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
}

fn publication() -> Publication {
    Publication {
        title: "Notes".to_owned(),
        description: "Field notes".to_owned(),
        base_url: SiteUrl::parse("https://notes.example.org/").unwrap(),
        language: "en".to_owned(),
        author: None,
        time_zone: chrono_tz::UTC,
        postal_address: None,
        subscribe_url: None,
        from: Mailbox::parse("notes@example.org").unwrap(),
        reply_to: None,
        idempotency_header: None,
        words: crate::domain::words::Words::default(),
        list_id: "notes.example.org".to_owned(),
    }
}

fn post(slug: &str, day: u32) -> Post {
    Post {
        id: PostId::parse(&format!("tag:notes.example.org,2026:{slug}")).unwrap(),
        source: format!("posts/{slug}.md"),
        slug: Slug::from_text(slug).unwrap(),
        title: format!("About {slug}"),
        summary: "Short.".to_owned(),
        language: None,
        date: format!("2026-03-{day:02}T10:00:00+01:00").parse().unwrap(),
        updated: None,
        authors: Vec::new(),
        tags: Vec::new(),
        image: None,
        number: None,
        aliases: Vec::new(),
        visibility: Visibility::Public,
        email: Channel::On,
        feed: Channel::On,
        contents: Contents::default(),
        assets: Vec::new(),
        commit: None,
        source_digest: String::new(),
    }
}

/// The text of a post: its formulas, or else a line.
fn read(post: &Post) -> Article {
    let line = Block::Paragraph(vec![Inline::Text(format!("The text of {}.", post.slug.as_str()))]);
    let formulas: Vec<Block> = post.contents.exhibits.displayed_formulas.iter().cloned().map(Block::Math).collect();
    let blocks = if formulas.is_empty() { vec![line] } else { formulas };
    Article { post: post.clone(), document: Document { blocks, ..Document::default() } }
}

const SHARED: [&str; 6] = ["404.html", "atom.xml", "feed.json", "feed.xml", "index.html", "sitemap.xml"];

#[test]
fn a_plan_writes_nothing_and_says_what_applying_does() {
    let site = Fixture::new(vec![post("a", 1), post("b", 2)]);
    let planned = site.plan();
    assert!(!site.path("public").exists() && !site.path("state").exists());
    assert_eq!(planned, site.apply());
    assert_eq!(planned.diagnostics, []);
    for path in SHARED.into_iter().chain(["a/index.html", "b/index.html"]) {
        assert!(planned.added.iter().any(|added| added == path), "{path} in {:?}", planned.added);
        assert!(site.path("public").join(path).is_file(), "{path}");
    }
    assert_eq!(planned.new_entries.len(), 2);
}

#[test]
fn a_second_build_writes_nothing_at_all() {
    let site = Fixture::new(vec![post("a", 1), post("b", 2)]);
    let first = site.apply();
    let times = |site: &Fixture| {
        let names: Vec<_> = site.output().into_keys().map(|name| format!("public/{name}")).collect();
        let all = names.into_iter().chain(["state/site.json".to_owned()]);
        all.map(|name| fs::metadata(site.path(&name)).unwrap().modified().unwrap()).collect::<Vec<_>>()
    };
    let before = times(&site);
    std::thread::sleep(std::time::Duration::from_millis(20));
    let second = site.apply();
    assert_eq!(second, SiteChanges { unchanged: first.added.len(), ..SiteChanges::default() });
    assert_eq!(times(&site), before);
}

#[test]
fn only_what_a_new_post_touches_is_written() {
    let mut site = Fixture::new(vec![post("a", 1), post("b", 2), post("c", 3)]);
    site.apply();
    site.posts.push(post("d", 4));
    let changes = site.apply();
    assert_eq!(changes.added, ["d/index.html"]);
    assert!(!changes.changed.iter().any(|path| path == "a/index.html" || path == "b/index.html"), "{changes:?}");
    for path in ["atom.xml", "feed.json", "feed.xml", "sitemap.xml"] {
        assert!(changes.changed.iter().any(|changed| changed == path), "{path} in {changes:?}");
    }
    assert_eq!(changes.new_entries, ["tag:notes.example.org,2026:d"]);
}

#[test]
fn drafts_and_posts_kept_out_of_feeds_stay_out() {
    let draft = Post { visibility: Visibility::Draft, ..post("draft", 3) };
    let scheduled = Post { visibility: Visibility::Scheduled, ..post("later", 4) };
    let quiet = Post { feed: Channel::Off, ..post("quiet", 2) };
    let site = Fixture::new(vec![draft, scheduled, quiet, post("a", 1)]);
    site.apply();
    let output = site.output();
    assert!(output.contains_key("quiet/index.html") && !output.contains_key("draft/index.html"));
    let everything = String::from_utf8(output.into_values().flatten().collect()).unwrap();
    assert!(!everything.contains("draft") && !everything.contains("later"));
    let feed = fs::read_to_string(site.path("public/atom.xml")).unwrap();
    assert!(feed.contains("About a") && !feed.contains("quiet"));
    assert!(feed.contains("<updated>2026-03-01T10:00:00+01:00</updated>"), "a post that is in no feed dates none");
}

#[test]
fn a_removed_post_takes_its_files_along_and_nothing_else() {
    let mut site = Fixture::new(vec![post("a", 1), post("deep/b", 2)]);
    site.apply();
    fs::write(site.path("public/CNAME"), "notes.example.org").unwrap();
    fs::write(site.path("public/deep/by-hand.html"), "mine").unwrap();
    site.posts.pop();
    assert_eq!(site.plan().removed, ["deep/b/index.html"]);
    assert!(site.path("public/deep/b/index.html").exists());
    assert_eq!(site.apply().removed, ["deep/b/index.html"]);
    assert!(!site.path("public/deep/b").exists());
    assert!(site.path("public/CNAME").exists() && site.path("public/deep/by-hand.html").exists());
}

#[test]
fn nothing_is_removed_while_posts_cannot_be_read() {
    let mut site = Fixture::new(vec![post("a", 1), post("b", 2)]);
    site.apply();
    site.posts.pop();
    site.leftovers = Leftovers::Keep;
    assert_eq!(site.apply().removed, Vec::<String>::new());
    assert!(site.path("public/b/index.html").exists());
    site.leftovers = Leftovers::Remove;
    assert_eq!(site.apply().removed, ["b/index.html"], "it is still known as ours");
}

#[test]
fn a_leftover_changed_by_hand_is_kept_with_a_warning() {
    let mut site = Fixture::new(vec![post("a", 1), post("b", 2)]);
    site.apply();
    fs::write(site.path("public/b/index.html"), "mine now, and longer than before").unwrap();
    site.posts.pop();
    let changes = site.apply();
    assert_eq!(changes.removed, Vec::<String>::new());
    assert_eq!(changes.diagnostics[0].code, "foreign-file");
    assert_eq!(fs::read(site.path("public/b/index.html")).unwrap(), b"mine now, and longer than before");
}

#[test]
fn a_foreign_file_is_never_overwritten_and_all_else_is_built() {
    let site = Fixture::new(vec![post("a", 1)]);
    fs::create_dir_all(site.path("public")).unwrap();
    fs::write(site.path("public/feed.xml"), "<somebody-elses/>").unwrap();
    let changes = site.apply();
    assert_eq!(changes.diagnostics.len(), 1);
    assert_eq!(changes.diagnostics[0].code, "foreign-file");
    assert_eq!(fs::read(site.path("public/feed.xml")).unwrap(), b"<somebody-elses/>");
    assert!(site.path("public/atom.xml").exists());
    assert_eq!(site.apply().diagnostics.len(), 1, "it stays foreign");
}

#[test]
fn identical_files_of_a_lost_state_are_adopted() {
    let mut site = Fixture::new(vec![post("a", 1)]);
    let first = site.apply();
    fs::remove_file(site.path("state/site.json")).unwrap();
    assert_eq!(site.apply(), SiteChanges { unchanged: first.added.len(), ..SiteChanges::default() });
    site.posts.push(post("b", 2));
    assert_eq!(site.apply().diagnostics, [], "they are ours again");
}

#[test]
fn a_file_changed_by_hand_is_made_again() {
    let site = Fixture::new(vec![post("a", 1)]);
    site.apply();
    let good = site.output();
    fs::write(site.path("public/atom.xml"), "broken").unwrap();
    assert_eq!(site.apply().changed, ["atom.xml"]);
    assert_eq!(site.output(), good);
}

#[test]
fn a_build_killed_half_way_is_finished_by_the_next() {
    let site = Fixture::new(vec![post("a", 1), post("b", 2)]);
    site.apply();
    let good = site.output();
    let manifest = fs::read_to_string(site.path("state/site.json")).unwrap();

    // As a kill leaves it: announced, some files old, some missing, one unfinished.
    let fresh = Fixture { folder: tempfile::tempdir().unwrap(), ..Fixture::new(site.posts.clone()) };
    let mut half: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    half["unfinished"] = true.into();
    for record in half["files"].as_object_mut().unwrap().values_mut() {
        *record = serde_json::json!({ "input": "", "digest": "", "stamp": null });
    }
    files::replace(&fresh.path("state/site.json"), half.to_string().as_bytes()).unwrap();
    files::replace(&fresh.path("public/atom.xml"), b"an older feed").unwrap();
    files::replace(&fresh.path("public/a/.fieldpost-unfinished-7-1"), b"half a pa").unwrap();
    let changes = fresh.apply();
    assert_eq!(changes.diagnostics, []);
    assert_eq!(changes.changed, ["atom.xml"]);
    assert_eq!(fresh.output(), good);
    assert_eq!(fresh.apply().unchanged, good.len());
}

#[test]
fn two_posts_at_one_path_get_none_and_both_are_named() {
    let rival = Post { id: PostId::parse("other").unwrap(), source: "posts/rival.md".to_owned(), ..post("a", 2) };
    let site = Fixture::new(vec![post("a", 1), rival, post("b", 3)]);
    let changes = site.apply();
    assert_eq!(changes.diagnostics.len(), 1);
    assert_eq!(changes.diagnostics[0].code, "path-collision");
    let message = &changes.diagnostics[0].message;
    assert!(message.contains("posts/a.md") && message.contains("posts/rival.md"), "{message}");
    assert!(!site.path("public/a").exists() && site.path("public/b/index.html").exists());
}

#[test]
fn a_path_that_is_file_and_folder_at_once_is_a_collision() {
    let site = Fixture::new(vec![post("feed.xml/a", 1)]);
    let changes = site.apply();
    assert_eq!(changes.diagnostics[0].code, "path-collision", "{:?}", changes.diagnostics);
    assert_eq!(changes.diagnostics[0].place.file, Path::new("posts/feed.xml/a.md"));
    assert!(!site.path("public/feed.xml").is_file());
}

#[test]
fn aliases_become_redirects_and_none_leads_out() {
    let aliases = vec!["/old/a/".to_owned(), "2019/a.html".to_owned(), "/a/".to_owned(), "../../etc/x".to_owned()];
    let site = Fixture::new(vec![Post { aliases, ..post("a", 1) }]);
    let changes = site.apply();
    assert!(site.path("public/old/a/index.html").exists() && site.path("public/2019/a.html").exists());
    assert_eq!(changes.diagnostics.len(), 1, "{:?}", changes.diagnostics);
    assert_eq!(changes.diagnostics[0].code, "path-blocked");
    assert!(!site.path("etc").exists());
}

#[test]
fn assets_are_copied_once_and_shared() {
    let mut site = Fixture::new(Vec::new());
    let source = site.path("cover.png");
    fs::write(&source, "an image").unwrap();
    let assets = vec![Asset { source: source.clone(), site_path: "img/cover.png".to_owned() }];
    let gone = vec![Asset { source: site.path("gone.png"), site_path: "img/gone.png".to_owned() }];
    site.posts = vec![
        Post { assets: assets.clone(), ..post("a", 1) },
        Post { assets, ..post("b", 2) },
        Post { assets: gone, ..post("c", 3) },
    ];
    let changes = site.apply();
    assert_eq!(fs::read(site.path("public/img/cover.png")).unwrap(), b"an image");
    assert_eq!(changes.diagnostics.len(), 1);
    assert_eq!(changes.diagnostics[0].code, "missing-file");
    assert_eq!(site.apply().added, Vec::<String>::new());
    fs::write(&source, "another image").unwrap();
    assert_eq!(site.apply().changed, ["img/cover.png"]);
    fs::remove_file(&source).unwrap();
    site.posts.clear();
    assert!(site.apply().removed.contains(&"img/cover.png".to_owned()));
}

#[test]
fn a_picture_of_what_two_posts_say_is_one_file_and_outlives_them() {
    let says = |slug, day| {
        let blocks = vec![Block::Math("\\frac{a}{b}".to_owned())];
        let document = Document { blocks, ..Document::default() };
        Post { contents: Contents::of(&document, None, String::new()), ..post(slug, day) }
    };
    let mut site = Fixture::new(vec![says("a", 1), says("b", 2)]);
    let is_picture = |path: &&String| path.starts_with("pictures/");
    let planned = site.plan();
    let changes = site.apply();
    assert_eq!((planned, &changes.diagnostics), (changes.clone(), &Vec::new()));
    let [path] = changes.added.iter().filter(is_picture).collect::<Vec<_>>()[..] else { panic!("{changes:?}") };
    assert!(fs::read(site.path("public").join(path)).unwrap().starts_with(b"\x89PNG"));
    assert!(fs::read_to_string(site.path("public/feed.xml")).unwrap().contains(path));
    let is_for_formulas = |path: &&String| path.starts_with("assets/math-");
    assert_eq!(changes.added.iter().filter(is_for_formulas).count(), 2, "{changes:?}");
    assert_eq!(site.apply().unchanged, changes.added.len());
    site.posts.pop();
    assert_eq!(site.apply().removed, ["b/index.html"]);
    site.posts[0] = post("a", 1);
    let removed = site.apply().removed;
    assert_eq!(removed.len(), 2, "what formulas need: {removed:?}");
    assert!(site.path("public").join(path).exists(), "a mail that was sent shows it");
}

#[test]
fn topics_have_pages_and_lose_them() {
    let mut site = Fixture::new(vec![Post { tags: vec!["Rust".to_owned()], ..post("a", 1) }]);
    assert!(site.apply().added.contains(&"topics/rust/index.html".to_owned()));
    site.posts[0].tags.clear();
    let changes = site.apply();
    assert_eq!(changes.removed, ["topics/index.html", "topics/rust/index.html"]);
}

#[test]
fn a_manifest_that_is_none_stops_the_build() {
    let site = Fixture::new(vec![post("a", 1)]);
    files::replace(&site.path("state/site.json"), b"{").unwrap();
    let error = site.with_site(|site| apply(site).unwrap_err()).to_string();
    assert!(error.contains("site.json"), "{error}");
    assert!(!site.path("public").exists());
}

#[test]
fn the_same_site_gives_the_same_bytes_wherever_it_is_built() {
    let posts = vec![post("a", 1), post("b", 2)];
    let (one, two) = (Fixture::new(posts.clone()), Fixture::new(posts.into_iter().rev().collect()));
    one.apply();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    two.apply();
    assert_eq!(one.output(), two.output());
}
