//! Nothing leaves without the security that was set: FAULTS.md C3 and F15.

use super::*;

const ACCOUNT: Login = Login { mechanisms: "PLAIN LOGIN", user: "ada", password: "opensesame" };

fn with_login(settings: Settings, password: &str) -> Settings {
    let credentials = Credentials { user: "ada".to_owned(), password: Secret::new(password) };
    Settings { credentials: Some(credentials), ..settings }
}

#[tokio::test]
async fn plain_and_login_are_both_spoken() {
    for mechanisms in ["PLAIN LOGIN", "PLAIN", "LOGIN"] {
        let login = Some(Login { mechanisms, ..ACCOUNT });
        let encryption = Encryption::StartTls(Certificate::Good);
        let sink = Sink::start(Script { encryption, login, ..Script::default() });
        let settings = with_login(settings_for(&sink, Security::StartTls), ACCOUNT.password);
        send(&mut connect(&settings).await.unwrap(), "ada").await.unwrap();
        assert_eq!((sink.login_count(), sink.accepted_count()), (1, 1), "{mechanisms}");

        let wrong = connect(&with_login(settings, "guess")).await.map(|_| Reply::new(250, ""));
        assert_eq!(refusal(wrong), (Stage::Auth, 535), "{mechanisms}");
    }
}

#[tokio::test]
async fn a_relay_without_auth_gets_no_credentials() {
    let sink = Sink::start(Script::default());
    let settings = with_login(settings_for(&sink, clear()), ACCOUNT.password);
    assert_eq!(broken(connect(&settings).await.map(drop)), Stage::Auth);
    assert_eq!(sink.login_count(), 0);
}

#[tokio::test]
async fn a_bad_certificate_gets_no_credentials_and_no_mail() {
    for certificate in [Certificate::WrongName, Certificate::Expired, Certificate::SelfSigned] {
        for (encryption, security) in [
            (Encryption::StartTls(certificate), Security::StartTls),
            (Encryption::Implicit(certificate), Security::ImplicitTls),
        ] {
            let sink = Sink::start(Script { encryption, login: Some(ACCOUNT), ..Script::default() });
            let settings = with_login(settings_for(&sink, security), ACCOUNT.password);
            assert_eq!(broken(connect(&settings).await.map(drop)), Stage::Tls, "{certificate:?}");
            assert_eq!((sink.login_count(), sink.accepted_count()), (0, 0), "{certificate:?}");
        }
    }
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let encryption = Encryption::Implicit(Certificate::Good);
    let sink = Sink::start(Script { encryption, ..Script::default() });
    let other = Sink::start(Script::default());
    let strange =
        Settings { extra_roots_pem: Some(other.ca_pem().to_vec()), ..settings_for(&sink, Security::ImplicitTls) };
    assert_eq!(broken(connect(&strange).await.map(drop)), Stage::Tls);
}

#[tokio::test]
async fn a_stripped_starttls_gets_no_credentials_and_no_mail() {
    let sink = Sink::start(Script { login: Some(ACCOUNT), ..Script::default() });
    let settings = with_login(settings_for(&sink, Security::StartTls), ACCOUNT.password);
    assert_eq!(broken(connect(&settings).await.map(drop)), Stage::Tls);
    assert_eq!((sink.login_count(), sink.accepted_count()), (0, 0));
    assert_eq!(sink.commands(), ["EHLO tests.example.org"]);
}

#[tokio::test]
async fn clear_text_injected_behind_starttls_ends_the_session_before_the_handshake() {
    let encryption = Encryption::StartTlsInjected;
    let sink = Sink::start(Script { encryption, login: Some(ACCOUNT), ..Script::default() });
    let settings = with_login(settings_for(&sink, Security::StartTls), ACCOUNT.password);
    let failure = connect(&settings).await.map(drop).unwrap_err();
    assert_eq!(
        failure,
        Failure { stage: Stage::Tls, kind: FailureKind::Broke("the relay sent clear text after STARTTLS".to_owned()) }
    );
    assert_eq!(sink.login_count(), 0);
}
