//! What becomes of the text.

use super::*;
use crate::domain::document::{AdmonitionKind, ListItem, Spacing, Target};

fn blocks(body: &str) -> Vec<Block> {
    one(body).0.document.blocks
}

fn text(words: &str) -> Inline {
    Inline::Text(words.into())
}

#[test]
fn text_with_braces_is_data() {
    for prose_text in
        ["{{ x }}", "{% if x %}", "${x}", "{{ user.name | upper }}", "{{ f('x') }} {{{raw}}}", "{# note #}", "{%", "{{"]
    {
        let (post, diagnostics) = one(&format!(
            "Before {prose_text} after, `{{{{< figure >}}}}` too.\n\n```\n{{{{< ref \"x\" >}}}} {{% raw %}}\n```"
        ));
        assert_eq!(prose(&post), format!("Before {prose_text} after, {{{{< figure >}}}} too."));
        assert!(
            matches!(&post.document.blocks[1], Block::Code { text, .. } if text == "{{< ref \"x\" >}} {% raw %}\n")
        );
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
    }
}

#[test]
fn known_shortcodes_are_rendered() {
    let (post, diagnostics) = one(
        "{{< youtube abc >}}\n\n{{ youtube(id=\"abc\") }}\n\n{% include figure image_path=\"https://a.example/x.png\" alt=\"A _b_\" caption=\"C\" %}\n\n{{< figure src=\"https://a.example/x.png\" title='It\"s' >}}\n\n{% highlight Rust linenos %}\n    let a = `b`;\n{% endhighlight %}\n\n{{< highlight go >}}x{{< /highlight >}}\n\n{% raw %}{{ x }}{% endraw %}\n\n{{</* figure */>}}\n",
    );
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let blocks = &post.document.blocks;
    let video = Target::Url("https://www.youtube.com/watch?v=abc".into());
    for block in &blocks[..2] {
        assert!(
            matches!(block, Block::Paragraph(inlines) if matches!(&inlines[0], Inline::Link { target, .. } if *target == video)),
            "{block:?}"
        );
    }
    let Block::Figure { image, caption } = &blocks[2] else { panic!("{blocks:#?}") };
    assert_eq!((image.alt.as_str(), plain_text(caption).as_str()), ("A _b_", "C"));
    assert!(matches!(&blocks[3], Block::Figure { caption, .. } if plain_text(caption) == "It\"s"), "{:?}", blocks[3]);
    assert!(
        matches!(&blocks[4], Block::Code { language: Some(language), text, .. } if language == "rust" && text == "    let a = `b`;\n"),
        "{:?}",
        blocks[4]
    );
    assert!(matches!(&blocks[5], Block::Code { text, .. } if text == "x\n"));
    assert_eq!(blocks[6], Block::Paragraph(vec![text("{{ x }}")]));
    assert_eq!(blocks[7], Block::Paragraph(vec![text("{{< figure >}}")]));
}

#[test]
fn an_unknown_shortcode_is_left_out_with_a_warning_at_its_place() {
    for (body, rest) in [
        ("one {{< chart data=\"x\" >}} two", "one  two"),
        ("one {{% chart %}}inner{{% /chart %}} two", "one inner two"),
        ("one {{ chart(data=\"x\") }} two", "one  two"),
        ("one {% chart(data=\"x\") %}inner{% end %} two", "one inner two"),
        ("one {% include chart.html %} two", "one  two"),
    ] {
        let (post, diagnostics) = one(body);
        assert_eq!(codes(&diagnostics), ["unknown-shortcode"], "{body}");
        assert_eq!((diagnostics[0].place.line, diagnostics[0].place.column), (5, 5));
        assert_eq!(prose(&post).replace("  ", " "), rest.replace("  ", " "), "{body}");
    }
}

#[test]
fn places_stay_right_behind_an_expanded_shortcode() {
    let (_, diagnostics) = one("{{< youtube abc >}} and\n\n![x](gone.png)");
    assert_eq!((diagnostics[0].code, diagnostics[0].place.line, diagnostics[0].place.column), ("missing-image", 7, 1));
    let (_, diagnostics) = one("::: note\nhi\n\n![x](gone.png)\n:::\n");
    assert_eq!((diagnostics[0].code, diagnostics[0].place.line, diagnostics[0].place.column), ("missing-image", 8, 1));
}

