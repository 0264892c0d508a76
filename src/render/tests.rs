use std::sync::LazyLock;

use proptest::prelude::*;

use super::sample::{self, any_html, document, paragraph, publication};
use super::*;
use crate::config::MailPictures;
use crate::diagnostic::Diagnostic;
use crate::domain::document::{AdmonitionKind, Block, Document, Image, Inline, Target};
use crate::domain::issue::{Issue, Marker, Slot, Variants};
use crate::domain::post::{Article, Contents, Post};
use crate::domain::publication::Publication;
use crate::pictures::Pictures;

const HOSTILE: &str = "<b>x</b> {{ site.url }} {% raw %} ${HOME} & \"q\"";

pub(super) fn feeds() -> Vec<FeedLink> {
    [("RSS", "application/rss+xml", "feed.xml"), ("Atom", "application/atom+xml", "atom.xml")]
        .map(|(title, mime, path)| FeedLink { title: title.into(), mime: mime.into(), site_path: path.into() })
        .into()
}

pub(super) fn site<'a>(publication: &'a Publication, feeds: &'a [FeedLink]) -> SiteContext<'a> {
    static PICTURES: LazyLock<Pictures> = LazyLock::new(Pictures::default);
    SiteContext { publication, feeds, topic_count: 1, author_count: 2, pictures: &PICTURES }
}

pub(super) fn theme() -> Theme {
    Theme::load(None).unwrap_or_else(|problems| panic!("{}", problems[0]))
}

fn overlaid(name: &str, text: &str) -> Theme {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("mail")).unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    Theme::load(Some(folder.path())).unwrap_or_else(|problems| panic!("{}", problems[0]))
}

fn sample_post() -> Article {
    sample::post("What a softmax hides", "softmax", document())
}

fn hostile_post() -> Article {
    let code = Block::Code { language: None, title: None, marked: Vec::new(), text: HOSTILE.into() };
    let document = Document { blocks: vec![paragraph(HOSTILE), code], ..Document::default() };
    let mut post = sample::post(HOSTILE, "hostile", document);
    post.post.summary = HOSTILE.into();
    post.post.tags = vec![HOSTILE.into()];
    post
}

/// The publication's author as one of several.
fn writer<'a>(post: &'a Post, publication: &'a Publication) -> Writer<'a> {
    let author = publication.author.as_ref().unwrap();
    Writer { author, site_path: "authors/ada-byron/".into(), posts: vec![post] }
}

/// An issue of which there is nothing to be told.
fn issue(theme: &Theme, site: &SiteContext, post: &Article) -> Result<Issue, Diagnostic> {
    let (issue, warnings) = super::issue(theme, site, post, MailPictures::Linked)?;
    assert_eq!(warnings, []);
    Ok(issue)
}

/// The page of a post.
fn page_of(article: &Article, site: &SiteContext, neighbours: Neighbours) -> Result<String, Diagnostic> {
    let body = body(article, site.publication, site.pictures);
    page(&theme(), site, &article.post, &body, neighbours, None)
}

/// Every page there is, of one post.
pub(super) fn every_page(article: &Article, publication: &Publication) -> Vec<(&'static str, String)> {
    let (theme, feeds) = (theme(), feeds());
    let site = site(publication, &feeds);
    let post = &article.post;
    let topics = topics_of(&[post]);
    let neighbours = Neighbours { newer: Some(post), older: Some(post) };
    let shown = |result: Result<String, Diagnostic>| result.unwrap_or_else(|problem| panic!("{problem}"));
    vec![
        ("page", shown(page_of(article, &site, neighbours))),
        ("index", shown(index(&theme, &site, &[post]))),
        ("topic", shown(topic(&theme, &site, &topics[0]))),
        ("author", shown(author(&theme, &site, &writer(post, publication)))),
        ("topics", shown(super::topics(&theme, &site, &topics))),
        ("404", shown(not_found(&theme, &site))),
        ("redirect", redirect(&site, post)),
    ]
}

