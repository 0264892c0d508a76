//! Our own SMTP client (RFC 5321): one connection to one relay, one message at a time, and
//! an exact account of how far each message had come when anything went wrong.
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
//! 2. `wire`: a socket, clear or TLS, with a time-out on everything. `tls` says whom we trust.
//! 3. `session` and `handshake`: the conversation. `payload` says what may be sent at all.
//!
//! What holds here, and what the ledger relies on:
//!
//! - The final dot leaves only after MAIL, RCPT and DATA of that message were all answered,
//!   and answered well, and after the caller's `before_dot` returned `Ok`.
//! - [`Stage::Dot`](crate::domain::reply::Stage::Dot) is reported if and only if a byte of the
//!   write that holds the final dot may have reached the kernel. Everything else is unsent.
//! - Every reply is matched to its command; one too many or too early ends the connection.
//! - A TLS setting never falls back, and nothing read before the upgrade survives it.
//! - Nothing here opens a second connection, retries, or sleeps: that is the caller's pace.
//!
//! With PIPELINING a message costs one round trip when it is sent with
//! [`Session::send_and_announce`]: the next message's MAIL, RCPT and DATA ride behind this
//! one's body (RFC 2920, 3.1).

mod auth;
mod capabilities;
mod failure;
mod handshake;
mod parser;
mod payload;
mod session;
mod settings;
mod tls;
mod wire;

pub use capabilities::{Capabilities, Extension, Mechanism};
pub use failure::{Failure, FailureKind, event_of};
pub use payload::{Envelope, Sendable, Unsendable};
pub use session::Session;
pub use settings::{ClearTextTo, ClientName, ClientNameError, Credentials, Secret, Security, Settings, Timeouts};
pub use tls::{Tls, TlsError};
