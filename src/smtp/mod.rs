//! Our own SMTP client (RFC 5321): one connection to one relay, one message at a time or
//! several in flight, and an exact account of how far each had come when anything went wrong.
//!
//! It knows nothing of newsletters. It is given an [`Envelope`] and finished bytes, and it
//! answers with the relay's [`Reply`](crate::domain::reply::Reply) or a [`Failure`] that
//! names its [`Stage`](crate::domain::reply::Stage). What a failure *means* is decided in
//! `domain::policy`, never here.
//!
//! Three layers, each in its file:
//!
//! 1. `parser`: bytes to replies. Synchronous, bounded, total: any input is a reply, a need
//!    for more, or an error.
//! 2. `wire`: a socket, clear or TLS, with a time-out on everything. `inbox` holds what the relay
//!    has said ahead of being asked; `tls` says whom we trust.
//! 3. `handshake`, `data` and `chunks`: the conversation, from the greeting to the messages.
//!    `session` holds its state; `commands` says what answers what, `flight` which message an
//!    answer is about, `life` how long it may go on; `payload` and `envelope` what may be sent.
//!
//! What holds here, and what the ledger relies on:
//!
//! - The write that holds the final dot or the last chunk leaves only after the caller's closure
//!   returned `Ok`; the dot, moreover, only after MAIL, RCPT and DATA were all taken.
//! - [`Stage::Dot`](crate::domain::reply::Stage::Dot) is reported if and only if a byte of that
//!   write may have reached the kernel, and no reply proves that the relay did not take the
//!   message. Everything else is unsent.
//! - Every reply is matched to its command; one too many or too early ends the connection.
//! - A TLS setting never falls back, and nothing read before the upgrade survives it.
//! - Nothing here opens a second connection, retries, or sleeps: that is the caller's pace.
//!
//! With PIPELINING a message costs one round trip when it is sent with
//! [`Session::send_and_announce`]: the next message's MAIL, RCPT and DATA ride behind this
//! one's body (RFC 2920, 3.1). With CHUNKING as well, [`Session::push`] and [`Session::pull`]
//! keep a [window](Session::window) of messages in flight, and a round trip carries as many
//! (RFC 3030). The price is the doubt: one message for each connection that dies with DATA, a
//! window of them with BDAT.

mod auth;
mod capabilities;
mod chunks;
mod commands;
mod data;
mod envelope;
mod failure;
mod flight;
mod handshake;
mod inbox;
mod life;
mod parser;
mod payload;
mod session;
mod settings;
mod tls;
mod wire;

pub use capabilities::{Capabilities, Extension, Mechanism};
pub use envelope::{Envelope, EnvelopeId, EnvelopeIdError, Reports};
pub use failure::{Failure, FailureKind, event_of};
pub use payload::{Outgoing, Sendable, Unsendable};
pub use session::Session;
pub use settings::{ClearTextTo, ClientName, ClientNameError, Credentials, Secret, Security, Settings, Timeouts};
pub use tls::{Tls, TlsError};
