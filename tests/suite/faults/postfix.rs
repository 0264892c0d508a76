//! Against a Postfix, with kills: what counts lies in the mailbox that it delivered to.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{CONNECTIONS, assert_all_accepted, in_state, site, size, until_settled};
use crate::support::postfix::Postfix;
use crate::support::site::Site;

/// How the killed senders did.
#[derive(Debug, Default)]
struct Kills {
    struck: usize,
    with_doubt: usize,
    largest_doubt: usize,
}

/// Kills a sender again and again, 100 to 400 ms after mail began to flow.
fn kill(site: &Site, postfix: &Postfix, kills: usize, in_flight: usize) -> Kills {
    let mut done = Kills::default();
    let end = Instant::now() + Duration::from_mins(10);
    while done.struck < kills && Instant::now() < end {
        let said = site.file(".home/said");
        let mut command = site.command(&["publish", "--yes"]);
        command.stdout(Stdio::null()).stderr(File::create(&said).expect("a file can be made"));
        let before = postfix.delivered_count();
        let mut child = command.spawn().expect("the binary starts");
        while postfix.delivered_count() == before && child.try_wait().expect("the process is ours").is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(100 + (done.struck as u64 * 97) % 300));
        if child.try_wait().expect("the process is ours").is_some() {
            break;
        }
        child.kill().expect("the process is ours");
        child.wait().expect("the process is ours");
        done.struck += 1;
        let said = std::fs::read_to_string(said).expect("what was said is text");
        let doubtful = said.lines().filter(|line| line.trim().starts_with("in doubt: ")).count();
        assert!(doubtful <= in_flight, "{doubtful} in doubt after one kill");
        done.with_doubt += usize::from(doubtful > 0);
        done.largest_doubt = done.largest_doubt.max(doubtful);
    }
    done
}

/// What we sent, without what Postfix put before it.
fn ours(message: &[u8]) -> &[u8] {
    let start = message.windows(7).position(|bytes| bytes == b"\nDate: ").expect("our first header");
    &message[start + 1..]
}

fn message_id(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let line = text.lines().find_map(|line| line.strip_prefix("Message-ID: <")).expect("a Message-ID");
    line.trim_end().trim_end_matches('>').to_owned()
}

/// Everybody's message lies in the mailbox; a second copy is the first, and was announced.
fn check_mailbox(site: &Site, postfix: &Postfix, readers: usize) -> usize {
    let recorded = in_state(site, "accepted");
    let doubted: BTreeSet<&str> = recorded
        .values()
        .filter(|one| one["ever_in_doubt"] == true)
        .filter_map(|one| one["message_id"].as_str())
        .collect();
    let known: BTreeSet<&str> = recorded.values().filter_map(|one| one["message_id"].as_str()).collect();
    let mut copies: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
    for message in postfix.received() {
        copies.entry(message_id(&message)).or_default().push(ours(&message).to_vec());
    }
    assert_eq!(copies.len(), readers, "distinct Message-IDs in the mailbox");
    for (id, copies) in &copies {
        assert!(known.contains(id.as_str()), "a message that the ledger does not know: {id}");
        assert!(copies.len() == 1 || doubted.contains(id.as_str()), "a duplicate that nobody announced: {id}");
        assert!(copies.iter().all(|copy| *copy == copies[0]), "a resend differs: {id}");
    }
    copies.values().map(|copies| copies.len() - 1).sum()
}

fn torment(name: &str, more: &str, in_flight: usize) {
    let (readers, kills) = (size(1_500, 20_000), size(6, 60));
    let Some(postfix) = Postfix::start_or_skip() else { return };
    let site = site(&format!("{}{more}", postfix.relay_table()), readers);
    site.write("relay-ca.pem", &postfix.ca_pem);
    site.write("relay.password", &postfix.password);
    std::fs::set_permissions(site.file("relay.password"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("a mode");
    let done = kill(&site, &postfix, kills, in_flight);
    assert!(done.struck > 0, "no kill struck");
    until_settled(&site);
    assert_all_accepted(&site, readers);
    postfix.wait_until_empty_for(Duration::from_mins(10));
    let duplicates = check_mailbox(&site, &postfix, readers);
    println!(
        "Postfix ({name}): {} kills, {} left someone in doubt, at most {}; {readers} distinct Message-IDs in the \
         mailbox, {duplicates} duplicates, each announced and identical",
        done.struck, done.with_doubt, done.largest_doubt
    );
}

#[test]
fn postfix_delivers_every_message_once_or_announced_through_kills() {
    torment("PIPELINING", "", CONNECTIONS);
}

#[test]
fn postfix_delivers_every_message_of_a_window_once_or_announced_through_kills() {
    let window = 8;
    torment("PIPELINING and CHUNKING", &format!("window = {window}\n"), CONNECTIONS * window);
}