#[test]
fn what_an_author_types_is_text_in_every_template() {
    let mut publication = publication("https://example.org/");
    publication.title = HOSTILE.into();
    publication.description = HOSTILE.into();
    publication.postal_address = Some(HOSTILE.into());
    let post = hostile_post();
    let mut outputs = every_page(&post, &publication);
    let issue = issue(&theme(), &site(&publication, &feeds()), &post).unwrap();
    outputs.push(("mail", issue.html));
    for (name, html) in outputs {
        assert!(!html.contains("<b>x</b>"), "{name} holds the title as markup");
        assert!(html.contains("&lt;b&gt;x&lt;/b&gt; {{ site.url }} {% raw %} ${HOME} &amp; "), "{name}: {html}");
    }
    assert_eq!(issue.subject, HOSTILE);
    assert_eq!(issue.text.matches(HOSTILE).count(), 5, "{}", issue.text);
    assert!(
        entry(&post, &publication, &Pictures::default())
            .html
            .contains("&lt;b&gt;x&lt;/b&gt; {{ site.url }} {% raw %} ${HOME} &amp; ")
    );
}

#[test]
fn a_page_is_small_and_announces_its_feeds() {
    let publication = publication("https://example.org/blog/");
    for (name, html) in every_page(&sample_post(), &publication) {
        assert!(html.len() < 60 * 1024, "{name} is too large");
        let scripts = html.matches("<script").count();
        assert_eq!(scripts, html.matches("<script type=\"application/ld+json\">").count(), "{name} holds a script");
        if name == "redirect" {
            continue;
        }
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\" dir=\"ltr\">"), "{name}");
        let up = match name {
            "404" => "/blog/",
            "index" => "./",
            "page" | "topics" => "../",
            "topic" | "author" => "../../",
            other => unreachable!("{other} is no page"),
        };
        let feed = format!("type=\"application/atom+xml\" title=\"Atom\" href=\"{up}atom.xml\"");
        assert!(html.contains(&feed), "{name}");
        assert!(html.contains(&format!("href=\"{up}assets/style-")), "{name}");
    }
    let page = &every_page(&sample_post(), &publication)[0].1;
    for part in [
        "<link rel=\"canonical\" href=\"https://example.org/blog/softmax/\">",
        "<meta property=\"og:type\" content=\"article\">",
        "<article class=\"h-entry\">",
        "<time class=\"dt-published\" datetime=\"2026-03-02T09:00:00+01:00\">2 March 2026</time>",
        "href=\"../topics/c-plus-plus/\"",
        "src=\"../images/loss.png\"",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}

#[test]
fn tags_that_name_the_same_page_are_one_topic() {
    let (mut a, mut b) = (sample_post().post, sample_post().post);
    a.tags = vec!["Machine Learning".into(), "C++".into(), "!!".into()];
    b.tags = vec!["machine-learning".into(), "C".into(), "C#".into()];
    let topics = topics_of(&[&a, &b]);
    let found: Vec<_> = topics.iter().map(|topic| (topic.site_path.as_str(), topic.posts.len())).collect();
    assert_eq!(
        found,
        [("topics/c-plus-plus/", 1), ("topics/c-sharp/", 1), ("topics/c/", 1), ("topics/machine-learning/", 2),]
    );
    assert_eq!(topics[3].title, "Machine Learning");
}

#[test]
fn an_issue_holds_its_slots_whole_and_is_always_the_same() {
    let publication = publication("https://example.org/");
    let (theme, feeds) = (theme(), feeds());
    let first = issue(&theme, &site(&publication, &feeds), &sample_post()).unwrap();
    assert_eq!(first, issue(&theme, &site(&publication, &feeds), &sample_post()).unwrap());
    assert_eq!(first.nonce.len(), 16);
    assert!(first.html.contains(&format!("href=\"{}\"", Slot::UnsubscribeUrl.marker(&first.nonce))));
    assert!(first.text.contains(&Slot::UnsubscribeUrl.marker(&first.nonce)));
    for part in [&first.html, &first.text] {
        assert!(part.contains(&Slot::SubscriberAddress.marker(&first.nonce)));
        assert!(part.contains("12 St James") && part.contains("https://example.org/softmax/"));
    }
    let mut other = sample_post();
    other.document.blocks.push(paragraph("one more"));
    assert_ne!(first.nonce, issue(&theme, &site(&publication, &feeds), &other).unwrap().nonce);
}

