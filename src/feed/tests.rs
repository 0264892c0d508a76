//! The laws of all three formats.

use proptest::prelude::*;

use super::check::check_well_formed;
use super::*;
use crate::domain::ids::PostId;

fn channel() -> Channel {
    Channel {
        id: "https://notes.example.org/".to_owned(),
        title: "Notes & <Queries>".to_owned(),
        description: "What \"we\" found".to_owned(),
        home_url: "https://notes.example.org/".to_owned(),
        rss_url: "https://notes.example.org/feed.xml".to_owned(),
        atom_url: "https://notes.example.org/atom.xml".to_owned(),
        json_url: "https://notes.example.org/feed.json".to_owned(),
        language: "en".to_owned(),
        authors: vec![Author { name: "Ada".to_owned(), url: None }],
        limit: Limit::default(),
    }
}

fn entry(number: u32, title: &str, html: &str) -> Entry {
    let published = format!("2026-03-{:02}T10:00:00+01:00", number % 28 + 1).parse().unwrap();
    Entry {
        id: PostId::parse(&format!("tag:notes.example.org,2026:{number}")).unwrap(),
        url: format!("https://notes.example.org/{number}/?a=1&b=2"),
        title: title.to_owned(),
        summary: format!("{title} in short"),
        html: html.to_owned(),
        language: "de".to_owned(),
        authors: vec![Author { name: "Bo & Co".to_owned(), url: Some("https://bo.example/".to_owned()) }],
        tags: vec!["A & B".to_owned()],
        published,
        updated: published,
        image: Some("https://notes.example.org/c.png?x=1&y=\"2\"".to_owned()),
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn rss_says_what_the_profile_asks() {
    let entries = [entry(1, "Fish & <T> \"chips\"", "<p>a]]b</p>"), entry(2, "Two", "<p>x ]]> y</p>")];
    let rss = text(rss(&channel(), &entries).unwrap());
    assert!(rss.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\""), "{rss}");
    for part in [
        "<title>Fish &#x26; &#x3C;T&#x3E; \"chips\"</title>",
        "<content:encoded><![CDATA[<p>a]]b</p>]]></content:encoded>",
        "<content:encoded>&lt;p&gt;x ]]&gt; y&lt;/p&gt;</content:encoded>",
        "<description><![CDATA[Fish &amp; &lt;T&gt; \"chips\" in short]]></description>",
        "<guid isPermaLink=\"false\">tag:notes.example.org,2026:1</guid>",
        "<dc:creator>Bo &amp; Co</dc:creator>",
        "<item xml:lang=\"de\">",
        "<pubDate>Mon, 02 Mar 2026 10:00:00 +0100</pubDate>",
        "<lastBuildDate>Tue, 03 Mar 2026 10:00:00 +0100</lastBuildDate>",
        "<atom:link href=\"https://notes.example.org/feed.xml\" rel=\"self\" type=\"application/rss+xml\"/>",
        "<media:thumbnail url=\"https://notes.example.org/c.png?x=1&amp;y=%222%22\"/>",
        "xml:lang=\"en\"",
    ] {
        assert!(rss.contains(part), "{part} is missing in\n{rss}");
    }
    assert!(rss.find("<description><![CDATA[").unwrap() < rss.find("<content:encoded>").unwrap());
}

#[test]
fn atom_says_its_language_and_itself() {
    let atom = text(atom(&channel(), &[entry(1, "A & B", "<p>ä</p>")]).unwrap());
    for part in [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        "xml:lang=\"en\">",
        "<entry xml:lang=\"de\">",
        "<title type=\"text\">A &amp; B</title>",
        "<content type=\"html\">&lt;p&gt;ä&lt;/p&gt;</content>",
        "<link rel=\"self\" type=\"application/atom+xml\" href=\"https://notes.example.org/atom.xml\"/>",
        "<updated>2026-03-02T10:00:00+01:00</updated>",
    ] {
        assert!(atom.contains(part), "{part} is missing in\n{atom}");
    }
}

#[test]
fn json_titles_are_plain_text() {
    let json: serde_json::Value =
        serde_json::from_slice(&json(&channel(), &[entry(1, "A & B", "x")]).unwrap()).unwrap();
    assert_eq!(json["version"], "https://jsonfeed.org/version/1.1");
    assert_eq!(json["items"][0]["title"], "A & B");
    assert_eq!(json["items"][0]["language"], "de");
    assert_eq!(json_ids(json.to_string().as_bytes()), ["tag:notes.example.org,2026:1"]);
    assert!(json_ids(b"<rss/>").is_empty());
}

#[test]
fn a_feed_without_entries_is_still_a_feed_and_declares_nothing_it_does_not_use() {
    for format in Format::ALL {
        let bytes = write(format, &Channel { authors: Vec::new(), ..channel() }, &[]).unwrap();
        assert!(!text(bytes).contains("purl.org"));
    }
}

#[test]
fn the_newest_entries_are_carried_and_one_at_least() {
    let limit = Limit { entries: 3, bytes: 1000 };
    let entries: Vec<Entry> = (1..9).map(|n| entry(n, &format!("Post {n}"), &"x".repeat(400))).collect();
    let json_of = |entries: &[Entry]| {
        let bytes = json(&Channel { limit, ..channel() }, entries).unwrap();
        let feed: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let titles = feed["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned());
        titles.collect::<Vec<_>>()
    };
    assert_eq!(json_of(&entries), ["Post 8", "Post 7"]);
    assert_eq!(json_of(&[entry(1, "Huge", &"x".repeat(2000)), entry(0, "Small", "x")]), ["Huge"]);
}

#[test]
fn two_entries_with_one_id_are_an_error() {
    let twice = [entry(1, "a", "x"), entry(1, "b", "x")];
    for format in Format::ALL {
        assert_eq!(
            write(format, &channel(), &twice),
            Err(FeedError::DuplicateId("tag:notes.example.org,2026:1".to_owned()))
        );
    }
}

#[test]
fn fractions_of_seconds_and_odd_offsets_are_dropped_without_moving_the_moment() {
    let mut odd = entry(1, "a", "x");
    odd.published = "2026-03-01T10:00:00.987+01:00".parse().unwrap();
    let lmt = chrono::FixedOffset::east_opt(53 * 60 + 28).unwrap();
    odd.updated = odd.published.with_timezone(&lmt);
    let atom = text(atom(&channel(), &[odd]).unwrap());
    assert!(atom.contains("<published>2026-03-01T10:00:00+01:00</published>"), "{atom}");
    assert!(atom.contains("<updated>2026-03-01T09:00:00Z</updated>"), "{atom}");
}

#[test]
fn a_year_that_feeds_cannot_say_is_an_error() {
    let mut far = entry(1, "a", "x");
    far.published = chrono::DateTime::from_timestamp(300_000_000_000, 0).unwrap().fixed_offset();
    assert_eq!(rss(&channel(), &[far.clone()]), Err(FeedError::Date(far.url)));
}

#[test]
fn the_order_in_which_entries_are_given_does_not_matter() {
    let (one, two) = (entry(1, "a", "x"), entry(29, "b", "y"));
    assert_eq!(one.published, two.published, "the id decides");
    for format in Format::ALL {
        let ordered = write(format, &channel(), &[one.clone(), two.clone()]);
        assert_eq!(ordered, write(format, &channel(), &[two.clone(), one.clone()]));
    }
}

#[test]
fn a_sitemap_names_pages_and_their_last_change() {
    let pages = [
        SitemapUrl { url: "https://a.example/?a&b".to_owned(), changed: None },
        SitemapUrl { url: "https://a.example/x/".to_owned(), changed: Some(entry(1, "", "").updated) },
    ];
    let sitemap = text(sitemap(&pages));
    assert!(sitemap.contains("<loc>https://a.example/?a&amp;b</loc>"), "{sitemap}");
    assert!(sitemap.contains("<lastmod>2026-03-02T10:00:00+01:00</lastmod>"), "{sitemap}");
}

/// Texts that have broken feeds: control characters, the end of a CDATA section,
/// non-characters, astral characters, markup, references, white space of all kinds.
fn nasty() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        any::<char>().prop_map(String::from),
        (0_u8..32).prop_map(|c| char::from(c).to_string()),
        prop::sample::select(vec![
            "]]>",
            "<![CDATA[",
            "&",
            "<",
            ">",
            "\"",
            "'",
            "&amp;",
            "&#8;",
            "&nbsp;",
            "\u{FFFE}",
            "\u{FFFF}",
            "\u{1FFFF}",
            "\u{85}",
            "\u{2028}",
            "\u{a0}",
            "\u{feff}",
            "\r\n",
            "\r",
            "🐟",
            "</title>",
            "<!--",
            "-->",
            "<?xml ?>",
            "é",
            "]",
        ])
        .prop_map(str::to_owned),
        "[a-z ]{1,8}",
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

fn nasty_entry() -> impl Strategy<Value = Entry> {
    (1_u32..29, nasty(), nasty(), nasty(), nasty(), nasty(), nasty()).prop_map(
        |(number, title, summary, html, name, tag, language)| Entry {
            summary,
            language,
            authors: vec![Author { name: name.clone(), url: Some(format!("https://a.example/{name}")) }],
            tags: vec![tag.clone()],
            image: Some(format!("https://a.example/{tag}")),
            ..entry(number, &title, &html)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The check inside `write` compares ids and titles through the crates and feed-rs:
    /// that it never refuses is the law here.
    #[test]
    fn any_text_makes_a_feed_that_every_reader_reads(entry in nasty_entry(), title in nasty()) {
        let channel = Channel { title: title.clone(), description: title, ..channel() };
        for format in Format::ALL {
            let bytes = write(format, &channel, std::slice::from_ref(&entry));
            prop_assert!(bytes.is_ok(), "{:?}", bytes);
            prop_assert_eq!(&bytes, &write(format, &channel, std::slice::from_ref(&entry)));
            if format != Format::Json {
                prop_assert_eq!(check_well_formed(&bytes.unwrap()), Ok(()));
            }
        }
    }

    #[test]
    fn the_content_comes_back_as_it_was(html in nasty()) {
        let entry = entry(1, "t", &html);
        let wanted = prepare::prepare(&channel(), std::slice::from_ref(&entry)).unwrap().entries[0].html.trim().to_owned();
        for format in Format::ALL {
            let bytes = write(format, &channel(), std::slice::from_ref(&entry)).unwrap();
            let read = feed_rs::parser::parse(&bytes[..]).unwrap();
            let found = read.entries[0].content.as_ref().and_then(|content| content.body.clone()).unwrap_or_default();
            prop_assert_eq!(found.trim(), &wanted, "{:?}", format);
        }
    }
}
