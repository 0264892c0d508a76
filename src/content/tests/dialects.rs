//! What blogs write that no specification has.

use super::*;
use crate::domain::document::{AdmonitionKind, Target, Width};

fn blocks(body: &str) -> Vec<Block> {
    one(body).0.document.blocks
}

fn text(words: &str) -> Inline {
    Inline::Text(words.into())
}

/// A folder with a post under test, another post, and a picture.
fn folder(body: &str) -> Folder {
    let folder = Folder::new(&[
        ("posts/a.md", &format!("---\ntitle: T\ndate: 2025-01-16\n---\n{body}")),
        ("posts/Other Note.md", "---\ntitle: Other\ndate: 2025-01-15\n---\nx"),
        ("posts/b.md", "---\ntitle: B\ndate: 2025-01-15\n---\nx"),
        ("posts/paper.pdf", "pdf"),
    ]);
    folder.write("posts/attachments/x.png", b"\x89PNG");
    folder
}

fn first_block(content: &Loaded) -> Block {
    content.posts[0].document.blocks[0].clone()
}

#[test]
fn wiki_links_lead_to_posts_and_files() {
    for (body, words, target) in [
        ("[[b]]", "b", Target::Site("b/".into())),
        ("[[B|see that]]", "see that", Target::Site("b/".into())),
        ("[[b#A Part|part]]", "part", Target::Site("b/#a-part".into())),
        ("[[Other Note]]", "Other Note", Target::Site("other-note/".into())),
        ("[[paper.pdf]]", "paper.pdf", Target::Site("paper.pdf".into())),
        ("[[#A Part]]", "A Part", Target::Fragment("a-part".into())),
        ("![[b]]", "b", Target::Site("b/".into())),
    ] {
        let content = folder(body).load();
        assert!(content.diagnostics.is_empty(), "{body}: {:?}", content.diagnostics);
        let link = Inline::Link { target, title: None, content: vec![text(words)] };
        assert_eq!(first_block(&content), Block::Paragraph(vec![link]), "{body}");
    }
}

#[test]
fn an_embedded_picture_is_an_image_with_its_width_or_its_words() {
    for (body, alt, width) in [
        ("![[x.png]]", "", None),
        ("![[x.png|300]]", "", Some(Width::Pixels(300))),
        ("![[x.png|300x200]]", "", Some(Width::Pixels(300))),
        ("![[x.png|A curve]]", "A curve", None),
    ] {
        let content = folder(body).load();
        let Block::Figure { image, .. } = first_block(&content) else { panic!("{body}: {:?}", first_block(&content)) };
        assert_eq!(image.target, Target::Site("attachments/x.png".into()));
        assert_eq!((image.alt.as_str(), image.width), (alt, width), "{body}");
    }
}

#[test]
fn a_dead_wiki_link_is_its_words_and_reported_at_its_place() {
    let content = folder("See [[Nowhere|over there]] and ![[gone.png]].").load();
    assert_eq!(codes(&content.diagnostics), ["missing-link", "missing-link"]);
    assert_eq!((content.diagnostics[0].place.line, content.diagnostics[0].place.column), (5, 5));
    assert_eq!(prose(&content.posts[0]), "See over there and .");
}

#[test]
fn brackets_of_markdown_and_of_code_are_no_wiki_links() {
    for body in
        ["[[a]](https://a.example)", "[[a]]\n\n[a]: https://a.example", "x[[0]]", "`[[a]]`", "$[[1]]$", "[[^1]]"]
    {
        let (_, diagnostics) = one(body);
        assert!(diagnostics.is_empty(), "{body}: {diagnostics:?}");
    }
}

#[test]
fn a_table_of_contents_lists_the_headings_by_their_levels() {
    for mark in ["[TOC]", "[[toc]]", "{{< toc >}}", "* TOC\n{:toc}"] {
        let blocks = blocks(&format!("{mark}\n\n## One\n\n### Two *x*\n\n## Three\n"));
        let Block::List { items, .. } = &blocks[0] else { panic!("{mark}: {blocks:#?}") };
        let [Block::Paragraph(first), Block::List { items: inner, .. }] = &items[0].blocks[..] else {
            panic!("{items:?}")
        };
        let one = Inline::Link { target: Target::Fragment("one".into()), title: None, content: vec![text("One")] };
        assert_eq!(first[..], [one], "{mark}");
        let two = Inline::Link { target: Target::Fragment("two-x".into()), title: None, content: vec![text("Two x")] };
        assert_eq!(inner[0].blocks, [Block::Paragraph(vec![two])], "{mark}");
        assert_eq!(items.len(), 2);
    }
    assert_eq!(blocks("[TOC]\n\ntext"), [Block::Paragraph(vec![text("text")])], "nothing to list");
}

#[test]
fn terms_have_their_definitions() {
    let blocks = blocks("Term\n: One.\n: Two.\n\nNext\n: Three.\n");
    let Block::Definitions(definitions) = &blocks[0] else { panic!("{blocks:?}") };
    assert_eq!(definitions[0].term, [text("Term")]);
    assert_eq!(definitions[0].meanings.len(), 2);
    assert_eq!(definitions[1].meanings, [vec![Block::Paragraph(vec![text("Three.")])]]);
}

