//! The sitemap (sitemaps.org 0.9).

use chrono::SecondsFormat;

use super::check::check_well_formed;
use super::prepare::line;
use super::xml::{Xml, namespace};
use crate::domain::time::Dated;

/// How many pages one sitemap may name.
const MOST_URLS: usize = 50_000;

/// One page as a search engine should know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitemapUrl {
    /// The absolute URL.
    pub url: String,
    /// When the page last changed, if that is known.
    pub changed: Option<Dated>,
}

/// Writes a sitemap of the pages in the order given, the first 50,000 of them, which is all
/// that the protocol allows in one file.
pub fn sitemap(pages: &[SitemapUrl]) -> Vec<u8> {
    let mut xml = Xml::document();
    xml.open("urlset", &[("xmlns", namespace::SITEMAP)]);
    for page in pages.iter().take(MOST_URLS) {
        xml.open("url", &[]);
        xml.text("loc", &[], &line(&page.url));
        if let Some(changed) = page.changed {
            xml.text("lastmod", &[], &changed.to_rfc3339_opts(SecondsFormat::Secs, true));
        }
        xml.close("url");
    }
    xml.close("urlset");
    let bytes = xml.finish();
    check_well_formed(&bytes).expect("escaped text in three fixed elements is well-formed");
    bytes
}
