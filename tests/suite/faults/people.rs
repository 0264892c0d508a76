//! F28, F29 and C1, C2, C4, C5: whoever is on the list, and however long it is.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::process::Stdio;
use std::time::Duration;

use rusqlite::Connection;

use super::{CONNECTIONS, assert_all_accepted, assert_balanced, check_clean, count, in_state, relay, site, size, text};
use crate::support::sink::{Keep, Received, Script, Sink};
use crate::support::site::Site;

/// Row `i` of a list, one in ten of them poison: for CSV, in quotes where need be.
fn row(i: usize) -> Vec<u8> {
    let long = "n".repeat(64 * 1024);
    let poison = |i: usize| match i % 14 {
        0 => format!("\"poison-{i}@example.org\",\"a\r\nBcc: victim@example.org\""),
        1 => format!("\"poison-{i}\r\nRCPT TO:<victim@example.org>@example.org\",x"),
        2 => format!("poison-{i}@example.org,\"NUL \0 inside\""),
        3 => format!("poison-\0{i}@example.org,x"),
        4 => format!("poison-{i}@example.org,\"line\u{2028}and\u{2029}paragraph\""),
        5 => format!("poison-{i}@example.org,{long}"),
        6 => format!("\"\"\"poison {i}\"\"@example.org\",quoted local part"),
        7 => format!("poison-{i}@bücher-{i}.example,IDN"),
        8 => format!("poison-ü-{i}@example.org,local part beyond ASCII"),
        9 => format!("poison-{i}@{},domain too long", "d".repeat(300)),
        10 => format!("<poison-{i}@example.org>,brackets"),
        11 => format!("poison-{i}@example.org@example.org,two signs"),
        12 => format!("poison-{i}@example.org,\"=?utf-8?q?hidden?= \u{202e}desrever 🦀\""),
        _ => format!("poison-{i}..dots@example.org,x"),
    };
    let text = if i % 10 == 3 { poison(i / 10) } else { format!("reader-{i}@example.org,Reader {i}") };
    (text + "\n").into_bytes()
}

/// What a header block holds, by name.
fn header_counts(message: &Received) -> BTreeMap<String, usize> {
    let text = String::from_utf8_lossy(&message.bytes).into_owned();
    let head = text.split("\r\n\r\n").next().unwrap_or_default().to_owned();
    let mut counts = BTreeMap::new();
    for line in head.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])) {
        *counts.entry(line.split(':').next().unwrap_or_default().to_lowercase()).or_default() += 1;
    }
    counts
}

/// C1: no receiver, strict or lenient, can see two messages in one.
fn is_one_message_to_everybody(message: &Received) -> bool {
    let lines = message.bytes.split(|byte| *byte == b'\n');
    let ends_in_cr = |line: &[u8]| line.is_empty() || line.ends_with(b"\r");
    let body = lines.clone().all(|line| ends_in_cr(line) && !line[..line.len().saturating_sub(1)].contains(&b'\r'));
    body && lines.clone().all(|line| line.len() <= 999 && line != b".\r")
}

/// Puts into the ledger what no import would let in, as an older program may have.
fn poison_the_ledger(site: &Site) -> usize {
    let db = Connection::open(site.file(".fieldpost/state.db")).expect("the state can be opened");
    let names = ["a\r\nBcc: victim@example.org", "NUL \0", "line\u{2028}separator", "\n.\r\nQUIT\r\n"];
    let long = "n".repeat(64 * 1024);
    let mut poisoned = 0;
    for (i, name) in names.iter().copied().chain([long.as_str()]).enumerate() {
        for j in 0..5 {
            let address = format!("reader-{}@example.org", 100 * i + 10 * j);
            let sql = "UPDATE subscribers SET name = ?1 WHERE address = ?2";
            poisoned += db.execute(sql, [name, &address]).expect("our own SQL");
        }
    }
    poisoned
}

