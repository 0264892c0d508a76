//! Relays that close, lose, stall and lie: FAULTS.md F10 to F12, F16 and F17.

use std::io::{Read, Write};

use super::*;

#[tokio::test]
async fn an_answer_lost_after_the_dot_is_reported_at_the_dot_and_only_there() {
    for (local_part, accepted) in
        [("drop-at-rcpt-ada", 0), ("drop-after-data-ada", 1), ("reset-after-data-ada", 1), ("silence-ada", 1)]
    {
        let sink = Sink::start(Script::default());
        let mut session = connect_clear(&sink).await;
        let stage = broken(send(&mut session, local_part).await);
        assert_eq!(stage, if accepted == 1 { Stage::Dot } else { Stage::Recipient }, "{local_part}");
        assert_eq!(sink.accepted_count(), accepted, "{local_part}");
        assert!(!session.is_usable());
        assert_eq!(broken(send(&mut session, "bob").await), Stage::Mail);
    }
}

#[tokio::test]
async fn no_lie_is_taken_for_an_acceptance() {
    for (lie, stage, accepted) in [
        (Lie::OneReplyTooMany, Stage::Mail, 0),
        (Lie::DataBeforeMail, Stage::Mail, 0),
        (Lie::AcceptAtData, Stage::Data, 0),
        (Lie::AcceptBeforeTheDot, Stage::Data, 0),
        (Lie::FarewellAtTheDot, Stage::Dot, 1),
        (Lie::EndlessLine, Stage::Mail, 0),
        (Lie::EndlessReply, Stage::Mail, 0),
        (Lie::Drip(Duration::from_millis(100)), Stage::Dot, 1),
    ] {
        for script in [Script::default(), without_pipelining(Script::default())] {
            let sink = Sink::start(Script { faults: vec![Fault::Lie(lie)], ..script });
            let mut session = connect_clear(&sink).await;
            let begun = Instant::now();
            assert_eq!(broken(send(&mut session, "ada").await), stage, "{lie:?}");
            assert!(begun.elapsed() < Duration::from_secs(3), "{lie:?}");
            assert!(!session.is_usable(), "{lie:?}");
            assert_eq!(sink.accepted_count(), accepted, "{lie:?}");
        }
    }
}

#[tokio::test]
async fn a_dropped_send_leaves_no_session_to_reuse() {
    let sink = Sink::start(Script { delay: Duration::from_mins(1), ..Script::default() });
    let mut session = connect_clear(&sink).await;
    let gave_up = tokio::time::timeout(Duration::from_millis(50), send(&mut session, "ada")).await;
    assert!(gave_up.is_err());
    assert!(!session.is_usable());
}

/// Sends to all, reconnecting when need be, at most `tries` times each; returns who was
/// accepted and who was left in doubt.
async fn deliver_all(sink: &Sink, local_parts: &[String], tries: u32) -> (HashSet<String>, HashSet<String>) {
    let (mut accepted, mut doubtful) = (HashSet::new(), HashSet::new());
    let mut session = None;
    for local_part in local_parts {
        for _ in 0..tries {
            let alive = session.take().filter(Session::is_usable);
            let alive = alive.and_then(|mut session: Session| session.is_alive().then_some(session));
            let opened = match alive {
                Some(session) => Ok(session),
                None => connect(&settings_for(sink, clear())).await,
            };
            let Ok(mut open) = opened else { continue };
            let result = send(&mut open, local_part).await;
            session = Some(open);
            match result {
                Ok(_) => {
                    accepted.insert(local_part.clone());
                    break;
                }
                Err(Failure { stage: Stage::Dot, kind: FailureKind::Broke(_) }) => {
                    doubtful.insert(local_part.clone());
                    break;
                }
                Err(_) => {}
            }
        }
    }
    (accepted, doubtful)
}

fn readers(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("reader{i}")).collect()
}

#[tokio::test]
async fn a_relay_that_closes_after_every_few_messages_is_used_again_and_again() {
    let sink = Sink::start(breaking(vec![Fault::CloseAfterMessages(5)]));
    let (accepted, doubtful) = deliver_all(&sink, &readers(23), 2).await;
    assert_eq!((accepted.len(), doubtful.len()), (23, 0));
    assert_eq!(recipients(&sink), readers(23));
    assert_eq!(sink.connection_count(), 5);
}

#[tokio::test]
async fn a_421_after_any_command_loses_and_doubles_nothing() {
    for k in 1..=12 {
        let sink = Sink::start(breaking(vec![Fault::CloseAfterCommands(k)]));
        let (accepted, doubtful) = deliver_all(&sink, &readers(8), 2).await;
        // EHLO, MAIL, RCPT, DATA and the dot are five.
        assert_eq!(accepted.len(), if k < 5 { 0 } else { 8 }, "k = {k}");
        assert_eq!(doubtful.len(), 0, "k = {k}");
        assert_eq!(sink.accepted_count(), accepted.len(), "k = {k}");
    }
}

