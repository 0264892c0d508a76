//! What a publish does and does not do, from the author's side.

use std::collections::HashSet;

use crate::support::mail::Mail;
use crate::support::site::Site;

fn post(title: &str, date: &str, more: &str) -> String {
    format!("---\ntitle: {title}\ndate: {date}\n{more}---\n\nSome **words** about {title}.\n")
}

/// Three old posts, a draft and one for the far future; three subscribers.
fn site() -> Site {
    let site = Site::with_config("[subscribers]\nfile = \"subscribers.toml\"\n");
    site.write("content/one.md", post("One", "2026-01-01", ""));
    site.write("content/two.md", post("Two", "2026-01-02", ""));
    site.write("content/three.md", post("Three", "2026-01-03", ""));
    site.write("content/draft.md", post("Secret draft", "2026-01-04", "draft: true\n"));
    site.write("content/later.md", post("Later", "2199-01-01", ""));
    site.write_subscribers(3);
    site
}

fn outbox(site: &Site) -> Vec<Mail> {
    let Ok(folder) = std::fs::read_dir(site.file(".fieldpost/outbox/new")) else { return Vec::new() };
    folder.map(|entry| Mail::parse(&std::fs::read(entry.expect("an entry").path()).expect("a readable mail"))).collect()
}

fn subjects(site: &Site) -> Vec<String> {
    let mut subjects: Vec<String> = outbox(site).iter().map(Mail::subject).collect();
    subjects.sort();
    subjects
}

#[test]
fn the_first_publish_of_a_publication_with_old_posts_mails_nothing_and_says_so() {
    let site = site();
    let ran = site.run(&["publish", "--yes"]).expect_code(0);
    assert!(ran.stderr().contains("first publish: 3 posts"), "{}", ran.stderr());
    assert!(outbox(&site).is_empty());
    assert!(site.read("public/feed.xml").contains("Three"));
    site.run(&["publish", "--yes"]).expect_code(0);
    assert!(outbox(&site).is_empty(), "nor does the second");

    site.write("content/four.md", post("Four", "2026-01-05", ""));
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_eq!(subjects(&site), ["Four", "Four", "Four"], "what is new is mailed");
}

#[test]
fn backfill_and_since_mail_the_newest_old_posts_once() {
    let backfill = site();
    backfill.run(&["publish", "--yes", "--backfill", "1"]).expect_code(0);
    backfill.run(&["publish", "--yes", "--backfill", "1"]).expect_code(0);
    assert_eq!(subjects(&backfill), ["Three", "Three", "Three"]);

    let since = site();
    since.run(&["publish", "--yes", "--since", "2026-01-02"]).expect_code(0);
    assert_eq!(subjects(&since), ["Three", "Three", "Three", "Two", "Two", "Two"]);
}

#[test]
fn drafts_and_scheduled_posts_are_nowhere_until_their_time() {
    let site = site();
    site.run(&["publish", "--yes", "--backfill", "9"]).expect_code(0);
    for file in ["feed.xml", "atom.xml", "feed.json", "index.html", "sitemap.xml"] {
        let text = site.read(&format!("public/{file}"));
        assert!(!text.contains("Secret draft") && !text.contains("Later"), "{file}");
    }
    assert!(!site.file("public/draft").exists() && !site.file("public/later").exists());
    assert!(subjects(&site).iter().all(|subject| subject != "Secret draft" && subject != "Later"));
}

