//! What a relay said, and how far we had come when it said it.

use std::fmt;

/// A relay's answer to one command (RFC 5321, 4.2; enhanced codes RFC 3463).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reply {
    /// The three-digit code, 200 to 599.
    pub code: u16,
    /// The enhanced status code, as `(class, subject, detail)`, when the text begins with one.
    pub enhanced: Option<(u8, u16, u16)>,
    /// The text of all lines, joined by single spaces, without the codes. It may hold the
    /// recipient's address: [`Reply::masked`] is what is stored and printed.
    pub text: String,
}

impl Reply {
    /// Builds a reply from a code and the text of its lines, splitting off an enhanced code.
    pub fn new(code: u16, text: impl Into<String>) -> Self {
        let mut text = text.into();
        let (enhanced, rest) = split_enhanced(&text);
        let start = text.len() - rest.len();
        text.drain(..start);
        Self { code, enhanced, text }
    }

    /// `2xx`: the relay has taken what we gave.
    pub fn is_positive(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// `4xx`: try again later.
    pub fn is_transient(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// The reply on one line with every address in it masked, at most 200 bytes, as the
    /// ledger stores it and as logs may show it.
    pub fn masked(&self) -> String {
        let line = self.line();
        let mut line = if is_harmless(&line) { line } else { mask(&line) };
        let mut end = line.len().min(200);
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        line.truncate(end);
        line
    }
}

impl Reply {
    /// Code, enhanced code and text. Put together by hand: it is done twice for every message.
    fn line(&self) -> String {
        let mut line = String::with_capacity(self.text.len() + 24);
        push(self.code, &mut line);
        if let Some((class, subject, detail)) = self.enhanced {
            for (before, number) in [(' ', class.into()), ('.', subject), ('.', detail)] {
                line.push(before);
                push(number, &mut line);
            }
        }
        if !self.text.is_empty() {
            line.push(' ');
            line.push_str(&self.text);
        }
        line
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line())
    }
}

/// Appends a number in decimal digits.
fn push(number: u16, out: &mut String) {
    if number >= 10 {
        push(number / 10, out);
    }
    out.push(char::from(b'0' + u8::try_from(number % 10).expect("a digit")));
}

/// Nothing to mask, to fold or to shorten, as in nearly every reply.
fn is_harmless(line: &str) -> bool {
    // Without an early way out, so that the compiler takes many at a time.
    let is_plain = line.bytes().fold(true, |so_far, byte| so_far & matches!(byte, b' '..=b'?' | b'A'..=b'~'));
    is_plain && line.len() <= 200 && !line.contains("  ") && !line.ends_with(' ')
}

fn mask(line: &str) -> String {
    line.split_whitespace().map(mask_word).collect::<Vec<_>>().join(" ")
}

fn split_enhanced(text: &str) -> (Option<(u8, u16, u16)>, &str) {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut parts = first.split('.');
    let code = (|| {
        let class = parts.next()?.parse().ok().filter(|class| matches!(class, 2 | 4 | 5))?;
        let code = (class, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        parts.next().is_none().then_some(code)
    })();
    if code.is_some() { (code, rest.trim_start()) } else { (None, text) }
}

/// Masks every address in a word: a relay may write several with nothing but a comma between.
fn mask_word(word: &str) -> String {
    word.split_inclusive(divides_addresses).map(mask_piece).collect()
}

fn divides_addresses(c: char) -> bool {
    matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | ':')
}

/// A piece of a word, with the sign that ends it.
fn mask_piece(piece: &str) -> String {
    let text = piece.trim_end_matches(divides_addresses);
    if text.contains('@') {
        return format!("***@***{}", &piece[text.len()..]);
    }
    piece.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// How far a delivery had come on the wire when something happened.
///
/// Only [`Stage::Dot`] is a stage at which the relay may hold the message without our
/// knowing: everything before it is provably unsent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Opening the TCP connection.
    Connect,
    /// Waiting for the greeting or the answer to EHLO.
    Greeting,
    /// STARTTLS or the TLS handshake.
    Tls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Recipient,
    /// The DATA command, or the body before its final dot.
    Data,
    /// The final dot (or the last BDAT chunk) may have reached the relay.
    Dot,
}

impl Stage {
    /// The stage in words, for reports.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Connect => "while connecting",
            Self::Greeting => "at the greeting",
            Self::Tls => "at the TLS handshake",
            Self::Auth => "at AUTH",
            Self::Mail => "at MAIL FROM",
            Self::Recipient => "at RCPT TO",
            Self::Data => "while sending the message",
            Self::Dot => "after the final dot",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enhanced_code_is_split_off_and_nothing_else_is() {
        let reply = Reply::new(550, "5.1.1 <ada@example.org>: no such user");
        assert_eq!(reply.enhanced, Some((5, 1, 1)));
        assert_eq!(reply.text, "<ada@example.org>: no such user");
        assert_eq!(Reply::new(250, "1.2 ok").enhanced, None);
        assert_eq!(Reply::new(250, "").to_string(), "250");
        assert_eq!(Reply::new(454, "4.7.305 busy").to_string(), "454 4.7.305 busy");
        assert_eq!(Reply::new(550, "5.65535.0").to_string(), "550 5.65535.0");
    }

    #[test]
    fn a_stored_reply_names_nobody() {
        let reply = Reply::new(550, "5.1.1 <ada@example.org>: unknown; see ada@example.org");
        assert_eq!(reply.masked(), "550 5.1.1 <***@***>: unknown; see ***@***");
        let reply = Reply::new(550, "<ada@example.org>,<bob@example.org>;(eve@example.org): 3@4>5");
        assert_eq!(reply.masked(), "550 <***@***>,<***@***>;(***@***): ***@***>5");
        assert!(Reply::new(550, "é".repeat(500)).masked().len() <= 200);
    }
}
