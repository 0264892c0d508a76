//! A script as a text, for a sink that runs by itself.

use std::time::Duration;

use super::script::{Behaviour, Certificate, Encryption, Fault, Keep, Lie, Login, Loss, Script};

impl Script {
    /// Reads a script: one setting on a line, words divided by blanks, `#` before a comment. What
    /// is not set is as in [`Script::default`]; with the first `offer` the default offers go.
    ///
    /// ```text
    /// offer PIPELINING
    /// offer SIZE 10485760
    /// tls none                      # or: implicit, starttls
    /// login PLAIN,LOGIN ada opensesame
    /// delay 5ms                     # before each answer to a message
    /// keep count                    # or: digests, bodies
    /// record taken.tsv              # recipient TAB message-id TAB size
    /// close-after-commands 7        # with 421, each connection
    /// close-after-messages 50
    /// greylist 30                   # percent of the recipients
    /// lose 5 reset                  # or: close, silence; percent
    /// refuse MAIL 550 5.7.1 no
    /// share 10 550                  # percent, and what is done: see `Behaviour`
    /// share 5 once-data-451
    /// only ada@example.org silence
    /// lie accept-refused
    /// ```
    pub fn read(text: &str) -> Result<Self, String> {
        let mut script = Self::default();
        let mut offers = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
            let Some((setting, values)) = words.split_first() else { continue };
            if *setting == "offer" {
                offers.push(values.join(" "));
                continue;
            }
            script.set(setting, values).ok_or_else(|| format!("line {number}: `{}` is no setting", line.trim()))?;
        }
        if !offers.is_empty() {
            script.offers = offers;
        }
        Ok(script)
    }

    fn set(&mut self, setting: &str, values: &[&str]) -> Option<()> {
        match (setting, values) {
            ("tls", [how]) => self.encryption = encryption(how)?,
            ("login", [mechanisms, user, password]) => {
                let mechanisms = forever(mechanisms.replace(',', " "));
                self.login = Some(Login { mechanisms, user: forever(*user), password: forever(*password) });
            }
            ("delay", [time]) => self.delay = duration(time)?,
            ("keep", [what]) => {
                self.keep = match *what {
                    "bodies" => Keep::Bodies,
                    "digests" => Keep::Digests,
                    "count" => Keep::Count,
                    _ => return None,
                }
            }
            ("record", [path]) => self.record_in = Some(path.into()),
            _ => self.faults.push(fault(setting, values)?),
        }
        Some(())
    }
}

fn fault(setting: &str, values: &[&str]) -> Option<Fault> {
    Some(match (setting, values) {
        ("close-after-commands", [n]) => Fault::CloseAfterCommands(n.parse().ok()?),
        ("close-after-messages", [n]) => Fault::CloseAfterMessages(n.parse().ok()?),
        ("greylist", [percent]) => Fault::Greylist(percent.parse().ok()?),
        ("lose", [percent, how]) => Fault::LoseAnswers(percent.parse().ok()?, loss(how)?),
        ("refuse", [verb, answer @ ..]) if !answer.is_empty() => {
            Fault::Refuse(forever(verb.to_ascii_uppercase()), forever(answer.join(" ")))
        }
        ("share", [percent, what]) => Fault::Share(percent.parse().ok()?, behaviour(what)?),
        ("only", [recipient, what]) => Fault::Only((*recipient).to_owned(), behaviour(what)?),
        ("lie", [name]) => Fault::Lie(lie(name)?),
        _ => return None,
    })
}

/// The beginning of a local part that asks for this behaviour.
fn behaviour(name: &str) -> Option<String> {
    let prefix = format!("{name}-");
    let bare = prefix.strip_prefix("once-").unwrap_or(&prefix);
    (Behaviour::of(bare) != Behaviour::Accept).then_some(prefix)
}

fn encryption(name: &str) -> Option<Encryption> {
    match name {
        "none" => Some(Encryption::None),
        "implicit" => Some(Encryption::Implicit(Certificate::Good)),
        "starttls" => Some(Encryption::StartTls(Certificate::Good)),
        _ => None,
    }
}

fn loss(name: &str) -> Option<Loss> {
    match name {
        "close" => Some(Loss::Close),
        "reset" => Some(Loss::Reset),
        "silence" => Some(Loss::Silence),
        _ => None,
    }
}

fn lie(name: &str) -> Option<Lie> {
    const LIES: [(&str, Lie); 12] = [
        ("one-reply-too-many", Lie::OneReplyTooMany),
        ("accept-before-the-dot", Lie::AcceptBeforeTheDot),
        ("accept-at-data", Lie::AcceptAtData),
        ("data-before-mail", Lie::DataBeforeMail),
        ("farewell-at-the-dot", Lie::FarewellAtTheDot),
        ("data-for-nobody", Lie::DataForNobody),
        ("accept-refused", Lie::AcceptRefused),
        ("out-of-order", Lie::OutOfOrder),
        ("answer-twice", Lie::AnswerTwice),
        ("endless-line", Lie::EndlessLine),
        ("endless-reply", Lie::EndlessReply),
        ("endless-replies", Lie::EndlessReplies),
    ];
    LIES.into_iter().find(|(known, _)| *known == name).map(|(_, lie)| lie)
}

fn duration(text: &str) -> Option<Duration> {
    if let Some(number) = text.strip_suffix("ms") {
        return number.parse().ok().map(Duration::from_millis);
    }
    text.strip_suffix('s')?.parse().ok().map(Duration::from_secs)
}

/// A script is read once and holds as long as its sink.
fn forever(text: impl Into<String>) -> &'static str {
    Box::leak(text.into().into_boxed_str())
}
