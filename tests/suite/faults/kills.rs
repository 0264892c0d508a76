//! F1 and F4: killed at any moment, again and again, before good and bad relays.

use std::collections::BTreeSet;
use std::fs::File;
use std::time::{Duration, Instant};

use super::{CONNECTIONS, assert_all_accepted, check_clean, in_state, relay, site, size, until_settled};
use crate::support::sink::{Fault, Loss, Script, Sink};
use crate::support::site::Site;

/// How long the sink takes for a message: an undisturbed send outlasts the kills.
const DELAY: Duration = Duration::from_millis(30);

/// A small generator of pauses, the same in every run.
struct Pauses(u64);

impl Pauses {
    fn next(&mut self) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis(100 + (self.0 >> 33) % 300)
    }
}

/// One send that is killed again and again.
struct Torment {
    site: Site,
    sink: Sink,
    delay: Duration,
    pauses: Pauses,
    /// How many messages may be on the wire at once.
    in_flight: usize,
    kills: usize,
    kills_with_doubt: usize,
    largest_doubt: usize,
    /// Whom a run has listed as in doubt, before it resent anything.
    listed: BTreeSet<String>,
}

impl Torment {
    fn of(script: Script, more: &str, recipients: usize) -> Self {
        let delay = script.delay;
        let sink = Sink::start(script);
        let site = site(&format!("{}{more}", relay(&sink, CONNECTIONS)), recipients);
        let (pauses, listed) = (Pauses(20_261_124), BTreeSet::new());
        Self {
            site,
            sink,
            delay,
            pauses,
            in_flight: CONNECTIONS,
            kills: 0,
            kills_with_doubt: 0,
            largest_doubt: 0,
            listed,
        }
    }

    fn suffer(&mut self, kills: usize) {
        // Only so that a kill that never strikes ends the test.
        let deadline = Instant::now() + Duration::from_mins(30);
        while self.kills < kills {
            assert!(Instant::now() < deadline, "only {} of {kills} kills struck", self.kills);
            self.kill_once();
        }
    }

    /// Starts a publish and kills it after a pause. The kill counts only if the sink took
    /// something since the start.
    fn kill_once(&mut self) {
        let before = self.sink.accepted_count();
        let said = self.site.file(".home/said");
        let mut command = self.site.command(&["publish", "--yes"]);
        command.stdout(std::process::Stdio::null()).stderr(File::create(&said).expect("a file can be made"));
        let mut child = command.spawn().expect("the binary starts");
        let started = Instant::now();
        while self.sink.accepted_count() == before && started.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(self.pauses.next());
        child.kill().expect("the process is ours");
        child.wait().expect("the process is ours");
        self.kills += usize::from(self.sink.accepted_count() > before);
        self.note(&std::fs::read_to_string(said).expect("what was said is text"));
        // What the killed process had on the wire is not to be taken for the next one's.
        std::thread::sleep(2 * self.delay);
    }

    /// Reads whom the run found in doubt after the kill before it.
    fn note(&mut self, said: &str) {
        let listed: Vec<&str> =
            said.lines().filter_map(|line| line.trim().strip_prefix("in doubt: ")?.split(' ').next()).collect();
        assert!(listed.len() <= self.in_flight, "{} in doubt after one kill", listed.len());
        self.kills_with_doubt += usize::from(!listed.is_empty());
        self.largest_doubt = self.largest_doubt.max(listed.len());
        self.listed.extend(listed.into_iter().map(str::to_owned));
    }

    /// Recovers from the last kill without sending: the only campaign is held meanwhile.
    fn recover(&mut self) {
        self.site.run(&["pause", "c1"]).expect_code(0);
        let ran = self.site.run(&["publish", "--yes"]);
        self.note(&ran.stderr());
        self.site.run(&["resume", "c1"]).expect_code(0);
    }
}

/// F1 before one relay: returns how many it took twice.
fn torment(name: &str, script: Script) {
    torment_in_windows(name, script, 1);
}