#[tokio::test]
async fn lost_answers_leave_exactly_their_recipients_in_doubt() {
    for loss in [Loss::Close, Loss::Reset] {
        let sink = Sink::start(breaking(vec![Fault::LoseAnswers(5, loss)]));
        let (accepted, doubtful) = deliver_all(&sink, &readers(200), 3).await;
        assert!(!doubtful.is_empty() && doubtful.len() < 30, "{}", doubtful.len());
        assert_eq!(accepted.len() + doubtful.len(), 200);
        assert_eq!(recipients(&sink), readers(200));

        let again: Vec<String> = doubtful.into_iter().collect();
        let (accepted, doubtful) = deliver_all(&sink, &again, 1).await;
        assert_eq!((accepted.len(), doubtful.len()), (again.len(), 0));
        assert_eq!(sink.accepted_count(), 200 + again.len());
    }
}

#[tokio::test]
async fn a_greylisting_relay_takes_the_second_try() {
    let directory = tempfile::tempdir().unwrap();
    let record = directory.path().join("taken.tsv");
    let faults = vec![Fault::Greylist(30)];
    let sink = Sink::start(Script { faults, record_in: Some(record.clone()), ..Script::default() });
    let readers = readers(60);
    let (first, _) = deliver_all(&sink, &readers, 1).await;
    assert!(first.len() > 30 && first.len() < 55, "{}", first.len());
    let rest: Vec<String> = readers.iter().filter(|reader| !first.contains(*reader)).cloned().collect();
    let (second, _) = deliver_all(&sink, &rest, 1).await;
    assert_eq!(first.len() + second.len(), 60);
    let lines = std::fs::read_to_string(record).unwrap();
    assert_eq!(lines.lines().count(), 60);
    assert!(lines.starts_with("reader") && lines.lines().all(|line| line.contains("\t<1@example.org>\t")));
}

#[tokio::test]
async fn a_recipient_can_fail_once() {
    let sink = Sink::start(Script::default());
    let mut session = connect_clear(&sink).await;
    assert_eq!(refusal(send(&mut session, "once-tempfail-ada").await), (Stage::Recipient, 451));
    send(&mut session, "once-tempfail-ada").await.unwrap();
    assert_eq!(refusal(send(&mut session, "once-data-451-bob").await), (Stage::Dot, 451));
    send(&mut session, "once-data-451-bob").await.unwrap();
    assert_eq!(recipients(&sink), ["once-tempfail-ada", "once-data-451-bob"]);
}

#[tokio::test]
async fn an_idle_connection_that_the_relay_closed_is_noticed_before_it_is_used() {
    let sink = Sink::start(breaking(vec![Fault::CloseAfterMessages(1)]));
    let mut session = connect_clear(&sink).await;
    send(&mut session, "ada").await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while session.is_alive() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!session.is_usable());
}

/// A relay in a few lines: says each text in turn, waiting for something before each but the
/// first, then reads nothing more.
async fn relay_that_says(texts: &'static [&'static str]) -> u16 {
    async fn speak(mut stream: TcpStream, texts: &[&str]) {
        for (i, text) in texts.iter().enumerate() {
            if i > 0 {
                let n = stream.read(&mut [0; 1024]).await.unwrap_or_default();
                if n == 0 {
                    return;
                }
            }
            stream.write_all(text.as_bytes()).await.unwrap();
        }
        std::future::pending::<()>().await;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { speak(listener.accept().await.unwrap().0, texts).await });
    port
}

#[tokio::test]
async fn a_relay_that_stops_reading_in_mid_body_is_no_doubt() {
    let port = relay_that_says(&["220 hi\r\n", "250-hi\r\n250 PIPELINING\r\n", "250 a\r\n250 b\r\n354 c\r\n"]).await;
    let mut session = connect(&settings(port, clear())).await.unwrap();
    let body = "a line of a body that is too long for any socket's buffer\r\n".repeat(500_000);
    let (ada, marked) = (envelope("ada"), Cell::new(false));
    let mark = || {
        marked.set(true);
        Ok(())
    };
    let result = session.send(&Sendable::new(&ada, body.as_bytes()).unwrap(), mark).await;
    assert_eq!(broken(result), Stage::Data);
    assert!(!marked.get());
}