#[test]
fn remarks_of_every_dialect_become_one_thing() {
    for body in [
        "> [!WARNING] Mind *it*\n> text",
        "> [!warning]- Mind *it*\n> text",
        "::: warning Mind *it*\ntext\n:::",
        ":::warning[Mind *it*]\ntext\n:::\n",
        "!!! warning \"Mind *it*\"\n    text\n",
        "{{< callout type=\"warning\" title=\"Mind *it*\" >}}\ntext\n{{< /callout >}}",
    ] {
        let blocks = blocks(body);
        let [Block::Admonition { kind: AdmonitionKind::Warning, title: Some(title), blocks }] = blocks.as_slice()
        else {
            panic!("{body}: {blocks:#?}");
        };
        assert_eq!(plain_text(title), "Mind it", "{body}");
        assert_eq!(*blocks, [Block::Paragraph(vec![text("text")])], "{body}");
    }
    assert!(matches!(&blocks("> [!NOTE]\n> x")[0], Block::Admonition { title: None, .. }));
    assert!(matches!(&blocks("> plain [!NOTE]")[0], Block::Quote(_)));
    assert_eq!(
        blocks("::: {.aside}\nhi"),
        [Block::Paragraph(vec![text("::: {.aside}"), Inline::SoftBreak, text("hi")])]
    );
    assert!(matches!(&blocks("::: note\nnever closed")[0], Block::Paragraph(_)));
}

#[test]
fn footnotes_are_numbered_by_their_first_use() {
    let (post, _) = one("A[^b] and[^a] and[^b].\n\n[^a]: One.\n[^b]: Two.\n[^c]: Unused.");
    let labels: Vec<&str> = post.document.footnotes.iter().map(|footnote| footnote.label.as_str()).collect();
    assert_eq!(labels, ["b", "a"]);
    let Block::Paragraph(inlines) = &post.document.blocks[0] else { panic!() };
    let references: Vec<usize> = inlines
        .iter()
        .filter_map(|inline| match inline {
            Inline::FootnoteReference(index) => Some(*index),
            _ => None,
        })
        .collect();
    assert_eq!(references, [0, 1, 0]);
    assert_eq!(post.document.footnotes[0].blocks, [Block::Paragraph(vec![text("Two.")])]);
}

#[test]
fn blocks_are_what_the_author_wrote() {
    assert_eq!(
        blocks("- [x] a\n- b\n"),
        [Block::List {
            start: None,
            items: vec![
                ListItem { task: Some(true), blocks: vec![Block::Paragraph(vec![text("a")])], spacing: Spacing::Tight },
                ListItem { task: None, blocks: vec![Block::Paragraph(vec![text("b")])], spacing: Spacing::Tight },
            ],
        }]
    );
    assert!(
        matches!(&blocks("3. a\n\n4. b\n")[0], Block::List { start: Some(3), items } if items.iter().all(|item| item.spacing == Spacing::Loose))
    );
    assert!(
        matches!(&blocks("| a | b |\n|:-:|--:|\n| 1 | 2 |\n")[0], Block::Table { head, rows, .. } if head.len() == 2 && rows.len() == 1)
    );
    assert_eq!(
        blocks("Before $$x^2$$ after, $y$."),
        [
            Block::Paragraph(vec![text("Before ")]),
            Block::Math("x^2".into()),
            Block::Paragraph(vec![text(" after, "), Inline::Math("y".into()), text(".")]),
        ]
    );
    assert_eq!(
        blocks("\"It's\" -- $5 and $10..."),
        [Block::Paragraph(vec![text("\"It's\" -- $5 and $10...")])],
        "no smart punctuation"
    );
    assert!(
        matches!(&blocks("## A {#own}\n\n## A\n")[..], [Block::Heading { id: first, .. }, Block::Heading { id: second, .. }] if first == "own" && second == "a")
    );
    assert!(
        matches!(&blocks("```python {hl_lines=[1] title=\"a.py\"}\nx\n```")[0], Block::Code { language: Some(l), title: Some(t), .. } if l == "python" && t == "a.py")
    );
}

#[test]
fn control_characters_never_enter_a_document_and_are_reported() {
    let (post, diagnostics) = one("a\u{8}b &#8; c &#x1F; d\u{FFFE}\n\n`e\u{B}f` [g](https://h.example/\u{1}i)");
    assert_eq!(prose(&post), "ab  c  d\nef g");
    assert_eq!(codes(&diagnostics), ["control-character"; 6]);
    assert_eq!(
        diagnostics.iter().map(|diagnostic| (diagnostic.place.line, diagnostic.place.column)).collect::<Vec<_>>(),
        [(5, 2), (5, 5), (5, 12), (5, 20), (7, 3), (7, 29)]
    );
}

