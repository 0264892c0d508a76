//! fieldpost's messages and SMTP client without its ledger, for `scripts/bench-delivery`: what
//! is left of a run's cost when nothing is recorded.
//!
//! `unledgered PORT CONNECTIONS MESSAGES TEXT HTML` sends so many copies of one issue to
//! 127.0.0.1, each connection's next envelope riding behind the body before it, and prints in
//! JSON how many were accepted and in how many seconds. The two files are the issue's parts,
//! with `@ADDRESS@` and `@UNSUBSCRIBE@` where the recipient's stand.
#![expect(clippy::print_stdout, reason = "the figures are what it has to say")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use fieldpost::dkim::Signers;
use fieldpost::domain::address::{Address, Mailbox};
use fieldpost::domain::ids::{Generation, IssueId, PostId, SubscriberId};
use fieldpost::domain::issue::{Issue, Slot, Variants};
use fieldpost::domain::publication::{Publication, SiteUrl};
use fieldpost::domain::time::from_millis;
use fieldpost::message::{Frozen, Message, MessageIdKey, Recipient, assemble, freeze, message_id, return_path};
use fieldpost::smtp::{ClearTextTo, Envelope, Security, Sendable, Session, Settings, Tls};

type Failure = Box<dyn Error + Send + Sync>;

/// What all connections send.
struct Job {
    issue: Frozen,
    id: IssueId,
    key: MessageIdKey,
    next: AtomicI64,
    messages: i64,
}

/// One copy, ready to go.
struct Copy {
    message: Message,
    envelope: Envelope,
}

impl Job {
    /// The next copy; `None` when all are taken.
    fn next(&self) -> Result<Option<Copy>, Failure> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number >= self.messages {
            return Ok(None);
        }
        let address = Address::parse(&format!("reader{number:07}@example.org"))?;
        let unsubscribe_url = format!("https://bench.example.org/unsubscribe/{number:059}");
        let name = format!("Reader {number}");
        let recipient =
            Recipient { address: &address, name: Some(&name), unsubscribe_url: &unsubscribe_url, values: &[] };
        let message_id = message_id(&self.key, &self.issue, &self.id, SubscriberId(number), Generation::FIRST);
        let message = assemble(&self.issue, &Signers::none(), &recipient, &message_id, from_millis(1_790_000_000_000))?;
        Ok(Some(Copy { message, envelope: Envelope::new(Some(return_path(&self.issue).clone()), address) }))
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, connections, messages, text, html] = arguments.as_slice() else {
        return Err("usage: unledgered PORT CONNECTIONS MESSAGES TEXT HTML".into());
    };
    let issue = freeze(&issue(&std::fs::read_to_string(text)?, &std::fs::read_to_string(html)?)?, &publication()?)?;
    let (id, key) = (issue.id(), MessageIdKey::new(&[7; 32]));
    let job = Arc::new(Job { issue, id, key, next: AtomicI64::new(0), messages: messages.parse()? });
    let settings = Arc::new(Settings::new("127.0.0.1", port.parse()?, Security::ClearText(ClearTextTo::LoopbackOnly)));
    let connections: usize = connections.parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let start = Instant::now();
    let accepted = runtime.block_on(async {
        let lanes: Vec<_> =
            (0..connections).map(|_| tokio::spawn(lane(Arc::clone(&job), Arc::clone(&settings)))).collect();
        let mut accepted = 0;
        for lane in lanes {
            accepted += lane.await??;
        }
        Ok::<_, Failure>(accepted)
    })?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({ "accepted": accepted, "seconds": seconds }));
    Ok(())
}

/// One connection's share; returns how many the relay took.
async fn lane(job: Arc<Job>, settings: Arc<Settings>) -> Result<usize, Failure> {
    let tls = Tls::for_settings(&settings)?;
    let mut session = Session::connect(&settings, &tls).await?;
    let mut accepted = 0;
    let mut next = job.next()?;
    while let Some(copy) = next {
        next = job.next()?;
        let sendable = Sendable::new(&copy.envelope, copy.message.content.pieces())?;
        match &next {
            Some(after) => {
                let after = Sendable::new(&after.envelope, after.message.content.pieces())?;
                session.send_and_announce(&sendable, &after, || Ok(())).await?;
            }
            None => drop(session.send(&sendable, || Ok(())).await?),
        }
        accepted += 1;
    }
    session.quit().await;
    Ok(accepted)
}

fn publication() -> Result<Publication, Failure> {
    Ok(Publication {
        title: "Bench Notes".to_owned(),
        description: String::new(),
        base_url: SiteUrl::parse("https://bench.example.org")?,
        language: "en".to_owned(),
        author: None,
        time_zone: chrono_tz::UTC,
        postal_address: None,
        subscribe_url: None,
        from: Mailbox::parse("Bench Notes <notes@bench.example.org>")?,
        reply_to: None,
        idempotency_header: None,
        words: fieldpost::domain::words::Words::default(),
        list_id: "bench.example.org".to_owned(),
    })
}

fn issue(text: &str, html: &str) -> Result<Issue, Failure> {
    let nonce = "9f86d081884c7d65";
    let fill = |part: &str| {
        let [url, _, address] =
            [Slot::UnsubscribeUrl, Slot::SubscriberName, Slot::SubscriberAddress].map(|slot| slot.marker(nonce));
        part.replace("@UNSUBSCRIBE@", &url).replace("@ADDRESS@", &address)
    };
    Ok(Issue {
        post: PostId::parse("tag:bench.example.org,2026:first")?,
        subject: "The first".to_owned(),
        html: fill(html),
        text: fill(text),
        variants: Variants::default(),
        pictures: Vec::new(),
        nonce: nonce.to_owned(),
        web_url: "https://bench.example.org/first/".to_owned(),
        commit: None,
    })
}
