//! A message's signatures (RFC 6376, 3.5 and 3.7).

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::canonical;
use super::signer::{Signer, Signers};

/// The most bytes of a line.
const FOLD: usize = 76;

/// The fields that say who a message is. Each is signed once more than it occurs, so that
/// nobody on the way can add another (RFC 6376, 8.15).
const IDENTITY: [&str; 23] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-archive",
    "list-help",
    "list-owner",
    "list-post",
    "list-subscribe",
    "archived-at",
    "feedback-id",
];

/// Signed even where a message has none: an added one would change whom the reader sees or
/// answers. The others may be added by a relay, as Feedback-ID is by some.
const NEVER_ADDED: [&str; 2] = ["reply-to", "cc"];

impl Signers {
    /// The DKIM-Signature fields of a message, to be put on top of it, each folded and ended by
    /// CRLF; empty without signers. `moment` is the `t=` of every signature, in seconds since
    /// 1970. Relaxed/relaxed, the whole body, no expiry.
    ///
    /// The message has lines ended by CRLF. Its header section and what lies behind that in one piece
    /// come first; what follows is in pieces of whole lines. The same bytes always give the same text,
    /// wherever they are cut.
    pub fn sign<'a>(&self, first: &'a str, rest: impl IntoIterator<Item = &'a [u8]>, moment: i64) -> String {
        let mut out = String::with_capacity(self.len() * 1024);
        if self.is_empty() {
            return out;
        }
        let (fields, body) = canonical::split(first);
        let body = std::iter::once(body.as_bytes()).chain(rest);
        let body_hash = STANDARD.encode(canonical::body_hash(body));
        let (names, hash) = signed_fields(&fields);
        for signer in self.iter() {
            signature(signer, &names, hash.clone(), &body_hash, moment, &mut out);
        }
        out
    }
}

/// The names for `h=`, and the hash of the fields they stand for.
fn signed_fields(fields: &[&str]) -> (Vec<&'static str>, Context) {
    let mut names = Vec::with_capacity(2 * IDENTITY.len());
    let mut relaxed = String::with_capacity(2048);
    // A name stands for its occurrences from the bottom up (RFC 6376, 5.4.2).
    let named: Vec<(&str, &str)> = fields.iter().rev().map(|field| (canonical::name(field), *field)).collect();
    for name in IDENTITY {
        let before = names.len();
        for (_, field) in named.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name)) {
            names.push(name);
            canonical::header(field, &mut relaxed);
            relaxed.push_str("\r\n");
        }
        if names.len() > before || NEVER_ADDED.contains(&name) {
            names.push(name);
        }
    }
    let mut hash = Context::new(&SHA256);
    hash.update(relaxed.as_bytes());
    (names, hash)
}

/// Writes one DKIM-Signature. It signs itself too, with an empty `b=` (RFC 6376, 3.7).
fn signature(signer: &Signer, names: &[&str], mut hash: Context, body_hash: &str, moment: i64, out: &mut String) {
    let start = out.len();
    let mut line = Line { out, column: 0 };
    line.push("DKIM-Signature: v=1;");
    line.tag(&format!("a={};", signer.algorithm().tag()));
    line.tag("c=relaxed/relaxed;");
    line.tag(&format!("d={};", signer.domain()));
    line.tag(&format!("s={};", signer.selector()));
    line.tag(&format!("t={moment};"));
    line.tag("h=");
    line.names(names);
    line.tag(&format!("bh={body_hash};"));
    line.fold();
    line.push("b=");
    let mut relaxed = String::with_capacity(1024);
    canonical::header(&line.out[start..], &mut relaxed);
    hash.update(relaxed.as_bytes());
    line.folded(&STANDARD.encode(signer.key.sign(&hash.finish())));
    line.push("\r\n");
}

/// A field in the making.
struct Line<'a> {
    out: &'a mut String,
    column: usize,
}

impl Line<'_> {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.len();
    }

    fn fold(&mut self) {
        self.out.push_str("\r\n ");
        self.column = 1;
    }

    /// A tag after a space, or after a fold that stands for the space.
    fn tag(&mut self, tag: &str) {
        if self.column + 1 + tag.len() > FOLD {
            self.fold();
        } else {
            self.push(" ");
        }
        self.push(tag);
    }

    /// Names joined by colons, after which a line may be folded.
    fn names(&mut self, names: &[&str]) {
        for (nth, name) in names.iter().enumerate() {
            if self.column + name.len() + 1 > FOLD {
                self.fold();
            }
            self.push(name);
            self.push(if nth + 1 < names.len() { ":" } else { ";" });
        }
    }

    /// Base64, which may be folded anywhere.
    fn folded(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            if self.column == FOLD {
                self.fold();
            }
            let (now, later) = rest.split_at(rest.len().min(FOLD - self.column));
            self.push(now);
            rest = later;
        }
    }
}