#[test]
fn a_thousand_poison_recipients_end_in_a_refusal_or_a_terminal_state_and_harm_nobody() {
    let n = size(2_000, 10_000);
    let sink = Sink::start(Script::default());
    let site = site(&relay(&sink, CONNECTIONS), 0);
    site.write("list.csv", [b"email,name\n".to_vec(), (0..n).flat_map(row).collect()].concat());
    let list = site.file("list.csv").display().to_string();
    let told = site.run(&["subscribers", "import", &list, "--json"]).expect_code(2).json();
    let errors = told["diagnostics"].as_array().expect("diagnostics").iter().filter(|one| one["severity"] == "error");
    let refused = errors.map(|one| one["line"].as_u64().expect("a line")).collect::<HashSet<_>>().len();
    let taken = told["count"]["added"].as_u64().and_then(|n| usize::try_from(n).ok()).expect("a count");
    assert_eq!(taken + refused, n, "every row is taken or refused with its line");
    assert!(refused > n / 20 && taken < n, "{refused} refused: too little poison");
    let poisoned = poison_the_ledger(&site);
    site.run(&["publish", "--yes"]).expect_code(1);

    let totals = site.totals();
    assert_balanced(&totals);
    assert_eq!(count(&totals, "planned"), taken, "{totals:#}");
    assert_eq!(count(&totals, "accepted") + count(&totals, "rejected"), taken, "not terminal: {totals:#}");
    let rejected = in_state(&site, "rejected");
    assert!(rejected.values().all(|one| !text(&one["reason"]).is_empty()), "a rejection without a reason");
    assert_eq!(rejected.len(), poisoned, "rejected is what cannot be a header, and nobody else");
    let received = sink.messages();
    check_clean(&site, &received);
    let usual = header_counts(&received[0]);
    assert!(usual.values().all(|count| *count == 1) && !usual.contains_key("bcc"), "{usual:?}");
    for message in &received {
        assert_eq!(header_counts(message), usual, "the headers of {}", message.recipient);
        assert!(is_one_message_to_everybody(message), "{}", message.recipient);
    }
    let others = received.iter().filter(|message| message.recipient.contains("victim")).count();
    assert_eq!(others, 0, "mail to somebody who is not on the list");
    println!(
        "F28, C2: {n} rows, {refused} refused with their lines, {poisoned} poisoned in the ledger and rejected with the \
         reason, {} accepted; {} headers each, none added",
        count(&totals, "accepted"),
        usual.len()
    );
}

#[test]
fn a_post_that_tries_to_smuggle_is_one_message_to_every_receiver() {
    let sink = Sink::start(Script::default());
    let site = site(&relay(&sink, 2), 20);
    let smuggled = ["\n.\n", "\r\n.\r\n", "\r.\r", "\n.\r\n", "\r\n.\n", ".\n..\n.dot\n"]
        .map(|end| format!("text{end}MAIL FROM:<evil@example.org>{end}RCPT TO:<victim@example.org>{end}"));
    let long = "x".repeat(5_000);
    let body = format!("---\ntitle: '. smuggled'\ndate: 2026-01-02\n---\n\n{}\n\n{long}\n", smuggled.concat());
    site.write("content/hello.md", body);
    site.run(&["publish", "--yes"]).expect_code(0);
    let transactions = sink.commands().iter().filter(|line| line.starts_with("MAIL")).count();
    let received = sink.messages();
    assert_eq!((transactions, received.len()), (20, 20), "the strict receiver saw another number of messages");
    assert!(received.iter().all(is_one_message_to_everybody));
    assert!(received.iter().all(|message| message.bytes.is_ascii()), "an octet that a relay could not take");
    println!("C1: 6 ways to end a message early, 20 messages, 20 seen by the strict and by the lenient receiver");
}

/// What stands behind each `prefix` of a decoded text, up to the first byte that is no word.
fn marks<'a>(text: &'a str, prefix: &str) -> BTreeSet<&'a str> {
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.');
    text.match_indices(prefix)
        .map(|(at, _)| {
            let rest = &text[at + prefix.len()..];
            &rest[..rest.find(is_end).unwrap_or(rest.len())]
        })
        .collect()
}

/// Undoes quoted-printable as far as ASCII goes.
fn decoded(message: &Received) -> String {
    String::from_utf8_lossy(&message.bytes).replace("=\r\n", "").replace("=3D", "=").replace("\r\n ", " ")
}

#[test]
fn each_message_bears_its_own_marks_and_token_and_nobody_elses() {
    let n = size(2_000, 10_000);
    let sink = Sink::start(Script::default());
    let site = site(&relay(&sink, CONNECTIONS), 0);
    let list = (0..n).map(|i| format!("[[subscriber]]\nemail = \"mark-{i}-x@example.org\"\nname = \"Name-{i}-x\"\n\n"));
    site.write("subscribers.toml", list.collect::<String>());
    site.run(&["publish", "--yes"]).expect_code(0);
    let (mut tokens, mut ids) = (HashSet::new(), HashSet::new());
    for message in sink.messages() {
        let own = message.recipient.trim_start_matches("mark-").trim_end_matches("@example.org").to_owned();
        let text = decoded(&message);
        assert_eq!(marks(&text, "mark-"), BTreeSet::from([own.as_str()]), "{own}");
        assert!(marks(&text, "Name-").is_subset(&BTreeSet::from([own.as_str()])), "{own}: {:?}", marks(&text, "Name-"));
        let unsubscribe = message.header("List-Unsubscribe").expect("the header");
        let url = unsubscribe.trim_matches(['<', '>']);
        let (path, token) = url.rsplit_once('/').expect("a path");
        assert_eq!(marks(&text, &format!("{path}/")), BTreeSet::from([token]), "{own}: another token");
        assert!(tokens.insert(token.to_owned()), "{own}: a token twice");
        assert!(ids.insert(message.header("Message-ID")), "{own}: a Message-ID twice");
    }
    assert_all_accepted(&site, n);
    assert_eq!(tokens.len(), n);
    println!("C4: {n} messages, each with its own name, address, token and Message-ID, and nobody else's");
}

