//! Feeds of nasty entries, judged by tools that are not ours.

mod kill;

use std::path::Path;

use fieldpost::domain::entry::Entry;
use fieldpost::domain::ids::PostId;
use fieldpost::domain::publication::Author;
use fieldpost::feed::{self, Channel, Format, Limit, SitemapUrl};
use fieldpost::files;

use crate::support::tools::judge;

/// Titles and texts that broke the feeds of six generators (notes on syndication).
const NASTY: [(&str, &str, &str); 8] = [
    ("Fish & <T> \"chips\" 🐟 don't ]]>", "a & b <c> ]]>", "<p>code <code>a[b[0]]&gt;0</code> ]]&gt; and ]]></p>"),
    ("Control\u{0}\u{8}\u{b}\u{c}\u{1f} characters", "x\u{1}y", "<p>bell \u{7}, escape \u{1b}, page \u{c}</p>"),
    ("Non-characters \u{fffe}\u{ffff} \u{fdd0} \u{1fffe}", "\u{fffe}", "<p>\u{ffff}\u{10ffff}</p>"),
    ("References &amp; &#8; &nbsp; &lt;b&gt;", "&#x0; &bogus;", "<p>&amp;amp; &amp;#8; &nbsp;</p>"),
    ("עברית و العربية 日本語", "من اليمين", "<p dir=\"rtl\">שלום</p><p lang=\"ja\">日本語</p>"),
    ("Line\r\nends\rand\ttabs\u{85}\u{2028}", "one\r\ntwo", "<pre>one\r\ntwo\rthree\n</pre>"),
    ("</title><script>alert(1)</script>", "<!-- --> <?php ?>", "<p>&lt;script&gt;<!-- not a comment end --></p>"),
    (
        "<![CDATA[x]]>",
        "<![CDATA[x]]>",
        "<p>&lt;![CDATA[x]]&gt;<img src=\"https://a.example/b.png?c=1&amp;d=2\" alt=\"\"></p>",
    ),
];

fn entries() -> Vec<Entry> {
    let entry = |(number, (title, summary, html)): (usize, &(&str, &str, &str))| Entry {
        id: PostId::parse(&format!("tag:notes.example.org,2026:{number}")).unwrap(),
        url: format!("https://notes.example.org/{number}/?a=1&b=2"),
        title: (*title).to_owned(),
        summary: (*summary).to_owned(),
        html: (*html).to_owned(),
        language: ["en", "he", "en_US", "not a language"][number % 4].to_owned(),
        authors: vec![Author { name: format!("Ada & {title}"), url: Some("https://ada.example/?a&b".to_owned()) }],
        tags: vec![(*title).to_owned(), "c++".to_owned()],
        published: format!("2026-0{}-28T23:59:59.999+05:30", number + 1).parse().unwrap(),
        updated: format!("2026-0{}-28T23:59:59.999-11:00", number + 1).parse().unwrap(),
        image: (number % 2 == 0).then(|| "https://notes.example.org/c.png?a&b=\"<>\"".to_owned()),
    };
    NASTY.iter().enumerate().map(entry).collect()
}

fn channel() -> Channel {
    Channel {
        id: "https://notes.example.org/".to_owned(),
        title: "Notes & <Queries>\u{b}".to_owned(),
        description: "What we found ]]> & \u{fffe}".to_owned(),
        home_url: "https://notes.example.org/".to_owned(),
        rss_url: "https://notes.example.org/feed.xml".to_owned(),
        atom_url: "https://notes.example.org/atom.xml".to_owned(),
        json_url: "https://notes.example.org/feed.json".to_owned(),
        language: "en".to_owned(),
        authors: Vec::new(),
        limit: Limit::default(),
    }
}

fn write_feeds(folder: &Path, entries: &[Entry]) {
    for format in Format::ALL {
        let bytes = feed::write(format, &channel(), entries).unwrap();
        files::replace(&folder.join(format.site_path()), &bytes).unwrap();
    }
    let pages: Vec<SitemapUrl> =
        entries.iter().map(|entry| SitemapUrl { url: entry.url.clone(), changed: Some(entry.updated) }).collect();
    files::replace(&folder.join("sitemap.xml"), &feed::sitemap(&pages)).unwrap();
}

#[test]
fn feeds_of_nasty_entries_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    write_feeds(folder.path(), &entries());
    judge("scripts/validate-feeds", &[folder.path()]);
}

#[test]
fn a_feed_without_entries_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    write_feeds(folder.path(), &[]);
    judge("scripts/validate-feeds", &[folder.path()]);
}
