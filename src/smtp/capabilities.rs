//! What the relay says it can do (RFC 5321, 4.1.1.1).

/// An extension this client knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// RFC 2920: several commands in one write.
    Pipelining,
    /// RFC 3207.
    StartTls,
    /// RFC 6152: bodies with the eighth bit set.
    EightBitMime,
    /// RFC 6531: UTF-8 in headers.
    SmtpUtf8,
    /// RFC 1870: the size of a message announced with MAIL.
    Size,
    /// RFC 3030: BDAT in place of DATA.
    Chunking,
    /// RFC 3461: delivery status notifications.
    Dsn,
}

impl Extension {
    fn from_keyword(keyword: &str) -> Option<Self> {
        const KEYWORDS: [(&str, Extension); 7] = [
            ("PIPELINING", Extension::Pipelining),
            ("STARTTLS", Extension::StartTls),
            ("8BITMIME", Extension::EightBitMime),
            ("SMTPUTF8", Extension::SmtpUtf8),
            ("SIZE", Extension::Size),
            ("CHUNKING", Extension::Chunking),
            ("DSN", Extension::Dsn),
        ];
        KEYWORDS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(keyword)).map(|(_, extension)| extension)
    }
}

/// A way to log in that this client speaks (RFC 4954, RFC 4616).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// One line; preferred.
    Plain,
    /// Two prompts; for relays that know nothing else.
    Login,
}

/// The answer to the last EHLO. After STARTTLS only the one given under TLS counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    extensions: Vec<Extension>,
    mechanisms: Vec<Mechanism>,
    size_limit: Option<u64>,
    mail_limit: Option<u64>,
}

impl Capabilities {
    /// Reads the lines of an EHLO reply; the first is the relay's name. Keywords are
    /// case-insensitive, unknown ones are passed over.
    pub(super) fn from_lines(lines: &[String]) -> Self {
        let mut read = Self::default();
        for line in lines.iter().skip(1) {
            read.take_line(line);
        }
        read
    }

    fn take_line(&mut self, line: &str) {
        if let Some(limits) = strip_keyword(line, "LIMITS") {
            self.mail_limit = limits.split(' ').find_map(|limit| strip_keyword(limit, "MAILMAX")).and_then(number);
            return;
        }
        // `AUTH=PLAIN LOGIN` is what servers older than RFC 4954 say.
        let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
        let Some(keyword) = words.next() else { return };
        if keyword.eq_ignore_ascii_case("AUTH") {
            words.for_each(|word| self.take_mechanism(word));
            return;
        }
        let Some(extension) = Extension::from_keyword(keyword) else { return };
        if extension == Extension::Size {
            // `SIZE` alone and `SIZE 0` both mean "no fixed limit".
            self.size_limit = words.next().and_then(number);
        }
        if !self.offers(extension) {
            self.extensions.push(extension);
        }
    }

    fn take_mechanism(&mut self, name: &str) {
        let mechanism = match name.to_ascii_uppercase().as_str() {
            "PLAIN" => Mechanism::Plain,
            "LOGIN" => Mechanism::Login,
            _ => return,
        };
        if !self.mechanisms.contains(&mechanism) {
            self.mechanisms.push(mechanism);
        }
    }

    /// Whether the relay offers that extension.
    pub fn offers(&self, extension: Extension) -> bool {
        self.extensions.contains(&extension)
    }

    /// The largest message the relay takes, in octets, if it named one (RFC 1870).
    pub fn size_limit(&self) -> Option<u64> {
        self.size_limit
    }

    /// How many MAIL commands the relay takes on one connection, refused ones included, if it
    /// named a number (MAILMAX, RFC 9422, 4.1).
    pub fn mail_limit(&self) -> Option<u64> {
        self.mail_limit
    }

    /// The best way to log in that both sides speak.
    pub fn mechanism(&self) -> Option<Mechanism> {
        [Mechanism::Plain, Mechanism::Login].into_iter().find(|mechanism| self.mechanisms.contains(mechanism))
    }
}

/// What stands behind a keyword and the sign that ends it.
fn strip_keyword<'a>(text: &'a str, keyword: &str) -> Option<&'a str> {
    let (first, rest) = text.split_once([' ', '='])?;
    first.eq_ignore_ascii_case(keyword).then_some(rest)
}

/// A number that can be a limit: zero would be one that nothing keeps.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Capabilities {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        Capabilities::from_lines(&lines)
    }

    #[test]
    fn keywords_are_read_in_any_case_and_strangers_passed_over() {
        let read = read("relay.example\npipelining\nSize 1000\nAuth plain\nXYZZY 3\n8BitMime\nSTARTTLSX");
        assert!(read.offers(Extension::Pipelining));
        assert!(read.offers(Extension::EightBitMime));
        assert!(!read.offers(Extension::StartTls));
        assert_eq!(read.size_limit(), Some(1000));
        assert_eq!(read.mechanism(), Some(Mechanism::Plain));
    }

    #[test]
    fn the_greeting_line_offers_nothing() {
        assert_eq!(read("PIPELINING"), Capabilities::default());
    }

    #[test]
    fn a_size_of_nothing_is_no_limit() {
        for line in ["SIZE", "SIZE 0", "SIZE abc"] {
            let read = read(&format!("relay\n{line}"));
            assert!(read.offers(Extension::Size));
            assert_eq!(read.size_limit(), None, "{line}");
        }
    }

    #[test]
    fn the_number_of_messages_on_a_connection_may_be_limited() {
        assert_eq!(read("relay\nLIMITS RCPTMAX=20 mailmax=5").mail_limit(), Some(5));
        for line in ["LIMITS", "LIMITS RCPTMAX=20", "LIMITS MAILMAX=0", "LIMITS MAILMAX", "MAILMAX=5"] {
            assert_eq!(read(&format!("relay\n{line}")).mail_limit(), None, "{line}");
        }
    }

    #[test]
    fn plain_is_preferred_and_the_old_spelling_of_auth_understood() {
        assert_eq!(read("relay\nAUTH=LOGIN").mechanism(), Some(Mechanism::Login));
        assert_eq!(read("relay\nAUTH LOGIN CRAM-MD5 PLAIN").mechanism(), Some(Mechanism::Plain));
        assert_eq!(read("relay\nAUTH XOAUTH2").mechanism(), None);
    }
}
