//! Several messages in flight on one connection, by BDAT.

use super::*;

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

#[tokio::test]
async fn a_window_is_open_where_the_relay_offers_it_and_the_settings_ask() {
    for (offers, set, window) in [
        (vec!["PIPELINING", "CHUNKING"], 8, 8),
        (vec!["PIPELINING", "CHUNKING"], 1, 1),
        (vec!["PIPELINING", "CHUNKING"], 0, 1),
        (vec!["PIPELINING"], 8, 1),
        (vec!["CHUNKING"], 8, 1),
    ] {
        let sink =
            Sink::start(Script { offers: offers.iter().map(|&offer| offer.to_owned()).collect(), ..Script::default() });
        let mut session = connect_with_window(&sink, set).await;
        assert_eq!(session.window(), window, "{offers:?}");
        let pushed = push(&mut session, "ada").await;
        assert_eq!(pushed.is_ok(), offers.len() == 2, "{offers:?}");
        assert!(session.is_usable());
    }
}

#[tokio::test]
async fn messages_in_flight_arrive_in_order_and_unstuffed() {
    let sink = Sink::start(chunking(vec![]));
    let mut session = connect_with_window(&sink, 8).await;
    let readers = ["a", "b", "c", "d", "e", "f", "g", "h"];
    assert_eq!(shown(&exchange(&mut session, &readers).await), ["250"; 8]);
    assert_eq!(recipients(&sink), readers);
    assert!(sink.messages().iter().all(|message| message.bytes == MESSAGE && message.chunks == 1));
    session.quit().await;
    let commands = sink.commands();
    assert_eq!(commands[1], format!("MAIL FROM:<bounce@example.org> SIZE={}", MESSAGE.len()));
    assert_eq!(commands.iter().filter(|line| *line == "RSET").count(), 7);
    assert_eq!(commands.last().unwrap(), "QUIT");
}

#[tokio::test]
async fn a_refusal_in_the_middle_is_that_message_s_and_opens_no_transaction_for_the_next() {
    let sink = Sink::start(chunking(vec![]));
    let mut session = connect_with_window(&sink, 8).await;
    let readers = ["a", "550-b", "c", "data-554-d", "tempfail-e", "data-452-f", "g"];
    let answers = exchange(&mut session, &readers).await;
    assert_eq!(shown(&answers), ["250", "550 Recipient", "250", "554 Dot", "451 Recipient", "452 Dot", "250"]);
    assert_eq!(recipients(&sink), ["a", "c", "g"]);
    assert!(session.is_usable());
    send(&mut session, "h").await.unwrap();
    assert_eq!((sink.accepted_count(), sink.connection_count()), (4, 1));
}