#[test]
fn the_styles_of_a_mail_stand_in_its_elements_and_dark_mode_in_its_head() {
    let publication = publication("https://example.org/");
    let html = issue(&theme(), &site(&publication, &[]), &sample_post()).unwrap().html;
    assert!(html.contains("<p style=\"margin:0 0 22px\">Attention"), "{html}");
    assert!(html.contains("@media (prefers-color-scheme: dark)") && html.contains("[data-ogsc]"));
    assert!(html.contains("<!--[if mso]>") && html.contains("name=\"color-scheme\""));
    assert!(html.contains("width=\"600\" height=\"320\""), "the figure is not scaled to the column");
    assert!(html.len() < 90 * 1024);
    for relative in ["href=\"/", "src=\"/"] {
        assert!(!html.contains(relative), "{relative}");
    }
}

#[test]
fn a_mail_that_is_too_long_ends_at_a_heading_with_a_link_to_the_rest_and_keeps_its_way_out() {
    let publication = publication("https://example.org/");
    let mut post = sample_post();
    let chapter = |n| [sample::heading(2, &format!("chapter-{n}"), "Chapter"), paragraph(&"word ".repeat(2000))];
    post.document.blocks = (1..30).flat_map(chapter).collect();
    let site = site(&publication, &[]);
    let (issue, warnings) = super::issue(&theme(), &site, &post, MailPictures::Linked).unwrap();
    assert!(warnings[0].message.contains("Gmail cuts off at 102 KB"));
    assert!((80 * 1024..=100 * 1024).contains(&issue.html.len()), "{}", issue.html.len());
    let link = "<a href=\"https://example.org/softmax/#chapter-9\"";
    let continued = issue.html.find(link).unwrap_or_else(|| panic!("{}", issue.html));
    let way_out = issue.html.find(&Slot::UnsubscribeUrl.marker(&issue.nonce)).unwrap();
    assert!(continued < way_out, "the footer stands behind the text");
    assert!(issue.text.len() > 290 * 1000, "the text part is whole");
}

#[test]
fn a_mail_without_a_way_out_is_refused() {
    let publication = publication("https://example.org/");
    for (name, text) in [
        ("mail/issue.html", "<html><body>{{ body }}</body></html>"),
        ("mail/issue.html", "<html><body>{{ body }}{{ unsubscribe_url }}</body></html>"),
        (
            "mail/issue.html",
            "<html><head><style>p { background: url({{ unsubscribe_url }}) }</style></head><body>{{ body }}<p></p><p></p></body></html>",
        ),
        ("mail/issue.txt", "{{ body }}"),
    ] {
        let problem = issue(&overlaid(name, text), &site(&publication, &[]), &sample_post()).unwrap_err();
        assert!(problem.code == "mail-unsubscribe" || problem.code == "mail-slot", "{problem}");
        assert!(problem.place.file.ends_with(name), "{problem}");
    }
}

#[test]
fn a_mail_may_greet_by_name() {
    let publication = publication("https://example.org/");
    let text = "Dear {{ subscriber.name }} ({{ subscriber.name }}),\n{{ body }}\n{{ unsubscribe_url }}\n";
    let issue = issue(&overlaid("mail/issue.txt", text), &site(&publication, &[]), &sample_post()).unwrap();
    assert_eq!(issue.text.matches(&Slot::SubscriberName.marker(&issue.nonce)).count(), 2);
}

