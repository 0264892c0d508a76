//! The SMTP client against a relay that none of us wrote.

use fieldpost::domain::address::Address;
use fieldpost::domain::reply::Stage;
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
