//! The named thing readers follow.

use chrono_tz::Tz;
use url::Url;

use super::address::{Address, Mailbox};
use super::words::Words;

/// The address of the site, always ending in `/`, so that joining a path to it is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteUrl(Url);

/// Why a text is no site address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SiteUrlError {
    /// Not a URL at all.
    #[error("`{0}` is no absolute URL")]
    Syntax(String),
    /// Neither http nor https, or without a host, or with a query or fragment.
    #[error("`{0}` must begin with https:// or http://, name a host, and have no query")]
    Kind(String),
}

impl SiteUrl {
    /// Reads a base URL, adding the final `/` if it is missing.
    pub fn parse(text: &str) -> Result<Self, SiteUrlError> {
        let mut url = Url::parse(text.trim()).map_err(|_| SiteUrlError::Syntax(text.to_owned()))?;
        let kind_is_right = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some()
            && url.query().is_none()
            && url.fragment().is_none();
        if !kind_is_right {
            return Err(SiteUrlError::Kind(text.to_owned()));
        }
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self(url))
    }

    /// The URL, ending in `/`.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host name, in ASCII.
    pub fn host(&self) -> &str {
        self.0.host_str().expect("parse refuses a URL without a host")
    }

    /// The path under the host, beginning and ending with `/`.
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// The absolute URL of a path of the site (`""` is the home page, no leading `/`).
    /// Characters that a URL cannot hold are percent-encoded.
    pub fn join(&self, site_path: &str) -> String {
        let site_path = site_path.trim_start_matches('/');
        if is_plain_path(site_path) {
            return format!("{}{site_path}", self.0);
        }
        let mut url = self.0.clone();
        let (path, fragment) = site_path.split_once('#').map_or((site_path, None), |(p, f)| (p, Some(f)));
        // A backslash would become a slash, and another place.
        url.set_path(&format!("{}{}", self.0.path(), path.replace('\\', "%5C")));
        url.set_fragment(fragment);
        url.into()
    }
}

/// Whether a path stands in a URL as it is: unreserved signs only (RFC 3986, section 2.3), and no
/// segment that leads up or nowhere.
fn is_plain_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~' | b'.' | b'/');
    path.bytes().all(is_plain) && !path.split('/').any(|segment| matches!(segment, "." | ".."))
}

/// Who wrote a post.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Author {
    /// The name as readers see it.
    pub name: String,
    /// A page about the author.
    pub url: Option<String>,
}

/// Everything that names a publication: what feeds, pages and mail say about themselves.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The title readers know.
    pub title: String,
    /// One sentence on what it is about; empty when the author gave none.
    pub description: String,
    /// Where the web archive lives.
    pub base_url: SiteUrl,
    /// The language of posts that do not name their own (BCP 47).
    pub language: String,
    /// Whose posts they are when a post does not say.
    pub author: Option<Author>,
    /// The zone of dates that name none.
    pub time_zone: Tz,
    /// The postal address that anti-spam law wants in the footer of every mail.
    pub postal_address: Option<String>,
    /// Where a reader's address is posted to subscribe; pages show a form when there is one.
    pub subscribe_url: Option<String>,
    /// Whom the mail is from.
    pub from: Mailbox,
    /// Where answers go, when not to `from`.
    pub reply_to: Option<Address>,
    /// The list's permanent name for List-Id (RFC 2919), e.g. `notes.example.org`.
    pub list_id: String,
    /// The header by which a relay knows a second copy of a message and drops it, for relays that
    /// have one. It holds the Message-ID and is not signed: such relays take it off.
    pub idempotency_header: Option<String>,
    /// What pages and mails say beside the author's own words.
    pub words: Words,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_plain_path_is_joined_as_any_other(path in "[a-z./~_-]{0,12}") {
            let base = SiteUrl::parse("https://example.org/blog").unwrap();
            let trimmed = path.trim_start_matches('/');
            if is_plain_path(trimmed) {
                let mut url = base.0.clone();
                url.set_path(&format!("/blog/{trimmed}"));
                prop_assert_eq!(base.join(&path), url.as_str());
            }
        }
    }
}
