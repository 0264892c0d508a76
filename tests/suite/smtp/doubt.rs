//! What is in doubt, and what is not, when a connection with messages in flight goes wrong:
//! FAULTS.md F10, F11 and F16 for BDAT.

use std::collections::{BTreeSet, VecDeque};

use super::*;

async fn shown_by(script: Script, local_parts: &[&str]) -> (Vec<String>, Vec<String>) {
    // Pondered until everything is in flight: what breaks must not break under the pushing.
    let sink = Sink::start(Script { delay: Duration::from_millis(100), ..script });
    let mut session = connect_with_window(&sink, 8).await;
    let answers = exchange(&mut session, local_parts).await;
    assert!(!session.is_usable());
    (shown(&answers), recipients(&sink))
}

#[tokio::test]
async fn a_break_leaves_in_doubt_what_was_not_answered_and_nothing_else() {
    for (bad, taken) in [
        ("drop-at-rcpt-c", vec!["a"]),
        ("drop-after-data-c", vec!["a", "drop-after-data-c"]),
        ("reset-after-data-c", vec!["a", "reset-after-data-c"]),
        ("silence-c", vec!["a", "silence-c"]),
    ] {
        let (shown, recorded) = shown_by(chunking(vec![]), &["a", "550-b", bad, "d", "550-e"]).await;
        assert_eq!(shown, ["250", "550 Recipient", "broke Dot", "broke Dot", "broke Dot"], "{bad}");
        assert_eq!(recorded, taken, "{bad}");
    }
}

#[tokio::test]
async fn what_stands_behind_a_421_is_known_to_be_unsent() {
    let (shown, recorded) = shown_by(chunking(vec![Fault::CloseAfterMessages(2)]), &["a", "b", "c", "d"]).await;
    assert_eq!(shown, ["250", "250", "421 Mail", "broke Mail"]);
    assert_eq!(recorded, ["a", "b"]);
    // EHLO, then MAIL, RCPT, BDAT; then RSET, MAIL.
    let (shown, recorded) = shown_by(chunking(vec![Fault::CloseAfterCommands(6)]), &["a", "b", "c"]).await;
    assert_eq!(shown, ["250", "421 Recipient", "broke Mail"]);
    assert_eq!(recorded, ["a"]);
}

#[tokio::test]
async fn no_lie_about_messages_in_flight_is_taken_for_an_acceptance() {
    for (lie, wanted) in [
        (Lie::AcceptRefused, ["250", "broke Dot", "broke Dot"]),
        (Lie::DataBeforeMail, ["broke Dot"; 3]),
        (Lie::FarewellAtTheDot, ["broke Dot"; 3]),
        (Lie::EndlessLine, ["broke Dot"; 3]),
        (Lie::EndlessReply, ["broke Dot"; 3]),
        (Lie::EndlessReplies, ["broke Dot"; 3]),
        (Lie::Drip(Duration::from_millis(100)), ["broke Dot"; 3]),
    ] {
        let begun = Instant::now();
        let (shown, _) = shown_by(chunking(vec![Fault::Lie(lie)]), &["a", "550-b", "c"]).await;
        assert_eq!(shown, wanted, "{lie:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{lie:?}");
    }
}

#[tokio::test]
async fn one_answer_too_many_among_those_to_messages_in_flight_ends_the_connection() {
    let sink = Sink::start(chunking(vec![Fault::Lie(Lie::AnswerTwice)]));
    let mut session = connect_with_window(&sink, 8).await;
    push(&mut session, "550-a").await.unwrap();
    // The surplus may be there in time to keep the second message here.
    let second = push(&mut session, "b").await;
    assert_eq!(shown(&[session.pull().await]), ["550 Recipient"]);
    match second {
        Ok(()) => assert_eq!(broken(session.pull().await), Stage::Dot),
        Err(failure) => assert_eq!((failure.stage, sink.accepted_count()), (Stage::Mail, 0)),
    }
    assert!(!session.is_usable());
}

#[tokio::test]
async fn answers_out_of_order_accept_nothing_the_relay_has_not_taken() {
    let sink = Sink::start(chunking(vec![Fault::Lie(Lie::OutOfOrder)]));
    let mut session = connect_with_window(&sink, 8).await;
    let answers = exchange(&mut session, &["a", "data-554-b", "c"]).await;
    // The refusal of b's content stood where RCPT's answer belongs, and RCPT's where a 250 accepts.
    assert_eq!(shown(&answers), ["250", "broke Dot", "broke Dot"]);
    // Whether the relay still takes c, once the connection is dropped on it, is the doubt.
    let taken = recipients(&sink);
    assert!(taken == ["a"] || taken == ["a", "c"], "{taken:?}");
}

#[tokio::test]
async fn a_reply_before_the_first_command_keeps_every_message_here() {
    let sink = Sink::start(chunking(vec![Fault::Lie(Lie::OneReplyTooMany)]));
    let mut session = connect_with_window(&sink, 8).await;
    assert_eq!(broken(push(&mut session, "ada").await), Stage::Mail);
    assert_eq!((session.in_flight(), sink.accepted_count()), (0, 0));
}

