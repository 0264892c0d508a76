//! What a good relay gets, what a refusal costs, and what the caller can rely on.

use super::*;

#[tokio::test]
async fn a_message_arrives_byte_for_byte_under_every_security() {
    for (encryption, security) in [
        (Encryption::None, clear()),
        (Encryption::StartTls(Certificate::Good), Security::StartTls),
        (Encryption::Implicit(Certificate::Good), Security::ImplicitTls),
    ] {
        for script in [Script::default(), without_pipelining(Script::default())] {
            let sink = Sink::start(Script { encryption, ..script });
            let mut session = connect(&settings_for(&sink, security)).await.unwrap();
            assert_eq!(send(&mut session, "ada").await.unwrap().to_string(), "250 2.0.0 taken");
            session.quit().await;
            let message = &sink.messages()[0];
            assert_eq!(message.bytes, MESSAGE);
            assert_eq!((&*message.return_path, &*message.recipient), ("bounce@example.org", "ada@example.net"));
            assert_eq!(sink.commands().last().unwrap(), "QUIT");
        }
    }
}

#[tokio::test]
async fn a_long_body_arrives_whole() {
    let sink = Sink::start(Script { encryption: Encryption::Implicit(Certificate::Good), ..Script::default() });
    let mut session = connect(&settings_for(&sink, Security::ImplicitTls)).await.unwrap();
    let body = "Subject: long\r\n\r\n".to_owned() + &".a line that begins with a dot\r\n".repeat(40_000);
    let envelope = envelope("ada");
    session.send(&Sendable::new(&envelope, body.as_bytes()).unwrap(), || Ok(())).await.unwrap();
    assert!(sink.messages()[0].bytes == body.as_bytes());
}

#[tokio::test]
async fn a_message_in_pieces_arrives_as_one() {
    for (encryption, security) in
        [(Encryption::None, clear()), (Encryption::Implicit(Certificate::Good), Security::ImplicitTls)]
    {
        let sink = Sink::start(Script { encryption, ..Script::default() });
        let mut session = connect(&settings_for(&sink, security)).await.unwrap();
        let (envelope, message) = (envelope("ada"), in_pieces());
        session.send(&Sendable::new(&envelope, message.pieces()).unwrap(), || Ok(())).await.unwrap();
        assert!(sink.messages()[0].bytes == message.pieces().to_vec());
    }
}

#[tokio::test]
async fn a_refused_recipient_keeps_the_connection_and_costs_one_rset() {
    for script in [Script::default(), without_pipelining(Script::default())] {
        let sink = Sink::start(script);
        let mut session = connect_clear(&sink).await;
        send(&mut session, "ada").await.unwrap();
        assert_eq!(refusal(send(&mut session, "550-bob").await), (Stage::Recipient, 550));
        assert!(session.is_usable());
        assert_eq!(refusal(send(&mut session, "tempfail-cy").await), (Stage::Recipient, 451));
        send(&mut session, "dan").await.unwrap();
        send(&mut session, "eve").await.unwrap();
        assert_eq!(recipients(&sink), ["ada", "dan", "eve"]);
        assert_eq!(sink.connection_count(), 1);
        assert_eq!(sink.commands().iter().filter(|line| *line == "RSET").count(), 2);
    }
}

#[tokio::test]
async fn a_refused_sender_is_told_from_a_refused_recipient() {
    for script in [Script::default(), without_pipelining(Script::default())] {
        let faults = vec![Fault::Refuse("MAIL", "550 5.7.515 access denied")];
        let sink = Sink::start(Script { faults, ..script });
        let mut session = connect_clear(&sink).await;
        assert_eq!(refusal(send(&mut session, "ada").await), (Stage::Mail, 550));
        assert_eq!(refusal(send(&mut session, "ada").await), (Stage::Mail, 550));
        assert_eq!(sink.connection_count(), 1);
        assert!(!sink.commands().contains(&"RSET".to_owned()));
    }
}

#[tokio::test]
async fn a_refused_message_keeps_the_connection() {
    let sink = Sink::start(Script::default());
    let mut session = connect_clear(&sink).await;
    assert_eq!(refusal(send(&mut session, "data-554-ada").await), (Stage::Dot, 554));
    assert_eq!(refusal(send(&mut session, "data-452-ada").await), (Stage::Dot, 452));
    send(&mut session, "bob").await.unwrap();
    assert_eq!(recipients(&sink), ["bob"]);
}

#[tokio::test]
async fn a_354_for_a_refused_recipient_is_answered_with_a_lone_dot() {
    let sink = Sink::start(breaking(vec![Fault::Lie(Lie::DataForNobody)]));
    let mut session = connect_clear(&sink).await;
    assert_eq!(refusal(send(&mut session, "550-ada").await), (Stage::Recipient, 550));
    send(&mut session, "bob").await.unwrap();
    assert_eq!(recipients(&sink), ["bob"]);
    assert_eq!(sink.connection_count(), 1);
}

