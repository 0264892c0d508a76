//! What a relay offers is used, and the limits it names are kept: RFC 3461 and RFC 9422.

use fieldpost::smtp::{EnvelopeId, Reports};

use super::*;

fn offering(offers: &[&str]) -> Script {
    Script { offers: offers.iter().map(|&offer| offer.to_owned()).collect(), ..Script::default() }
}

#[tokio::test]
async fn reports_are_asked_for_where_they_are_offered() {
    for (offers, mail, rcpt) in [
        (
            &["DSN", "SIZE"][..],
            "MAIL FROM:<bounce@example.org> SIZE=73 RET=HDRS ENVID=issue+3D7",
            "RCPT TO:<ada+x@example.net> NOTIFY=FAILURE ORCPT=rfc822;ada+2Bx@example.net",
        ),
        (&[], "MAIL FROM:<bounce@example.org>", "RCPT TO:<ada+x@example.net>"),
    ] {
        let sink = Sink::start(offering(offers));
        let mut session = connect_clear(&sink).await;
        let reports = Reports::Failures(Some(EnvelopeId::parse("issue=7").unwrap()));
        let envelope = Envelope { reports, ..envelope("ada+x") };
        session.send(&Sendable::new(&envelope, MESSAGE).unwrap(), || Ok(())).await.unwrap();
        let mail = mail.replace("73", &MESSAGE.len().to_string());
        assert_eq!(sink.commands()[1..3], [mail, rcpt.to_owned()]);
    }
}

/// Sends a chain of messages, on another connection whenever one may carry no more.
async fn chain(sink: &Sink, settings: &Settings, messages: usize) {
    let envelopes: Vec<Envelope> = (0..=messages).map(|i| envelope(&format!("reader{i}"))).collect();
    let letters: Vec<_> = envelopes.iter().map(|envelope| Sendable::new(envelope, MESSAGE).unwrap()).collect();
    let mut session = connect(settings).await.unwrap();
    for pair in letters.windows(2) {
        if !session.may_carry_another() {
            session.quit().await;
            session = connect(settings).await.unwrap();
        }
        session.send_and_announce(&pair[0], &pair[1], || Ok(())).await.unwrap();
    }
    assert_eq!(sink.accepted_count(), messages);
}

#[tokio::test]
async fn no_connection_carries_more_than_the_relay_or_the_author_allows() {
    for (limit, max_messages, most) in [("LIMITS MAILMAX=3", None, 3), ("SIZE", Some(4), 4)] {
        let sink = Sink::start(offering(&["PIPELINING", "CHUNKING", limit]));
        let settings = Settings { max_messages, window: 8, ..settings_for(&sink, clear()) };
        chain(&sink, &settings, 10).await;
        assert_eq!(sink.connection_count(), 10_usize.div_ceil(most));

        let mut session = connect(&settings).await.unwrap();
        for i in 0..most {
            assert!(session.may_carry_another());
            push(&mut session, if i == 0 { "550-ada" } else { "bob" }).await.unwrap();
        }
        assert!(!session.may_carry_another() && session.is_usable(), "a refused one counts");
    }
}

#[tokio::test]
async fn an_old_connection_carries_no_more() {
    let sink = Sink::start(Script::default());
    let settings = Settings { max_age: Some(Duration::from_millis(50)), ..settings_for(&sink, clear()) };
    let session = connect(&settings).await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(!session.may_carry_another() && session.is_usable());
}