/// An issue with this as its text part, above the body and the unsubscribe link.
fn with_text(text: &str) -> Result<Issue, Diagnostic> {
    let publication = publication("https://example.org/");
    let text = format!("{text}\n{{{{ body }}}}\n{{{{ unsubscribe_url }}}}\n");
    issue(&overlaid("mail/issue.txt", &text), &site(&publication, &[]), &sample_post())
}

/// The first line of the text for those who lack nothing, and of each variant.
fn first_lines(issue: &Issue) -> Vec<&str> {
    let texts = std::iter::once(&issue.text).chain(issue.variants.parts.iter().map(|parts| &parts.text));
    texts.map(|text| text.lines().next().unwrap()).collect()
}

#[test]
fn what_is_only_shown_needs_no_variant() {
    let city = Slot::Attribute("city".into());
    for (template, slot, default) in [
        ("{{ subscriber.name }}", Slot::SubscriberName, ""),
        ("{{ subscriber.name | default(value='dear <reader>') }}", Slot::SubscriberName, "dear <reader>"),
        ("{{ subscriber.city | default(value=7) }}", city.clone(), "7"),
        ("{{ subscriber['city'] }}", city, ""),
        ("{{ preferences_url }}", Slot::PreferencesUrl, ""),
    ] {
        let issue = with_text(template).unwrap_or_else(|problem| panic!("{template}: {problem}"));
        assert_eq!(issue.variants, Variants::default(), "{template}");
        assert_eq!(first_lines(&issue), [slot.marker_or(&issue.nonce, default)], "{template}");
    }
    let issue =
        with_text("{{ web_url }} {{ post.number | default(value='x') }} {{ post.subtitle | default(value='x') }}")
            .unwrap();
    assert_eq!(first_lines(&issue), ["https://example.org/softmax/ 12 x"]);
}

#[test]
fn what_is_asked_about_has_a_variant_for_each_answer() {
    let issue = with_text("{% if subscriber.name %}Dear {{ subscriber.name }}{% else %}Hello{% endif %}").unwrap();
    let name = Slot::SubscriberName.marker(&issue.nonce);
    assert_eq!(issue.variants.asked, [Slot::SubscriberName]);
    assert_eq!(first_lines(&issue), [format!("Dear {name}"), "Hello".into()]);

    let either = "{% if subscriber.name or subscriber.city %}some{% else %}none{% endif %}";
    let issue = with_text(either).unwrap();
    assert_eq!(issue.variants.asked, [Slot::SubscriberName, Slot::Attribute("city".into())]);
    assert_eq!(first_lines(&issue), ["some", "some", "some", "none"]);

    let captured = "{% set greeting %}{{ subscriber.name }}{% endset %}{% if greeting %}Dear{% else %}Hello{% endif %}";
    assert_eq!(first_lines(&with_text(captured).unwrap()), ["Dear", "Hello"]);

    let nested = "{% if subscriber.a %}1{% else %}{{ subscriber.b | default(value='<2>') }}{% endif %}";
    let issue = with_text(nested).unwrap();
    assert_eq!(issue.variants.asked, [Slot::Attribute("a".into())]);
    assert_eq!(first_lines(&issue), ["1".to_owned(), Slot::Attribute("b".into()).marker_or(&issue.nonce, "<2>")]);
}

#[test]
fn a_default_in_a_variant_is_text_and_no_marker() {
    let publication = publication("https://example.org/");
    let html = "<p>{% if subscriber.name %}1{% endif %}{{ subscriber.name | default(value='<b>') }}</p>{{ body }}<a href=\"{{ unsubscribe_url }}\">x</a>";
    let issue = issue(&overlaid("mail/issue.html", html), &site(&publication, &[]), &sample_post()).unwrap();
    assert!(issue.html.contains(&Slot::SubscriberName.marker_or(&issue.nonce, "<b>")));
    assert!(issue.variants.parts[0].html.contains("<p>&lt;b&gt;</p>"), "{}", issue.variants.parts[0].html);
}

