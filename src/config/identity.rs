//! Who speaks: the author, the sender of the mail, and the list's own name.

use super::build::line;
use super::raw::{RawPublication, Text};
use super::sheet::{Sheet, Typed};
use crate::domain::address::{Address, Mailbox};
use crate::domain::publication::{Author, SiteUrl};

const FROM_FORM: &str = "write from = \"My Notes <notes@example.org>\"";

/// Whose posts they are when a post does not say.
pub(super) fn author(raw: &RawPublication, sheet: &Sheet<'_>) -> Option<Author> {
    let url = raw.author_url.as_ref().and_then(|typed| web_address("author", typed, sheet));
    if let (Some(typed), None) = (&raw.author_url, &raw.author) {
        sheet.error("author", typed.span.clone(), "`author_url` without `author`", "add author = \"Your Name\"");
    }
    Some(Author { name: line("author", &raw.author, sheet)?, url })
}

/// An address that a browser can open. `None` after an error of that code.
pub(super) fn web_address(code: &'static str, typed: &Typed<String>, sheet: &Sheet<'_>) -> Option<String> {
    match url::Url::parse(typed.value.trim()) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Some(url.into()),
        Ok(_) | Err(_) => {
            let message = format!("`{}` is no web address", typed.value);
            sheet.error(code, typed.span.clone(), message, "it begins with https://");
            None
        }
    }
}

/// Whom the mail is from: as typed, else `Title <noreply@host>`. `None` after an error, or
/// when title or base URL are missing too.
pub(super) fn from(
    raw: &Text,
    title: Option<&str>,
    base: Option<(&SiteUrl, &Typed<String>)>,
    sheet: &Sheet<'_>,
) -> Option<Mailbox> {
    if let Some(typed) = raw {
        return mailbox("from", typed, sheet);
    }
    let (url, typed) = base?;
    let Ok(address) = Address::parse(&format!("noreply@{}", url.host())) else {
        let message = format!("`{}` is no domain to send mail from", url.host());
        let help = format!("below [mail], {FROM_FORM}");
        sheet.error("mail-from", typed.span.clone(), message, help);
        return None;
    };
    Some(Mailbox { name: Some(title?.to_owned()), address })
}

/// Where answers go, when not to the sender.
pub(super) fn reply_to(raw: &Text, sheet: &Sheet<'_>) -> Option<Address> {
    mailbox("reply_to", raw.as_ref()?, sheet).map(|mailbox| mailbox.address)
}

fn mailbox(key: &str, typed: &Typed<String>, sheet: &Sheet<'_>) -> Option<Mailbox> {
    let found = Mailbox::parse(&typed.value);
    if let Err(error) = &found {
        let message = format!("`{key}` cannot be `{}`: {error}", typed.value.escape_debug());
        sheet.error("mail-address", typed.span.clone(), message, FROM_FORM.replace("from", key));
    }
    found.ok()
}

/// The list's permanent name (RFC 2919, section 3): as typed, else the site's host, with the
/// parts of its path in front: `https://example.org/ml/` is `ml.example.org`.
pub(super) fn list_id(raw: &Text, base_url: Option<&SiteUrl>, sheet: &Sheet<'_>) -> Option<String> {
    let Some(typed) = raw else { return base_url.map(default_list_id) };
    let name = typed.value.trim();
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_+".contains(&b));
    if name.len() <= 255 && name.contains('.') && name.split('.').all(is_part) {
        return Some(name.to_owned());
    }
    let message = format!("`{}` is no list id", name.escape_debug());
    let help = "words of letters, digits and `-` joined by dots, such as `notes.example.org`; it must never change";
    sheet.error("list-id", typed.span.clone(), message, help);
    None
}

fn default_list_id(base_url: &SiteUrl) -> String {
    let plain = |part: &str| -> String { part.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect() };
    let host: Vec<String> = base_url.host().split('.').map(plain).collect();
    let mut parts: Vec<String> =
        base_url.path().rsplit('/').map(plain).chain(host).filter(|part| !part.is_empty()).collect();
    if parts.len() == 1 {
        parts.insert(0, "list".to_owned());
    }
    parts.join(".")
}

/// Names that mean something to those who read mail, by how they begin.
const TAKEN: [&str; 20] = [
    "arc-",
    "archived-at",
    "authentication-",
    "bcc",
    "cc",
    "content-",
    "date",
    "dkim-",
    "from",
    "in-reply-to",
    "list-",
    "message-id",
    "mime-version",
    "received",
    "references",
    "reply-to",
    "resent-",
    "return-path",
    "sender",
    "subject",
];

/// The header by which a relay knows a second copy: a field name (RFC 5322, 3.6.8) that has no
/// other meaning.
pub(super) fn idempotency_header(raw: &Text, sheet: &Sheet<'_>) -> Option<String> {
    let typed = raw.as_ref()?;
    let name = typed.value.trim();
    let is_name = (1..=60).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let lower = name.to_ascii_lowercase();
    let is_free = lower != "to" && !TAKEN.iter().any(|taken| lower.starts_with(taken));
    if is_name && is_free {
        return Some(name.to_owned());
    }
    let message = format!("`idempotency_header` cannot be `{}`", name.escape_debug());
    let help = "the header that your relay's manual names, such as \"Resend-Idempotency-Key\"";
    sheet.error("idempotency-header", typed.span.clone(), message, help);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_named_after_the_site() {
        for (url, id) in [
            ("https://notes.example.org", "notes.example.org"),
            ("https://example.org/blog/ml/", "ml.blog.example.org"),
            ("http://localhost:8000/", "list.localhost"),
        ] {
            assert_eq!(default_list_id(&SiteUrl::parse(url).unwrap()), id);
        }
    }
}
