//! What the sink shall do.

use std::path::PathBuf;
use std::time::Duration;

/// How a relay behaves. The default is a good one without TLS: PIPELINING, 8BITMIME and SIZE,
/// no AUTH, no delay, no fault.
#[derive(Debug, Clone)]
pub struct Script {
    /// The EHLO keywords beside STARTTLS and AUTH, which follow from the fields below.
    pub offers: Vec<String>,
    /// Clear text, implicit TLS or STARTTLS, and with which certificate.
    pub encryption: Encryption,
    /// Who must log in; anyone may send when `None`.
    pub login: Option<Login>,
    /// How long each message is pondered before its answer.
    pub delay: Duration,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What is remembered of the messages taken.
    pub keep: Keep,
    /// A file that gets a line `recipient TAB message-id TAB size` for each message taken,
    /// before it is answered.
    pub record_in: Option<PathBuf>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            offers: ["PIPELINING", "8BITMIME", "SIZE 10485760"].map(str::to_owned).to_vec(),
            encryption: Encryption::None,
            login: None,
            delay: Duration::ZERO,
            faults: Vec::new(),
            keep: Keep::Bodies,
            record_in: None,
        }
    }
}

/// What is remembered of a message beside the fact that there was one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All of it, and every command.
    Bodies,
    /// Envelope, size and digest.
    Digests,
    /// Nothing: for measuring.
    Count,
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all; STARTTLS is not offered, or was stripped on the way.
    None,
    /// From the first byte.
    Implicit(Certificate),
    /// After STARTTLS.
    StartTls(Certificate),
    /// STARTTLS is answered with `220` and, in the same packet, a clear-text reply.
    StartTlsInjected,
}

impl Encryption {
    pub(super) fn certificate(self) -> Certificate {
        match self {
            Self::None | Self::StartTlsInjected => Certificate::Good,
            Self::Implicit(certificate) | Self::StartTls(certificate) => certificate,
        }
    }
}

/// What the sink shows for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// For `localhost` and 127.0.0.1, signed by the sink's authority, valid now.
    Good,
    /// For another host.
    WrongName,
    /// Over since 2001.
    Expired,
    /// Signed by nobody but itself.
    SelfSigned,
}

/// The one account of the relay.
#[derive(Debug, Clone)]
pub struct Login {
    /// The mechanisms offered, as EHLO names them: `PLAIN LOGIN`.
    pub mechanisms: &'static str,
    /// The user name.
    pub user: &'static str,
    /// The password.
    pub password: &'static str,
}

/// One way for a relay to be bad. Shares are percentages of recipients, chosen by a hash of
/// the address, so the same ones in every run.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Each connection is closed with a `421` once its k-th command (the dot counts) is answered.
    CloseAfterCommands(u32),
    /// Each connection is closed with a `421` once it has brought that many messages.
    CloseAfterMessages(u32),
    /// A share of the recipients gets a `451` to its first RCPT.
    Greylist(u64),
    /// The answer to the dot is lost for a share of the recipients, the first time only; the
    /// message is taken.
    LoseAnswers(u64, Loss),
    /// From the moment when so many messages are taken in all, whoever logs in is answered `535`.
    RevokeLogin(usize),
    /// A command, given as its first word in capitals, is answered with that line.
    Refuse(&'static str, &'static str),
    /// A share of the recipients, beginning behind the shares before it, is treated as if its
    /// local parts began so; see [`Behaviour`].
    Share(u64, String),
    /// One recipient is treated as if its local part began so.
    Only(String, String),
    /// It does not keep to the protocol.
    Lie(Lie),
}

/// How an answer gets lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The connection is closed.
    Close,
    /// The connection is reset (RST).
    Reset,
    /// Nothing is ever said again.
    Silence,
}

/// A breach of protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// A `250` rides behind the answer to EHLO.
    OneReplyTooMany,
    /// The `250` for the dot comes together with the `354`.
    AcceptBeforeTheDot,
    /// DATA is answered `250`.
    AcceptAtData,
    /// MAIL is answered `354`.
    DataBeforeMail,
    /// The dot is answered as if it were QUIT.
    FarewellAtTheDot,
    /// Refused recipients are nevertheless followed by a `354`.
    DataForNobody,
    /// Refused recipients are nevertheless followed by a `250` to the last chunk.
    AcceptRefused,
    /// The answer to RCPT comes behind the answer to the command that follows it.
    OutOfOrder,
    /// A refusal of RCPT is said twice.
    AnswerTwice,
    /// A line without an end, at MAIL.
    EndlessLine,
    /// A reply without an end, at MAIL.
    EndlessReply,
    /// `250` without an end, at MAIL.
    EndlessReplies,
    /// The answer to the dot comes a byte at a time, with this pause.
    Drip(Duration),
}

/// What happens to one message, read off the recipient's local part. A prefix `once-` makes
/// it happen only the first time that recipient is seen.
///
/// | local part | what happens |
/// |---|---|
/// | `tempfail-x` | RCPT is answered `451` |
/// | `550-x`, any 4yz or 5yz | RCPT is answered with that code |
/// | `data-554-x`, any 4yz or 5yz | the dot is answered with that code, and nothing is taken |
/// | `chunk-452-x`, any 4yz or 5yz | a BDAT without LAST is answered with that code |
/// | `drop-at-rcpt-x` | the connection is closed at RCPT |
/// | `drop-after-data-x` | taken, then the connection is closed without an answer |
/// | `reset-after-data-x` | taken, then the connection is reset |
/// | `silence-x` | taken, then never a word |
/// | anything else | taken and answered |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// As a good relay.
    Accept,
    /// This code to RCPT.
    RefuseRecipient(u16),
    /// This code to the dot.
    RefuseMessage(u16),
    /// This code to a chunk that is not the last.
    RefuseChunk(u16),
    /// Gone at RCPT.
    DropAtRecipient,
    /// Taken, and the answer lost.
    Lose(Loss),
}

impl Behaviour {
    /// Reads a local part without its `once-`.
    pub(super) fn of(local_part: &str) -> Self {
        let code = |text: &str| text.get(..4)?.strip_suffix('-')?.parse().ok().filter(|code| (400..600).contains(code));
        let starts = |prefix| local_part.starts_with(prefix);
        if let Some(code) = code(local_part) {
            return Self::RefuseRecipient(code);
        }
        if let Some(code) = local_part.strip_prefix("data-").and_then(code) {
            return Self::RefuseMessage(code);
        }
        if let Some(code) = local_part.strip_prefix("chunk-").and_then(code) {
            return Self::RefuseChunk(code);
        }
        match () {
            () if starts("tempfail-") => Self::RefuseRecipient(451),
            () if starts("drop-at-rcpt-") => Self::DropAtRecipient,
            () if starts("drop-after-data-") => Self::Lose(Loss::Close),
            () if starts("reset-after-data-") => Self::Lose(Loss::Reset),
            () if starts("silence-") => Self::Lose(Loss::Silence),
            () => Self::Accept,
        }
    }
}

/// Whether a recipient is among that many of a hundred.
pub fn is_chosen(recipient: &str, percent: u64) -> bool {
    place_of(recipient) < percent
}

/// Where a recipient stands among a hundred.
pub(super) fn place_of(recipient: &str) -> u64 {
    // FNV-1a, as the standard library's hash is not stable between versions.
    let hash = recipient
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash >> 20) % 100
}
