//! Whole folders, as authors have them.

mod dialects;
mod hostile;
mod identity;
mod links;
mod lint;
mod text;

use std::path::Path;
use std::process::Command;

use super::*;
use crate::diagnostic::Severity;
use crate::domain::document::{Block, Document, Inline, plain_text};
use crate::domain::post::{Channel, Visibility};

/// A publication's folder in a temporary place; its posts lie in `posts/`.
struct Folder {
    dir: tempfile::TempDir,
    known: Vec<KnownPost>,
    retired: Vec<PostId>,
    ignore: Vec<String>,
    look: Look,
}

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self {
            dir: tempfile::tempdir().unwrap(),
            known: Vec::new(),
            retired: Vec::new(),
            ignore: Vec::new(),
            look: Look::Build,
        };
        std::fs::create_dir(folder.path().join("posts")).unwrap();
        for (name, text) in files {
            folder.write(name, text.as_bytes());
        }
        folder
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn load(&self) -> Loaded {
        let source = self.path().join("posts");
        let output = source.join("public");
        let base_url = SiteUrl::parse("https://example.org/blog/").unwrap();
        let author = Author { name: "Default".into(), url: None };
        let options = Options {
            root: self.path(),
            source: &source,
            output: &output,
            time_zone: Tz::Europe__Berlin,
            base_url: &base_url,
            default_author: Some(&author),
            known: &self.known,
            retired: &self.retired,
            ignore: &self.ignore,
            pictures: &Arc::default(),
            now: "2026-06-01T00:00:00Z".parse().unwrap(),
            look: self.look,
            keep: None,
        };
        let content = load(&options, &|_| {});
        let Content { posts, diagnostics, outbound, texts } = content;
        let read = |post: Post| Read { document: texts.read(&post).unwrap().document, post };
        Loaded { posts: posts.into_iter().map(read).collect(), diagnostics, outbound }
    }

    fn git(&self, arguments: &[&str], date: &str) {
        let status = Command::new("git")
            .args([
                "-c",
                "user.name=Ada Committer",
                "-c",
                "user.email=ada@example.org",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(arguments)
            .current_dir(self.path())
            .env("GIT_AUTHOR_DATE", date)
            .env("GIT_COMMITTER_DATE", date)
            .output()
            .unwrap();
        assert!(status.status.success(), "{status:?}");
    }

    fn commit(&self, date: &str) {
        self.git(&["add", "-A"], date);
        self.git(&["commit", "-qm", "x"], date);
    }
}

/// What a folder holds, with all texts.
struct Loaded {
    posts: Vec<Read>,
    diagnostics: Vec<Diagnostic>,
    outbound: Vec<Outbound>,
}

/// A post with its text.
#[derive(Debug)]
struct Read {
    post: Post,
    document: Document,
}

impl std::ops::Deref for Read {
    type Target = Post;

    fn deref(&self) -> &Post {
        &self.post
    }
}

/// One post of one text, with a head that needs nothing else.
fn one(body: &str) -> (Read, Vec<Diagnostic>) {
    let folder = Folder::new(&[("posts/a.md", &format!("---\ntitle: T\ndate: 2025-01-15\n---\n{body}"))]);
    let mut content = folder.load();
    (content.posts.pop().expect("one post"), content.diagnostics)
}

fn codes(diagnostics: &[Diagnostic]) -> Vec<&'static str> {
    diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

fn sources(content: &Loaded) -> Vec<&str> {
    let mut sources: Vec<&str> = content.posts.iter().map(|post| post.source.as_str()).collect();
    sources.sort_unstable();
    sources
}

/// The text of all paragraphs.
fn prose(post: &Read) -> String {
    let blocks = post.document.blocks.iter().filter_map(|block| match block {
        Block::Paragraph(inlines) => Some(plain_text(inlines)),
        _ => None,
    });
    blocks.collect::<Vec<_>>().join("\n")
}

#[test]
fn only_posts_are_posts() {
    let mut folder = Folder::new(&[
        ("posts/a.md", "# A"),
        ("posts/deep/er/b.markdown", "# B"),
        ("posts/bundle/index.md", "# Bundle"),
        ("posts/drafts/c.md", "# C"),
        ("posts/README.md", "# no"),
        ("posts/index.md", "# no"),
        ("posts/LICENSE.md", "# no"),
        ("posts/Contributing.md", "# no"),
        ("posts/_index.md", "# no"),
        ("posts/_private/x.md", "# no"),
        ("posts/.hidden/x.md", "# no"),
        ("posts/.hidden.md", "# no"),
        ("posts/node_modules/x/readme2.md", "# no"),
        ("posts/pages/privacy.md", "# no"),
        ("posts/public/built.md", "# no"),
        ("posts/page.md", "---\nlayout: page\n---\n# no"),
        ("posts/old/x.md", "# no"),
        ("posts/photo.png", "no"),
        ("posts/note.rst", "no"),
    ]);
    folder.ignore = vec!["old".into()];
    let content = folder.load();
    assert_eq!(
        sources(&content),
        ["posts/a.md", "posts/bundle/index.md", "posts/deep/er/b.markdown", "posts/drafts/c.md"]
    );
    let bundle = content.posts.iter().find(|post| post.source == "posts/bundle/index.md").unwrap();
    assert_eq!(bundle.slug.as_str(), "bundle");
    let draft = content.posts.iter().find(|post| post.source == "posts/drafts/c.md").unwrap();
    assert_eq!(draft.visibility, Visibility::Draft);
    assert!(codes(&content.diagnostics).contains(&"not-markdown"));
    assert!(content.diagnostics.iter().all(|diagnostic| diagnostic.severity == Severity::Warning));
}

#[test]
fn a_jekyll_folder_gives_its_posts_and_drafts_and_not_its_pages() {
    let folder = Folder::new(&[
        ("posts/_posts/2025-01-15-hello.md", "---\ntitle: Hello\n---\n[b]({% post_url 2025-01-16-bye %})"),
        ("posts/_posts/2025-01-16-bye.md", "---\ntitle: Bye\n---\nx"),
        ("posts/_drafts/soon.md", "---\ntitle: Soon\ndate: 2025-01-01\n---\nx"),
        ("posts/about.md", "---\ntitle: About\n---\nx"),
    ]);
    let content = folder.load();
    assert_eq!(
        sources(&content),
        ["posts/_drafts/soon.md", "posts/_posts/2025-01-15-hello.md", "posts/_posts/2025-01-16-bye.md"]
    );
    let hello = content.posts.iter().find(|post| post.title == "Hello").unwrap();
    assert_eq!((hello.slug.as_str(), hello.date.to_rfc3339().as_str()), ("hello", "2025-01-15T00:00:00+01:00"));
    assert!(content.diagnostics.is_empty(), "{:?}", content.diagnostics);
}

#[test]
fn without_a_head_the_text_the_name_and_git_say_everything() {
    let folder = Folder::new(&[
        (
            "posts/old-name.md",
            "# 1. Stop Using 80/20\n\n![c](img/c.svg)\n\nFirst *words*. More.\n\n## Two\n\n---\n\n[Back to Contents](../README.md#posts)\n",
        ),
        ("posts/img/c.svg", "<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>"),
        ("README.md", "# Contents"),
    ]);
    folder.git(&["init", "-q"], "2025-01-01T00:00:00Z");
    folder.commit("2025-01-15T10:00:00-0700");
    std::fs::rename(folder.path().join("posts/old-name.md"), folder.path().join("posts/3-new-name.md")).unwrap();
    folder.commit("2025-02-15T10:00:00-0700");
    let before = folder.load();
    assert_eq!(before.posts[0].updated, None, "a mere rename is no update");
    let text = std::fs::read_to_string(folder.path().join("posts/3-new-name.md")).unwrap();
    folder.write("posts/3-new-name.md", text.replace("More.", "More words.").as_bytes());
    folder.commit("2025-03-15T10:00:00-0700");
    let content = folder.load();
    let post = &content.posts[0];
    assert_eq!((post.title.as_str(), post.slug.as_str()), ("Stop Using 80/20", "new-name"));
    assert_eq!(post.date.to_rfc3339(), "2025-01-15T10:00:00-07:00");
    assert_eq!(post.updated.unwrap().to_rfc3339(), "2025-03-15T10:00:00-07:00");
    assert_eq!(post.authors[0].name, "Ada Committer");
    assert_eq!(post.commit.as_ref().unwrap().len(), 40);
    assert_eq!(post.summary, "First words. More words.");
    assert_eq!(post.image, Some(crate::domain::document::Target::Site("img/c.svg".into())));
    assert!(
        matches!(post.document.blocks.as_slice(), [Block::Figure { .. }, Block::Paragraph(_), Block::Heading { .. }]),
        "{:#?}",
        post.document
    );
}

#[test]
fn a_heading_that_repeats_the_title_is_not_shown_twice_and_another_stays() {
    let (post, _) = one("# T\n\ntext");
    assert!(matches!(post.document.blocks.as_slice(), [Block::Paragraph(_)]));
    let (post, _) = one("# Other\n\ntext");
    assert!(matches!(post.document.blocks.as_slice(), [Block::Heading { .. }, Block::Paragraph(_)]));
}

#[test]
fn a_file_that_only_the_disk_dates_is_warned_about() {
    let folder = Folder::new(&[("posts/a.md", "No heading here.")]);
    let content = folder.load();
    assert_eq!(codes(&content.diagnostics), ["date-unknown", "title-unknown"]);
    assert_eq!(content.posts[0].title, "A");
    assert_eq!(content.posts[0].authors[0].name, "Default");
}

#[test]
fn posts_are_sorted_and_know_whether_they_are_shown() {
    let folder = Folder::new(&[
        ("posts/a.md", "---\ntitle: A\ndate: 2025-01-15\n---\n"),
        ("posts/b.md", "---\ntitle: B\ndate: 2025-01-15\nemail: false\n---\n"),
        ("posts/c.md", "---\ntitle: C\ndate: 2027-01-15\n---\n"),
        ("posts/d.md", "---\ntitle: D\ndate: 2024-01-15\ndraft: true\nfeed: false\n---\n"),
        ("posts/e.md", "Title: E\nDate: 2023-01-15\nStatus: hidden\n\n"),
    ]);
    let content = folder.load();
    let shown: Vec<_> =
        content.posts.iter().map(|post| (post.title.as_str(), post.visibility, post.email, post.feed)).collect();
    assert_eq!(
        shown,
        [
            ("C", Visibility::Scheduled, Channel::On, Channel::On),
            ("A", Visibility::Public, Channel::On, Channel::On),
            ("B", Visibility::Public, Channel::Off, Channel::On),
            ("D", Visibility::Draft, Channel::On, Channel::Off),
            ("E", Visibility::Public, Channel::Off, Channel::Off),
        ]
    );
    assert_eq!(format!("{:?}", content.posts), format!("{:?}", folder.load().posts), "twice the same");
}

#[test]
fn a_summary_is_what_precedes_the_mark() {
    let (post, _) = one("One.\n\nTwo.\n\n<!-- more -->\n\nThree.");
    assert_eq!(post.summary, "One. Two.");
    assert!(post.document.blocks.contains(&Block::More));
    let (post, _) = one("One <!--more--> two.");
    assert_eq!(post.summary, "One");
}

#[test]
fn weekly_names_keep_their_date_in_the_url() {
    let head = "Title: x\nDate: 2025-01-01\n\n";
    let folder = Folder::new(&[
        ("posts/2025-01-01-weekly.md", head),
        ("posts/2025-01-08-weekly.md", head),
        ("posts/2025-01-15-special.md", head),
    ]);
    let content = folder.load();
    let mut slugs: Vec<&str> = content.posts.iter().map(|post| post.slug.as_str()).collect();
    slugs.sort_unstable();
    assert_eq!(slugs, ["2025-01-01-weekly", "2025-01-08-weekly", "special"]);
}

#[test]
fn a_survey_proposes_the_folder_of_posts_and_says_what_it_saw() {
    let folder = Folder::new(&[
        ("README.md", "# My Notes\n\nNotes on **things** that work. More.\n\n- [One](posts/1-one.md)\n"),
        ("LICENSE", "MIT"),
        ("posts/1-one.md", "# 1. One\n"),
        ("posts/2-two.md", "---\ntitle: Two\ntags: [a]\n---\n"),
        ("static/CNAME", "notes.example.org\n"),
        ("public/atom.xml", "<feed/>"),
    ]);
    let survey = survey(folder.path());
    assert_eq!((survey.source.as_str(), survey.posts), ("posts", 2));
    assert_eq!(survey.heads, [(HeadKind::Yaml, 1), (HeadKind::None, 1)]);
    assert_eq!(survey.contents_page.as_deref(), Some("README.md"));
    assert_eq!(survey.no_posts, ["LICENSE", "README.md"]);
    assert_eq!(survey.title.as_deref(), Some("My Notes"));
    assert_eq!(survey.description.as_deref(), Some("Notes on things that work."));
    assert_eq!(survey.base_url.as_deref(), Some("https://notes.example.org/"));
    assert_eq!(survey.feeds, ["public/atom.xml"]);
    assert_eq!(survey.tag_fields, [("tags".to_owned(), 1)]);
    assert!(survey.findings[0].contains("2 posts in `posts`"));
}
