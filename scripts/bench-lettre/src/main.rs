//! lettre's pooled transport as its manual shows it: `bench-lettre PORT CONNECTIONS MESSAGES TEXT
//! HTML` prints how many were accepted and in how many seconds.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Message, MultiPart};
use lettre::transport::smtp::PoolConfig;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

type Failure = Box<dyn Error + Send + Sync>;

macro_rules! header {
    ($type:ident, $name:literal) => {
        #[derive(Clone)]
        struct $type(String);

        impl Header for $type {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }

            fn parse(text: &str) -> Result<Self, Failure> {
                Ok(Self(text.to_owned()))
            }

            fn display(&self) -> HeaderValue {
                HeaderValue::new(Self::name(), self.0.clone())
            }
        }
    };
}

header!(ListId, "List-Id");
header!(ListUnsubscribe, "List-Unsubscribe");
header!(ListUnsubscribePost, "List-Unsubscribe-Post");
header!(ArchivedAt, "Archived-At");

fn mail(text: &str, html: &str, number: usize) -> Result<Message, Failure> {
    let address = format!("reader{number:07}@example.org");
    let unsubscribe = format!("https://bench.example.org/unsubscribe/{number:059}");
    let fill = |part: &str| part.replace("@ADDRESS@", &address).replace("@UNSUBSCRIBE@", &unsubscribe);
    let message = Message::builder()
        .from("Bench Notes <notes@bench.example.org>".parse()?)
        .to(format!("Reader {number} <{address}>").parse()?)
        .subject("The first")
        .message_id(None)
        .header(ListId("Bench Notes <bench.example.org>".to_owned()))
        .header(ListUnsubscribe(format!("<{unsubscribe}>")))
        .header(ListUnsubscribePost("List-Unsubscribe=One-Click".to_owned()))
        .header(ArchivedAt("<https://bench.example.org/first/>".to_owned()))
        .multipart(MultiPart::alternative_plain_html(fill(text), fill(html)))?;
    Ok(message)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, connections, messages, text, html] = arguments.as_slice() else {
        return Err("usage: bench-lettre PORT CONNECTIONS MESSAGES TEXT HTML".into());
    };
    let (connections, messages): (u32, usize) = (connections.parse()?, messages.parse()?);
    let text: Arc<str> = std::fs::read_to_string(text)?.into();
    let html: Arc<str> = std::fs::read_to_string(html)?.into();
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(port.parse()?)
        .pool_config(PoolConfig::new().max_size(connections))
        .build();
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    // The pool opens a connection for whoever finds none: so many send at a time.
    let lanes = (0..connections).map(|_| {
        let (transport, next) = (transport.clone(), Arc::clone(&next));
        let (text, html) = (Arc::clone(&text), Arc::clone(&html));
        tokio::spawn(async move {
            let mut accepted = 0;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= messages {
                    return Ok::<_, Failure>(accepted);
                }
                transport.send(mail(&text, &html, number)?).await?;
                accepted += 1;
            }
        })
    });
    let mut accepted = 0;
    for lane in lanes.collect::<Vec<_>>() {
        accepted += lane.await??;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({ "accepted": accepted, "seconds": seconds }));
    Ok(())
}
