//! Where links lead, as each output must write it.

use std::borrow::Cow;
use std::fmt::Write;

use url::Url;

use crate::domain::document::Target;
use crate::domain::publication::SiteUrl;

/// The schemes a link of a post may have. Everything else (`javascript:`, `data:`, …) loses
/// its link in every output; its words stay.
pub(super) const SCHEMES: [&str; 12] =
    ["http", "https", "mailto", "tel", "sms", "xmpp", "irc", "ircs", "ftp", "geo", "magnet", "webcal"];

/// How an output names a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// From the page itself, and `#…` inside it: for the web. Such pages can be moved, and
    /// opened without a server.
    Page,
    /// By the whole URL: for whatever leaves the site.
    Absolute,
}

/// The links of one post in one output.
#[derive(Debug, Clone)]
pub(super) struct Links {
    base: SiteUrl,
    page: String,
    reach: Reach,
}

impl Links {
    /// The links of the page at `site_path`.
    pub fn new(base: &SiteUrl, site_path: impl Into<String>, reach: Reach) -> Self {
        Self { base: base.clone(), page: site_path.into(), reach }
    }

    /// The value of `href` or `src`; `None` when the target's scheme is not allowed.
    pub fn href<'t>(&self, target: &'t Target) -> Option<Cow<'t, str>> {
        match (target, self.reach) {
            (Target::Url(url), Reach::Page | Reach::Absolute) => safe_url(url),
            (Target::Site(path), Reach::Page | Reach::Absolute) => Some(self.site(path).into()),
            (Target::Fragment(name), Reach::Page) => Some(format!("#{name}").into()),
            (Target::Fragment(name), Reach::Absolute) => Some(self.fragment(name).into()),
        }
    }

    /// The same of a path of the site.
    pub fn site(&self, path: &str) -> String {
        match self.reach {
            Reach::Page => Here::At(&self.page).path(&self.base, path),
            Reach::Absolute => self.base.join(path),
        }
    }

    /// The absolute URL of a place in the page.
    pub fn fragment(&self, name: &str) -> String {
        self.base.join(&format!("{}#{name}", self.page))
    }

    /// The absolute URL of a path of the site.
    pub fn absolute(&self, site_path: &str) -> String {
        self.base.join(site_path)
    }

    /// The absolute URL of a relative reference found in raw HTML.
    pub fn resolve(&self, reference: &str) -> Option<String> {
        let page = Url::parse(&self.base.join(&self.page)).ok()?;
        let url = page.join(reference.trim()).ok()?;
        SCHEMES.contains(&url.scheme()).then(|| url.into())
    }
}

/// Where a path is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Here<'a> {
    /// On the page at that site path.
    At(&'a str),
    /// On a page that is shown at any address.
    Anywhere,
}

impl Here<'_> {
    /// The path of a place of the site as it is written here, percent-encoded: relative to
    /// the page, or from the root of the host.
    pub fn path(self, base: &SiteUrl, site_path: &str) -> String {
        let url = base.join(site_path);
        match self {
            Self::Anywhere => url[base.as_str().len() - base.path().len()..].to_owned(),
            Self::At(page) => {
                let up = match page.matches('/').count() {
                    0 => "./".to_owned(),
                    depth => "../".repeat(depth),
                };
                format!("{up}{}", &url[base.as_str().len()..])
            }
        }
    }
}

/// The URL in a form every client reads: percent-encoded, of an allowed scheme.
fn safe_url(text: &str) -> Option<Cow<'_, str>> {
    let text = encoded(text.trim());
    if is_plain_web_address(&text) {
        return Some(text);
    }
    let url = Url::parse(&text).ok()?;
    if !SCHEMES.contains(&url.scheme()) {
        return None;
    }
    // The author's spelling is kept where it is already safe: a URL is also a name, and
    // normalising `https://example.org` to `https://example.org/` would change it.
    Some(if text.is_ascii() { text } else { String::from(url).into() })
}

