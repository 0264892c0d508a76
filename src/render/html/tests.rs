use proptest::prelude::*;

use super::*;
use crate::domain::document::{Alignment, Block, Footnote, Image, Inline, ListItem, Spacing, Target};
use crate::domain::words::Words;
use crate::render::sample::{
    any_document, any_html, document, heading, item, link, paragraph, post, publication, text,
};

fn html(blocks: Vec<Block>, medium: Medium) -> String {
    let post = post("T", "2026/a.post", Document { blocks, ..Document::default() });
    body(&post, &publication("https://example.org/blog/"), &Pictures::default(), medium)
}

/// What is written before it is parsed.
fn unparsed(post: &Article, links: Links, pictures: &Pictures, medium: Medium, colours: Colours) -> String {
    let words = Words::default();
    written(Writer::new(post, words.of("en"), links, pictures, medium, colours))
}

fn all_media(blocks: &[Block]) -> [String; 3] {
    [Medium::Web, Medium::Feed, Medium::Mail].map(|medium| html(blocks.to_vec(), medium))
}

#[test]
fn post_text_is_data_in_every_medium() {
    let hostile = "{{ site.title }} {% include \"x\" %} ${HOME} <b>&amp;</b>";
    let escaped = "{{ site.title }} {% include \"x\" %} ${HOME} &lt;b&gt;&amp;amp;&lt;/b&gt;";
    let code = Block::Code { language: None, title: None, marked: Vec::new(), text: hostile.into() };
    for out in all_media(&[paragraph(hostile), code]) {
        assert_eq!(out.matches(escaped).count(), 2, "{out}");
    }
}

#[test]
fn the_web_trusts_raw_html_and_the_others_do_not() {
    let raw = "<script>alert(1)</script><div onclick=\"x()\" class=\"mine\">words</div>\n";
    let [web, feed, mail] = all_media(&[Block::Html(raw.into())]);
    assert_eq!(web, raw);
    for out in [feed, mail] {
        assert!(out.contains("words") && !out.contains("alert") && !out.contains("onclick"), "{out}");
    }
}

#[test]
fn nothing_that_runs_survives_in_feed_or_mail() {
    let attacks = [
        "<img src=x onerror=alert(1)>",
        "<a href=\"javascript:alert(1)\">x</a>",
        "<a href=\"java&#10;script:alert(1)\">x</a>",
        "<a href=\" &#1;javascript:alert(1)\">x</a>",
        "<svg onload=alert(1)><script>alert(1)</script></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<iframe src=\"javascript:alert(1)\"></iframe>",
        "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
        "<form action=\"https://evil.example\"><input name=a><button>alert</button></form>",
        "<style>@import 'https://evil.example'; p { background: url(alert) }</style>",
        "<p style=\"background:url(javascript:alert(1))\">x</p>",
        "<object data=\"data:text/html,alert(1)\"></object><embed src=\"x\">",
        "<img srcset=\"javascript:alert(1) 1x\">",
        "<video poster=\"javascript:alert(1)\" onplay=\"alert(1)\"></video>",
        "<meta http-equiv=\"refresh\" content=\"0;url=javascript:alert(1)\"><base href=\"https://evil.example\">",
        "<details ontoggle=alert(1) open><summary onclick=alert(1)>x</summary></details>",
        "<a href=\"data:text/html;base64,PHNjcmlwdD4=\">x</a>",
    ];
    for attack in attacks {
        let [_, feed, mail] = all_media(&[Block::Html(attack.into())]);
        for out in [feed, mail] {
            for bad in
                ["alert(1)", "javascript:", "<script", "<style", "<form", "<svg", "evil.example\"", "data:text", " on"]
            {
                assert!(!out.contains(bad), "{bad} of {attack} is in {out}");
            }
        }
    }
}

#[test]
fn a_javascript_link_of_the_author_is_only_words_everywhere() {
    let image =
        Image { target: Target::Url("javascript:x".into()), alt: "alt".into(), title: None, size: None, width: None };
    let content = vec![link("javascript:alert(1)", "words"), Inline::Image(image)];
    for out in all_media(&[Block::Paragraph(content)]) {
        assert_eq!(out, "<p>wordsalt</p>\n");
    }
}

