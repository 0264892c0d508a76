//! Where links lead, and what they may not lead to.

use super::*;
use crate::domain::document::{Image, Target};

fn links(post: &Read) -> Vec<Target> {
    fn gather(inlines: &[Inline], out: &mut Vec<Target>) {
        for inline in inlines {
            match inline {
                Inline::Link { target, content, .. } => {
                    out.push(target.clone());
                    gather(content, out);
                }
                Inline::Image(image) => out.push(image.target.clone()),
                _ => {}
            }
        }
    }
    let mut out = Vec::new();
    for block in &post.document.blocks {
        match block {
            Block::Paragraph(inlines) => gather(inlines, &mut out),
            Block::Figure { image, .. } => out.push(image.target.clone()),
            _ => {}
        }
    }
    out
}

fn site(path: &str) -> Target {
    Target::Site(path.into())
}

const OTHER: &str = "---\ntitle: Other\ndate: 2025-01-01\n---\n";

fn linking(body: &str, files: &[(&str, &str)]) -> (Read, Vec<Diagnostic>) {
    let folder = Folder::new(files);
    folder.write("posts/deep/a.md", format!("---\ntitle: T\ndate: 2025-01-15\n---\n{body}").as_bytes());
    folder.write("posts/2-other.md", OTHER.as_bytes());
    folder.write("README.md", b"# Home");
    let content = folder.load();
    let post = content.posts.into_iter().find(|post| post.title == "T").unwrap();
    (post, content.diagnostics)
}

#[test]
fn a_link_to_a_source_becomes_a_link_to_its_page() {
    for (written, target) in [
        ("../2-other.md", "other/"),
        ("../2-other.md#part-2", "other/#part-2"),
        ("./../deep/../2-other.md?x=1#y", "other/#y"),
        ("/2-other.md", "other/"),
        ("@/2-other.md", "other/"),
        ("{filename}/2-other.md", "other/"),
        ("../other/", "other/"),
        ("../2-other.html", "other/"),
        ("/blog/other/", "other/"),
        ("https://example.org/blog/other/#z", "other/#z"),
        ("https://example.org/blog/search?q=1#z", ""),
        ("../../README.md#posts", ""),
        ("/blog/", ""),
        ("/unknown/place/", "unknown/place/"),
    ] {
        let (post, diagnostics) = linking(&format!("see [x]({written})"), &[]);
        if written.contains("search?") {
            assert_eq!(links(&post), [Target::Url(written.into())]);
        } else {
            assert_eq!(links(&post), [site(target)], "{written}: {diagnostics:?}");
        }
        assert!(diagnostics.is_empty(), "{written}: {diagnostics:?}");
    }
}

#[test]
fn addresses_elsewhere_stay_and_dangerous_ones_go() {
    let (post, diagnostics) = linking(
        "<a@b.example> [x](https://c.example/é) [y](mailto:d@e.example) [z](#part) [p](//f.example/) https://g.example.",
        &[],
    );
    assert_eq!(
        links(&post),
        [
            Target::Url("mailto:a@b.example".into()),
            Target::Url("https://c.example/é".into()),
            Target::Url("mailto:d@e.example".into()),
            Target::Fragment("part".into()),
            Target::Url("https://f.example/".into()),
            Target::Url("https://g.example".into()),
        ]
    );
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    for bad in [
        "javascript:alert(1)",
        "JaVaScRiPt:x",
        "data:text/html,x",
        "vbscript:x",
        "java&#10;script:x",
        "&#1;javascript:x",
    ] {
        let (post, _) = linking(&format!("[words]({bad})"), &[]);
        assert!(links(&post).iter().all(|target| !matches!(target, Target::Url(_))), "{bad}: {:?}", links(&post));
        assert_eq!(prose(&post), "words");
    }
}

#[test]
fn a_missing_image_is_an_error_at_its_line_and_a_missing_link_a_warning() {
    let (post, diagnostics) = linking("text\n\n![A picture](gone.png)\n\n[words](gone.md)", &[]);
    assert_eq!(codes(&diagnostics), ["missing-image", "missing-link"]);
    assert_eq!((diagnostics[0].severity, diagnostics[0].place.line), (Severity::Error, 7));
    assert_eq!(diagnostics[0].place.text, "![A picture](gone.png)");
    assert_eq!((diagnostics[1].severity, diagnostics[1].place.line), (Severity::Warning, 9));
    assert_eq!(prose(&post), "text\nA picture\nwords");
}

