//! Pictures that travel in the mail itself: the HTML and what it shows are one `multipart/related`
//! (RFC 2387), and `cid:` in the HTML names a part by its Content-ID (RFC 2392).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::message::header::{ContentDisposition, ContentId, ContentTransferEncoding, ContentType};
use lettre::message::{Body, MultiPart, SinglePart};

use crate::domain::issue::Embedded;

/// Bytes of a line: Base64 of so many fills 76 characters (RFC 2045, 6.8).
const LINE: usize = 57;

/// `=_` occurs in no quoted-printable text and in no Base64, and no other boundary of ours begins
/// with it and a `p`. So short that the header's line is not folded.
const BOUNDARY: &str = "=_pictures";

/// A picture as the lines of its part, ended by CRLF but for the last.
pub(super) fn encoded(picture: &Embedded) -> String {
    let lines: Vec<String> = picture.bytes.chunks(LINE).map(|line| STANDARD.encode(line)).collect();
    lines.join("\r\n")
}

/// The HTML with its pictures; `bodies` are what their parts hold.
pub(super) fn related(html: SinglePart, pictures: &[Embedded], bodies: Vec<String>) -> MultiPart {
    let kind = format!("multipart/related; type=\"text/html\"; boundary=\"{BOUNDARY}\"");
    let kind = ContentType::parse(&kind).expect("a constant media type");
    let parts = pictures.iter().zip(bodies).map(|(picture, body)| part(picture, body));
    parts.fold(MultiPart::builder().header(kind).singlepart(html), MultiPart::singlepart)
}

fn part(picture: &Embedded, body: String) -> SinglePart {
    let name = picture.site_path.rsplit('/').next().unwrap_or_default();
    SinglePart::builder()
        .header(ContentType::parse(picture.media_type).expect("a media type of ours"))
        .header(ContentId::from(format!("<{}>", picture.content_id)))
        .header(ContentDisposition::inline_with_name(name))
        .body(Body::dangerous_pre_encoded(body.into_bytes(), ContentTransferEncoding::Base64))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{issue, publication, signers};
    use super::super::{Frozen, assemble, freeze};
    use super::*;
    use crate::domain::address::Address;
    use crate::domain::ids::MessageId;
    use crate::domain::issue::{Issue, Parts, Slot, Variants};
    use crate::domain::time::from_millis;

    fn picture(digest: &str, bytes: &[u8]) -> Embedded {
        Embedded {
            content_id: format!("{digest}@example.org"),
            site_path: format!("pictures/{digest}.png"),
            media_type: "image/png",
            bytes: bytes.to_vec(),
        }
    }

    fn with_pictures() -> Issue {
        let html = "<p><img src=\"cid:00ff@example.org\" alt=\"\"></p>".to_owned();
        let pictures = vec![picture("00ff", &[7; 100]), picture("11ee", b"short")];
        Issue { html, pictures, ..issue() }
    }

    fn copy(frozen: &Frozen, name: Option<&str>) -> String {
        let (address, id) = (Address::parse("ada@example.net").unwrap(), MessageId::parse("7@example.org").unwrap());
        let url = "https://notes.example.org/u/1";
        let recipient = super::super::Recipient { address: &address, name, unsubscribe_url: url, values: &[] };
        String::from_utf8(assemble(frozen, &signers(), &recipient, &id, from_millis(0)).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn html_and_what_it_shows_are_one_part_of_the_alternatives() {
        let message = copy(&freeze(&with_pictures(), &publication()).unwrap(), None);
        let related =
            message.split_once("Content-Type: multipart/related; type=\"text/html\"; boundary=\"=_pictures\"\r\n");
        let (before, after) = related.expect("a related part");
        assert!(before.contains("Content-Type: text/plain") && !before.contains("Content-Type: text/html"));
        let parts: Vec<&str> = after.split("--=_pictures").collect();
        assert_eq!(parts.len(), 5, "{after}");
        assert!(
            parts[1].contains("Content-Type: text/html; charset=utf-8") && parts[1].contains("cid:00ff@example.org")
        );
        for (part, id, body) in
            [(parts[2], "00ff", STANDARD.encode([7; 100])), (parts[3], "11ee", STANDARD.encode("short"))]
        {
            let (head, lines) = part.split_once("\r\n\r\n").unwrap();
            assert!(head.contains("Content-Type: image/png\r\n"), "{head}");
            assert!(head.contains(&format!("Content-ID: <{id}@example.org>\r\n")), "{head}");
            assert!(head.contains(&format!("Content-Disposition: inline; filename=\"{id}.png\"")), "{head}");
            assert!(head.contains("Content-Transfer-Encoding: base64"), "{head}");
            assert!(lines.lines().all(|line| line.len() <= 76));
            assert_eq!(lines.replace("\r\n", ""), body);
        }
        assert!(message.lines().all(|line| line.len() <= 998));
    }

    #[test]
    fn pictures_are_frozen_once_for_all_variants_and_the_same_bytes_come_of_them_later() {
        let lacking = Parts { html: "<p>Hello</p><img src=\"cid:00ff@example.org\">".into(), text: "Hello".into() };
        let variants = Variants { asked: vec![Slot::SubscriberName], parts: vec![lacking] };
        let frozen = freeze(&Issue { variants, ..with_pictures() }, &publication()).unwrap();
        let bytes = frozen.to_bytes();
        let line = STANDARD.encode([7; LINE]);
        assert_eq!(String::from_utf8_lossy(&bytes).matches(&line).count(), 1);
        let stored = Frozen::from_bytes(&bytes).unwrap();
        for name in [Some("Ada"), None] {
            assert_eq!(copy(&stored, name), copy(&frozen, name));
            assert_eq!(copy(&frozen, name).matches(&line).count(), 1);
        }
    }

    #[test]
    fn a_template_that_lost_a_picture_is_damaged_and_one_without_any_is_as_it_always_was() {
        let mut frozen = freeze(&with_pictures(), &publication()).unwrap();
        assert_eq!(frozen.version, 3);
        frozen.pictures.pop();
        assert!(Frozen::from_bytes(&frozen.to_bytes()).is_err());
        assert_eq!(freeze(&issue(), &publication()).unwrap().version, 1);
    }
}
