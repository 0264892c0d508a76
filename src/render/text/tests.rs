use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use super::*;
use crate::domain::document::{Alignment, Target};
use crate::render::html::{self, Medium, Piece, attribute, pieces, tag_name};
use crate::render::sample::{any_document, document, item, link, paragraph, post, publication, text};

fn written(blocks: Vec<Block>) -> String {
    let post = post("T", "post", Document { blocks, ..Document::default() });
    body(&post, &publication("https://example.org/"), &Pictures::default())
}

fn cells(words: &[&str]) -> Vec<Vec<Inline>> {
    words.iter().map(|word| vec![text(word)]).collect()
}

#[test]
fn links_are_numbered_once_and_listed_at_the_end() {
    let out = written(vec![Block::Paragraph(vec![
        link("https://a.example/", "one"),
        text(", "),
        link("https://b.example/", "two"),
        text(", "),
        link("https://a.example/", "one again"),
        text(", "),
        link("https://c.example/", "c.example"),
    ])]);
    assert_eq!(
        out,
        "one [1], two [2], one again [1], https://c.example/\n\nLinks\n-----\n\n[1] https://a.example/\n[2] https://b.example/\n"
    );
}

#[test]
fn code_is_indented_and_never_wrapped() {
    let line = "x".repeat(200);
    let out = written(vec![Block::Code {
        language: None,
        title: Some("a.py".into()),
        marked: Vec::new(),
        text: format!("{line}\n\ny\n"),
    }]);
    assert_eq!(out, format!("a.py:\n    {line}\n\n    y\n"));
}

#[test]
fn a_table_is_aligned_by_columns_on_screen_and_falls_apart_into_records_when_wide() {
    let table = |rows: Vec<Vec<Vec<Inline>>>| Block::Table {
        alignments: vec![Alignment::Left, Alignment::Right],
        head: cells(&["Name", "Score"]),
        rows,
    };
    let out = written(vec![table(vec![cells(&["日本", "1"]), cells(&["a", "23"])])]);
    assert_eq!(out, "Name  Score\n----  -----\n日本      1\na        23\n");
    let long = "word ".repeat(20);
    let out = written(vec![table(vec![cells(&[long.trim(), "1"]), cells(&["a", "23"])])]);
    assert!(out.starts_with("Name: word word") && out.contains("\nScore: 1\n\nName: a\nScore: 23\n"), "{out}");
}

#[test]
fn boxes_lists_and_tasks_keep_their_marks() {
    let note = Block::Admonition {
        kind: AdmonitionKind::Note,
        title: Some(vec![text("Mind")]),
        blocks: vec![paragraph("the gap")],
    };
    let list = Block::List {
        start: Some(9),
        items: vec![item(Some(true), vec![paragraph("a")]), item(None, vec![Block::Quote(vec![paragraph("b")])])],
    };
    assert_eq!(written(vec![note, list]), "NOTE: Mind\n  the gap\n\n 9. [x] a\n10. > b\n");
}

#[test]
fn the_words_and_links_of_raw_html_are_there_and_its_scripts_are_not() {
    let inline = |html: &str| Inline::Html(html.into());
    let out = written(vec![
        Block::Html(
            "<div>one <a href='/x?a=1&amp;b=2'>two</a> &amp; &eacute;</div><style>no</style><p>three<br>four".into(),
        ),
        Block::Html("<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n".into()),
        Block::Paragraph(vec![
            inline("<script>"),
            text("hidden"),
            inline("</script>"),
            inline("<a href=\"https://e.example\">"),
            text("five"),
            inline("</a>"),
        ]),
    ]);
    assert_eq!(
        out,
        "one two [1] & é\n\nthree\nfour\n\n- a\n- b\n\nfive [2]\n\nLinks\n-----\n\n[1] https://example.org/x?a=1&b=2\n[2] https://e.example\n"
    );
}

#[test]
fn post_text_is_data_here_too() {
    let out = written(vec![paragraph("{{ a }} {% b %} ${c} <b> &amp;")]);
    assert_eq!(out, "{{ a }} {% b %} ${c} <b> &amp;\n");
}

#[test]
fn deep_nesting_never_pushes_text_past_the_edge() {
    let mut block = paragraph(&"word ".repeat(40));
    for level in 0..60 {
        block = if level % 2 == 0 {
            Block::Quote(vec![block])
        } else {
            Block::List { start: None, items: vec![item(None, vec![block])] }
        };
    }
    let out = written(vec![block]);
    assert!(out.lines().all(|line| line.width() <= WIDTH), "{out}");
    assert_eq!(out.matches("word").count(), 40);
}

/// Every address a reader of the HTML can follow.
fn hrefs(html: &str) -> Vec<String> {
    pieces(html)
        .filter_map(|piece| match piece {
            Piece::Tag(tag) if tag_name(tag) == "a" => attribute(tag, "href"),
            Piece::Tag(_) | Piece::Text(_) | Piece::Comment(_) => None,
        })
        .map(|href| href.replace("&quot;", "\"").replace("&amp;", "&"))
        .filter(|href| !href.starts_with('#'))
        .collect()
}

fn assert_laws(document: Document) {
    let post = post("T", "post", document);
    let publication = publication("https://example.org/");
    let out = body(&post, &publication, &Pictures::default());
    for href in hrefs(&html::body(&post, &publication, &Pictures::default(), Medium::Mail)) {
        let shown = href.strip_prefix("mailto:").unwrap_or(&href);
        assert!(out.contains(shown), "{href} is not in\n{out}");
    }
    for line in out.lines() {
        let fixed = line.contains("://") || line.contains("mailto:") || line.contains('`') || line.contains('$');
        assert!(line.width() <= WIDTH || fixed || line.starts_with("    ") || line.contains("     "), "{line:?}");
        assert_eq!(line, line.trim_end(), "a line ends in a space");
    }
}

#[test]
fn the_sample_obeys_the_laws() {
    assert_laws(document());
}

proptest! {
    #[test]
    fn no_line_is_too_wide_and_no_link_is_lost(document in any_document()) {
        assert_laws(document);
    }
}

#[test]
fn a_place_in_the_same_post_is_a_place_on_the_web() {
    let content =
        vec![Inline::Link { target: Target::Fragment("part".into()), title: None, content: vec![text("there")] }];
    assert!(written(vec![Block::Paragraph(content)]).contains("[1] https://example.org/post/#part"));
}