#[tokio::test]
async fn the_mark_is_made_after_354_and_before_the_dot_and_not_without_it() {
    let sink = Sink::start(Script::default());
    let mut session = connect_clear(&sink).await;
    let marks = Cell::new(0);
    let mark = || {
        marks.set(marks.get() + 1);
        assert_eq!(sink.commands().last().unwrap(), "DATA");
        assert_eq!(sink.accepted_count(), 0);
        Ok(())
    };
    let (refused, ada) = (envelope("550-bob"), envelope("ada"));
    session.send(&Sendable::new(&refused, MESSAGE).unwrap(), mark).await.unwrap_err();
    assert_eq!(marks.get(), 0);
    session.send(&Sendable::new(&ada, MESSAGE).unwrap(), mark).await.unwrap();
    assert_eq!((marks.get(), sink.accepted_count()), (1, 1));
}

#[tokio::test]
async fn a_mark_that_cannot_be_made_keeps_the_dot_here() {
    let sink = Sink::start(Script::default());
    let mut session = connect_clear(&sink).await;
    let ada = envelope("ada");
    let full = || Err(io::Error::from(io::ErrorKind::StorageFull));
    let result = session.send(&Sendable::new(&ada, MESSAGE).unwrap(), full).await;
    assert_eq!(broken(result), Stage::Data);
    assert!(!session.is_usable());
    session.quit().await;
    assert_eq!(sink.accepted_count(), 0);
}

#[tokio::test]
async fn a_chain_of_messages_costs_one_round_trip_each() {
    const MESSAGES: usize = 40;
    let sink = Sink::start(Script::default());
    let mut session = connect_clear(&sink).await;
    let envelopes: Vec<Envelope> = (0..=MESSAGES).map(|i| envelope(&format!("reader{i}"))).collect();
    let letters: Vec<_> = envelopes.iter().map(|envelope| Sendable::new(envelope, MESSAGE).unwrap()).collect();
    let before = sink.turn_count();
    for pair in letters.windows(2) {
        session.send_and_announce(&pair[0], &pair[1], || Ok(())).await.unwrap();
    }
    session.send(&letters[MESSAGES], || Ok(())).await.unwrap();
    assert_eq!(sink.turn_count() - before, MESSAGES + 2);
    let wanted: Vec<String> = (0..=MESSAGES).map(|i| format!("reader{i}")).collect();
    assert_eq!(recipients(&sink), wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_connections_deliver_at_once() {
    let encryption = Encryption::Implicit(Certificate::Good);
    let sink = Sink::start(Script { encryption, ..Script::default() });
    let settings = settings_for(&sink, Security::ImplicitTls);
    let tls = Tls::for_settings(&settings).unwrap();
    let workers = (0..4).map(|worker| {
        let (settings, tls) = (settings.clone(), tls.clone());
        tokio::spawn(async move {
            let mut session = Session::connect(&settings, &tls).await.unwrap();
            for i in 0..50 {
                send(&mut session, &format!("reader{worker}-{i}")).await.unwrap();
            }
            session.quit().await;
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    assert_eq!(recipients(&sink).into_iter().collect::<HashSet<_>>().len(), 200);
    assert_eq!((sink.accepted_count(), sink.connection_count()), (200, 4));
}

#[tokio::test]
async fn each_message_of_a_chain_gets_its_own_answer() {
    for script in [Script::default(), without_pipelining(Script::default())] {
        let sink = Sink::start(script);
        let mut session = connect_clear(&sink).await;
        let envelopes: Vec<Envelope> =
            ["a", "550-b", "c", "data-554-d", "tempfail-e", "f", "g"].into_iter().map(envelope).collect();
        let letters: Vec<_> = envelopes.iter().map(|envelope| Sendable::new(envelope, MESSAGE).unwrap()).collect();
        let mut codes = Vec::new();
        for pair in letters.windows(2) {
            let result = session.send_and_announce(&pair[0], &pair[1], || Ok(())).await;
            codes.push(result.map_or_else(|failure| refusal(Err(failure)).1, |reply| reply.code));
        }
        assert_eq!(codes, [250, 550, 250, 554, 451, 250]);
        session.quit().await;
        assert_eq!(recipients(&sink), ["a", "c", "f"]);
        assert_eq!(sink.connection_count(), 1);
    }
}

#[tokio::test]
async fn another_message_than_the_announced_one_is_not_sent() {
    let sink = Sink::start(Script::default());
    let mut session = connect_clear(&sink).await;
    let (ada, bob) = (envelope("ada"), envelope("bob"));
    let announced = Sendable::new(&bob, MESSAGE).unwrap();
    session.send_and_announce(&Sendable::new(&ada, MESSAGE).unwrap(), &announced, || Ok(())).await.unwrap();
    assert_eq!(broken(send(&mut session, "cy").await), Stage::Mail);
    session.quit().await;
    assert_eq!(recipients(&sink), ["ada"]);
}

#[tokio::test]
async fn a_message_too_large_is_refused_before_mail() {
    let sink = Sink::start(Script { offers: vec!["SIZE 10".to_owned()], ..Script::default() });
    let mut session = connect_clear(&sink).await;
    assert_eq!(refusal(send(&mut session, "ada").await), (Stage::Mail, 552));
    assert!(session.is_usable());
    assert_eq!(sink.commands(), ["EHLO tests.example.org"]);
}
