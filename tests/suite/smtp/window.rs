//! Several messages in flight on one connection, by BDAT.

use super::*;

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

#[tokio::test]
async fn a_message_in_chunks_arrives_whole_and_a_refused_chunk_is_its_own_matter() {
    let encryption = Encryption::Implicit(Certificate::Good);
    let sink = Sink::start(Script { encryption, ..chunking(vec![]) });
    let settings = Settings { window: 8, ..settings_for(&sink, Security::ImplicitTls) };
    let mut session = connect(&settings).await.unwrap();
    let long = "Subject: long\r\n\r\n".to_owned() + &".a line that begins with a dot\r\n".repeat(40_000);
    for reader in ["ada", "chunk-452-bob", "cy"] {
        push_body(&mut session, reader, long.as_bytes()).await.unwrap();
    }
    push(&mut session, "dan").await.unwrap();
    let mut answers = Vec::new();
    while session.in_flight() > 0 {
        answers.push(session.pull().await);
    }
    assert_eq!(shown(&answers), ["250", "452 Data", "250", "250"]);
    assert_eq!(recipients(&sink), ["ada", "cy", "dan"]);
    let messages = sink.messages();
    assert!(messages[..2].iter().all(|message| message.bytes == long.as_bytes() && message.chunks == 2));
    assert_eq!((&*messages[2].bytes, messages[2].chunks), (MESSAGE, 1));
    assert!(session.is_usable());
}

#[tokio::test]
async fn a_message_in_pieces_arrives_as_one_by_chunks() {
    for (encryption, security) in
        [(Encryption::None, clear()), (Encryption::Implicit(Certificate::Good), Security::ImplicitTls)]
    {
        let sink = Sink::start(Script { encryption, ..chunking(vec![]) });
        let mut session = connect(&Settings { window: 8, ..settings_for(&sink, security) }).await.unwrap();
        let (envelope, message) = (envelope("ada"), in_pieces());
        session.push(&Sendable::new(&envelope, message.pieces()).unwrap(), || Ok(())).await.unwrap();
        session.pull().await.unwrap();
        let arrived = &sink.messages()[0];
        assert!(arrived.bytes == message.pieces().to_vec());
        assert_eq!(arrived.chunks, 2);
    }
}

#[tokio::test]
async fn the_mark_is_made_before_the_last_chunk_and_before_nothing_else() {
    let sink = Sink::start(chunking(vec![]));
    let mut session = connect_with_window(&sink, 8).await;
    let commands = sink.commands().len();
    let ada = envelope("ada");
    let mark = || {
        assert_eq!(sink.commands().len(), commands, "a short message goes out in one write");
        Ok(())
    };
    session.push(&Sendable::new(&ada, MESSAGE).unwrap(), mark).await.unwrap();
    session.pull().await.unwrap();
    let long = MESSAGE.repeat(1000);
    let mark = || {
        let deadline = Instant::now() + Duration::from_secs(5);
        let early = format!("BDAT {}", long.len() - 16 * 1024);
        while sink.commands().last() != Some(&early) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(sink.commands().last(), Some(&early));
        assert_eq!(sink.accepted_count(), 1);
        Ok(())
    };
    session.push(&Sendable::new(&ada, &long).unwrap(), mark).await.unwrap();
    session.pull().await.unwrap();
    assert_eq!(sink.accepted_count(), 2);
}

#[tokio::test]
async fn a_mark_that_cannot_be_made_keeps_the_message_here_and_the_answers_of_the_others() {
    for body in [MESSAGE.to_vec(), MESSAGE.repeat(1000)] {
        let sink = Sink::start(chunking(vec![]));
        let mut session = connect_with_window(&sink, 8).await;
        push(&mut session, "ada").await.unwrap();
        push(&mut session, "550-bob").await.unwrap();
        let cy = envelope("cy");
        let full = || Err(io::Error::from(io::ErrorKind::StorageFull));
        let result = session.push(&Sendable::new(&cy, &body).unwrap(), full).await;
        assert_eq!(broken(result), Stage::Data);
        assert!(!session.is_usable());
        assert_eq!(broken(push(&mut session, "dan").await), Stage::Mail);
        assert_eq!(session.in_flight(), 2);
        assert_eq!(shown(&[session.pull().await, session.pull().await]), ["250", "550 Recipient"]);
        session.quit().await;
        assert_eq!(recipients(&sink), ["ada"]);
    }
}

