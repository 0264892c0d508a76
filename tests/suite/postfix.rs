//! The SMTP client against a relay that none of us wrote.

use fieldpost::domain::address::Address;
use fieldpost::domain::reply::{Reply, Stage};
use fieldpost::smtp::{
    Credentials, Envelope, Failure, FailureKind, Secret, Security, Sendable, Session, Settings, Tls,
};

use crate::support::postfix::Postfix;

const MESSAGE: &str = "Message-ID: <1@example.org>\r\nSubject: dots\r\n\r\n.\r\n..\r\n.hidden\r\n\r\nend.\r\n";

fn settings(postfix: &Postfix, security: Security, password: Option<&str>) -> Settings {
    let port = match security {
        Security::StartTls => postfix.starttls_port,
        Security::ImplicitTls | Security::ClearText(_) => postfix.smtps_port,
    };
    Settings {
        extra_roots_pem: Some(postfix.ca_pem.clone().into_bytes()),
        credentials: password
            .map(|password| Credentials { user: postfix.user.clone(), password: Secret::new(password) }),
        ..Settings::new("localhost", port, security)
    }
}

async fn connect(settings: &Settings) -> Result<Session, Failure> {
    Session::connect(settings, &Tls::for_settings(settings).expect("the authority is PEM")).await
}

fn envelope(recipient: &str) -> Envelope {
    let address = |text: &str| Address::parse(text).expect("an address");
    Envelope::new(Some(address("bounce@example.org")), address(recipient))
}

/// The stage and code of a refusal; anything else fails the test.
#[track_caller]
fn refusal<T>(result: Result<T, Failure>) -> (Stage, u16) {
    match result {
        Err(Failure { stage, kind: FailureKind::Replied(reply) }) => (stage, reply.code),
        Err(Failure { stage, kind: FailureKind::Broke(how) }) => panic!("broken, not refused: {how} at {stage:?}"),
        Ok(_) => panic!("not refused"),
    }
}

#[tokio::test]
async fn postfix_takes_pipelined_mail_with_a_login_over_both_kinds_of_tls() {
    let Some(postfix) = Postfix::start_or_skip() else { return };
    for (security, names) in [(Security::ImplicitTls, ["ada", "bob"]), (Security::StartTls, ["cy", "dan"])] {
        let settings = settings(&postfix, security, Some(&postfix.password));
        let mut session = connect(&settings).await.expect("Postfix knows the user");
        let [first, second] = names.map(|name| envelope(&format!("{name}@example.org")));
        let [first, second] =
            [&first, &second].map(|to| Sendable::new(to, MESSAGE.as_bytes()).expect("a message that may be sent"));
        let reply = session.send_and_announce(&first, &second, || Ok(())).await.expect("Postfix takes the first");
        assert_eq!(reply.code, 250);
        session.send(&second, || Ok(())).await.expect("Postfix takes the second");
        session.quit().await;
    }
    postfix.wait_until_empty();
    let received = postfix.received();
    assert_eq!(received.len(), 4);
    let (_, sent_body) = MESSAGE.split_once("\r\n\r\n").expect("a body");
    for message in received {
        let text = String::from_utf8(message).expect("text");
        let (head, body) = text.split_once("\n\n").expect("a body");
        assert!(head.contains("ESMTPSA"), "received over TLS with a login: {head}");
        assert_eq!(body, sent_body.replace("\r\n", "\n"), "every dot survives");
    }
}

/// A message whose lines begin with dots, long enough for two chunks if so wished.
fn numbered(number: usize, lines: usize) -> String {
    format!("Message-ID: <{number}@example.org>\r\nSubject: {number}\r\n\r\n.\r\n..\r\n")
        + &format!(".{number} begins with a dot\r\n").repeat(lines)
}

#[tokio::test]
async fn postfix_takes_a_window_of_chunked_mail_byte_for_byte() {
    const MESSAGES: usize = 40;
    let Some(postfix) = Postfix::start_or_skip() else { return };
    for security in [Security::ImplicitTls, Security::StartTls] {
        let settings = Settings { window: 8, ..settings(&postfix, security, Some(&postfix.password)) };
        let mut session = connect(&settings).await.expect("Postfix knows the user");
        assert_eq!(session.window(), 8, "Postfix offers CHUNKING and PIPELINING");
        let mut codes = Vec::new();
        for number in 0..MESSAGES {
            // Every tenth recipient is refused, and every seventh message is long.
            let to = envelope(if number % 10 == 9 { "ada@nowhere.example" } else { "ada@example.org" });
            let message = numbered(number, if number % 7 == 0 { 2000 } else { 3 });
            let sendable = Sendable::new(&to, message.as_bytes()).expect("a message that may be sent");
            if session.in_flight() == session.window() {
                codes.push(code(session.pull().await));
            }
            session.push(&sendable, || Ok(())).await.expect("Postfix is there");
        }
        while session.in_flight() > 0 {
            codes.push(code(session.pull().await));
        }
        session.quit().await;
        let wanted = |number| if number % 10 == 9 { (Stage::Recipient, 550) } else { (Stage::Dot, 250) };
        assert_eq!(codes, (0..MESSAGES).map(wanted).collect::<Vec<_>>());
    }
    postfix.wait_until_empty();
    let mut received: Vec<String> = postfix.received().into_iter().map(|bytes| body_of(&bytes)).collect();
    let kept = (0..MESSAGES).filter(|number| number % 10 != 9);
    let sent = kept.map(|number| body_of(numbered(number, if number % 7 == 0 { 2000 } else { 3 }).as_bytes()));
    let mut sent: Vec<String> = sent.flat_map(|body| [body.clone(), body]).collect();
    received.sort();
    sent.sort();
    assert!(received == sent, "{} received, {} sent", received.len(), sent.len());
}

/// Where a message was answered, and how.
#[track_caller]
fn code(answer: Result<Reply, Failure>) -> (Stage, u16) {
    match answer {
        Ok(reply) => (Stage::Dot, reply.code),
        refused => refusal(refused),
    }
}

/// What stands behind the header, with lines ended as in a mailbox.
fn body_of(message: &[u8]) -> String {
    let text = String::from_utf8(message.to_vec()).expect("text").replace("\r\n", "\n");
    text.split_once("\n\n").expect("a body").1.to_owned()
}

#[tokio::test]
async fn postfix_refuses_whoever_has_no_login_or_a_wrong_one() {
    let Some(postfix) = Postfix::start_or_skip() else { return };
    for security in [Security::ImplicitTls, Security::StartTls] {
        let wrong = settings(&postfix, security, Some("guessed"));
        assert_eq!(refusal(connect(&wrong).await), (Stage::Auth, 535));

        let anonymous = settings(&postfix, security, None);
        let mut session = connect(&anonymous).await.expect("Postfix talks to anyone");
        let (ada, message) = (envelope("ada@example.org"), MESSAGE.as_bytes());
        let sendable = Sendable::new(&ada, message).expect("a message that may be sent");
        assert_eq!(refusal(session.send(&sendable, || Ok(())).await), (Stage::Recipient, 554));
    }
    postfix.wait_until_empty();
    assert!(postfix.received().is_empty());
}