#[test]
fn when_one_of_two_issues_cannot_be_rendered_nothing_is_sent_and_the_error_names_it() {
    let sink = Sink::start(Script::default());
    let site = site(&relay(&sink, 1), 10);
    let long = "t".repeat(5_000);
    site.write("content/second.md", format!("---\ntitle: {long}\ndate: 2026-01-03\n---\n\nText.\n"));
    let ran = site.run(&["publish", "--yes"]).expect_code(2);
    assert!(ran.stderr().contains("second.md"), "{}", ran.stderr());
    assert_eq!(sink.accepted_count(), 0, "the first was sent before the second was known to be renderable");
    site.write("content/second.md", "---\ntitle: Second\ndate: 2026-01-03\n---\n\nText.\n");
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_eq!(sink.accepted_count(), 20);
    println!("C5: one of two issues unrenderable: 0 sent, the file named; mended: all sent");
}

/// How much memory a run of the binary held.
#[derive(Debug, Default)]
struct Memory {
    /// The most, in kilobytes.
    peak: u64,
    /// At a tenth and at nine tenths of the way, in kilobytes.
    early: u64,
    late: u64,
}

/// Runs the binary and watches its memory; `way` says how far it has come, in tenths.
fn watched(site: &Site, arguments: &[&str], way: impl Fn() -> usize) -> Memory {
    let mut child = site.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let mut memory = Memory::default();
    let status = loop {
        let text = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let figure = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        };
        memory.peak = memory.peak.max(figure("VmHWM:").unwrap_or_default());
        let now = figure("VmRSS:").unwrap_or_default();
        match way() {
            1 => memory.early = memory.early.max(now),
            9 if now > 0 => memory.late = now,
            _ => {}
        }
        if let Some(status) = child.try_wait().expect("the process is ours") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(status.success(), "{arguments:?}: {status}");
    memory
}

/// How many deliveries are begun ahead where memory is watched. By default it is as many as the
/// relay takes in 50 ms, at most 256: some megabytes of messages more or less, by how busy the
/// machine is at that moment, beside which nobody could see what grows with the mail sent.
const STEADY: usize = 16;

#[test]
fn a_long_list_is_imported_planned_and_mailed_within_256_megabytes() {
    let (listed, mailed) = (size(50_000, 1_000_000), size(5_000, 100_000));
    let sink = Sink::start(Script { keep: Keep::Count, ..Script::default() });
    let site = site(&format!("{}[delivery]\nbegin_ahead = {STEADY}\n", relay(&sink, CONNECTIONS)), 0);
    site.write("content/hello.md", "---\ntitle: Hello\ndate: 2026-01-02\ntags: [essays]\n---\n\nA post.\n");
    let every = listed / mailed;
    let topic = |i| if i % every == 0 { "essays" } else { "recipes" };
    let rows = (0..listed).map(|i| format!("reader-{i}@example.org,Reader {i},{}\n", topic(i)));
    site.write("list.csv", format!("email,name,topics\n{}", rows.collect::<String>()));
    let list = site.file("list.csv").display().to_string();
    let import = watched(&site, &["subscribers", "import", &list], || 0);
    let plan = watched(&site, &["plan"], || 0);
    let send = watched(&site, &["publish", "--yes"], || sink.accepted_count() * 10 / mailed);
    assert_all_accepted(&site, mailed);
    assert_eq!(sink.accepted_count(), mailed);
    for (what, memory) in [("import", &import), ("plan", &plan), ("send", &send)] {
        assert!(memory.peak > 0 && memory.peak <= 256 * 1024, "{what}: {} kB", memory.peak);
    }
    let most = send.early + send.early / 20;
    assert!(send.early > 0 && send.late <= most, "grew from {} kB at a tenth to {} kB at nine", send.early, send.late);
    println!(
        "F29: {listed} subscribers, {mailed} mailed: import {} kB, plan {} kB, send {} kB; {} kB at a tenth of the way, \
         {} kB at nine tenths",
        import.peak, plan.peak, send.peak, send.early, send.late
    );
}