#[test]
fn mojibake_is_reported_with_its_repair() {
    let (post, diagnostics) = one("**üöÄ Production Reality**");
    assert_eq!(codes(&diagnostics), ["mojibake"]);
    assert!(diagnostics[0].message.contains('🚀'));
    assert_eq!((diagnostics[0].place.column, diagnostics[0].place.width), (3, 3));
    assert_eq!(prose(&post), "üöÄ Production Reality", "never changed silently");
}

#[test]
fn a_name_in_angle_brackets_that_is_no_element_is_text() {
    let (post, diagnostics) =
        one("From<E> and *Box<T>*, H<sub>2</sub>O, Iterator<S> goes</E> on [Rc<T>](https://a.example)\n");
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let Block::Paragraph(inlines) = &post.document.blocks[0] else { panic!("{:?}", post.document) };
    assert_eq!(plain_text(inlines), "From<E> and Box<T>, H2O, Iterator<S> goes</E> on Rc<T>");
    let tags: Vec<_> = inlines.iter().filter(|inline| matches!(inline, Inline::Html(_))).collect();
    assert_eq!(tags, [&Inline::Html("<sub>".into()), &Inline::Html("</sub>".into())]);
}

#[test]
fn a_block_that_begins_like_html_and_is_none_is_a_paragraph() {
    assert_eq!(blocks("<T>\nof words &amp; signs\n"), [Block::Html("<p>&lt;T>\nof words &amp; signs</p>\n".into())]);
    assert_eq!(blocks("<div>Box<T></div>\n"), [Block::Html("<div>Box&lt;T></div>\n".into())]);
}

#[test]
fn headings_keep_what_stands_in_angle_brackets() {
    let Block::Heading { id, content, .. } = &blocks("## Box<T> or Rc<T>\n")[0] else { panic!("no heading") };
    assert_eq!((plain_text(content).as_str(), id.as_str()), ("Box<T> or Rc<T>", "boxt-or-rct"));
}

#[test]
fn what_is_wrong_with_a_formula_has_its_place_in_the_post() {
    let text =
        "# T\n\nIt is $x + \\nonsense$ here.\n\n> $$\n> a \\\\\n> \\frac{b}{\\oops}\n> $$\n\nFine: $\\frac12$, $x$.\n";
    let content = Folder::new(&[("posts/a.md", text)]).load();
    let found: Vec<_> = content.diagnostics.iter().filter(|one| one.code == "math").collect();
    let places: Vec<_> = found.iter().map(|one| (one.place.line, one.place.column, one.place.width)).collect();
    assert_eq!(places, [(3, 12, 9), (7, 12, 5)], "{found:?}");
    assert!(found[0].message.contains("\\nonsense") && found[0].help.as_ref().unwrap().contains("[math.macros]"));
    assert_eq!(found[0].severity, Severity::Error);
}

#[test]
fn a_summary_and_a_title_say_simple_formulas_in_letters() {
    let text = "# Why $O(n^2)$\n\nFor $k \\le 10$ and $\\frac12$ it holds.\n";
    let content = Folder::new(&[("posts/a.md", text)]).load();
    assert_eq!(content.posts[0].title, "Why O(n²)");
    assert_eq!(content.posts[0].summary, "For k ≤ 10 and \\frac12 it holds.");
}

#[test]
fn each_block_knows_the_line_it_begins_in() {
    let text = "# Title\n\n[TOC]\n\nOne\ntwo.\n\n[TOC]\n\nA :rocket: ![[a]]\n\n- a\n\n  b\n- c\n\n## H\n<p>\n\nLast[^n]\n\n[^n]: Note.\n\n***\n\n[←](/)\n";
    let folder = Folder::new(&[("posts/a.md", text)]);
    let post = folder.load().posts.remove(0);
    let lines: Vec<usize> = (0..post.document.blocks.len()).map(|at| post.document.line(at)).collect();
    assert_eq!(lines, [3, 5, 10, 12, 17, 18, 20], "{:?}", post.document);
    assert_eq!(post.document.lines.len(), post.document.blocks.len());
}
