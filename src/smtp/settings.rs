//! What a connection needs to know before it is opened.

use std::fmt;
use std::time::Duration;

/// One relay and how to speak with it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A DNS name or an IP address; with TLS also the name the certificate must carry.
    pub host: String,
    /// The TCP port: 465 for implicit TLS, 587 or 25 otherwise.
    pub port: u16,
    /// Whether and how the connection is encrypted.
    pub security: Security,
    /// A private CA in PEM, trusted beside the system's; see [`Tls::for_settings`](super::Tls::for_settings).
    pub extra_roots_pem: Option<Vec<u8>>,
    /// Who we are to the relay; `None` when it knows us by our address.
    pub credentials: Option<Credentials>,
    /// The name we give in EHLO.
    pub client_name: ClientName,
    /// How long we wait for what.
    pub timeouts: Timeouts,
    /// How many messages may be on the wire at once where the relay offers CHUNKING and
    /// PIPELINING; a crash leaves at most as many in doubt. 1: one after the other, by DATA.
    pub window: usize,
    /// How many messages one connection may carry, refused ones included; see
    /// [`Session::may_carry_another`](super::Session::may_carry_another).
    pub max_messages: Option<u64>,
    /// How old a connection may become, counted from its greeting.
    pub max_age: Option<Duration>,
}

impl Settings {
    /// Settings for a relay that needs no login and knows no limits: everything not named here
    /// is as the field's type has it by default, and the window is 1.
    pub fn new(host: impl Into<String>, port: u16, security: Security) -> Self {
        Self {
            host: host.into(),
            port,
            security,
            extra_roots_pem: None,
            credentials: None,
            client_name: ClientName::default(),
            timeouts: Timeouts::default(),
            window: 1,
            max_messages: None,
            max_age: None,
        }
    }
}

/// How a connection is protected. There is no "TLS if offered": what is set is what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314, 3.3): the default everywhere it is offered.
    ImplicitTls,
    /// Clear text until STARTTLS (RFC 3207), which is required: a relay that does not offer it
    /// gets no credentials and no mail.
    StartTls,
    /// No encryption at all.
    ClearText(ClearTextTo),
}

/// Where clear text may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClearTextTo {
    /// Only to this machine; any other address is refused before a byte is sent.
    LoopbackOnly,
    /// To any address: the author wrote `allow_clear_text = true`. Credentials still never go
    /// to another machine unencrypted.
    Anywhere,
}

/// A user name and password for AUTH (RFC 4954). `Debug` shows neither.
#[derive(Clone)]
pub struct Credentials {
    /// The user name, which some relays treat as a secret too.
    pub user: String,
    /// The password.
    pub password: Secret,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one line of the dialogue that needs it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The name a client gives in EHLO: a domain or an address literal (RFC 5321, 4.1.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientName(String);

/// The text cannot stand behind EHLO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a client name is a domain name such as `mail.example.org`, or an address such as `[192.0.2.1]`")]
pub struct ClientNameError;

impl ClientName {
    /// Takes a domain name or a bracketed address: letters, digits and `.-_:[]`, at most 255.
    pub fn parse(text: &str) -> Result<Self, ClientNameError> {
        let is_fit = |c: char| c.is_ascii_alphanumeric() || "._-:[]".contains(c);
        if text.is_empty() || text.len() > 255 || !text.chars().all(is_fit) {
            return Err(ClientNameError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for ClientName {
    /// The literal of this machine, which a relay on it or a relay with AUTH accepts.
    fn default() -> Self {
        Self("[127.0.0.1]".to_owned())
    }
}

/// How long we wait. The defaults are those of RFC 5321, 4.5.3.2: a client that gives up
/// earlier after the final dot makes duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// To look up one relay and open one TCP connection (the RFC names none; 30 seconds).
    pub connect: Duration,
    /// For the greeting (5 minutes).
    pub greeting: Duration,
    /// For the whole reply to EHLO, STARTTLS, AUTH, MAIL, RCPT or RSET, and for the TLS
    /// handshake (5 minutes).
    pub command: Duration,
    /// For the reply to DATA (2 minutes).
    pub data: Duration,
    /// For one write to make progress (3 minutes).
    pub block: Duration,
    /// For the reply to the final dot (10 minutes).
    pub dot: Duration,
    /// For the reply to QUIT, whose content changes nothing (2 seconds).
    pub quit: Duration,
}

impl Timeouts {
    /// The default ones, none of them longer than this.
    pub fn at_most(limit: Duration) -> Self {
        let Self { connect, greeting, command, data, block, dot, quit } = Self::default();
        let [connect, greeting, command, data, block, dot, quit] =
            [connect, greeting, command, data, block, dot, quit].map(|timeout| timeout.min(limit));
        Self { connect, greeting, command, data, block, dot, quit }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(60 * n);
        Self {
            connect: Duration::from_secs(30),
            greeting: minutes(5),
            command: minutes(5),
            data: minutes(2),
            block: minutes(3),
            dot: minutes(10),
            quit: Duration::from_secs(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let credentials = Credentials { user: "ada".into(), password: Secret::new("opensesame") };
        assert_eq!(format!("{credentials:?} {:?}", credentials.password), "Credentials(***) ***");
    }

    #[test]
    fn a_client_name_cannot_smuggle_a_command() {
        assert!(ClientName::parse("mail.example.org").is_ok());
        assert!(ClientName::parse("[IPv6:2001:db8::1]").is_ok());
        for bad in ["", "a b", "a\r\nMAIL FROM:<x@y>", "a\0", "müller"] {
            assert!(ClientName::parse(bad).is_err(), "{bad:?} was taken");
        }
    }
}
