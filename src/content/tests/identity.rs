//! Ids and URLs over the life of a folder.

use super::*;

fn remember(content: &Loaded) -> Vec<KnownPost> {
    let known = content.posts.iter().map(|post| KnownPost {
        id: post.id.clone(),
        source: post.source.clone(),
        source_digest: post.source_digest.clone(),
        published: true,
    });
    known.collect()
}

const POST: &str = "---\ntitle: T\ndate: 2025-01-15\n---\nSome text.";

#[test]
fn an_id_survives_a_new_name_a_new_slug_and_a_new_text() {
    let mut folder = Folder::new(&[("posts/a.md", POST)]);
    folder.known = remember(&folder.load());
    let id = folder.known[0].id.clone();
    assert_eq!(id.as_str(), "tag:example.org,2025-01-15:a");
    folder.write("posts/a.md", POST.replace("title: T", "title: T\nslug: new").as_bytes());
    assert_eq!(folder.load().posts[0].id, id);
    folder.write("posts/a.md", POST.as_bytes());
    std::fs::rename(folder.path().join("posts/a.md"), folder.path().join("posts/b.md")).unwrap();
    let moved = folder.load();
    assert_eq!((moved.posts[0].id.clone(), moved.posts[0].slug.as_str()), (id.clone(), "b"));
    assert!(moved.diagnostics.is_empty(), "{:?}", moved.diagnostics);
}

#[test]
fn an_id_survives_a_rename_with_changes_that_git_saw() {
    let long = format!("{POST}\n{}", "A line that stays the same.\n".repeat(20));
    let mut folder = Folder::new(&[("posts/a.md", &long)]);
    folder.git(&["init", "-q"], "2025-01-01T00:00:00Z");
    folder.commit("2025-01-15T10:00:00Z");
    folder.known = remember(&folder.load());
    std::fs::remove_file(folder.path().join("posts/a.md")).unwrap();
    folder.write("posts/b.md", long.replace("Some text", "Other words").as_bytes());
    folder.commit("2025-01-16T10:00:00Z");
    let content = folder.load();
    assert_eq!(content.posts[0].id, folder.known[0].id);
    assert!(content.diagnostics.is_empty(), "{:?}", content.diagnostics);
}

#[test]
fn a_published_post_that_is_gone_is_an_error_until_it_is_retired() {
    let mut folder = Folder::new(&[("posts/a.md", POST), ("posts/b.md", &POST.replace("Some", "Other"))]);
    folder.known = remember(&folder.load());
    std::fs::remove_file(folder.path().join("posts/a.md")).unwrap();
    let content = folder.load();
    assert_eq!(codes(&content.diagnostics), ["post-vanished"]);
    assert!(content.diagnostics[0].help.as_ref().unwrap().contains("retired"));
    folder.retired = vec![PostId::parse("tag:example.org,2025-01-15:a").unwrap()];
    assert!(folder.load().diagnostics.is_empty());
}

#[test]
fn a_published_post_that_is_broken_is_not_also_called_gone() {
    let mut folder = Folder::new(&[("posts/a.md", POST)]);
    folder.known = remember(&folder.load());
    folder.write("posts/a.md", b"---\ntitle: [\n---\n");
    assert_eq!(codes(&folder.load().diagnostics), ["front-matter-syntax"]);
}

#[test]
fn duplicate_ids_and_urls_are_errors_that_name_both_files_and_the_first_goes_on() {
    let with = |field: &str| POST.replace("title: T", &format!("title: T\n{field}"));
    let folder = Folder::new(&[
        ("posts/a.md", &with("id: x")),
        ("posts/b.md", &with("id: x")),
        ("posts/c.md", &with("slug: s")),
        ("posts/d.md", &with("slug: S")),
    ]);
    let content = folder.load();
    assert_eq!(sources(&content), ["posts/a.md", "posts/c.md"]);
    assert_eq!(codes(&content.diagnostics), ["duplicate-id", "slug-collision"]);
    for (diagnostic, names) in content.diagnostics.iter().zip([["a.md", "b.md"], ["c.md", "d.md"]]) {
        assert!(names.iter().all(|name| diagnostic.message.contains(name)), "{diagnostic}");
        assert_eq!(diagnostic.place.line, 3);
    }
}
