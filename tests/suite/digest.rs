//! Digests: one mail of several posts, for those who want fewer.

use crate::support::mail::Mail;
use crate::support::site::{Ran, Site};

const LIST: &str = "[[subscriber]]\nemail = \"every@example.org\"\n\
    [[subscriber]]\nemail = \"weekly@example.org\"\ncadence = \"weekly\"\n\
    [[subscriber]]\nemail = \"code@example.org\"\ncadence = \"weekly\"\ntopics = [\"code\"]\n\
    [[subscriber]]\nemail = \"daily@example.org\"\ncadence = \"daily\"\n";

fn at(site: &Site, now: &str, arguments: &[&str]) -> Ran {
    site.run_with(&[("FIELDPOST_NOW", now)], arguments)
}

fn post(site: &Site, day: &str, title: &str, tag: &str) {
    let slug = title.to_lowercase();
    let head = format!("---\ntitle: {title}\ndate: {day}\ntags: [{tag}]\nsummary: What {title} is about.\n---\n");
    site.write(&format!("content/{slug}.md"), format!("{head}\nAll about {title}.\n"));
}

/// A publication that has begun, with a list, on Sunday 15 November 2026.
fn publication() -> Site {
    publication_for(LIST)
}

fn publication_for(list: &str) -> Site {
    let site = Site::with_config(
        "[mail]\nfrom = \"Test Notes <notes@example.org>\"\n[subscribers]\nfile = \"subscribers.toml\"\n",
    );
    site.write("subscribers.toml", list);
    post(&site, "2026-11-01", "Old", "code");
    at(&site, "2026-11-15T12:00:00Z", &["publish", "--yes"]).expect_code(0);
    site
}

/// Whom the outbox has mail for, each with the subject, sorted; then it is emptied.
fn mailed(site: &Site) -> Vec<String> {
    let mut mails = Vec::new();
    for entry in std::fs::read_dir(site.file(".fieldpost/outbox/new")).expect("there is an outbox").flatten() {
        let mail = Mail::parse(&std::fs::read(entry.path()).expect("mail can be read"));
        let to = mail.header("To").expect("mail has a recipient").replace("@example.org", "");
        mails.push(format!("{to} {}", mail.subject()));
        std::fs::remove_file(entry.path()).expect("the outbox is ours");
    }
    mails.sort();
    mails
}