#[test]
fn a_plan_says_who_gets_what_and_changes_nothing() {
    let site = site();
    site.write(
        "subscribers.toml",
        "[[subscriber]]\nemail = \"a@example.org\"\n[[subscriber]]\nemail = \"b@example.org\"\ntopics = [\"other\"]\n\
         [[subscriber]]\nemail = \"c@example.org\"\ncadence = \"weekly\"\n",
    );
    let plan = site.run(&["plan", "--json", "--backfill", "1"]).expect_code(0).json();
    assert_eq!(plan["campaigns"][0]["recipients"], 1);
    assert_eq!(plan["campaigns"][0]["excluded"], serde_json::json!({"topic": 1, "cadence": 1}));
    assert_eq!(plan["posts"].as_array().map(Vec::len), Some(5));
    assert!(plan["files"]["added"].as_array().is_some_and(|files| files.iter().any(|file| file == "feed.xml")));
    assert!(!site.file("public").exists(), "a plan writes no site");
    assert_eq!(
        site.run(&["subscribers", "list", "--json"]).expect_code(0).json()["subscribers"],
        serde_json::json!([])
    );

    let ran = site.run(&["plan", "--backfill", "1"]).expect_code(0);
    assert!(ran.stdout().contains("post \"Three\": 1 get it; 2 excluded: 1 topic, 1 cadence"), "{}", ran.stdout());
    site.run(&["publish", "--yes", "--backfill", "1"]).expect_code(0);
    assert_eq!(subjects(&site), ["Three"]);
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_mailed() {
    let site = site();
    let ran = site.run(&["publish", "--backfill", "1"]).expect_code(2);
    assert!(ran.stderr().contains("--yes"), "{}", ran.stderr());
    assert!(outbox(&site).is_empty());
}

#[test]
fn an_address_that_left_is_not_mailed_and_no_import_revives_it() {
    let site = site();
    site.run(&["subscribers", "import", site.file("subscribers.toml").to_str().expect("UTF-8")]).expect_code(0);
    site.run(&["subscribers", "remove", "reader-1@example.org"]).expect_code(0);
    site.run(&["subscribers", "import", site.file("subscribers.toml").to_str().expect("UTF-8")]).expect_code(0);
    site.run(&["publish", "--yes", "--backfill", "1"]).expect_code(0);
    let to: HashSet<String> = outbox(&site).iter().filter_map(|mail| mail.header("To")).collect();
    assert_eq!(to.len(), 2);
    assert!(to.iter().all(|to| !to.contains("reader-1@")), "{to:?}");
}

#[test]
fn a_rename_another_slug_and_a_new_base_url_keep_the_id_and_mail_nobody_again() {
    let site = site();
    site.run(&["publish", "--yes", "--backfill", "3"]).expect_code(0);
    let ids = |site: &Site| -> HashSet<String> {
        let plan = site.run(&["plan", "--json"]).json();
        plan["posts"].as_array().expect("posts").iter().map(|post| post["id"].to_string()).collect()
    };
    let before = ids(&site);
    std::fs::rename(site.file("content/two.md"), site.file("content/zwei.md")).expect("the file can be renamed");
    site.write("content/one.md", post("One", "2026-01-01", "slug: uno\n"));
    let config = site.read("fieldpost.toml").replace("notes.example.org", "blog.example.net");
    site.write("fieldpost.toml", config);
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_eq!(ids(&site), before);
    assert_eq!(outbox(&site).len(), 9, "nobody is mailed again");
    assert!(site.file("public/uno/index.html").exists() && !site.file("public/one").exists());
}

#[test]
fn two_builds_on_two_days_are_equal_byte_for_byte() {
    let site = site();
    let build = |now: &str| {
        let status = site.command(&["build"]).env("FIELDPOST_NOW", now).output().expect("the binary runs");
        assert!(status.status.success());
        ["feed.xml", "atom.xml", "feed.json", "index.html", "sitemap.xml", "three/index.html"]
            .map(|file| site.read(&format!("public/{file}")))
    };
    let first = build("2026-11-01T08:00:00Z");
    std::fs::remove_dir_all(site.file("public")).expect("the output can be removed");
    std::fs::remove_dir_all(site.file(".fieldpost")).expect("the state can be removed");
    assert_eq!(first, build("2026-11-02T21:30:00Z"));
}

#[test]
fn pause_resume_and_cancel_are_obeyed() {
    let site = site();
    site.run(&["publish", "--yes", "--backfill", "1"]).expect_code(0);
    let status = site.run(&["status", "--json"]).expect_code(0).json();
    assert_eq!(status["campaigns"][0]["state"], "finished");
    let id = status["campaigns"][0]["id"].as_str().expect("an id").to_owned();
    site.run(&["pause", "c99"]).expect_code(2);
    let paused = site.run(&["pause", &id]);
    assert_ne!(paused.code(), 0, "a finished campaign cannot be paused");
}

#[test]
fn a_test_copy_is_marked_and_never_recorded() {
    let site = site();
    site.run(&["test", "three", "--to", "me@example.org"]).expect_code(0);
    let mails = outbox(&site);
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].subject(), "[TEST] Three");
    assert_eq!(site.run(&["report", "--json"]).expect_code(0).json()["campaigns"], serde_json::json!([]));
}

