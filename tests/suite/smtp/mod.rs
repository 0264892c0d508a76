//! The SMTP client over real sockets against relays good and bad (FAULTS.md C1, C3, F10 to
//! F12, F15 to F17). The figures are counted on both sides: what the client believes, and what the
//! sink recorded before it answered.

use std::cell::Cell;
use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

use fieldpost::domain::address::Address;
use fieldpost::domain::reply::{Reply, Stage};
use fieldpost::domain::spliced::{Common, Spliced};
use fieldpost::smtp::{
    ClearTextTo, ClientName, Credentials, Envelope, Failure, FailureKind, Secret, Security, Sendable, Session,
    Settings, Timeouts, Tls,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::sink::{Certificate, Encryption, Fault, Keep, Lie, Login, Loss, Script, Sink, digest};

mod deliver;
mod doubt;
mod faults;
mod offers;
mod relay;
mod secure;
mod window;

const MESSAGE: &[u8] = b"Message-ID: <1@example.org>\r\nSubject: dots\r\n\r\n.\r\n..\r\n.hidden\r\n\r\nend.\r\n";

fn settings(port: u16, security: Security) -> Settings {
    let short = Duration::from_secs(5);
    Settings {
        client_name: ClientName::parse("tests.example.org").unwrap(),
        timeouts: Timeouts {
            connect: short,
            greeting: short,
            command: short,
            data: short,
            block: Duration::from_millis(500),
            dot: Duration::from_millis(500),
            quit: short,
        },
        ..Settings::new("localhost", port, security)
    }
}

fn clear() -> Security {
    Security::ClearText(ClearTextTo::LoopbackOnly)
}

/// The settings that fit the sink, trusting its authority.
fn settings_for(sink: &Sink, security: Security) -> Settings {
    Settings { extra_roots_pem: Some(sink.ca_pem().to_vec()), ..settings(sink.port(), security) }
}

async fn connect(settings: &Settings) -> Result<Session, Failure> {
    Session::connect(settings, &Tls::for_settings(settings).unwrap()).await
}

async fn connect_clear(sink: &Sink) -> Session {
    connect(&settings_for(sink, clear())).await.unwrap()
}

fn envelope(local_part: &str) -> Envelope {
    let address = |text: &str| Address::parse(text).unwrap();
    Envelope::new(Some(address("bounce@example.org")), address(&format!("{local_part}@example.net")))
}

/// 60 KB in pieces of both kinds, some with dots to be stuffed; the last 16 KiB begin within a piece that is in
/// common.
fn in_pieces() -> Spliced {
    let own = "Subject: pieces\r\n\r\n.own\r\nand own\r\n";
    let common =
        [".in common\r\n".repeat(2000), "the end of it\r\n".repeat(2500)].map(|text| Common::new(&text).unwrap());
    let places = vec![own.len() - "and own\r\n".len(), own.len()];
    Spliced::new(own.as_bytes().to_vec(), places, common.into())
}

async fn send(session: &mut Session, local_part: &str) -> Result<Reply, Failure> {
    let envelope = envelope(local_part);
    session.send(&Sendable::new(&envelope, MESSAGE).unwrap(), || Ok(())).await
}

fn breaking(faults: Vec<Fault>) -> Script {
    Script { faults, ..Script::default() }
}

fn without_pipelining(script: Script) -> Script {
    Script { offers: vec!["8BITMIME".to_owned()], ..script }
}

/// The stage and code of a refusal; anything else fails the test.
fn refusal(result: Result<Reply, Failure>) -> (Stage, u16) {
    match result {
        Err(Failure { stage, kind: FailureKind::Replied(reply) }) => (stage, reply.code),
        other => panic!("not refused: {other:?}"),
    }
}

/// The stage of a break; anything else fails the test.
fn broken<T: std::fmt::Debug>(result: Result<T, Failure>) -> Stage {
    match result {
        Err(Failure { stage, kind: FailureKind::Broke(_) }) => stage,
        other => panic!("not broken: {other:?}"),
    }
}

fn recipients(sink: &Sink) -> Vec<String> {
    sink.messages().into_iter().map(|message| message.recipient.replace("@example.net", "")).collect()
}

/// A good relay that takes chunks.
fn chunking(faults: Vec<Fault>) -> Script {
    let offers = ["PIPELINING", "8BITMIME", "SIZE 10485760", "CHUNKING"].map(str::to_owned).to_vec();
    Script { offers, faults, ..Script::default() }
}

async fn connect_with_window(sink: &Sink, window: usize) -> Session {
    connect(&Settings { window, ..settings_for(sink, clear()) }).await.unwrap()
}

async fn push(session: &mut Session, local_part: &str) -> Result<(), Failure> {
    push_body(session, local_part, MESSAGE).await
}

async fn push_body(session: &mut Session, local_part: &str, body: &[u8]) -> Result<(), Failure> {
    let envelope = envelope(local_part);
    session.push(&Sendable::new(&envelope, body).unwrap(), || Ok(())).await
}

/// Pushes all, then pulls as many answers.
async fn exchange(session: &mut Session, local_parts: &[&str]) -> Vec<Result<Reply, Failure>> {
    for local_part in local_parts {
        push(session, local_part).await.unwrap();
    }
    let mut answers = Vec::new();
    while session.in_flight() > 0 {
        answers.push(session.pull().await);
    }
    answers
}

/// What became of each: a code at a stage, or a break at one.
fn shown(answers: &[Result<Reply, Failure>]) -> Vec<String> {
    let show = |answer: &Result<Reply, Failure>| match answer {
        Ok(reply) => reply.code.to_string(),
        Err(Failure { stage, kind: FailureKind::Replied(reply) }) => format!("{} {stage:?}", reply.code),
        Err(Failure { stage, kind: FailureKind::Broke(_) }) => format!("broke {stage:?}"),
    };
    answers.iter().map(show).collect()
}