#[test]
fn who_wants_a_digest_gets_the_weeks_posts_in_one_mail_and_each_post_once() {
    let site = publication();
    post(&site, "2026-11-16", "Loops", "code");
    post(&site, "2026-11-18", "Gardens", "life");
    at(&site, "2026-11-18T12:00:00Z", &["publish", "--yes"]).expect_code(0);
    assert_eq!(mailed(&site), ["every Gardens", "every Loops"]);
    let plan = at(&site, "2026-11-23T06:00:00Z", &["plan", "--json"]).expect_code(0).json();
    let planned: Vec<(&str, u64)> = plan["campaigns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["post"].as_str().unwrap(), one["recipients"].as_u64().unwrap()))
        .collect();
    assert_eq!(planned, [("digest:weekly:2026-11-16", 1), ("digest:weekly:2026-11-16", 1)]);
    for _ in 0..2 {
        at(&site, "2026-11-23T06:00:00Z", &["publish", "--yes"]).expect_code(0);
    }
    assert_eq!(
        mailed(&site),
        [
            "code Test Notes, the week to 22 November 2026: Loops",
            "weekly Test Notes, the week to 22 November 2026: Gardens and 1 more"
        ]
    );
    site.run(&["state", "verify"]).expect_code(0);
}

#[test]
fn a_day_has_its_digest_when_it_is_over_and_a_late_post_comes_with_the_next() {
    let site = publication();
    post(&site, "2026-11-16T10:00:00Z", "Loops", "code");
    at(&site, "2026-11-16T20:00:00Z", &["publish", "--yes"]).expect_code(0);
    assert_eq!(mailed(&site), ["every Loops"]);
    at(&site, "2026-11-17T07:00:00Z", &["publish", "--yes"]).expect_code(0);
    assert_eq!(mailed(&site), ["daily Test Notes, 16 November 2026: Loops"]);
    post(&site, "2026-11-16T23:00:00Z", "Late", "code");
    at(&site, "2026-11-17T09:00:00Z", &["publish", "--yes"]).expect_code(0);
    assert_eq!(mailed(&site), ["every Late"], "yesterday's digest is out");
    at(&site, "2026-11-18T07:00:00Z", &["publish", "--yes"]).expect_code(0);
    assert_eq!(mailed(&site), ["daily Test Notes, 17 November 2026: Late"]);
    at(&site, "2026-11-19T07:00:00Z", &["publish", "--yes"]).expect_code(0);
    assert_eq!(mailed(&site), Vec::<String>::new(), "a day without posts");
}

#[test]
fn a_change_of_cadence_or_a_new_subscriber_repeats_nothing() {
    let site = publication();
    post(&site, "2026-11-16", "Loops", "code");
    at(&site, "2026-11-16T12:00:00Z", &["publish", "--yes"]).expect_code(0);
    assert_eq!(mailed(&site), ["every Loops"]);
    let changed = LIST.replace("every@example.org\"\n", "every@example.org\"\ncadence = \"weekly\"\n");
    site.write(
        "subscribers.toml",
        format!("{changed}[[subscriber]]\nemail = \"new@example.org\"\ncadence = \"weekly\"\n"),
    );
    post(&site, "2026-11-18", "Gardens", "life");
    at(&site, "2026-11-23T12:00:00Z", &["publish", "--yes"]).expect_code(0);
    let week = "Test Notes, the week to 22 November 2026:";
    assert_eq!(
        mailed(&site),
        [format!("code {week} Loops"), format!("every {week} Gardens"), format!("weekly {week} Gardens and 1 more")],
        "who had Loops by itself gets the rest; who has just joined gets the next one"
    );
    site.write("subscribers.toml", LIST.replace("cadence = \"weekly\"\n", ""));
    post(&site, "2026-11-24", "Knots", "code");
    at(&site, "2026-11-24T12:00:00Z", &["publish", "--yes"]).expect_code(0);
    assert_eq!(mailed(&site), ["code Knots", "every Knots", "weekly Knots"]);
    site.run(&["state", "verify"]).expect_code(0);
}

#[test]
fn everything_since_a_day_is_one_mail_and_none_of_it_is_mailed_by_itself() {
    let site = publication();
    post(&site, "2026-11-16", "Loops", "code");
    post(&site, "2026-11-17", "Gardens", "life");
    at(&site, "2026-11-18T12:00:00Z", &["publish", "--yes", "--digest", "2026-11-01"]).expect_code(0);
    assert_eq!(mailed(&site), ["every Test Notes, since 1 November 2026: Gardens and 2 more"]);
    at(&site, "2026-11-18T13:00:00Z", &["publish", "--yes"]).expect_code(0);
    at(&site, "2026-11-19T13:00:00Z", &["publish", "--yes", "--digest", "2026-11-01"]).expect_code(0);
    assert_eq!(mailed(&site), Vec::<String>::new());
}

#[test]
fn a_cancelled_digest_gives_its_posts_back() {
    let site = publication();
    post(&site, "2026-11-16", "Loops", "code");
    at(&site, "2026-11-16T12:00:00Z", &["publish", "--yes"]).expect_code(0);
    mailed(&site);
    at(&site, "2026-11-23T06:00:00Z", &["publish", "--yes", "--at", "2026-11-23 09:00"]).expect_code(0);
    for campaign in site.run(&["status", "--json"]).json()["campaigns"].as_array().unwrap() {
        if campaign["state"] == "planned" {
            at(&site, "2026-11-23T07:00:00Z", &["cancel", campaign["id"].as_str().unwrap()]).expect_code(0);
        }
    }
    at(&site, "2026-11-23T12:00:00Z", &["publish", "--yes"]).expect_code(0);
    let week = "Test Notes, the week to 22 November 2026: Loops";
    assert_eq!(mailed(&site), [format!("code {week}"), format!("weekly {week}")]);
    site.run(&["state", "verify"]).expect_code(0);
}

#[test]
fn a_digest_too_long_for_mail_programs_ends_after_a_post_and_says_so() {
    let site = publication_for("[[subscriber]]\nemail = \"weekly@example.org\"\ncadence = \"weekly\"\n");
    let summary = "word ".repeat(1000);
    for n in 0..30 {
        let head = format!("---\ntitle: Part {n}\ndate: 2026-11-16T08:{n:02}:00Z\nsummary: {summary}\n---\n");
        site.write(&format!("content/part-{n}.md"), format!("{head}\nText {n}.\n"));
    }
    let now = "2026-11-23T06:00:00Z";
    let plan = at(&site, now, &["plan"]).expect_code(0);
    assert!(plan.stderr().contains("warning[mail-size]: the mail's HTML has "), "{}", plan.stderr());
    let said = at(&site, now, &["publish", "--yes"]).expect_code(0).stderr();
    let shown: usize =
        said.split("it ends after ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).expect("a number");
    assert!((10..30).contains(&shown) && said.contains(" of 30 posts with a link to the rest"), "{said}");
    let folder = std::fs::read_dir(site.file(".fieldpost/outbox/new")).expect("an outbox");
    let mails: Vec<Mail> =
        folder.flatten().map(|entry| Mail::parse(&std::fs::read(entry.path()).expect("a mail"))).collect();
    let [digest] = mails.as_slice() else { panic!("{} mails", mails.len()) };
    let (html, text) = (digest.part("text/html"), digest.part("text/plain"));
    assert!(html.len() < 102 * 1024, "{}", html.len());
    assert!(html.contains("30 posts"), "{html}");
    assert_eq!((html.matches(">Read it on the web</a>").count(), text.matches("* Part ").count()), (shown, 30));
    assert!(html.contains(&format!("Continue on the web: {} more posts", 30 - shown)), "{html}");
    assert!(html.contains(">Unsubscribe</a>"));
}