/// The same with so many messages in flight on each connection.
fn torment_in_windows(name: &str, script: Script, window: usize) {
    let (recipients, kills) = (size(1_000, 10_000), size(15, 200));
    let mut torment = Torment::of(script, &format!("window = {window}\n"), recipients);
    torment.in_flight = CONNECTIONS * window;
    torment.suffer(kills);
    torment.recover();
    until_settled(&torment.site);
    let received = torment.sink.messages();
    let account = check_clean(&torment.site, &received);
    assert_all_accepted(&torment.site, recipients);
    let announced = torment.listed.len() + account.doubted.difference(&torment.listed).count();
    assert!(torment.listed.is_subset(&account.doubted), "who was listed was in doubt");
    assert_eq!(announced, account.doubted.len());
    assert!(torment.kills_with_doubt * 4 >= torment.kills, "a quarter of the kills leave someone in doubt");
    println!(
        "F1 ({name}): {} kills that counted, {} left someone in doubt, at most {} at once; {recipients} recipients, \
         0 lost, {} duplicates, all of them among {} announced",
        torment.kills,
        torment.kills_with_doubt,
        torment.largest_doubt,
        account.duplicates,
        account.doubted.len(),
    );
}

#[test]
fn kills_before_a_good_relay_lose_nobody_and_announce_every_duplicate() {
    torment("good relay", Script { delay: DELAY, ..Script::default() });
}

#[test]
fn kills_before_a_slow_relay_lose_nobody_and_announce_every_duplicate() {
    torment("slow relay", Script { delay: 2 * DELAY, ..Script::default() });
}

#[test]
fn kills_before_a_greylisting_relay_lose_nobody_and_announce_every_duplicate() {
    torment("greylisting", Script { delay: DELAY, faults: vec![Fault::Greylist(30)], ..Script::default() });
}

#[test]
fn kills_before_a_relay_that_closes_and_loses_answers_lose_nobody_and_announce_every_duplicate() {
    let faults = vec![Fault::CloseAfterMessages(50), Fault::LoseAnswers(1, Loss::Reset)];
    torment("closing, losing answers", Script { delay: DELAY, faults, ..Script::default() });
}

#[test]
fn kills_with_windows_of_messages_in_flight_lose_nobody_and_announce_every_duplicate() {
    let offers = ["PIPELINING", "8BITMIME", "CHUNKING"].map(str::to_owned).to_vec();
    torment_in_windows("windows of 4", Script { delay: 4 * DELAY, offers, ..Script::default() }, 4);
}

#[test]
fn kills_under_hold_duplicate_nobody_and_hold_whoever_is_in_doubt() {
    let (recipients, kills) = (size(1_000, 10_000), size(15, 200));
    let hold = "[delivery]\nin_doubt = \"hold\"\n";
    let mut torment = Torment::of(Script { delay: DELAY, ..Script::default() }, hold, recipients);
    torment.suffer(kills);
    torment.recover();
    torment.site.run(&["publish", "--yes"]).expect_code(1);
    let received = torment.sink.messages();
    let account = check_clean(&torment.site, &received);
    assert_eq!(account.duplicates, 0);
    let held: BTreeSet<String> = in_state(&torment.site, "in_doubt").into_keys().collect();
    assert_eq!(held, torment.listed, "held is who was listed, and nobody else");
    assert_eq!(account.accepted + held.len(), recipients);
    assert!(torment.kills_with_doubt * 4 >= torment.kills, "a quarter of the kills leave someone in doubt");
    println!("F4: {} kills, {} held, 0 duplicates, {recipients} recipients", torment.kills, held.len());
}

#[test]
fn kills_while_filing_into_the_outbox_lose_nobody_and_duplicate_nothing() {
    let (recipients, kills) = (size(3_000, 10_000), size(25, 200));
    let site = site("", recipients);
    let outbox = site.file(".fieldpost/outbox/new");
    let filed = || std::fs::read_dir(&outbox).map_or(0, Iterator::count);
    let mut pauses = Pauses(7);
    let mut interrupted = 0;
    for _ in 0..kills {
        let before = filed();
        let mut child = site.start(&["publish", "--yes"]);
        while filed() == before && child.try_wait().expect("the process is ours").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(pauses.next() / 40);
        child.kill().expect("the process is ours");
        child.wait().expect("the process is ours");
        interrupted += usize::from(filed() > before && filed() < recipients);
    }
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_eq!(filed(), recipients, "0 lost, 0 duplicates");
    assert_all_accepted(&site, recipients);
    assert!(interrupted > 0, "no kill struck while mail was being filed");
    println!("F1 (outbox): {kills} kills, {interrupted} while mail was being filed, 0 lost, 0 duplicates");
}
