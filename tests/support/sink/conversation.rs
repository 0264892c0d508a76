//! One connection to the sink, from greeting to goodbye.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::chunks::{Chunk, Chunks};
use super::script::{Behaviour, Encryption, Fault, Keep, Lie, Login, Loss, is_chosen, place_of};
use super::wire::Wire;
use super::{Received, Shared};

const TIRED: &str = "421 4.7.0 closing, come back";
const WELCOME: &str = "235 2.7.0 welcome";
const UNWELCOME: &str = "535 5.7.8 no";

/// What follows a command.
pub(super) enum Next {
    /// The next command.
    Command,
    /// A body, up to its dot.
    Body,
    /// The octets of a BDAT.
    Chunk(Chunk),
    /// A TLS handshake.
    StartTls,
    /// A line of an AUTH dialogue for each of these prompts.
    Secrets(Vec<&'static str>),
    /// An orderly end.
    Close,
    /// An end without an answer.
    End(Loss),
    /// These bytes for ever.
    Flood(&'static [u8]),
}

pub(super) struct Conversation {
    pub(super) wire: Wire,
    pub(super) shared: Arc<Shared>,
    number: usize,
    /// Commands answered, dots included.
    answered: u32,
    delivered: u32,
    return_path: Option<String>,
    pub(super) recipient: Option<String>,
    pub(super) chunks: Chunks,
    /// An answer that is said behind the next one.
    held_back: Option<String>,
}

impl Conversation {
    pub(super) fn new(stream: TcpStream, shared: Arc<Shared>, number: usize) -> Self {
        let wire = Wire::new(stream, Arc::clone(&shared.turns));
        let (return_path, recipient, chunks) = (None, None, Chunks::None);
        Self { wire, shared, number, answered: 0, delivered: 0, return_path, recipient, chunks, held_back: None }
    }

    pub(super) async fn run(mut self) -> io::Result<()> {
        if let Encryption::Implicit(_) = self.shared.script.encryption {
            self.wire.secure(&self.shared.acceptor).await?;
        }
        self.wire.say("220 sink.example ESMTP");
        while let Some(line) = self.wire.line().await? {
            let command = self.command(&String::from_utf8_lossy(&line));
            match self.follow(command).await? {
                Next::Command | Next::Body | Next::Chunk(_) | Next::StartTls | Next::Secrets(_) if self.is_tired() => {
                    self.wire.say(TIRED);
                    break;
                }
                Next::Command | Next::Body | Next::Chunk(_) | Next::StartTls | Next::Secrets(_) => {}
                Next::Close => break,
                Next::End(loss) => return self.end(loss).await,
                Next::Flood(bytes) => return self.flood(bytes).await,
            }
        }
        self.wire.flush().await
    }

    /// Does what a command began: reads a body, upgrades, reads secrets.
    async fn follow(&mut self, command: Next) -> io::Result<Next> {
        self.answered += 1;
        match command {
            Next::Body if !self.is_tired() => {
                let Some(bytes) = self.wire.body().await? else { return Ok(Next::Close) };
                self.answered += 1;
                sleep(self.shared.script.delay).await;
                self.finish(bytes, 0).await
            }
            Next::Chunk(chunk) => self.take_chunk(chunk).await,
            Next::StartTls => {
                self.wire.secure(&self.shared.acceptor).await?;
                Ok(Next::Command)
            }
            Next::Secrets(prompts) => self.secrets(prompts).await,
            Next::Body | Next::Command | Next::Close | Next::End(_) | Next::Flood(_) => Ok(command),
        }
    }

    fn command(&mut self, line: &str) -> Next {
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        self.note(&verb, line);
        if let Some(answer) = self.scripted_refusal(&verb) {
            return self.answer(answer);
        }
        match verb.as_str() {
            "EHLO" => self.hello(),
            "STARTTLS" => self.start_tls(),
            "AUTH" => self.auth(line),
            "MAIL" => self.mail(line),
            "RCPT" => self.rcpt(line),
            "DATA" => self.data(),
            "BDAT" => self.bdat(line),
            "RSET" => self.reset(),
            "NOOP" => self.answer("250 2.0.0 ok"),
            "QUIT" => {
                self.wire.say("221 2.0.0 bye");
                Next::Close
            }
            _ => self.answer("500 5.5.2 what?"),
        }
    }

    /// Keeps the line for the test, but no credentials.
    fn note(&self, verb: &str, line: &str) {
        let mut shown = line.to_owned();
        if verb == "AUTH" {
            shown = line.split(' ').take(2).collect::<Vec<_>>().join(" ");
            self.shared.logins.fetch_add(1, Ordering::SeqCst);
        }
        if self.shared.script.keep == Keep::Bodies {
            self.shared.commands.lock().unwrap().push(shown);
        }
    }

    fn scripted_refusal(&self, verb: &str) -> Option<&'static str> {
        self.shared.script.faults.iter().find_map(|fault| {
            if let Fault::Refuse(refused, answer) = fault { (*refused == verb).then_some(*answer) } else { None }
        })
    }

    fn hello(&mut self) -> Next {
        let script = &self.shared.script;
        let mut lines = vec!["sink.example".to_owned()];
        lines.extend_from_slice(&script.offers);
        let upgrades = matches!(script.encryption, Encryption::StartTls(_) | Encryption::StartTlsInjected);
        if self.wire.is_clear() && upgrades {
            lines.push("STARTTLS".to_owned());
        }
        lines.extend(script.login.as_ref().map(|login| format!("AUTH {}", login.mechanisms)));
        let last = lines.len() - 1;
        for (i, line) in lines.iter().enumerate() {
            self.wire.say(&format!("250{}{line}", if i == last { ' ' } else { '-' }));
        }
        if self.lies(Lie::OneReplyTooMany) {
            self.wire.say("250 2.0.0 and one for luck");
        }
        Next::Command
    }

    fn start_tls(&mut self) -> Next {
        self.wire.say("220 2.0.0 go ahead");
        if self.shared.script.encryption == Encryption::StartTlsInjected {
            self.wire.say("250-sink.example\r\n250 AUTH PLAIN");
        }
        Next::StartTls
    }

    fn auth(&mut self, line: &str) -> Next {
        let Some(login) = &self.shared.script.login else { return self.answer("503 5.5.1 no need") };
        if self.shared.is_login_revoked() {
            return self.answer(UNWELCOME);
        }
        let mut words = line.split(' ').skip(1);
        match (words.next(), words.next()) {
            (Some("PLAIN"), Some(encoded)) => {
                let wanted = format!("\0{}\0{}", login.user, login.password);
                let is_right = STANDARD.decode(encoded).is_ok_and(|given| given == wanted.as_bytes());
                self.answer(if is_right { WELCOME } else { UNWELCOME })
            }
            (Some("LOGIN"), None) => Next::Secrets(vec!["VXNlcm5hbWU6", "UGFzc3dvcmQ6"]),
            _ => self.answer("501 5.5.4 how?"),
        }
    }

    async fn secrets(&mut self, prompts: Vec<&'static str>) -> io::Result<Next> {
        let mut given = Vec::new();
        for prompt in prompts {
            self.wire.say(&format!("334 {prompt}"));
            let Some(line) = self.wire.line().await? else { return Ok(Next::Close) };
            given.push(STANDARD.decode(line).unwrap_or_default());
        }
        let Some(Login { user, password, .. }) = self.shared.script.login else { return Ok(Next::Close) };
        let is_right = given == [user.as_bytes(), password.as_bytes()];
        Ok(self.answer(if is_right { WELCOME } else { UNWELCOME }))
    }

    fn mail(&mut self, line: &str) -> Next {
        if self.lies(Lie::EndlessLine) {
            return Next::Flood(b"250 all work and no play makes jack a dull boy ");
        }
        if self.lies(Lie::EndlessReply) {
            return Next::Flood(b"250-all work and no play\r\n");
        }
        if self.lies(Lie::EndlessReplies) {
            return Next::Flood(b"250 2.0.0 all work and no play\r\n");
        }
        if self.return_path.is_some() || matches!(self.chunks, Chunks::Refused) {
            return self.answer("503 5.5.1 nested MAIL");
        }
        self.return_path = Some(between_brackets(line));
        self.answer(if self.lies(Lie::DataBeforeMail) { "354 go on" } else { "250 2.1.0 ok" })
    }

    fn rcpt(&mut self, line: &str) -> Next {
        if self.return_path.is_none() {
            return self.answer("503 5.5.1 MAIL first");
        }
        let recipient = between_brackets(line);
        if self.is_greylisted(&recipient) {
            return self.answer("451 4.7.1 greylisted, come back");
        }
        match self.behaviour("rcpt", &recipient) {
            Behaviour::RefuseRecipient(code) => self.refuse_recipient(&recipient, code),
            Behaviour::DropAtRecipient => Next::End(Loss::Close),
            Behaviour::Accept | Behaviour::RefuseMessage(_) | Behaviour::RefuseChunk(_) | Behaviour::Lose(_) => {
                if self.recipient.is_some() {
                    return self.answer("452 4.5.3 one recipient at a time");
                }
                self.recipient = Some(recipient);
                if self.lies(Lie::OutOfOrder) {
                    self.held_back = Some("250 2.1.5 ok".to_owned());
                    return Next::Command;
                }
                self.answer("250 2.1.5 ok")
            }
        }
    }

    fn refuse_recipient(&mut self, recipient: &str, code: u16) -> Next {
        let refusal = match code {
            550 => format!("550 5.1.1 <{recipient}>: no such user"),
            code => format!("{code} {}.7.1 not this one", code / 100),
        };
        if self.lies(Lie::AnswerTwice) {
            self.wire.say(&refusal);
        }
        self.answer(&refusal)
    }

    fn reset(&mut self) -> Next {
        (self.return_path, self.recipient, self.chunks) = (None, None, Chunks::None);
        self.answer("250 2.0.0 reset")
    }

    fn data(&mut self) -> Next {
        if !matches!(self.chunks, Chunks::None) {
            return self.answer("503 5.5.1 DATA after BDAT");
        }
        if self.recipient.is_none() && !self.lies(Lie::DataForNobody) {
            return self.answer("554 5.5.1 no valid recipients");
        }
        if self.lies(Lie::AcceptAtData) {
            return self.answer("250 2.0.0 accepted, no need to send it");
        }
        let _ = self.answer("354 end with a dot");
        if self.lies(Lie::AcceptBeforeTheDot) {
            self.wire.say("250 2.0.0 accepted");
        }
        Next::Body
    }

    /// Records, then answers; or does what the recipient's name or the script says.
    pub(super) async fn finish(&mut self, bytes: Vec<u8>, chunks: usize) -> io::Result<Next> {
        let return_path = self.return_path.take().unwrap_or_default();
        let Some(recipient) = self.recipient.take() else {
            return Ok(self.answer("554 5.5.1 no valid recipients"));
        };
        let behaviour = self.behaviour("data", &recipient);
        if let Behaviour::RefuseMessage(code) = behaviour {
            self.chunks = if chunks > 0 { Chunks::Refused } else { Chunks::None };
            return Ok(self.answer(&format!("{code} {}.6.0 not with this content", code / 100)));
        }
        let loss = self.loss(behaviour, &recipient);
        let (size, connection) = (bytes.len(), self.number);
        let message = Received { return_path, recipient, bytes, size, digest: 0, chunks, connection };
        self.shared.book.enter(message);
        self.delivered += 1;
        if let Some(loss) = loss {
            return Ok(Next::End(loss));
        }
        if self.lies(Lie::FarewellAtTheDot) {
            return Ok(self.answer("221 2.0.0 bye"));
        }
        match self.drip() {
            Some(pause) => self.drip_acceptance(pause).await,
            None => Ok(self.answer("250 2.0.0 taken")),
        }
    }

    async fn drip_acceptance(&mut self, pause: Duration) -> io::Result<Next> {
        for byte in b"250 2.0.0 taken\r\n" {
            self.wire.write(&[*byte]).await?;
            sleep(pause).await;
        }
        Ok(Next::Command)
    }

    fn is_greylisted(&self, recipient: &str) -> bool {
        self.shared.script.faults.iter().any(|fault| {
            matches!(fault, Fault::Greylist(percent)
                if is_chosen(recipient, *percent) && self.shared.is_first("greylist", recipient))
        })
    }

    fn loss(&self, behaviour: Behaviour, recipient: &str) -> Option<Loss> {
        if let Behaviour::Lose(loss) = behaviour {
            return Some(loss);
        }
        self.shared.script.faults.iter().find_map(|fault| {
            let Fault::LoseAnswers(percent, loss) = fault else { return None };
            let is_lost = is_chosen(recipient, *percent) && self.shared.is_first("loss", recipient);
            is_lost.then_some(*loss)
        })
    }

    /// What the script or the recipient's local part asks for at that point of the conversation.
    pub(super) fn behaviour(&self, point: &str, recipient: &str) -> Behaviour {
        let local_part = self.scripted_behaviour(recipient);
        let local_part = local_part.unwrap_or_else(|| recipient.split('@').next().unwrap_or_default());
        match local_part.strip_prefix("once-") {
            None => Behaviour::of(local_part),
            Some(rest) if self.shared.is_first(point, recipient) => Behaviour::of(rest),
            Some(_) => Behaviour::Accept,
        }
    }

    fn scripted_behaviour(&self, recipient: &str) -> Option<&str> {
        let mut begin = 0;
        self.shared.script.faults.iter().find_map(|fault| match fault {
            Fault::Only(only, behaviour) => (only == recipient).then_some(&**behaviour),
            Fault::Share(percent, behaviour) => {
                let share = begin..begin + percent;
                begin = share.end;
                share.contains(&place_of(recipient)).then_some(&**behaviour)
            }
            _ => None,
        })
    }

    pub(super) fn lies(&self, wanted: Lie) -> bool {
        self.shared.script.faults.iter().any(|fault| matches!(fault, Fault::Lie(lie) if *lie == wanted))
    }

    /// Whether EHLO is answered with that keyword.
    pub(super) fn offers(&self, keyword: &str) -> bool {
        self.shared.script.offers.iter().any(|offer| offer == keyword)
    }

    fn drip(&self) -> Option<Duration> {
        self.shared
            .script
            .faults
            .iter()
            .find_map(|fault| if let Fault::Lie(Lie::Drip(pause)) = fault { Some(*pause) } else { None })
    }

    fn is_tired(&self) -> bool {
        self.shared.script.faults.iter().any(|fault| match fault {
            Fault::CloseAfterCommands(k) => self.answered >= *k,
            Fault::CloseAfterMessages(k) => self.delivered >= *k,
            Fault::Greylist(_)
            | Fault::LoseAnswers(..)
            | Fault::RevokeLogin(_)
            | Fault::Refuse(..)
            | Fault::Share(..)
            | Fault::Only(..)
            | Fault::Lie(_) => false,
        })
    }

    pub(super) fn answer(&mut self, line: &str) -> Next {
        self.wire.say(line);
        if let Some(held_back) = self.held_back.take() {
            self.wire.say(&held_back);
        }
        Next::Command
    }

    /// Ends without an answer; what was already answered is flushed, as it would be in a kernel.
    async fn end(mut self, loss: Loss) -> io::Result<()> {
        self.wire.flush().await?;
        match loss {
            Loss::Close => Ok(()),
            Loss::Reset => self.wire.reset_on_close(),
            Loss::Silence => self.wire.ignore().await,
        }
    }

    /// Writes the same for ever; the client's going away ends it.
    async fn flood(mut self, bytes: &'static [u8]) -> io::Result<()> {
        let many = bytes.repeat(100);
        loop {
            self.wire.write(&many).await?;
        }
    }
}

fn between_brackets(line: &str) -> String {
    let address = line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address);
    address.unwrap_or_default().to_owned()
}