#[test]
fn post_text_is_data_in_every_output() {
    let site = Site::with_config("[mail]\nsince = \"2020-01-01\"\n[subscribers]\nfile = \"subscribers.toml\"\n");
    let body = "Braces {{ subscriber.name }} and {% if x %} and ${HOME}.\n\n```\n{{ code }} {% raw %} ${x}\n```\n";
    site.write(
        "content/braces.md",
        format!("---\ntitle: \"Braces {{{{ title }}}} <b>\"\ndate: 2026-01-01\n---\n\n{body}"),
    );
    site.write_subscribers(1);
    site.run(&["publish", "--yes"]).expect_code(0);
    let mail = outbox(&site).remove(0);
    assert_eq!(mail.subject(), "Braces {{ title }} <b>");
    let page = site.read("public/braces/index.html");
    let feed = site.read("public/feed.xml");
    for (place, text) in
        [("page", page), ("feed", feed), ("html", mail.part("text/html")), ("text", mail.part("text/plain"))]
    {
        for literal in ["{{ subscriber.name }}", "{% if x %}", "${HOME}", "{{ code }} {% raw %} ${x}"] {
            assert!(text.contains(literal), "{literal} is missing in the {place}:\n{text}");
        }
    }
}

/// Publishes once, so that the posts that are here are old.
fn settled_site() -> Site {
    let site = site();
    site.run(&["publish", "--yes"]).expect_code(0);
    site
}

#[test]
fn a_post_renamed_and_rewritten_is_not_mailed_again_and_the_error_says_what_to_do() {
    let site = site();
    site.run(&["publish", "--yes", "--backfill", "1"]).expect_code(0);
    std::fs::remove_file(site.file("content/three.md")).expect("the file is there");
    site.write("content/drei.md", post("Drei", "2026-01-03", ""));
    for _ in 0..2 {
        let ran = site.run(&["publish", "--yes"]).expect_code(2);
        assert!(ran.stderr().contains("give the new one `id:"), "{}", ran.stderr());
    }
    assert_eq!(subjects(&site), ["Three", "Three", "Three"]);
    site.write("content/drei.md", post("Drei", "2026-01-03", "id: tag:notes.example.org,2026-01-03:three\n"));
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_eq!(subjects(&site), ["Three", "Three", "Three"], "it is the post that was mailed");
}

#[test]
fn a_list_with_an_error_opens_no_campaign_and_loses_nobody() {
    let site = settled_site();
    site.write("content/four.md", post("Four", "2026-01-05", ""));
    let good = site.read("subscribers.toml");
    site.write("subscribers.toml", format!("{good}\n[[subscriber]]\nemail = \"no address\"\n"));
    let ran = site.run(&["publish", "--yes"]).expect_code(2);
    assert!(ran.stderr().contains("nothing new is mailed while the list"), "{}", ran.stderr());
    assert!(site.file("public/four/index.html").exists(), "the site is built all the same");
    site.write("subscribers.toml", good);
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_eq!(subjects(&site), ["Four", "Four", "Four"]);
}

#[test]
fn a_post_that_was_broken_at_the_first_publish_is_no_news_when_it_is_mended() {
    let site = site();
    site.write("content/broken.md", "---\ntitle: Broken\ndate: 2015-01-01\n---\n\n![A chart](chart.png)\n");
    let ran = site.run(&["publish", "--yes"]).expect_code(2);
    assert!(ran.stderr().contains("the first publish decides"), "{}", ran.stderr());
    site.write("content/broken.md", post("Broken", "2015-01-01", ""));
    site.run(&["publish", "--yes"]).expect_code(0);
    site.run(&["publish", "--yes"]).expect_code(0);
    assert!(outbox(&site).is_empty());
}

#[test]
fn a_named_post_that_cannot_be_mailed_says_why() {
    let site = site();
    site.run(&["publish", "--yes", "--backfill", "1"]).expect_code(0);
    for (name, why) in [
        ("three", "was mailed already"),
        ("draft", "is a draft"),
        ("later", "is dated in the future"),
        ("x", "no post"),
    ] {
        let ran = site.run(&["publish", "--yes", name]).expect_code(2);
        assert!(ran.stderr().contains(why), "{name}: {}", ran.stderr());
    }
    site.run(&["publish", "--yes", "one"]).expect_code(0);
    assert_eq!(
        subjects(&site),
        ["One", "One", "One", "Three", "Three", "Three"],
        "an old one goes out when it is named"
    );
}