/// Whether a text without foreign signs is a web address that needs no parser to be known as one, as
/// nearly every link is: a host of plain names, the last of them no number, and whatever follows it.
fn is_plain_web_address(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_name = |name: &str| {
        let is_coded = name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
        !name.is_empty() && !is_coded && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    text.is_ascii() && host.split('.').all(is_name) && last.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// The URL with the signs encoded that no URL holds (RFC 3986, section 2). Left alone, browsers
/// would take a backslash for a slash, and checkers would complain of brackets.
fn encoded(text: &str) -> Cow<'_, str> {
    let host = text.find("://").map_or(0, |at| at + 3);
    let path = text[host..].find(['/', '?', '#', '\\']).map_or(text.len(), |at| host + at);
    let is_foreign = |(at, byte): (usize, u8)| match byte {
        b' ' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => true,
        b'[' | b']' => at >= path,
        byte => byte.is_ascii_control(),
    };
    if !text.bytes().enumerate().any(is_foreign) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        let foreign = u8::try_from(c).ok().filter(|byte| is_foreign((at, *byte)));
        match foreign {
            Some(byte) if !matches!(c, '\n' | '\r' | '\t') => {
                let _ = write!(out, "%{byte:02X}");
            }
            Some(_) | None => out.push(c),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> SiteUrl {
        SiteUrl::parse("https://example.org/blog").unwrap()
    }

    #[test]
    fn a_place_of_the_site_is_written_from_where_one_stands_or_whole() {
        let base = base();
        let site = Target::Site("über uns/#a".into());
        let web = Links::new(&base, "post/", Reach::Page);
        let away = Links::new(&base, "post/", Reach::Absolute);
        assert_eq!(web.href(&site).unwrap(), "../%C3%BCber%20uns/#a");
        assert_eq!(away.href(&site).unwrap(), "https://example.org/blog/%C3%BCber%20uns/#a");
        assert_eq!(web.href(&Target::Fragment("x".into())).unwrap(), "#x");
        assert_eq!(away.href(&Target::Fragment("x".into())).unwrap(), "https://example.org/blog/post/#x");
        assert_eq!(web.href(&Target::Site(String::new())).unwrap(), "../");
        assert_eq!(Here::At("").path(&base, "post/"), "./post/");
        assert_eq!(Here::At("topics/a/").path(&base, "post/"), "../../post/");
        assert_eq!(Here::Anywhere.path(&base, "post/"), "/blog/post/");
    }

    #[test]
    fn only_schemes_that_cannot_run_code_are_links() {
        let base = base();
        let links = Links::new(&base, "post/", Reach::Absolute);
        for bad in
            ["javascript:alert(1)", " JavaScript:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "vbscript:x"]
        {
            assert_eq!(links.href(&Target::Url(bad.into())), None, "{bad}");
            assert_eq!(links.resolve(bad), None, "{bad}");
        }
        assert_eq!(links.href(&Target::Url("mailto:a@b.c".into())).unwrap(), "mailto:a@b.c");
        assert_eq!(links.href(&Target::Url("https://e.org/a b".into())).unwrap(), "https://e.org/a%20b");
        assert_eq!(
            links.href(&Target::Url("https://e.org/[a]\\b?c={d}".into())).unwrap(),
            "https://e.org/%5Ba%5D%5Cb?c=%7Bd%7D"
        );
        assert_eq!(links.href(&Target::Url("http://[::1]/a".into())).unwrap(), "http://[::1]/a");
        assert_eq!(links.resolve("../x.png").unwrap(), "https://example.org/blog/x.png");
        assert_eq!(links.resolve("//cdn.example/x.png").unwrap(), "https://cdn.example/x.png");
    }

    #[test]
    fn what_a_parser_would_refuse_or_read_otherwise_is_left_to_it() {
        for plain in ["https://e.org", "http://a-b.c1.example/x?y#z", "https://localhost/%7Ea//b"] {
            assert!(is_plain_web_address(plain), "{plain}");
        }
        for other in [
            "https://",
            "https:///a",
            "https://1.2.3.4/",
            "https://a.0x7f/",
            "https://e.org:99999/",
            "https://e.org:80",
            "https://a@e.org/",
            "https://xn--zzzzzz.org/",
            "https://a..b/",
            "https://e.org./",
            "https://a%2e.org/",
            "https://größe.org/",
            "https://e.org/größe",
            "HTTPS://e.org/",
            "ftp://e.org/",
            "javascript://e.org/%0aalert(1)",
        ] {
            assert!(!is_plain_web_address(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn a_plain_web_address_is_one_to_a_parser_too(
            text in "https?://(([0-9]{1,3}|0x[0-9a-f]{1,2}|[a-zA-Z-]{0,3}|xn--[a-z]{1,4}|[@:%_])\\.?){1,4}[/?#]?[!-~]{0,8}"
        ) {
            let text = encoded(&text);
            if is_plain_web_address(&text) {
                let url = Url::parse(&text).expect("a parser reads it");
                prop_assert!(SCHEMES.contains(&url.scheme()));
                prop_assert!(url.host_str().is_some_and(|host| text.to_lowercase().contains(host)));
            }
        }
    }
}
