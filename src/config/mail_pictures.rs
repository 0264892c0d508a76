//! Where the pictures of a mail are: `[mail] images` and `cid_cap`.

use super::nearest::nearest;
use super::raw::RawMail;
use super::sheet::{Sheet, Typed};

/// The most bytes of a mail's own pictures, when the author does not say.
const DEFAULT_CAP: usize = 300_000;

/// More than this no relay takes, and every copy that waits to be sent holds it.
const MOST: usize = 10_000_000;

/// Where the pictures that a mail shows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MailPictures {
    /// On the site, like those of pages.
    #[default]
    Linked,
    /// In the mail itself, as far as they fit.
    Embedded {
        /// The most bytes of all of them together, as files.
        cap: usize,
    },
}

/// Builds the setting, noting what is wrong with it.
pub(super) fn mail_pictures(raw: &RawMail, sheet: &Sheet<'_>) -> MailPictures {
    let cap = raw.cid_cap.as_ref().map_or(DEFAULT_CAP, |typed| cap(typed, sheet));
    let embedded = MailPictures::Embedded { cap };
    match raw.images.as_ref().map(|typed| (typed, typed.value.as_str())) {
        None | Some((_, "linked")) => {
            if let Some(typed) = &raw.cid_cap {
                let message = "`cid_cap` without `images = \"cid\"`: no mail holds a picture";
                sheet.error("mail-images", typed.span.clone(), message, "add images = \"cid\", or leave the line out");
            }
            MailPictures::Linked
        }
        Some((_, "cid")) => embedded,
        Some((typed, other)) => {
            let help = match nearest(other, ["linked", "cid"]) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "`linked` shows pictures from the site, `cid` puts them into the mail".to_owned(),
            };
            let message = format!("`{}` is no place for a mail's pictures", other.escape_debug());
            sheet.error("mail-images", typed.span.clone(), message, help);
            embedded
        }
    }
}

fn cap(typed: &Typed<String>, sheet: &Sheet<'_>) -> usize {
    bytes(&typed.value).filter(|bytes| (1..=MOST).contains(bytes)).unwrap_or_else(|| {
        let message = format!("`{}` is no size for a mail's pictures", typed.value.escape_debug());
        let help = "a number and a unit, up to 10 MB: cid_cap = \"300 KB\"";
        sheet.error("mail-images", typed.span.clone(), message, help);
        DEFAULT_CAP
    })
}

/// `300 KB`, `1 MB`: thousands of bytes.
fn bytes(text: &str) -> Option<usize> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let unit = match unit.trim().to_ascii_uppercase().as_str() {
        "KB" => 1_000,
        "MB" => 1_000_000,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit() {
        assert_eq!((bytes("300 KB"), bytes(" 2mb ")), (Some(300_000), Some(2_000_000)));
        for text in ["300", "KB", "-1 KB", "1.5 MB", "9 GB", "99999999999999999999 KB", "18446744073709551 MB", ""] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
