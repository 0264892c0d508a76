//! What a check finds in the text, each at its place.

use super::*;

const SVG: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>";

fn found(body: &str) -> Vec<(&'static str, usize, usize)> {
    let mut folder = Folder::new(&[
        ("posts/a.md", &format!("---\ntitle: T\ndate: 2025-01-16\nsummary: s\n---\n{body}")),
        ("posts/b.md", "---\ntitle: B\ndate: 2025-01-15\nsummary: s\n---\n## There\n"),
    ]);
    folder.write("posts/x.svg", SVG);
    folder.look = Look::Check;
    let content = folder.load();
    content.diagnostics.iter().map(|one| (one.code, one.place.line, one.place.column)).collect()
}

#[test]
fn what_could_be_better_is_found_at_its_place() {
    for (body, code, column) in [
        ("a ![](x.svg)\n\n```\nx\n```", "alt-missing", 3),
        ("a <img src=\"x.svg\">", "alt-missing", 3),
        ("see [here](https://a.example)", "link-text", 5),
        ("see [Read more…](https://a.example)", "link-text", 5),
        ("see TK", "leftover", 1),
        ("[x](#nowhere)", "missing-anchor", 1),
        ("[x](b.md#nowhere)", "missing-anchor", 1),
        ("at <b> [https://bank.example/in](https://evil.example/in)", "link-mismatch", 8),
        ("at <b> [www.bank.example](b.md)", "link-mismatch", 8),
        ("see [the figures](https://bit.ly/3x)", "link-shortener", 5),
    ] {
        assert_eq!(found(body), [(code, 6, column)], "{body}");
    }
    assert_eq!(found("## A\n\n#### B\n"), [("heading-order", 8, 1)]);
}

#[test]
fn what_is_well_is_left_alone() {
    for body in [
        "![a curve](x.svg) <img src=\"x.svg\" alt=\"\">",
        "[https://www.a.example/x](https://a.example/x), [a.example](https://b.example), www.a.example",
        "[the figures](https://a.example), [x](b.md#there)",
        "`TK` and to do, atk",
        "## A\n\n### B\n\n## C\n\n[up](#a)\n\n<p id=\"z\">x</p>\n\n[z](#z)",
    ] {
        assert_eq!(found(body), [], "{body}");
    }
}

#[test]
fn a_build_looks_for_none_of_it() {
    let (_, diagnostics) = one("![](https://a.example/x.png) TK [here](#nowhere)\n\n# A\n\n### B");
    assert_eq!(codes(&diagnostics), [] as [&str; 0]);
}

#[test]
fn a_post_without_a_summary_and_a_heavy_file_are_reported() {
    let mut folder = Folder::new(&[
        ("posts/a.md", "---\ntitle: T\ndate: 2025-01-16\n---\n![a](x.svg)\n\n```\ncode\n```\n"),
        ("posts/b.md", "---\ntitle: B\ndate: 2025-01-16\n---\nSee [the paper](x.pdf)."),
    ]);
    folder.write("posts/x.svg", SVG);
    folder.write("posts/x.pdf", &vec![0; 3 << 20]);
    folder.look = Look::Check;
    let content = folder.load();
    assert_eq!(codes(&content.diagnostics), ["summary-missing", "file-heavy"]);
    assert!(content.diagnostics[1].message.contains("3.0 MB"), "{}", content.diagnostics[1].message);
}

#[test]
fn a_check_knows_every_link_to_another_site() {
    let mut folder = Folder::new(&[(
        "posts/a.md",
        "---\ntitle: T\ndate: 2025-01-16\n---\n[a b](https://a.example/x), www.b.example\n",
    )]);
    folder.look = Look::Check;
    let outbound = folder.load().outbound;
    let first = outbound.first().expect("a link");
    assert_eq!((first.url.as_str(), first.place.line, first.place.column), ("https://a.example/x", 5, 1));
}

fn mailed(title: &str, head: &str, body: &str) -> Vec<(&'static str, usize, usize)> {
    let text = format!("---\ndate: 2025-01-16\nsummary: s\ntitle: {title}\n{head}---\n\n{body}\n");
    let mut folder = Folder::new(&[("posts/a.md", &text)]);
    folder.write("posts/x.svg", SVG);
    folder.look = Look::Check;
    folder.load().diagnostics.iter().map(|one| (one.code, one.place.line, one.place.column)).collect()
}

#[test]
fn what_filters_dislike_about_a_whole_mail_is_found_at_its_place() {
    for title in ["WHAT A WONDERFUL WEEK", "Now! Now!", "Act now or never", "本日！！"] {
        assert_eq!(mailed(title, "", "Words."), [("subject-shouts", 4, 8)], "{title}");
    }
    for title in ["CUDA, HIP", "Now!", "What a winters day", "NASA, a history"] {
        assert_eq!(mailed(title, "", "Words."), [], "{title}");
    }
    assert_eq!(mailed("T", "", "![a curve](x.svg)\n\nFew words."), [("image-only", 7, 1)]);
    assert_eq!(mailed("T", "", &format!("![a curve](x.svg)\n\n{}", "word ".repeat(20))), []);
    assert_eq!(mailed("T", "", "![a curve](x.svg)\n\n```\ncode\n```"), []);
    assert_eq!(mailed("T", "", "<!-- later -->"), [("text-missing", 7, 1)]);
    let links = |words: &str| "[a b](https://a.example/) ".to_owned() + words;
    assert_eq!(mailed("T", "", &links("c").repeat(20)), [("links-many", 7, 1)]);
    assert_eq!(mailed("T", "", &links("c d ").repeat(20)), []);
    assert_eq!(mailed("T", "", &links("").repeat(19)), []);
}

#[test]
fn what_is_not_mailed_worries_no_filter() {
    assert_eq!(mailed("WHAT A WONDERFUL WEEK", "email: false\n", "![a curve](x.svg)"), []);
}
