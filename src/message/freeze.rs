//! From issue to template.
//!
//! lettre builds the message out of values that are encoded already, with a mark where a
//! recipient's value goes: the number of the gap between two NULs. Nothing encoded holds a
//! NUL, so the finished text can be cut at the marks without a doubt.

use std::sync::OnceLock;

use aws_lc_rs::digest;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, MessageBuilder, MultiPart, SinglePart};

use super::error::{Field, Reason, Unrenderable};
use super::frozen::{FIRST_VERSION, Frozen, Part, Segment};
use super::scan::{Flaw, field_names};
use super::splice::assemble;
use super::{header, pictures, quoted_printable};
use crate::dkim::Signers;
use crate::domain::address::Address;
use crate::domain::hex::hex;
use crate::domain::ids::MessageId;
use crate::domain::issue::{Issue, Marker};
use crate::domain::publication::Publication;
use crate::domain::time;

/// The fields of every copy, in their order. Reply-To is there when the publication has one, and
/// behind Archived-At the idempotency header.
const FIELDS: [&str; 12] = [
    "Date",
    "From",
    "Reply-To",
    "To",
    "Subject",
    "Message-ID",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Archived-At",
    "MIME-Version",
    "Content-Type",
];

/// Assembles an issue once, for everybody, and proves that it can be sent by splicing and
/// scanning a copy for a made-up recipient. Pure: the same issue and publication give the
/// same template.
///
/// Control characters in the subject and the title become spaces; in the parts they are
/// dropped, all but tabs and line ends. Each part ends with a line end.
pub fn freeze(issue: &Issue, publication: &Publication) -> Result<Frozen, Unrenderable> {
    let variants = issue.variants.parts.iter().map(|parts| segments(issue, &parts.html, &parts.text, publication));
    let frozen = Frozen {
        version: FIRST_VERSION,
        post: issue.post.clone(),
        from: publication.from.address.clone(),
        list_id: publication.list_id.clone(),
        headers: expected(publication).len(),
        segments: segments(issue, &issue.html, &issue.text, publication)?,
        asked: issue.variants.asked.clone(),
        variants: variants.collect::<Result<_, _>>()?,
        pictures: issue.pictures.iter().map(pictures::encoded).collect(),
        stencils: OnceLock::new(),
    }
    .of_the_lowest_version();
    prove(&frozen, publication)?;
    Ok(frozen)
}

/// The names of the fields of every copy.
fn expected(publication: &Publication) -> Vec<&str> {
    let fields = FIELDS.into_iter().filter(|name| *name != "Reply-To" || publication.reply_to.is_some());
    fields
        .flat_map(|name| match name {
            "Archived-At" => [Some(name), publication.idempotency_header.as_deref()],
            name => [Some(name), None],
        })
        .flatten()
        .collect()
}

/// A message of these parts, cut at its gaps.
fn segments(issue: &Issue, html: &str, text: &str, publication: &Publication) -> Result<Vec<Segment>, Unrenderable> {
    let mut gaps = Gaps::default();
    let headers = headers(issue, publication, &mut gaps)?;
    let parts = MultiPart::alternative()
        .boundary(boundary([&issue.subject, html, text]))
        .singlepart(part(ContentType::TEXT_PLAIN, gaps.encode(text, &issue.nonce, Part::Text)?));
    let html = part(ContentType::TEXT_HTML, gaps.encode(html, &issue.nonce, Part::Html)?);
    let parts = if issue.pictures.is_empty() {
        parts.singlepart(html)
    } else {
        let bodies = (0..issue.pictures.len()).map(|nth| gaps.mark(Segment::Picture(nth))).collect();
        parts.multipart(pictures::related(html, &issue.pictures, bodies))
    };
    let message = headers.multipart(parts).expect("From and the envelope are set");
    let text = String::from_utf8(message.formatted()).expect("every value is encoded as ASCII");
    Ok(gaps.cut(&text))
}

