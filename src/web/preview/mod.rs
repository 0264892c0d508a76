//! `fieldpost preview`: what readers will get, on this machine, as the author writes it.
//!
//! One thread, the `desk`, holds the publication and reads it again when a file changes. The
//! server asks it; the browser waits at `/revision` and shows its page anew. Nobody else's
//! pages can ask: only requests to this machine's own names are answered.

mod desk;
mod look;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio::sync::{oneshot, watch};
use url::form_urlencoded;

use crate::config::Environment;
use crate::render::preview as pages;
use desk::{Desk, Question, SITE};

use super::http::{self, Answer, Ask, Bounds, Socket};

/// A browser opens a frame for each form of a post, and every page waits for news.
const BOUNDS: Bounds = Bounds { clients: 64, patience: Duration::from_secs(40) };
/// So long a browser waits for news before it asks again.
const NEWS: Duration = Duration::from_secs(25);

const HTML: &str = "text/html; charset=utf-8";
/// Mails and entries run nothing and load nothing but pictures and styles.
const INERT: &str = "default-src 'none'; img-src * data:; style-src 'unsafe-inline'; font-src *";

/// Serves the preview of the publication in `root` until the future is dropped.
pub async fn serve(socket: Socket, root: PathBuf, environment: Environment) {
    let (ask, questions) = mpsc::channel();
    let (revision, news) = watch::channel(1);
    let desk = Desk { root, environment, revision };
    // It ends with the last sender of questions, which the server's future holds.
    std::thread::spawn(move || desk.run(&questions));
    let server = Server { desk: ask, news };
    http::serve(socket, BOUNDS, move |ask| server.clone().answer(ask)).await;
}

#[derive(Clone)]
struct Server {
    desk: mpsc::Sender<Question>,
    news: watch::Receiver<u64>,
}

impl Server {
    async fn answer(self, ask: Ask) -> Answer {
        if !is_own_name(&ask.host) {
            return Answer::empty(421);
        }
        if !ask.is_get {
            return Answer::empty(405);
        }
        let found = match ask.path.as_str() {
            "/" => self.ask(Question::Overview).await.map(|found| Answer::ok(HTML, pages::overview(&found))),
            "/post" => self.sheet(&ask).await,
            "/mail" => self.mail(&ask).await,
            "/entry" => self.entry(&ask).await,
            "/revision" => Some(self.revision(&ask).await),
            "/preview.css" => Some(Answer::ok("text/css; charset=utf-8", pages::STYLE)),
            "/preview.js" => Some(Answer::ok("text/javascript; charset=utf-8", pages::SCRIPT)),
            path => match path.strip_prefix(SITE) {
                Some(inner) => self.site(inner).await,
                None => None,
            },
        };
        found.unwrap_or_else(|| Answer { status: 404, ..Answer::ok(HTML, pages::nothing()) })
    }

    /// Asks the desk; `None` when it has gone, which it does with the server.
    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Question) -> Option<T> {
        let (sender, answer) = oneshot::channel();
        self.desk.send(question(sender)).ok()?;
        answer.await.ok()
    }

    async fn sheet(&self, ask: &Ask) -> Option<Answer> {
        let slug = value(ask, "slug")?;
        let sheet = self.ask(|answer| Question::Sheet(slug, answer)).await??;
        Some(Answer::ok(HTML, pages::sheet(&sheet)))
    }

    async fn mail(&self, ask: &Ask) -> Option<Answer> {
        let slug = value(ask, "slug")?;
        let html = self.ask(|answer| Question::Mail(slug, answer)).await??;
        let html = match value(ask, "scheme").as_deref() {
            Some("dark") => with_dark(&html, "all"),
            Some("light") => with_dark(&html, "not all"),
            _ => html,
        };
        Some(Answer::ok(HTML, html).under(INERT))
    }

    async fn entry(&self, ask: &Ask) -> Option<Answer> {
        let slug = value(ask, "slug")?;
        let html = self.ask(|answer| Question::Entry(slug, answer)).await??;
        Some(Answer::ok(HTML, format!("<!doctype html><meta charset=\"utf-8\">\n{html}")).under(INERT))
    }

    /// The number of what is to be seen now; to whom knows that one, the next.
    async fn revision(mut self, ask: &Ask) -> Answer {
        let known = value(ask, "after").and_then(|number| number.parse::<u64>().ok());
        if let Some(known) = known {
            // After a while without news the same number is an answer too.
            drop(tokio::time::timeout(NEWS, self.news.wait_for(|now| *now != known)).await);
        }
        let now = *self.news.borrow();
        Answer::ok("text/plain; charset=utf-8", now.to_string())
    }

    /// A file of the site; pages get the script that shows them anew.
    async fn site(&self, path: &str) -> Option<Answer> {
        let folder = self.ask(Question::Site).await??;
        let path = percent_decode_str(path).decode_utf8().ok()?;
        let file = file_in(&folder, &path)?;
        let mut bytes = std::fs::read(&file).ok()?;
        let kind = media_type(&file);
        if kind == HTML {
            bytes.extend_from_slice(b"<script src=\"/preview.js\" defer></script>\n");
        }
        Some(Answer::ok(kind, bytes))
    }
}

/// The mail with another answer in the place where its style asks whether colours are dark.
fn with_dark(html: &str, answer: &str) -> String {
    ["(prefers-color-scheme: dark)", "(prefers-color-scheme:dark)"]
        .iter()
        .fold(html.to_owned(), |html, question| html.replace(question, answer))
}

/// Whether a browser that asked for this host meant this machine. A page of somebody else's
/// whose name was turned to our address (DNS rebinding) says its own.
fn is_own_name(host: &str) -> bool {
    let name = host
        .rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host });
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

fn value(ask: &Ask, name: &str) -> Option<String> {
    form_urlencoded::parse(ask.query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The file for a path of the site, `index.html` for a folder; `None` when the path leads out.
fn file_in(folder: &Path, path: &str) -> Option<PathBuf> {
    let leads_out = path.split(['/', '\\']).any(|part| part == "..") || path.contains('\0');
    let file = folder.join(path.trim_start_matches('/'));
    if leads_out || !file.starts_with(folder) {
        return None;
    }
    Some(if file.is_dir() { file.join("index.html") } else { file })
}

fn media_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" | "htm" => HTML,
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "xml" => "application/xml; charset=utf-8",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "pdf" => "application/pdf",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mp3" => "audio/mpeg",
        _ => "application/octet-stream",
    }
}
