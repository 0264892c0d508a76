//! `preview`: what the browser gets, and that it gets what the author has just written.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::http::{ask, get};
use crate::support::site::Site;

/// A preview that runs until it is dropped.
struct Preview {
    site: Site,
    child: Child,
    address: SocketAddr,
}

impl Preview {
    fn of(site: Site) -> Self {
        let mut command = site.command(&["preview", "--port", "0"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
        let address = lines.find_map(|line| {
            let line = line.expect("stderr is text");
            line.strip_prefix("preview: http://")?.split('/').next()?.parse().ok()
        });
        std::thread::spawn(move || lines.for_each(drop));
        Self { site, child, address: address.expect("the address is told") }
    }

    fn page(&self, path: &str) -> String {
        let (status, body) = get(self.address, path);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// What a page says once it says something about `words`, as a browser that waits for news
    /// would see it.
    fn page_with(&self, path: &str, words: &str) -> String {
        let begun = Instant::now();
        loop {
            let seen = self.page("/revision");
            // While something is wrong a page may not be there.
            let (_, page) = get(self.address, path);
            if page.contains(words) {
                return page;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "no {words} in {page}");
            self.page(&format!("/revision?after={seen}"));
        }
    }
}

impl Drop for Preview {
    fn drop(&mut self) {
        self.child.kill().expect("the process is ours");
        self.child.wait().expect("the process is ours");
    }
}

fn preview() -> Preview {
    let site = Site::with_config("[mail]\nfrom = \"Test Notes <notes@example.org>\"\n");
    site.write("content/hello.md", "---\ntitle: Hello\ndate: 2026-01-02\n---\n\nA post about *nothing*.\n");
    site.write("content/knots.md", "---\ntitle: Knots\ndate: 2026-01-03\ndraft: true\n---\n\nNot done.\n");
    Preview::of(site)
}

#[test]
fn every_post_is_shown_in_every_form_drafts_too_and_nothing_is_published() {
    let preview = preview();
    let list = preview.page("/");
    assert!(list.contains("Hello") && list.contains("Knots") && list.contains("draft"), "{list}");
    let sheet = preview.page("/post?slug=knots");
    for part in
        ["/site/knots/", "/mail?slug=knots&amp;scheme=dark", "Subject: Knots", "List-Unsubscribe: &lt;", "=====\n"]
    {
        assert!(sheet.contains(part), "no {part} in {sheet}");
    }
    assert!(preview.page("/site/knots/").contains("Not done."));
    assert!(preview.page("/site/").contains("Hello"));
    assert!(preview.page("/mail?slug=hello").contains("<em>nothing</em>"));
    assert!(preview.page("/entry?slug=hello").contains("<em>nothing</em>"));
    let scheme = |scheme: &str| preview.page(&format!("/mail?slug=hello&scheme={scheme}"));
    assert!(scheme("dark").contains("@media all") && scheme("light").contains("@media not all"));
    assert!(!preview.site.path().join("public").exists() && !preview.site.path().join(".fieldpost/state.db").exists());
}

#[test]
fn what_is_saved_shows_by_itself_and_a_mistake_passes() {
    let preview = preview();
    assert!(preview.page("/post?slug=hello").contains("nothing"));
    preview.site.write("content/hello.md", "---\ntitle: Hello\ndate: 2026-01-02\n---\n\nA post about *everything*.\n");
    preview.page_with("/post?slug=hello", "everything");
    assert!(preview.page("/site/hello/").contains("everything"));
    preview.site.write("templates/page.html", "{% if %}");
    preview.page_with("/", "template");
    preview.site.write("templates/page.html", "<p>My own: {{ post.title }}</p>");
    preview.page_with("/site/hello/", "My own: Hello");
    let config = preview.site.read("fieldpost.toml");
    preview.site.write("fieldpost.toml", "[publication]\ntitel = 1\n");
    preview.page_with("/", "titel");
    preview.site.write("fieldpost.toml", config);
    preview.page_with("/", "Knots");
}

#[test]
fn nobody_else_is_answered_and_no_path_leads_out() {
    let preview = preview();
    let by_name = |host: &str| ask(preview.address, &format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    assert!(by_name("localhost:4747").starts_with("HTTP/1.1 200"));
    for name in ["evil.example", "evil.example:4747", "localhost.evil.example", ""] {
        assert!(by_name(name).starts_with("HTTP/1.1 421"), "{name}");
    }
    assert!(
        ask(preview.address, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            .starts_with("HTTP/1.1 405")
    );
    preview.page("/site/");
    for path in [
        "/site/../../../fieldpost.toml",
        "/site/%2e%2e/%2e%2e/%2e%2e/fieldpost.toml",
        "/site/..%2f..%2f..%2ffieldpost.toml",
        "/site//etc/passwd",
        "/post?slug=none",
        "/x",
    ] {
        assert_eq!(get(preview.address, path).0, 404, "{path}");
    }
}

#[test]
fn pictures_that_travel_in_the_mail_are_shown_from_the_site() {
    let site = Site::with_config("[mail]\nimages = \"cid\"\n");
    site.write(
        "content/square.svg",
        "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><path d='M0 0h9v9'/></svg>",
    );
    site.write("content/a.md", "---\ntitle: A\ndate: 2026-01-02\n---\n\nWords.\n\n![A square](square.svg)\n");
    let preview = Preview::of(site);
    let mail = preview.page("/mail?slug=a");
    assert!(!mail.contains("cid:") && mail.contains("src=\"/site/pictures/"), "{mail}");
}
