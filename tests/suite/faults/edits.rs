//! F27: the post is changed in every way while it is being sent.

use std::process::{Child, Command};
use std::time::Duration;

use super::{CONNECTIONS, assert_all_accepted, check_clean, relay, site, size, wait_until};
use crate::support::sink::{Script, Sink};
use crate::support::site::Site;

fn git(site: &Site, arguments: &[&str]) {
    let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"];
    let mut command = Command::new("git");
    command.arg("-C").arg(site.path()).args(identity).args(arguments).env("HOME", site.file(".home"));
    let output = command.output().expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn commit(site: &Site, message: &str) {
    git(site, &["add", "content"]);
    git(site, &["commit", "--quiet", "-m", message]);
}

/// A post without a date of its own: git gives it one, and a rewritten history another.
fn repository() -> (Sink, Site) {
    let n = size(300, 10_000);
    let sink = Sink::start(Script { delay: Duration::from_millis(15), ..Script::default() });
    let site = site(&relay(&sink, CONNECTIONS), n);
    site.write("content/hello.md", "# Hello\n\nA post about **nothing** much.\n");
    git(&site, &["init", "--quiet"]);
    commit(&site, "a post");
    (sink, site)
}

/// Changes the site when the sink has taken so many; fails if the sender had ended by then.
fn meanwhile(child: &mut Child, sink: &Sink, taken: usize, change: impl FnOnce()) {
    wait_until("mail flows", || sink.accepted_count() >= taken);
    assert!(child.try_wait().expect("the process is ours").is_none(), "the sender was too fast");
    change();
}

#[test]
fn a_post_edited_renamed_deleted_and_force_pushed_in_mid_send_goes_out_as_it_was_frozen_and_only_once() {
    let (sink, site) = repository();
    let n = size(300, 10_000);
    let mut child = site.start(&["publish", "--yes"]);
    meanwhile(&mut child, &sink, n / 20, || {
        site.write("content/hello.md", "# Hello, EDITED\n\nA post about **something else**.\n");
        site.write("templates/issue.html", "EDITED");
        commit(&site, "an edit");
    });
    meanwhile(&mut child, &sink, n / 10, || {
        git(&site, &["mv", "content/hello.md", "content/renamed.md"]);
        commit(&site, "a rename");
    });
    meanwhile(&mut child, &sink, n / 6, || {
        // What a force-push leaves behind: the same files, another history.
        git(&site, &["checkout", "--quiet", "--orphan", "rewritten"]);
        git(&site, &["commit", "--quiet", "--date", "2020-01-01T00:00:00Z", "-m", "all in one"]);
        git(&site, &["branch", "-M", "main"]);
    });
    meanwhile(&mut child, &sink, n / 4, || std::fs::remove_file(site.file("content/renamed.md")).expect("a file"));
    child.wait().expect("the process is ours");
    let received = sink.messages();
    check_clean(&site, &received);
    assert_all_accepted(&site, n);
    for message in &received {
        let bytes = String::from_utf8_lossy(&message.bytes);
        assert!(bytes.contains("Subject: Hello\r\n") && bytes.contains("nothing"), "not what was frozen");
        assert!(!bytes.contains("EDITED"), "an edit reached the mail");
    }
    std::fs::remove_dir_all(site.file("templates")).expect("a folder");
    mail_nobody_again(&site, &sink);
    println!("F27: edited, renamed, force-pushed and deleted in mid-send; {n} got what was frozen, once");
}

/// The post comes back under its new name and its new history, and goes for good.
fn mail_nobody_again(site: &Site, sink: &Sink) {
    let before = sink.accepted_count();
    let gone = site.run(&["publish", "--yes"]).expect_code(2);
    assert!(gone.stderr().contains("post-vanished"), "{}", gone.stderr());
    git(site, &["checkout", "--quiet", "--", "content"]);
    site.run(&["publish", "--yes"]);
    site.run(&["publish", "--yes"]);
    assert_eq!(sink.accepted_count(), before, "somebody was mailed again");
}
