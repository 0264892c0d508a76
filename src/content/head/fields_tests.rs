//! What heads say, in the words of every generator.

use chrono_tz::Tz;

use super::*;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::has_errors;
use crate::domain::post::Channel;
use crate::domain::publication::{Author, SiteUrl};

fn fields(text: &str) -> (Fields, Vec<Diagnostic>) {
    let base_url = SiteUrl::parse("https://example.org/blog").unwrap();
    let mut out = Vec::new();
    let around = Surroundings { file: "a.md", text, zone: Tz::UTC, base_url: &base_url };
    (read_fields(&read_head(text).unwrap(), around, &mut out), out)
}

#[test]
fn jekyll_hugo_zola_pelican_and_eleventy_mean_the_same() {
    for text in [
        "---\ntitle: T\ndate: 2025-01-15 10:00:00 +0000\nlast_modified_at: 2025-02-01\npublished: false\ntags: a b\nexcerpt: S\nimage:\n  path: c.png\nauthor: Ada\nredirect_from:\n  - /old/\nlang: de\npermalink: /x/y.html\n---\n",
        "+++\ntitle = 'T'\ndate = 2025-01-15T10:00:00Z\nlastmod = 2025-02-01\ndraft = true\ntags = ['a', 'b']\nsummary = 'S'\naliases = ['/old/']\nlanguage = 'de'\nurl = '/x/y/'\nauthor = 'Ada'\n[cover]\nimage = 'c.png'\n+++\n",
        "+++\ntitle = 'T'\ndate = 2025-01-15T10:00:00Z\nupdated = 2025-02-01\ndraft = true\ndescription = 'S'\naliases = ['old/']\npath = 'x/y'\nauthors = ['Ada']\n[taxonomies]\ntags = ['a', 'b']\n[extra]\nimage = 'c.png'\nlang = 'de'\n+++\n",
        "Title: T\nDate: 2025-01-15 10:00\nModified: 2025-02-01\nStatus: draft\nTags: a, b\nSummary: S\nCover: c.png\nAuthor: Ada <ada@example.org>\nAlias: /old/\nLang: de\nSlug: x/y\n\n",
        "{\"title\": \"T\", \"date\": \"2025-01-15T10:00:00Z\", \"updated\": \"2025-02-01\", \"draft\": true, \"tags\": [\"a\", \"b\"], \"description\": \"S\", \"image\": \"c.png\", \"author\": {\"name\": \"Ada\"}, \"redirect_from\": \"/old/\", \"lang\": \"de\", \"permalink\": \"/x/y/index.html\"}\n",
    ] {
        let (fields, out) = fields(text);
        assert!(out.is_empty(), "{text}\n{out:?}");
        assert_eq!(fields.title.as_deref(), Some("T"));
        assert_eq!(fields.date.unwrap().to_rfc3339(), "2025-01-15T10:00:00+00:00", "{text}");
        assert_eq!(fields.updated.unwrap().to_rfc3339(), "2025-02-01T00:00:00+00:00");
        assert_eq!(fields.status, Status::Draft, "{text}");
        assert_eq!(fields.tags, ["a", "b"], "{text}");
        assert_eq!(fields.summary.as_deref(), Some("S"));
        assert_eq!(fields.image.unwrap().value, "c.png", "{text}");
        assert_eq!(fields.authors, [Author { name: "Ada".into(), url: None }], "{text}");
        assert_eq!(fields.aliases, ["old/"], "{text}");
        assert_eq!(fields.language.as_deref(), Some("de"));
        assert_eq!(fields.slug.unwrap().value.as_str(), "x/y", "{text}");
    }
}

#[test]
fn a_value_that_cannot_be_meant_is_an_error_at_its_place() {
    for (text, code, shown) in [
        ("---\ntitle: ''\n---\n", "title-empty", "title: ''"),
        ("---\ntitle: a\ndate: soon\n---\n", "date-invalid", "date: soon"),
        ("+++\ntitle = 'a'\ndraft = 'perhaps'\n+++\n", "draft-invalid", "draft = 'perhaps'"),
        ("---\nid: a b\n---\n", "id-invalid", "id: a b"),
        ("---\nslug: '!!'\n---\n", "slug-empty", "slug: '!!'"),
        ("Title: a\nDate: never\n\n", "date-invalid", "Date: never"),
        ("---\nemail: sometimes\n---\n", "channel-invalid", "email: sometimes"),
    ] {
        let (_, out) = fields(text);
        assert!(has_errors(&out), "{text}");
        assert_eq!((out[0].code, out[0].place.text.as_str()), (code, shown));
        assert!(out[0].place.column > 1, "{:?}", out[0]);
    }
}

#[test]
fn channels_numbers_categories_and_authors_are_read() {
    let (read, out) = fields(
        "---\nemail: false\nfeed: no\nnumber: '#12'\ncategory: This Week\nkeywords: x, y\nauthors:\n  - Ada\n  - name: Bob\n    url: https://b.example\nunknown: {a: 1}\n---\n",
    );
    assert!(out.is_empty(), "{out:?}");
    assert_eq!((read.email, read.feed, read.number), (Some(Channel::Off), Some(Channel::Off), Some(12)));
    assert_eq!(read.tags, ["This Week", "x", "y"]);
    assert_eq!(read.authors[1], Author { name: "Bob".into(), url: Some("https://b.example".into()) });
    assert_eq!(fields("---\ndate: git Last Modified\n---\n").0.date, None);
    assert_eq!(fields("---\npublished: 2025-01-15\n---\n").0.date.unwrap().to_rfc3339(), "2025-01-15T00:00:00+00:00");
}

#[test]
fn no_value_can_end_a_header_line() {
    let (read, out) = fields("+++\ntitle = \"a\\r\\nBcc: x\\u2028y\\u0008z\"\nauthor = \"b\\nc\"\n+++\n");
    assert_eq!(read.title.as_deref(), Some("a Bcc: x yz"));
    assert_eq!(read.authors[0].name, "b c");
    assert_eq!(out[0].code, "control-character");
}