#[test]
fn five_values_may_be_shown_but_not_asked_about() {
    let every = |template: &dyn Fn(char) -> String| with_text(&('a'..='e').map(template).collect::<String>());
    let shown = every(&|c| format!("{{{{ subscriber.{c} | default(value='{c}') }}}} ")).unwrap();
    assert_eq!(shown.variants, Variants::default());
    let asked = every(&|c| format!("{{% if subscriber.{c} %}}{c}{{% endif %}}")).unwrap_err();
    assert_eq!(asked.code, "mail-variants");
    assert!(asked.place.file.ends_with("mail/issue.txt") && asked.help.is_some(), "{asked}");
    let any = "{% if subscriber.a or subscriber.b or subscriber.c or subscriber.d or subscriber.e %}x{% endif %}";
    assert_eq!(with_text(any).unwrap_err().code, "mail-variants");
    assert_eq!(Marker::all(first_lines(&shown)[0], &shown.nonce).len(), 5);
}

#[test]
fn what_cannot_be_filled_in_per_recipient_is_refused() {
    let publication = publication("https://example.org/");
    for subject in ["{{ subscriber.name }}", "{% if subscriber.name %}x{% else %}y{% endif %}"] {
        let problem =
            issue(&overlaid("mail/subject.txt", subject), &site(&publication, &[]), &sample_post()).unwrap_err();
        assert_eq!(problem.code, "mail-slot", "{problem}");
    }
    let problem = with_text("{{ subscriber.name | default(value=subscriber.address) }}").unwrap_err();
    assert_eq!(problem.code, "template-render", "{problem}");
}

#[test]
fn what_a_post_says_of_a_subscriber_is_text() {
    let hostile = "{{ subscriber.name }} {% if subscriber.city %}";
    let publication = publication("https://example.org/");
    let document = Document { blocks: vec![paragraph(hostile)], ..Document::default() };
    let post = sample::post(hostile, "hostile", document);
    let issue = issue(&theme(), &site(&publication, &[]), &post).unwrap();
    assert_eq!(issue.subject, hostile);
    assert!(issue.html.matches(hostile).count() > 1, "{}", issue.html);
    assert_eq!(issue.text.matches(hostile).count(), 2, "{}", issue.text);
    assert_eq!(issue.variants, Variants::default());
    assert_eq!(Marker::all(&issue.text, &issue.nonce).len(), 2, "the address and the way out, of our own template");
}

#[test]
fn a_cover_is_shown_once() {
    let publication = publication("https://example.org/");
    let (theme, mut post) = (theme(), sample_post());
    let shown = |post: &mut Article| {
        post.post.contents = Contents::of(&post.document, post.post.image.as_ref(), String::new());
        let site = site(&publication, &[]);
        [
            page_of(post, &site, Neighbours::default()).unwrap().matches("src=\"../images/").count(),
            issue(&theme, &site, post).unwrap().html.matches("src=\"https://example.org/images/").count(),
            entry(post, &publication, &Pictures::default()).html.matches("src=\"https://example.org/images/").count(),
        ]
    };
    assert_eq!(shown(&mut post), [1, 1, 1]);
    post.post.image = Some(Target::Site("images/loss.png".into()));
    assert_eq!(shown(&mut post), [1, 1, 1]);
    post.post.image = Some(Target::Site("images/other.png".into()));
    assert_eq!(shown(&mut post), [2, 2, 2]);
    let target = Target::Site("images/other.png".into());
    let cover = Image { target, alt: String::new(), title: None, size: None, width: None };
    post.document.blocks.insert(0, Block::Paragraph(vec![Inline::Image(cover)]));
    assert_eq!(shown(&mut post), [2, 2, 2]);
}

