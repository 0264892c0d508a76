//! Logging in: AUTH PLAIN (RFC 4616) and AUTH LOGIN.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::domain::reply::{Reply, Stage};

use super::capabilities::Mechanism;
use super::failure::Failure;
use super::session::Session;
use super::settings::Credentials;

impl Session {
    /// Logs in with the best mechanism both sides speak. Credentials leave only under TLS or
    /// to this machine; a `535` comes back as [`Stage::Auth`].
    pub(super) async fn log_in(&mut self, credentials: &Credentials) -> Result<(), Failure> {
        if !self.wire.is_private() {
            return Err(refuse("credentials are not sent unencrypted to another machine"));
        }
        if [&*credentials.user, credentials.password.reveal()].iter().any(|text| text.contains('\0')) {
            return Err(refuse("a user name or password cannot hold a NUL"));
        }
        let secrets = Encoded::of(credentials);
        match self.capabilities.mechanism() {
            Some(Mechanism::Plain) => self.ask(&format!("AUTH PLAIN {}", secrets.plain), 235, &secrets).await,
            Some(Mechanism::Login) => {
                self.ask("AUTH LOGIN", 334, &secrets).await?;
                self.ask(&secrets.user, 334, &secrets).await?;
                self.ask(&secrets.password, 235, &secrets).await
            }
            None => Err(refuse("the relay offers neither AUTH PLAIN nor AUTH LOGIN")),
        }
    }

    async fn ask(&mut self, line: &str, wanted: u16, secrets: &Encoded<'_>) -> Result<(), Failure> {
        let reply = self.exchange(Stage::Auth, line).await?.into_reply();
        match reply.code {
            code if code == wanted => Ok(()),
            400.. => Err(Failure::replied(Stage::Auth, secrets.cut_from(reply))),
            code => Err(refuse(&format!("the relay answered AUTH out of order with {code}"))),
        }
    }
}

/// The credentials as they stand in the dialogue.
struct Encoded<'a> {
    plain: String,
    user: String,
    password: String,
    revealed: &'a str,
}

impl<'a> Encoded<'a> {
    fn of(credentials: &'a Credentials) -> Self {
        let (user, password) = (&*credentials.user, credentials.password.reveal());
        Self {
            plain: STANDARD.encode(format!("\0{user}\0{password}")),
            user: STANDARD.encode(user),
            password: STANDARD.encode(password),
            revealed: password,
        }
    }

    /// Some relays quote the line they refuse, and replies are stored and printed.
    fn cut_from(&self, reply: Reply) -> Reply {
        let secrets = [&*self.plain, &*self.password, self.revealed];
        let quotes_one = secrets.iter().any(|secret| !secret.is_empty() && reply.text.contains(secret));
        let text = if quotes_one { "(a reply that quotes the credentials)".to_owned() } else { reply.text };
        Reply { text, ..reply }
    }
}

fn refuse(why: &str) -> Failure {
    Failure::broke(Stage::Auth, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::Secret;

    #[test]
    fn a_relay_that_quotes_the_password_is_not_quoted() {
        let credentials = Credentials { user: "ada".into(), password: Secret::new("opensesame") };
        let secrets = Encoded::of(&credentials);
        assert_eq!(STANDARD.decode(&secrets.plain).unwrap(), b"\0ada\0opensesame");
        for text in [&*secrets.plain, &secrets.password, "opensesame"] {
            let reply = secrets.cut_from(Reply::new(535, format!("5.7.8 bad: {text}")));
            assert!(!reply.text.contains(text));
            assert_eq!(reply.enhanced, Some((5, 7, 8)));
        }
        assert_eq!(secrets.cut_from(Reply::new(535, "no")).text, "no");
    }
}