#[tokio::test]
async fn a_connection_that_is_gone_still_yields_the_answers_it_gave() {
    let sink = Sink::start(chunking(vec![Fault::CloseAfterMessages(1)]));
    let mut session = connect_with_window(&sink, 8).await;
    push(&mut session, "ada").await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while session.is_alive() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(broken(push(&mut session, "bob").await), Stage::Mail);
    assert_eq!(shown(&[session.pull().await]), ["250"]);
}

#[tokio::test]
async fn a_relay_that_stops_reading_within_a_chunk_is_no_doubt() {
    let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
    theirs.write_all(b"220 hi\r\n").await.unwrap();
    tokio::spawn(async move {
        assert!(theirs.read(&mut [0; 100]).await.unwrap() > 0);
        theirs.write_all(b"250-hi\r\n250-CHUNKING\r\n250 PIPELINING\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    let mut settings = Settings { window: 2, ..settings(25, clear()) };
    settings.timeouts.block = Duration::from_millis(50);
    let mut session = Session::over(ours, &settings).await.unwrap();
    let (ada, body, marked) = (envelope("ada"), MESSAGE.repeat(5000), Cell::new(false));
    let mark = || {
        marked.set(true);
        Ok(())
    };
    let result = session.push(&Sendable::new(&ada, &body).unwrap(), mark).await;
    assert_eq!((broken(result), marked.get(), session.in_flight()), (Stage::Data, false, 0));
}

/// Sends to all with a window, on new connections when need be; what did not leave is tried
/// again. Returns who was accepted and who was left in doubt.
async fn deliver_all(
    sink: &Sink,
    readers: &[String],
    connections: usize,
) -> (BTreeSet<String>, BTreeSet<String>, usize) {
    let (mut accepted, mut doubtful, mut breaks) = (BTreeSet::new(), BTreeSet::new(), 0);
    let mut waiting: VecDeque<String> = readers.iter().cloned().collect();
    for _ in 0..connections {
        let mut flying: VecDeque<String> = VecDeque::new();
        let Ok(mut session) = connect(&Settings { window: 4, ..settings_for(sink, clear()) }).await else { continue };
        loop {
            let may_push = session.is_usable() && session.in_flight() < session.window();
            let (reader, result) = if may_push && let Some(reader) = waiting.pop_front() {
                match push(&mut session, &reader).await {
                    Ok(()) => {
                        flying.push_back(reader);
                        continue;
                    }
                    Err(failure) => (reader, Err(failure)),
                }
            } else {
                let Some(reader) = flying.pop_front() else { break };
                (reader, session.pull().await)
            };
            match result {
                Ok(_) => assert!(accepted.insert(reader)),
                Err(Failure { stage: Stage::Dot, kind: FailureKind::Broke(_) }) => assert!(doubtful.insert(reader)),
                Err(_) => waiting.push_back(reader),
            }
        }
        // The last connection may break as well, with nobody left to open another for.
        breaks += usize::from(!session.is_usable());
        if waiting.is_empty() {
            break;
        }
    }
    (accepted, doubtful, breaks)
}

fn readers(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("reader{i}")).collect()
}

#[tokio::test]
async fn a_421_after_any_command_loses_and_doubles_nothing() {
    for k in 1..=12 {
        let sink = Sink::start(chunking(vec![Fault::CloseAfterCommands(k)]));
        let (accepted, doubtful, _) = deliver_all(&sink, &readers(12), 30).await;
        // EHLO, MAIL, RCPT and BDAT are four.
        assert_eq!(accepted.len(), if k < 4 { 0 } else { 12 }, "k = {k}");
        assert_eq!(doubtful.len(), 0, "k = {k}");
        assert_eq!(sink.accepted_count(), accepted.len(), "k = {k}");
    }
}

#[tokio::test]
async fn lost_answers_leave_at_most_a_window_in_doubt_and_the_lost_ones_among_it() {
    for loss in [Loss::Close, Loss::Reset] {
        let sink = Sink::start(chunking(vec![Fault::LoseAnswers(5, loss)]));
        let (accepted, doubtful, breaks) = deliver_all(&sink, &readers(200), 200).await;
        assert!((5..30).contains(&breaks), "{breaks}");
        assert!(doubtful.len() >= breaks && doubtful.len() <= breaks * 4, "{} for {breaks}", doubtful.len());
        assert_eq!(accepted.len() + doubtful.len(), 200);
        let taken: BTreeSet<String> = recipients(&sink).into_iter().collect();
        assert_eq!(taken.len(), sink.accepted_count(), "nobody got two");
        assert!(accepted.is_subset(&taken), "what was accepted is there");
        assert_eq!(taken.difference(&accepted).count(), breaks, "one lost answer for each break");
    }
}