#[test]
fn emoji_are_named_in_text_and_never_in_code() {
    assert_eq!(
        blocks("Up :rocket: `:rocket:`"),
        [Block::Paragraph(vec![text("Up 🚀 "), Inline::Code(":rocket:".into())])]
    );
}

#[test]
fn an_image_has_the_width_its_author_wants() {
    for (body, width) in [
        ("![a](https://a.example/x.png){width=50%}", Width::Percent(50)),
        ("![a](https://a.example/x.png){: width=\"300\" }", Width::Pixels(300)),
        ("![a|300](https://a.example/x.png)", Width::Pixels(300)),
    ] {
        let blocks = blocks(body);
        let [Block::Figure { image, .. }] = &blocks[..] else { panic!("{body}: {blocks:?}") };
        assert_eq!((image.width, image.alt.as_str()), (Some(width), "a"), "{body}");
    }
}

#[test]
fn a_line_in_italics_under_an_image_is_its_caption() {
    let blocks = blocks("![a](https://a.example/x.png)\n*The caption*\n");
    assert!(
        matches!(&blocks[..], [Block::Figure { caption, .. }] if plain_text(caption) == "The caption"),
        "{blocks:?}"
    );
}

#[test]
fn formulas_in_brackets_are_formulas() {
    assert_eq!(
        blocks("Let \\(x_i\\)2 be `\\(x\\)`.\n\n\\[\n\\frac{1}{2}\n\\]\n\nnot \\[this\\]"),
        [
            Block::Paragraph(vec![
                text("Let "),
                Inline::Math("x_i".into()),
                text("2 be "),
                Inline::Code("\\(x\\)".into()),
                text(".")
            ]),
            Block::Math("\\frac{1}{2}".into()),
            Block::Paragraph(vec![text("not [this]")]),
        ]
    );
}

#[test]
fn a_callout_of_any_word_is_a_remark_of_that_name() {
    for (body, kind, title) in [
        ("> [!quote] Said\n> x", AdmonitionKind::Note, Some("Said")),
        ("> [!danger]\n> x", AdmonitionKind::Caution, Some("Danger")),
        ("> [!custom]\n> x", AdmonitionKind::Note, Some("Custom")),
        ("::: {.callout-tip title=\"Mind\"}\nx\n:::", AdmonitionKind::Tip, Some("Mind")),
        ("::: note\nx\n:::", AdmonitionKind::Note, None),
    ] {
        let blocks = blocks(body);
        let [Block::Admonition { kind: found, title: named, .. }] = &blocks[..] else { panic!("{body}: {blocks:?}") };
        assert_eq!((*found, named.as_deref().map(plain_text).as_deref()), (kind, title), "{body}");
    }
}

#[test]
fn a_fence_that_is_no_remark_leaves_its_content_alone() {
    assert_eq!(
        blocks("::: {.aside}\nhi\n:::\n\nx"),
        [Block::Paragraph(vec![text("hi")]), Block::Paragraph(vec![text("x")])]
    );
    assert_eq!(blocks("a\n\n:::\n\nb")[1], Block::Paragraph(vec![text(":::")]), "a lone fence defines nothing");
}

#[test]
fn kramdowns_attributes_are_not_for_readers() {
    assert_eq!(
        blocks("text\n{: .lead}\n\nmore"),
        [Block::Paragraph(vec![text("text")]), Block::Paragraph(vec![text("more")])]
    );
}

#[test]
fn jekylls_links_lead_into_the_site() {
    for body in
        ["[u]({{ site.baseurl }}/b/)", "[u]({{ \"/b/\" | relative_url }})", "[u]({{ site.url }}{{ site.baseurl }}/b/)"]
    {
        let content = folder(body).load();
        let link = Inline::Link { target: Target::Site("b/".into()), title: None, content: vec![text("u")] };
        assert_eq!(first_block(&content), Block::Paragraph(vec![link]), "{body}");
    }
}

#[test]
fn more_shortcodes_are_known() {
    let (post, diagnostics) = one(
        "{{< details summary=\"More & more\" >}}\n**md**\n{{< /details >}}\n\n{{< mermaid >}}\ngraph TD\n{{< /mermaid >}}\n\n{{< video src=\"https://a.example/v.mp4\" >}}\n\n{% gist 123 %}\n\n{{< button href=\"https://a.example\" >}}Go{{< /button >}}\n",
    );
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let blocks = &post.document.blocks;
    assert!(
        matches!(&blocks[0], Block::Html(html) if html.contains("<summary>More &amp; more</summary>")),
        "{blocks:#?}"
    );
    assert_eq!(blocks[1], Block::Paragraph(vec![Inline::Strong(vec![text("md")])]));
    assert!(matches!(&blocks[3], Block::Code { language: Some(language), .. } if language == "mermaid"), "{blocks:#?}");
    let words = ["v.mp4", "https://gist.github.com/123", "Go"];
    for (block, expected) in blocks[4..].iter().zip(words) {
        assert!(matches!(block, Block::Paragraph(inlines) if plain_text(inlines) == expected), "{block:?}");
    }
}

#[test]
fn an_unknown_liquid_tag_never_reaches_readers_and_talk_of_templates_does() {
    let (post, diagnostics) = one("one {% chart x %} two {% if x %}");
    assert_eq!(codes(&diagnostics), ["unknown-shortcode"]);
    assert_eq!(prose(&post), "one  two {% if x %}");
}