/// The header section, each value encoded by us: lettre only sets them in order.
fn headers(issue: &Issue, publication: &Publication, gaps: &mut Gaps) -> Result<MessageBuilder, Unrenderable> {
    let from_name = header::name(Field::SenderName, publication.from.name.as_deref())?;
    let mut values = vec![
        ("Date", gaps.mark(Segment::Date)),
        ("From", header::mailbox("From: ", from_name, &publication.from.address)),
    ];
    if let Some(reply_to) = &publication.reply_to {
        values.push(("Reply-To", header::mailbox("Reply-To: ", None, reply_to)));
    }
    values.extend([
        ("To", gaps.mark(Segment::To)),
        ("Subject", header::unstructured("Subject: ", &subject(issue)?)),
        ("Message-ID", gaps.mark(Segment::MessageId)),
        ("List-Id", header::list_id(&publication.title, &publication.list_id)?),
        ("List-Unsubscribe", gaps.mark(Segment::ListUnsubscribe)),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
        ("Archived-At", format!("<{}>", header::url(Field::WebUrl, &issue.web_url)?)),
    ]);
    if let Some(name) = &publication.idempotency_header {
        values.push((name, gaps.mark(Segment::MessageId)));
    }
    let builder = lettre::Message::builder().envelope(unused_envelope());
    Ok(values.into_iter().fold(builder, |builder, (name, value)| builder.raw_header(encoded(name, value))))
}

fn subject(issue: &Issue) -> Result<String, Unrenderable> {
    let subject = header::one_line(Field::Subject, &issue.subject)?;
    if subject.is_empty() {
        return Err(Unrenderable::new(Field::Subject, Reason::Empty));
    }
    if subject.contains(&issue.nonce) {
        return Err(Unrenderable::new(Field::Subject, Reason::Slot));
    }
    Ok(subject)
}

/// A header whose value is encoded. lettre parses the raw value of Date and From again and
/// puts the present time in place of a date it cannot read, so these two get one it can.
fn encoded(name: &str, value: String) -> HeaderValue {
    let raw = match name {
        "Date" => "Thu, 01 Jan 1970 00:00:00 +0000",
        "From" => "from@example.org",
        _ => "",
    };
    let name = HeaderName::new_from_ascii(name.to_owned()).expect("the settings take nothing but field names");
    HeaderValue::dangerous_new_pre_encoded(name, raw.to_owned(), value)
}

/// lettre would read the envelope from the headers, which hold marks; nobody looks at it.
fn unused_envelope() -> Envelope {
    let address = lettre::Address::new("nobody", "example.org").expect("a literal address");
    Envelope::new(None, vec![address]).expect("one recipient is enough")
}

fn part(kind: ContentType, body: String) -> SinglePart {
    let body = Body::dangerous_pre_encoded(body.into_bytes(), ContentTransferEncoding::QuotedPrintable);
    SinglePart::builder().header(kind).body(body)
}

/// The same for the same content. `=_` occurs in no quoted-printable text, so no part can
/// contain the boundary (RFC 2045, 6.7, closing note).
fn boundary(content: [&str; 3]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for text in content {
        context.update(&text.len().to_be_bytes());
        context.update(text.as_bytes());
    }
    format!("=_{}", hex(&context.finish().as_ref()[..16]))
}

/// The gaps of a template in the making.
#[derive(Default)]
struct Gaps(Vec<Segment>);

impl Gaps {
    fn mark(&mut self, gap: Segment) -> String {
        self.0.push(gap);
        format!("\0{}\0", self.0.len() - 1)
    }

    /// A part's text, encoded around its slots.
    fn encode(&mut self, text: &str, nonce: &str, part: Part) -> Result<String, Unrenderable> {
        let field = match part {
            Part::Text => Field::Text,
            Part::Html => Field::Html,
        };
        let text = clean_lines(text);
        if text.trim().is_empty() {
            return Err(Unrenderable::new(field, Reason::Empty));
        }
        let mut out = String::with_capacity(text.len() + text.len() / 8);
        let mut rest = text.as_str();
        while let Some(Marker { before, slot, default, after }) = Marker::first(rest, nonce) {
            encode_between_slots(before, nonce, field, &mut out)?;
            let gap = if default.is_empty() { Segment::Slot(slot, part) } else { Segment::SlotOr(slot, part, default) };
            out.push_str(&self.mark(gap));
            rest = after;
        }
        encode_between_slots(rest, nonce, field, &mut out)?;
        Ok(out)
    }