#[test]
fn local_files_are_copied_beside_the_pages_and_measured() {
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' width='10' height='20'/>";
    let folder = Folder::new(&[(
        "posts/deep/a.md",
        "---\ntitle: T\ndate: 2025-01-15\nimage: cover.svg\n---\n![alt *text*](<my pic.svg> \"Caption\")\n\n[pdf](../100%25.pdf#page=2) ![](/logo.svg)",
    )]);
    folder.write("posts/deep/my pic.svg", svg);
    folder.write("posts/deep/cover.svg", svg);
    folder.write("posts/100%.pdf", b"%PDF");
    folder.write("static/logo.svg", svg);
    let content = folder.load();
    assert!(content.diagnostics.is_empty(), "{:?}", content.diagnostics);
    let post = &content.posts[0];
    assert_eq!(links(post), [site("deep/my pic.svg"), site("100%25.pdf#page=2"), site("logo.svg")]);
    let Block::Figure { image, caption } = &post.document.blocks[0] else { panic!("{:?}", post.document) };
    assert_eq!(
        *image,
        Image {
            target: site("deep/my pic.svg"),
            alt: "alt text".into(),
            title: None,
            size: Some((10, 20)),
            width: None
        }
    );
    assert_eq!(plain_text(caption), "Caption");
    assert_eq!(post.image, Some(site("deep/cover.svg")));
    let copied: Vec<&str> = post.assets.iter().map(|asset| asset.site_path.as_str()).collect();
    assert_eq!(copied, ["deep/cover.svg", "deep/my pic.svg", "100%.pdf", "logo.svg"]);
}

#[test]
fn nothing_outside_and_nothing_private_is_shown() {
    let folder = Folder::new(&[
        (
            "posts/a.md",
            "---\ntitle: T\ndate: 2025-01-15\n---\n![x](link.png) [s](../subscribers.toml) [c](../.fieldpost/state.db) [e](../../../../../../../../etc/passwd)",
        ),
        ("subscribers.toml", ""),
        (".fieldpost/state.db", ""),
    ]);
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.png"), "x").unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.png"), folder.path().join("posts/link.png")).unwrap();
    let content = folder.load();
    assert_eq!(content.posts[0].assets, []);
    let mut found = codes(&content.diagnostics);
    found.sort_unstable();
    assert_eq!(found, ["link-private", "link-private", "symlink-outside", "symlink-outside"]);
}

#[test]
fn a_link_to_what_readers_cannot_see_yet_is_warned_about() {
    let draft = "---\ntitle: D\ndate: 2025-01-01\ndraft: true\n---\n";
    let (_, diagnostics) = linking("[x](d.md)", &[("posts/deep/d.md", draft)]);
    assert_eq!(codes(&diagnostics), ["link-to-unpublished"]);
}

#[test]
fn addresses_in_raw_html_work_wherever_the_post_is_read() {
    let html = "<p class=x><img src=\"pic.svg\" alt='a>b' srcset=\"pic.svg 1x, https://c.example/p.png 2x\"><a href='../2-other.md#z'>o</a><!-- <img src=gone.png> --><a href=#f>f</a></p>";
    let (post, diagnostics) =
        linking(html, &[("posts/deep/pic.svg", "<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>")]);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let Block::Html(written) = &post.document.blocks[0] else { panic!("{:?}", post.document) };
    assert_eq!(
        written.trim(),
        "<p class=x><img src=\"/blog/deep/pic.svg\" alt='a>b' srcset=\"/blog/deep/pic.svg 1x, https://c.example/p.png 2x\"><a href='/blog/other/#z'>o</a><!-- <img src=gone.png> --><a href=\"#f\">f</a></p>"
    );
    assert_eq!(post.assets.len(), 1);
    let (_, diagnostics) = linking("text <img src=\"gone.png\"> text", &[]);
    assert_eq!(codes(&diagnostics), ["missing-image"]);
    assert_eq!(diagnostics[0].place.column, 16);
}
