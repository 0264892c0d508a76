//! From a host name to a session that may carry mail: greeting, EHLO, STARTTLS, AUTH.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::lookup_host;
use tokio::time::timeout;

use crate::domain::reply::Stage;

use super::capabilities::{Capabilities, Extension};
use super::failure::Failure;
use super::parser::RawReply;
use super::session::Session;
use super::settings::{ClearTextTo, Security, Settings};
use super::tls::{Tls, server_name};
use super::wire::Wire;

impl Session {
    /// Opens a connection and makes it ready for mail: TCP, TLS, greeting, EHLO, and as the
    /// settings say STARTTLS and a second EHLO, then AUTH (RFC 5321, 3.1; RFC 3207; RFC 4954).
    ///
    /// `tls` comes from [`Tls::for_settings`] of the same settings. No message is concerned by
    /// a failure here; its stage is [`Stage::Auth`] at the latest.
    pub async fn connect(settings: &Settings, tls: &Tls) -> Result<Self, Failure> {
        let mut wire = reach(settings).await?;
        if settings.security == Security::ImplicitTls {
            wire = secure(wire, settings, tls).await?;
        }
        let mut session = Self::new(wire, Capabilities::default(), settings);
        session.take_greeting().await?;
        session.say_hello(settings).await?;
        if settings.security == Security::StartTls {
            session = session.start_tls(settings, tls).await?;
            session.say_hello(settings).await?;
        }
        if let Some(credentials) = &settings.credentials {
            session.log_in(credentials).await?;
        }
        Ok(session)
    }

    /// A session over a connection that the caller has opened, in clear: greeting and EHLO. The
    /// other settings of `settings` hold as they do for [`Session::connect`]; credentials are
    /// never sent, for nobody knows who reads along.
    pub async fn over<S>(stream: S, settings: &Settings) -> Result<Self, Failure>
    where
        S: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
    {
        let mut session = Self::new(Wire::over(Box::new(stream)), Capabilities::default(), settings);
        session.take_greeting().await?;
        session.say_hello(settings).await?;
        Ok(session)
    }

    async fn take_greeting(&mut self) -> Result<(), Failure> {
        let greeting = self.wire.reply(self.timeouts.greeting).await;
        let greeting = greeting.map_err(|broken| Failure::broke(Stage::Greeting, broken))?;
        wanted(Stage::Greeting, 220, greeting).map(drop)
    }

    /// No HELO for a relay that knows no EHLO: it could do nothing that we need.
    async fn say_hello(&mut self, settings: &Settings) -> Result<(), Failure> {
        let reply = self.exchange(Stage::Greeting, &format!("EHLO {}", settings.client_name.as_str())).await?;
        self.capabilities = Capabilities::from_lines(&wanted(Stage::Greeting, 250, reply)?.lines);
        Ok(())
    }

    /// What was said before the upgrade is forgotten, capabilities included (RFC 3207, 4.2).
    async fn start_tls(mut self, settings: &Settings, tls: &Tls) -> Result<Self, Failure> {
        if !self.capabilities.offers(Extension::StartTls) {
            return Err(Failure::broke(Stage::Tls, "the relay does not offer STARTTLS, which is required"));
        }
        let reply = self.exchange(Stage::Tls, "STARTTLS").await?;
        wanted(Stage::Tls, 220, reply)?;
        let wire = secure(self.wire, settings, tls).await?;
        Ok(Self::new(wire, Capabilities::default(), settings))
    }

    /// One command and its reply, never pipelined.
    pub(super) async fn exchange(&mut self, stage: Stage, line: &str) -> Result<RawReply, Failure> {
        let said = async {
            self.wire.expect_silence()?;
            self.wire.write(format!("{line}\r\n").as_bytes(), self.timeouts.block).await?;
            self.wire.reply(self.timeouts.command).await
        };
        said.await.map_err(|broken| Failure::broke(stage, broken))
    }
}

/// Tries the addresses of the host one after the other, as the resolver ordered them.
async fn reach(settings: &Settings) -> Result<Wire, Failure> {
    let failed = |how: String| Failure::broke(Stage::Connect, how);
    let limit = settings.timeouts.connect;
    let too_late = || failed(format!("no connection for {} s", limit.as_secs_f32()));
    let found = timeout(limit, lookup_host((&*settings.host, settings.port))).await.map_err(|_| too_late())?;
    let addresses: Vec<SocketAddr> = found.map_err(|error| failed(error.to_string()))?.collect();
    let mut last = failed("the relay's name has no address".to_owned());
    for address in addresses {
        if !may_be_reached(settings.security, address) {
            last = failed("clear text is not allowed to another machine (`allow_clear_text`)".to_owned());
            continue;
        }
        match timeout(limit, Wire::open(address)).await {
            Ok(Ok(wire)) => return Ok(wire),
            Ok(Err(error)) => last = failed(error.to_string()),
            Err(_) => last = too_late(),
        }
    }
    Err(last)
}

/// Judged by the address itself: a name such as `localhost` may resolve to anything.
fn may_be_reached(security: Security, address: SocketAddr) -> bool {
    match security {
        Security::ImplicitTls | Security::StartTls | Security::ClearText(ClearTextTo::Anywhere) => true,
        Security::ClearText(ClearTextTo::LoopbackOnly) => address.ip().to_canonical().is_loopback(),
    }
}

async fn secure(wire: Wire, settings: &Settings, tls: &Tls) -> Result<Wire, Failure> {
    let name = server_name(&settings.host).map_err(|error| Failure::broke(Stage::Tls, error.to_string()))?;
    let secured = wire.upgrade(tls, name, settings.timeouts.command).await;
    secured.map_err(|broken| Failure::broke(Stage::Tls, broken))
}

fn wanted(stage: Stage, code: u16, reply: RawReply) -> Result<RawReply, Failure> {
    match reply.code {
        got if got == code => Ok(reply),
        400.. => Err(Failure::replied(stage, reply.into_reply())),
        got => Err(Failure::broke(stage, format!("the relay answered out of order with {got}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clear_text_goes_to_this_machine_unless_the_author_said_otherwise() {
        let away: SocketAddr = "192.0.2.1:25".parse().unwrap();
        for home in ["127.0.0.1:25", "[::1]:25", "[::ffff:127.0.0.1]:25"] {
            assert!(may_be_reached(Security::ClearText(ClearTextTo::LoopbackOnly), home.parse().unwrap()));
        }
        assert!(!may_be_reached(Security::ClearText(ClearTextTo::LoopbackOnly), away));
        assert!(may_be_reached(Security::ClearText(ClearTextTo::Anywhere), away));
        assert!(may_be_reached(Security::StartTls, away));
    }
}