    /// Cuts the finished text at its marks.
    fn cut(&self, text: &str) -> Vec<Segment> {
        let mut segments = Vec::with_capacity(self.0.len() * 2 + 1);
        for (nth, piece) in text.split('\0').enumerate() {
            let is_mark = nth % 2 == 1;
            if is_mark {
                let gap: usize = piece.parse().expect("the mark is ours");
                segments.push(self.0[gap].clone());
            } else if !piece.is_empty() {
                segments.push(Segment::Static(piece.to_owned()));
            }
        }
        segments
    }
}

/// The nonce occurs nowhere but in markers: one that is left over was cut or changed, if only
/// in its case.
fn encode_between_slots(text: &str, nonce: &str, field: Field, out: &mut String) -> Result<(), Unrenderable> {
    if text.contains(nonce) || text.contains(&nonce.to_uppercase()) {
        return Err(Unrenderable::new(field, Reason::Slot));
    }
    quoted_printable::encode(text, out);
    Ok(())
}

/// One kind of line end, no control character but the tab, a line end at the end.
fn clean_lines(text: &str) -> String {
    let mut clean = text.replace("\r\n", "\n").replace('\r', "\n");
    clean.retain(|c| !c.is_control() || c == '\n' || c == '\t');
    if !clean.ends_with('\n') {
        clean.push('\n');
    }
    clean
}