#[tokio::test]
async fn whatever_is_no_greeting_ends_at_the_greeting() {
    let quick = |port| {
        let mut settings = settings(port, clear());
        settings.timeouts.greeting = Duration::from_millis(200);
        settings
    };
    for text in ["", "220", "+OK dovecot\r\n", "354 go\r\n", "220 hi\n"] {
        let texts: &'static [&'static str] = Box::leak(Box::new([text]));
        let port = relay_that_says(texts).await;
        assert_eq!(broken(connect(&quick(port)).await.map(drop)), Stage::Greeting, "{text:?}");
    }
    let port = relay_that_says(&["554 5.3.2 not today\r\n"]).await;
    let refused = connect(&quick(port)).await.map(|_| Reply::new(250, ""));
    assert_eq!(refusal(refused), (Stage::Greeting, 554));
}

#[tokio::test]
async fn nobody_listening_is_a_failure_to_connect() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert_eq!(broken(connect(&settings(port, clear())).await.map(drop)), Stage::Connect);
}

const OPENING: &[&str] = &["220 hi\r\n", "250-hi\r\n250 PIPELINING\r\n", "250 a\r\n250 b\r\n354 c\r\n"];

/// A relay that takes the commands of one message, reads nothing of it, and resets the
/// connection once it is told to; returns its port and how to tell it.
fn relay_that_resets() -> (u16, impl FnOnce()) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = std::sync::mpsc::channel::<()>();
    let relay = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for (i, text) in OPENING.iter().enumerate() {
            if i > 0 {
                assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
            }
            stream.write_all(text.as_bytes()).unwrap();
        }
        stream.peek(&mut [0; 1]).unwrap();
        told.recv().unwrap();
        // Closing with something unread is a reset.
        drop(stream);
    });
    let reset = move || {
        tell.send(()).unwrap();
        relay.join().unwrap();
    };
    (port, reset)
}

#[tokio::test]
async fn a_connection_lost_between_the_mark_and_the_dot_is_no_doubt() {
    let (port, reset) = relay_that_resets();
    let mut session = connect(&settings(port, clear())).await.unwrap();
    let body = "a line of a body long enough to be written in two parts\r\n".repeat(1000);
    let (ada, marked) = (envelope("ada"), Cell::new(false));
    let mark = || {
        reset();
        marked.set(true);
        Ok(())
    };
    let result = session.send(&Sendable::new(&ada, body.as_bytes()).unwrap(), mark).await;
    assert_eq!((broken(result), marked.get()), (Stage::Data, true));
}

/// How many bytes the two kernels hold for a relay that has stopped reading.
async fn bytes_in_flight() -> usize {
    let port = relay_that_says(OPENING).await;
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let much = vec![b'x'; 64 * 1024 * 1024];
    let mut taken = 0;
    while let Ok(Ok(())) = tokio::time::timeout(Duration::from_millis(100), stream.writable()).await {
        taken += stream.try_write(&much).unwrap_or_default();
    }
    taken
}

/// Sends a body of about that size to a relay that reads none of it; returns whether the mark
/// was made, and how it ended.
async fn send_to_the_deaf(size: usize) -> (bool, Failure) {
    let mut settings = settings(relay_that_says(OPENING).await, clear());
    settings.timeouts.block = Duration::from_millis(100);
    settings.timeouts.dot = Duration::from_millis(1);
    let mut session = connect(&settings).await.unwrap();
    let line = "a line of a body that nobody reads\r\n";
    let body = line.repeat(size / line.len());
    let (ada, marked) = (envelope("ada"), Cell::new(false));
    let mark = || {
        marked.set(true);
        Ok(())
    };
    let result = session.send(&Sendable::new(&ada, body.as_bytes()).unwrap(), mark).await;
    (marked.get(), result.unwrap_err())
}

#[tokio::test]
async fn a_connection_stalled_within_the_last_write_is_a_doubt() {
    let around = bytes_in_flight().await;
    // The kernel's accounting is not ours to know: search for a size of which the body goes
    // and the write with the dot goes in part.
    let (mut fits, mut overflows) = (around / 2, around * 2);
    while overflows - fits > 1024 {
        let size = fits.midpoint(overflows);
        match send_to_the_deaf(size).await {
            (false, failure) => {
                assert_eq!(failure.stage, Stage::Data);
                overflows = size;
            }
            (true, Failure { stage, kind: FailureKind::Broke(how) }) if how.contains("took no data") => {
                // Blocked before the first byte of that write, it would be no doubt.
                if stage == Stage::Dot {
                    return;
                }
                overflows = size;
            }
            (true, failure) => {
                assert_eq!(failure.stage, Stage::Dot);
                fits = size;
            }
        }
    }
    panic!("no size between {} and {} was cut within the last write", around / 2, around * 2);
}