#[test]
fn an_entry_has_everything_a_feed_asks_for() {
    let publication = publication("https://example.org/");
    let mut post = sample_post();
    post.post.language = Some("de".into());
    post.post.image = Some(Target::Site("images/é.png".into()));
    let entry = entry(&post, &publication, &Pictures::default());
    assert_eq!(entry.url, "https://example.org/softmax/");
    assert_eq!(entry.image.as_deref(), Some("https://example.org/images/%C3%A9.png"));
    assert_eq!((entry.language.as_str(), entry.authors[0].name.as_str()), ("de", "Ada Byron"));
    assert_eq!(entry.updated, entry.published);
}

#[test]
fn a_language_from_right_to_left_is_marked_in_page_and_mail() {
    let publication = publication("https://example.org/");
    let mut post = sample_post();
    post.post.language = Some("ar".into());
    let site = site(&publication, &[]);
    let page = page_of(&post, &site, Neighbours::default()).unwrap();
    assert!(page.contains("<html lang=\"ar\" dir=\"rtl\">"));
    let mail = issue(&theme(), &site, &post).unwrap().html;
    assert!(mail.contains("<html lang=\"ar\" dir=\"rtl\""));
}

#[test]
fn a_subject_is_one_line_whatever_the_title_holds() {
    let publication = publication("https://example.org/");
    let mut post = sample_post();
    post.post.title = "a\r\nBcc: x\u{2028}y\tz".into();
    assert_eq!(issue(&theme(), &site(&publication, &[]), &post).unwrap().subject, "a Bcc: x y z");
}

#[test]
fn a_long_archive_is_a_list_of_titles() {
    let publication = publication("https://example.org/");
    let post = sample_post();
    let html = index(&theme(), &site(&publication, &[]), &vec![&post.post; 40]).unwrap();
    assert_eq!(html.matches("What a softmax hides").count(), 40);
    assert_eq!(html.matches("polite argument").count(), 25);
}

/// The deepest that content loading lets through, and far deeper raw HTML: a test's thread has
/// the 2 MiB of stack that a worker's has.
#[test]
fn deep_nesting_ends_in_a_mail_and_not_in_a_crash() {
    let publication = publication("https://example.org/");
    let mut block = paragraph("deep");
    for level in 0..100 {
        block = if level % 2 == 0 {
            Block::Quote(vec![block])
        } else {
            Block::Admonition { kind: AdmonitionKind::Note, title: None, blocks: vec![block] }
        };
    }
    let raw = Block::Html("<div>".repeat(20_000));
    let inline = Block::Paragraph(vec![Inline::Html("<b>".into()); 5_000]);
    let tables = Block::Html("<table><tr><td>".repeat(10_000));
    for blocks in [vec![block], vec![raw], vec![inline], vec![tables]] {
        let post = sample::post("T", "t", Document { blocks, ..Document::default() });
        let site = site(&publication, &[]);
        assert!(issue(&theme(), &site, &post).is_ok());
        page_of(&post, &site, Neighbours::default()).unwrap();
        entry(&post, &publication, &Pictures::default());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever an author writes, it lies where the text lies, and nothing else moves.
    #[test]
    fn no_raw_html_reaches_beyond_the_text_of_its_page(block in any_html(12), inline in any_html(4)) {
        let publication = publication("https://example.org/");
        let raw = vec![Inline::Html(inline), Inline::Text("x".into())];
        let item = sample::item(None, vec![Block::Html(block)]);
        let blocks = vec![Block::List { start: None, items: vec![item] }, Block::Paragraph(raw)];
        let post = sample::post("T", "t", Document { blocks, ..Document::default() });
        let plain = sample::post("T", "t", Document { blocks: vec![paragraph("BODY")], ..Document::default() });
        let [page, frame] = [&post, &plain].map(|post| {
            html::as_browsers_read(&page_of(post, &site(&publication, &[]), Neighbours::default()).unwrap())
        });
        let body = html::body(&post, &publication, &Pictures::default(), html::Medium::Web);
        prop_assert_eq!(page, frame.replace("<p>BODY</p>\n", &body));
    }
}