#[tokio::test]
async fn a_pull_may_be_given_up_and_asked_again() {
    let sink = Sink::start(Script { delay: Duration::from_millis(30), ..chunking(vec![]) });
    let mut session = connect_with_window(&sink, 4).await;
    for reader in ["a", "550-b", "c", "silence-d"] {
        push(&mut session, reader).await.unwrap();
    }
    let (mut answers, mut given_up) = (Vec::new(), 0);
    let deadline = Instant::now() + Duration::from_secs(20);
    while answers.len() < 4 && Instant::now() < deadline {
        tokio::select! {
            biased;
            answer = session.pull() => answers.push(answer),
            () = tokio::time::sleep(Duration::from_millis(2)) => given_up += 1,
        }
    }
    assert_eq!(shown(&answers), ["250", "550 Recipient", "250", "broke Dot"], "the time-out goes on");
    assert!(given_up > 10, "{given_up}");
    assert_eq!(recipients(&sink), ["a", "c", "silence-d"]);
}

#[tokio::test]
async fn a_window_that_is_full_takes_no_more() {
    let sink = Sink::start(chunking(vec![]));
    let mut session = connect_with_window(&sink, 2).await;
    push(&mut session, "a").await.unwrap();
    push(&mut session, "b").await.unwrap();
    assert_eq!(broken(push(&mut session, "c").await), Stage::Mail);
    assert_eq!(broken(send(&mut session, "c").await), Stage::Mail);
    assert!(session.pull().await.is_ok() && session.pull().await.is_ok());
    assert_eq!(broken(session.pull().await), Stage::Mail);
    push(&mut session, "c").await.unwrap();
    session.pull().await.unwrap();
    assert_eq!(recipients(&sink), ["a", "b", "c"]);
}

/// A relay in memory that answers everything that has come, then waits for more; returns how
/// often it did.
async fn relay_that_takes_turns(mut stream: tokio::io::DuplexStream) -> usize {
    stream.write_all(b"220 hi\r\n").await.unwrap();
    let (mut unread, mut turns) = (Vec::with_capacity(1024 * 1024), 0);
    while stream.read_buf(&mut unread).await.unwrap() > 0 {
        let text = String::from_utf8(std::mem::take(&mut unread)).unwrap();
        unread.reserve(1024 * 1024);
        let mut rest = &*text;
        let mut answers = String::new();
        while let Some((line, behind)) = rest.split_once("\r\n") {
            let size = line.strip_prefix("BDAT ").and_then(|size| size.split(' ').next()?.parse().ok());
            rest = &behind[size.unwrap_or(0)..];
            let offers = if line.starts_with("EHLO") { "250-hi\r\n250-CHUNKING\r\n250 PIPELINING\r\n" } else { "" };
            answers += if offers.is_empty() { "250 ok\r\n" } else { offers };
        }
        stream.write_all(answers.as_bytes()).await.unwrap();
        turns += 1;
    }
    turns
}

#[tokio::test]
async fn a_window_of_messages_costs_one_round_trip() {
    let (ours, theirs) = tokio::io::duplex(1024 * 1024);
    let relay = tokio::spawn(relay_that_takes_turns(theirs));
    let mut session = Session::over(ours, &Settings { window: 8, ..settings(25, clear()) }).await.unwrap();
    for _ in 0..10 {
        for reader in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            push(&mut session, reader).await.unwrap();
        }
        while session.in_flight() > 0 {
            session.pull().await.unwrap();
        }
    }
    drop(session);
    assert_eq!(relay.await.unwrap(), 1 + 10, "EHLO, and one for each window");
}