/// Splices a copy of each variant for nobody and looks whether its header fields are the ones
/// intended. Its unsubscribe URL is the site's own, so a site that cannot have such URLs is
/// refused here and not once per recipient.
fn prove(frozen: &Frozen, publication: &Publication) -> Result<(), Unrenderable> {
    let address = Address::parse("nobody@example.org").expect("a literal address");
    let message_id = MessageId::parse("nobody@example.org").expect("a literal id");
    let url = publication.base_url.as_str();
    let expected = expected(publication);
    for someone in frozen.made_up(url) {
        let copy =
            assemble(frozen, &Signers::none(), &someone.recipient(&address, url), &message_id, time::from_millis(0))?;
        if !field_names(copy.content.pieces().first()).into_iter().eq(expected.iter().map(|name| name.as_bytes())) {
            return Err(Unrenderable::new(Field::Message, Reason::Malformed(Flaw::HeaderCount)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::samples::{NONCE, issue, publication};
    use super::*;
    use crate::domain::issue::Slot;
    use crate::domain::publication::SiteUrl;

    fn refused(issue: &Issue, publication: &Publication) -> (Field, Reason) {
        let refusal = freeze(issue, publication).unwrap_err();
        (refusal.field, refusal.reason)
    }

    #[test]
    fn a_marker_that_was_cut_or_stands_in_the_subject_is_refused() {
        let publication = publication();
        let cut = Slot::UnsubscribeUrl.marker(NONCE).replace("url", "");
        let broken = Issue { text: format!("x {cut}"), ..issue() };
        assert_eq!(refused(&broken, &publication), (Field::Text, Reason::Slot));
        let broken = Issue { html: format!("x {cut}"), ..issue() };
        assert_eq!(refused(&broken, &publication), (Field::Html, Reason::Slot));
        let broken = Issue { subject: Slot::SubscriberName.marker(NONCE), ..issue() };
        assert_eq!(refused(&broken, &publication), (Field::Subject, Reason::Slot));
    }

    #[test]
    fn a_marker_that_a_filter_changed_is_refused() {
        let shouted = Slot::SubscriberName.marker(NONCE).to_uppercase();
        let broken = Issue { text: format!("x {shouted}"), ..issue() };
        assert_eq!(refused(&broken, &publication()), (Field::Text, Reason::Slot));
    }

    #[test]
    fn an_issue_that_needs_nothing_new_is_frozen_by_the_first_version() {
        let version = |text: &str| freeze(&Issue { text: text.into(), ..issue() }, &publication()).unwrap().version;
        assert_eq!(freeze(&issue(), &publication()).unwrap().version, FIRST_VERSION);
        assert_eq!(version(&Slot::SubscriberName.marker_or(NONCE, "x")), 2);
        assert_eq!(version(&Slot::PreferencesUrl.marker(NONCE)), 2);
    }

    #[test]
    fn what_is_missing_is_named() {
        let publication = publication();
        assert_eq!(
            refused(&Issue { subject: "\r\n".into(), ..issue() }, &publication),
            (Field::Subject, Reason::Empty)
        );
        assert_eq!(refused(&Issue { text: " \n".into(), ..issue() }, &publication), (Field::Text, Reason::Empty));
        assert_eq!(refused(&Issue { html: "\0".into(), ..issue() }, &publication), (Field::Html, Reason::Empty));
        assert_eq!(refused(&Issue { web_url: "/x".into(), ..issue() }, &publication), (Field::WebUrl, Reason::NotHttp));
    }

    #[test]
    fn a_site_without_https_cannot_mail_unless_it_is_this_machine() {
        let at = |url| Publication { base_url: SiteUrl::parse(url).unwrap(), ..publication() };
        let refusal = (Field::UnsubscribeUrl, Reason::NotHttps);
        assert_eq!(refused(&issue(), &at("http://notes.example.org")), refusal);
        assert!(freeze(&issue(), &at("http://localhost:8000")).is_ok());
    }

    #[test]
    fn another_word_anywhere_is_another_issue() {
        let id = |issue: &Issue, publication: &Publication| freeze(issue, publication).unwrap().id();
        let first = id(&issue(), &publication());
        assert_eq!(id(&issue(), &publication()), first);
        for other in [
            Issue { subject: "Other".into(), ..issue() },
            Issue { text: "Other".into(), ..issue() },
            Issue { html: "Other".into(), ..issue() },
            Issue { post: crate::domain::ids::PostId::parse("other").unwrap(), ..issue() },
        ] {
            assert_ne!(id(&other, &publication()), first);
        }
        assert_ne!(id(&issue(), &Publication { reply_to: None, ..publication() }), first);
    }

    #[test]
    fn without_a_reply_address_there_is_no_reply_to() {
        let with = freeze(&issue(), &publication()).unwrap();
        let without = freeze(&issue(), &Publication { reply_to: None, ..publication() }).unwrap();
        assert_eq!((with.headers, without.headers), (12, 11));
    }

    #[test]
    fn a_relay_that_knows_second_copies_gets_the_message_id_by_the_header_it_reads() {
        let publication = Publication { idempotency_header: Some("X-Once".to_owned()), ..publication() };
        let frozen = freeze(&issue(), &publication).unwrap();
        let (address, id) = (publication.from.address.clone(), MessageId::parse("7@example.org").unwrap());
        let url = publication.base_url.as_str();
        let nobody = frozen.made_up(url).next().unwrap();
        let signers = super::super::samples::signers();
        let copy = assemble(&frozen, &signers, &nobody.recipient(&address, url), &id, time::from_millis(0)).unwrap();
        let text = String::from_utf8(copy.to_vec()).unwrap();
        assert!(text.contains("\r\nX-Once: <7@example.org>\r\n"), "{text}");
        assert!(!text.contains("x-once"), "a relay that takes it off breaks no signature");
    }

    proptest! {
        /// C2: whatever stands in the author's fields, the header section is the intended one
        /// (`prove` compares it name by name) or the issue is refused.
        #[test]
        fn no_value_adds_a_header(
            subject in "(\\PC|[\r\n\0\u{85}\u{2028}\u{2029}]|Bcc: a@b.c){1,60}",
            title in "(\\PC|[\r\n\0\u{85}\u{2028}\u{2029}]|>){0,60}",
            name in "(\\PC|[\r\n\u{2028}]|\"|,){0,40}",
            text in "(\\PC|[\r\n\0.]|\r\n\\.\r\n|From |--=_){1,200}",
        ) {
            let mut publication = Publication { title, ..publication() };
            publication.from.name = Some(name.clone());
            let html = format!("<p>{text}</p>");
            match freeze(&Issue { subject, html, text, ..issue() }, &publication) {
                Ok(frozen) => prop_assert_eq!(frozen.headers, 12),
                Err(refusal) => match refusal.field {
                    Field::SenderName => {
                        let is_hostile = name.contains(['\r', '\n', '\u{2028}', '\u{2029}']);
                        prop_assert!(is_hostile);
                    }
                    field => prop_assert_eq!((refusal.reason, matches!(field, Field::Subject | Field::Text)), (Reason::Empty, true)),
                },
            }
        }
    }
}