#[test]
fn a_width_is_kept_and_never_wider_than_the_column_of_a_mail() {
    use crate::domain::document::Width;
    let shown = |size, width| {
        let target = Target::Url("https://a.example/x.png".into());
        let image = Image { target, alt: "x".into(), title: None, size, width: Some(width) };
        all_media(&[Block::Paragraph(vec![Inline::Image(image)])])
    };
    for (size, width, [web, feed, mail]) in [
        (
            Some((1000, 500)),
            Width::Percent(50),
            [
                r#"width="1000" height="500" style="width:50%""#,
                r#"width="300" height="150""#,
                r#"width="300" height="150""#,
            ],
        ),
        (Some((1000, 500)), Width::Pixels(200), [r#"width="200" height="100""#; 3]),
        (
            Some((100, 50)),
            Width::Pixels(2000),
            [r#"width="2000" height="1000""#, r#"width="2000" height="1000""#, r#"width="600" height="300""#],
        ),
        (None, Width::Percent(50), [r#"alt="x" style="width:50%""#, r#"width="300""#, r#"width="300""#]),
        (None, Width::Pixels(2000), [r#"width="2000""#, r#"width="2000""#, r#"width="600""#]),
    ] {
        for (out, expected) in shown(size, width).iter().zip([web, feed, mail]) {
            assert!(out.contains(expected), "{size:?} {width:?}: no {expected} in {out}");
        }
    }
}

#[test]
fn every_url_that_leaves_the_site_is_absolute() {
    let raw = "<picture><source srcset=\"/a.webp 1x, b.webp 2x\"><img src=\"../c.png\" srcset=\"d.png 2x\"></picture>\
               <video poster=\"/p.png\" src=\"/v.mp4\"></video><a href=\"#part\">p</a><a href=\"/x\">x</a>";
    let [_, feed, mail] = all_media(&[Block::Html(raw.into())]);
    for url in
        ["https://example.org/a.webp 1x, https://example.org/blog/2026/a.post/b.webp 2x", "https://example.org/p.png"]
    {
        assert!(feed.contains(url), "{url} is not in {feed}");
    }
    for out in [&feed, &mail] {
        assert!(out.contains("src=\"https://example.org/blog/2026/c.png\""), "{out}");
        assert!(out.contains("href=\"https://example.org/blog/2026/a.post/#part\""), "{out}");
        assert!(out.contains("href=\"https://example.org/x\""), "{out}");
    }
    assert!(!mail.contains("srcset") && !mail.contains("<source"));
}

#[test]
fn a_feed_has_no_class_and_no_style() {
    let out =
        body(&post("T", "t", document()), &publication("https://example.org/"), &Pictures::default(), Medium::Feed);
    assert!(!out.contains(" class=") && !out.contains(" style=") && !out.contains("<script"), "{out}");
    assert!(!out.contains("src=\"/") && !out.contains("href=\"/") && !out.contains("href=\"#"), "{out}");
}

#[test]
fn notes_lead_there_and_back_under_names_of_their_own_post() {
    let blocks = vec![Block::Paragraph(vec![Inline::FootnoteReference(0), text("b"), Inline::FootnoteReference(0)])];
    let footnotes = vec![Footnote { label: "x".into(), blocks: vec![paragraph("note")] }];
    let post = post("T", "a/b.c", Document { blocks, footnotes, ..Document::default() });
    let publication = publication("https://example.org/");
    let web = body(&post, &publication, &Pictures::default(), Medium::Web);
    for part in [
        "<sup id=\"fnref-a-b-c-1\"",
        "<sup id=\"fnref-a-b-c-1-2\"",
        "<li id=\"fn-a-b-c-1\">",
        "href=\"#fn-a-b-c-1\"",
        "href=\"#fnref-a-b-c-1-2\"",
    ] {
        assert!(web.contains(part), "{part} is not in {web}");
    }
    let feed = body(&post, &publication, &Pictures::default(), Medium::Feed);
    assert!(feed.contains("<a href=\"https://example.org/a/b.c/#fn-a-b-c-1\">1</a>"), "{feed}");
    assert!(feed.contains("<section>\n<ol>\n<li id=\"fn-a-b-c-1\">"), "{feed}");
    let mail = body(&post, &publication, &Pictures::default(), Medium::Mail);
    let anchor = "<a href=\"#fn-a-b-c-1\" name=\"fn-a-b-c-1\" tabindex=\"-1\" aria-hidden=\"true\"></a>";
    assert!(mail.contains(anchor) && mail.contains("<a href=\"#fn-a-b-c-1\">"), "{mail}");
}

#[test]
fn the_notes_of_a_mail_with_raw_html_still_work() {
    let blocks = vec![Block::Html("<b>x</b>".into()), Block::Paragraph(vec![Inline::FootnoteReference(0)])];
    let footnotes = vec![Footnote { label: "x".into(), blocks: vec![paragraph("note")] }];
    let post = post("T", "a", Document { blocks, footnotes, ..Document::default() });
    let mail = body(&post, &publication("https://example.org/"), &Pictures::default(), Medium::Mail);
    assert!(
        mail.contains("href=\"#fn-a-1\"") && mail.contains("name=\"fn-a-1\"") && mail.contains("href=\"#fnref-a-1\"")
    );
}

#[test]
fn headings_begin_right_below_the_title_whatever_the_author_wrote() {
    let [web, ..] = all_media(&[heading(1, "a", "A"), heading(2, "b", "B"), heading(6, "c", "C")]);
    assert!(web.contains("<h2 id=\"a\">") && web.contains("<h3 id=\"b\">") && web.contains("<h6 id=\"c\">"), "{web}");
    for level in 2..=6 {
        let [web, ..] = all_media(&[heading(level, "b", "B")]);
        assert!(web.contains("<h2 id=\"b\">"), "{web}");
    }
}

#[test]
fn a_link_holds_no_other_link() {
    let inner = Inline::Link { target: Target::Url("https://a.example".into()), title: None, content: vec![text("x")] };
    let outer = Inline::Link { target: Target::Url("https://b.example".into()), title: None, content: vec![inner] };
    let [web, ..] = all_media(&[Block::Paragraph(vec![outer])]);
    assert_eq!(web, "<p><a href=\"https://b.example\">x</a></p>\n");
}

#[test]
fn a_tight_list_has_no_paragraphs_and_a_loose_one_has() {
    let tight = Block::List { start: None, items: vec![item(Some(true), vec![paragraph("a")])] };
    let loose = ListItem { task: None, blocks: vec![paragraph("b")], spacing: Spacing::Loose };
    let [web, feed, _] = all_media(&[tight, Block::List { start: Some(3), items: vec![loose] }]);
    assert!(web.contains("<ul class=\"tasks\">\n<li><input type=\"checkbox\" disabled checked"), "{web}");
    assert!(feed.contains("<li>☑ a</li>"), "{feed}");
    assert!(web.contains("<ol start=\"3\">\n<li>\n<p>b</p></li>"), "{web}");
}

#[test]
fn details_are_open_where_they_cannot_be_opened() {
    let [web, feed, mail] = all_media(&[Block::Html("<details><summary>More</summary>x</details>".into())]);
    assert!(web.contains("<details>"));
    assert!(feed.contains("<div><p><strong>More</strong></p>x</div>"), "{feed}");
    assert!(mail.contains("<div><p><strong>More</strong></p>x</div>"), "{mail}");
}

proptest! {
    /// Why parsing may be skipped where raw HTML is plain, or where there is none: it would
    /// change nothing.
    #[test]
    fn parsing_plain_html_changes_nothing(document in any_document(), tags in prop::collection::vec(plain_tag(), 0..3)) {
        let document = Document { blocks: with_tags(document.blocks, &tags), ..document };
        prop_assert!(is_plain(&document));
        let base = publication("https://example.org/").base_url;
        let (post, pictures) = (post("T", "a/b", document), Pictures::default());
        for medium in [Medium::Feed, Medium::Mail] {
            let links = Links::new(&base, "a/b/", Reach::Absolute);
            let ours = unparsed(&post, links.clone(), &pictures, medium, Colours::Classes);
            let clean = Sanitizer::new(&links, medium).clean(&ours);
            prop_assert_eq!(clean, ours);
        }
        let links = Links::new(&base, "a/b/", Reach::Page);
        let ours = unparsed(&post, links, &pictures, Medium::Web, Colours::Classes);
        let closed = balanced(&ours);
        prop_assert_eq!(balance::as_browsers_read(&closed), balance::as_browsers_read(&ours));
        prop_assert_eq!(balanced(&(ours + "<footer></footer>")), closed + "<footer></footer>");
    }
}

/// A block of raw HTML, a paragraph with some in it, or one without.
fn rough_block() -> impl Strategy<Value = Block> {
    let around = |html| Block::Paragraph(vec![Inline::Text("a".into()), Inline::Html(html), Inline::Text("b".into())]);
    prop_oneof![
        3 => any_html(5).prop_map(Block::Html),
        3 => any_html(4).prop_map(around),
        2 => Just(paragraph("c \"d\" & e")),
    ]
}

proptest! {
    /// Why a block may be balanced by itself: a browser makes the same of it as of the whole.
    #[test]
    fn what_is_balanced_block_by_block_is_read_as_what_is_balanced_whole(blocks in prop::collection::vec(rough_block(), 1..6)) {
        let (post, pictures) = (post("T", "a/b", Document { blocks, ..Document::default() }), Pictures::default());
        let links = Links::new(&publication("https://example.org/").base_url, "a/b/", Reach::Page);
        let (whole, words) = (unparsed(&post, links.clone(), &pictures, Medium::Web, Colours::Classes), Words::default());
        let writer = Writer::new(&post, words.of("en"), links, &pictures, Medium::Web, Colours::Classes);
        if let Some(ours) = balanced_by_blocks(writer) {
            let whole = balanced(&shallow_source(&whole));
            prop_assert_eq!(balance::as_browsers_read(&ours), balance::as_browsers_read(&whole));
        }
    }
}

fn plain_tag() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "abbr",
        "cite",
        "ins",
        "kbd",
        "mark",
        "q",
        "samp",
        "small",
        "sub",
        "sup",
        "br",
        "br/",
        "br /",
        "!-- a -- b --",
    ])
}

/// The blocks with the text of every paragraph and heading in these tags.
fn with_tags(blocks: Vec<Block>, tags: &[&str]) -> Vec<Block> {
    let tagged = |line: Vec<Inline>| {
        tags.iter().fold(line, |line, tag| match *tag {
            "br" | "br/" | "br /" | "!-- a -- b --" => [vec![Inline::Html(format!("<{tag}>"))], line].concat(),
            tag => [vec![Inline::Html(format!("<{tag}>"))], line, vec![Inline::Html(format!("</{tag}>"))]].concat(),
        })
    };
    let inside = |block| match block {
        Block::Paragraph(line) => Block::Paragraph(tagged(line)),
        Block::Heading { level, id, content } => Block::Heading { level, id, content: tagged(content) },
        Block::Quote(blocks) => Block::Quote(with_tags(blocks, tags)),
        Block::Rule => Block::Html("<!-- here was\na rule -->\n".into()),
        other => other,
    };
    blocks.into_iter().map(inside).collect()
}

#[test]
fn sanitising_the_sample_changes_nothing() {
    let base = publication("https://example.org/").base_url;
    let (post, pictures) = (post("T", "a/b", document()), Pictures::default());
    for medium in [Medium::Feed, Medium::Mail] {
        let links = Links::new(&base, "a/b/", Reach::Absolute);
        let ours = unparsed(&post, links.clone(), &pictures, medium, Colours::Classes);
        assert_eq!(Sanitizer::new(&links, medium).clean(&ours), ours);
    }
}

#[test]
fn a_formula_is_mathml_or_letters_or_a_picture_or_what_was_typed() {
    let inline = |tex: &str| Block::Paragraph(vec![Inline::Math(tex.into())]);
    let [web, feed, mail] = all_media(&[inline("x^2"), inline("\\frac ab"), Block::Math("\\sqrt x".into())]);
    assert_eq!(web.matches("<math").count(), 3, "{web}");
    assert!(web.contains("<div class=\"formula\" tabindex=\"0\"><math display=\"block\">"), "{web}");
    for out in [&feed, &mail] {
        assert!(out.contains("<p><i>x</i><sup>2</sup></p>"), "{out}");
        assert!(
            out.contains(" src=\"https://example.org/blog/pictures/") && out.contains(" alt=\"\\frac ab\""),
            "{out}"
        );
        assert!(out.contains(" alt=\"\\sqrt x\"") && !out.contains("<math"), "{out}");
    }
    assert_eq!(mail.matches(" style=\"vertical-align:-").count(), 1, "{mail}");
    assert!(mail.contains("<p class=\"formula\"><img class=\"m\""), "{mail}");
    for out in all_media(&[inline("\\nonsense"), Block::Math("\\frac{".into())]) {
        assert!(out.contains(">\\nonsense</code></p>") && out.contains(">\\frac{</code></pre>"), "{out}");
    }
}

#[test]
fn a_formula_survives_beside_raw_html() {
    let blocks = [Block::Html("<p>raw</p>\n".into()), Block::Paragraph(vec![Inline::Math("\\frac ab".into())])];
    let [web, feed, mail] = all_media(&blocks);
    assert!(web.contains("<mfrac><mi>a</mi><mi>b</mi></mfrac></math>"), "{web}");
    assert!(feed.contains("alt=\"\\frac ab\""), "{feed}");
    assert!(mail.contains("alt=\"\\frac ab\"") && mail.contains("style=\"vertical-align:-"), "{mail}");
}

#[test]
fn a_table_of_many_columns_links_to_its_page_in_mail() {
    let row = |columns: usize| vec![vec![Inline::Text("a".to_owned())]; columns];
    let table = |columns| Block::Table {
        alignments: vec![Alignment::Natural; columns],
        head: row(columns),
        rows: vec![row(columns)],
    };
    let said = |columns, medium| html(vec![table(columns)], medium).contains(">Read this table on the web</a>");
    assert!(said(7, Medium::Mail) && !said(6, Medium::Mail) && !said(7, Medium::Web) && !said(7, Medium::Feed));
}
