//! F18, F25 and F26: what is done beside a running sender.

use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::{CONNECTIONS, assert_all_accepted, check_clean, count, in_state, readers, relay, site, size, wait_until};
use crate::support::sink::{Script, Sink};
use crate::support::site::{Ran, Site};

/// How many deliveries the sender may have begun ahead: what a pause can no longer hold back.
const BEGIN_AHEAD: usize = 16;

fn slow(n: usize, delay: u64) -> (Sink, Site) {
    let sink = Sink::start(Script { delay: Duration::from_millis(delay), ..Script::default() });
    let site = site(&format!("{}[delivery]\nbegin_ahead = {BEGIN_AHEAD}\n", relay(&sink, CONNECTIONS)), n);
    (sink, site)
}

fn start(site: &Site) -> Child {
    let mut command = site.command(&["publish", "--yes"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary starts")
}

fn end(child: Child) -> Ran {
    Ran::of(child.wait_with_output().expect("the process is ours"))
}

fn is_running(child: &mut Child) -> bool {
    child.try_wait().expect("the process is ours").is_none()
}

#[test]
fn of_fifty_senders_started_at_once_one_sends_and_the_others_name_it() {
    let n = 100;
    // One sender lasts longer than fifty take to start.
    let (sink, site) = slow(n, 400);
    let children: Vec<Child> = (0..50).map(|_| start(&site)).collect();
    let ended: Vec<(u32, Ran)> = children.into_iter().map(|child| (child.id(), end(child))).collect();
    let (winners, losers): (Vec<_>, Vec<_>) = ended.iter().partition(|(_, ran)| ran.code() == 0);
    let [(winner, _)] = winners[..] else { panic!("{} senders ended well", winners.len()) };
    for (_, ran) in &losers {
        assert_eq!(ran.code(), 75, "{}", ran.stderr());
        let said = ran.stderr();
        let mut numbers = said.split(|c: char| !c.is_ascii_digit());
        assert!(numbers.any(|number| number == winner.to_string()), "not process {winner}: {said}");
    }
    assert_eq!(check_clean(&site, &sink.messages()).duplicates, 0);
    assert_all_accepted(&site, n);
    println!("F18: 50 senders, 1 sent, {} ended with 75 and named it", losers.len());
}

/// Runs a command a few times beside the sender; the middle of the times it took.
fn answered_in(site: &Site, mut arguments: impl FnMut(usize) -> Vec<String>) -> Duration {
    let mut times: Vec<Duration> = (0..5)
        .map(|i| {
            let arguments = arguments(i);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let asked = Instant::now();
            site.run(&arguments).expect_code(0);
            asked.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// There is no web server yet: a removal on the command line stands for the one-click POST.
#[test]
fn beside_a_sender_the_others_are_answered_within_a_second_and_obeyed() {
    let n = size(1_200, 10_000);
    let (sink, site) = slow(n, 25);
    site.write("new.csv", "email\nnew-1@example.org\nnew-2@example.org\n");
    let list = site.file("new.csv").display().to_string();
    let mut child = start(&site);
    wait_until("mail flows", || sink.accepted_count() > 10);
    let status = answered_in(&site, |_| words("status --json"));
    let import = answered_in(&site, |_| words(&format!("subscribers import {list}")));
    let leave = |i: usize| format!("reader-{}@example.org", n - 1 - i);
    let remove = answered_in(&site, |i| words(&format!("subscribers remove {}", leave(i))));
    let pause = answered_in(&site, |_| words("pause c1"));
    assert!(is_running(&mut child) || count(&site.totals(), "pending") > 0, "the sender was too fast");
    let at_the_pause = sink.accepted_count();
    end(child);
    let more = sink.accepted_count() - at_the_pause;
    assert!(more <= BEGIN_AHEAD, "{more} messages left after the pause");
    for (what, took) in [("status", status), ("import", import), ("remove", remove), ("pause", pause)] {
        assert!(took < Duration::from_secs(1), "{what} took {took:?}");
    }
    site.run(&["resume", "c1"]).expect_code(0);
    site.run(&["publish", "--yes"]).expect_code(0);
    check_clean(&site, &sink.messages());
    let suppressed: BTreeSet<String> = in_state(&site, "suppressed").into_keys().collect();
    assert_eq!(suppressed, (0..5).map(leave).collect(), "who left is spared, and nobody else");
    println!(
        "F18: beside a sender status took {status:?}, import {import:?}, removal {remove:?}, pause {pause:?} \
         (middle of five); {more} messages after the pause"
    );
}

/// A small generator of choices, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// F25 with the whole tool: the model of `src/ledger/tests/model.rs` says what the ledger makes of
/// each order; here nobody must get a second copy because of one.
#[test]
fn pauses_resumes_edits_and_a_cancel_at_random_beside_a_sender_duplicate_nobody() {
    let (actions, n) = (size(60, 500), size(1_500, 10_000));
    let (sink, site) = slow(n, 15);
    let mut dice = Dice(20_261_127);
    let mut child = start(&site);
    wait_until("mail flows", || sink.accepted_count() > 0);
    let (mut paused, mut ended_by_a_pause) = (0, 0);
    for action in 0..actions {
        match dice.roll(9) {
            0 | 1 => {
                paused += usize::from(site.run(&["pause", "c1"]).code() == 0);
            }
            2..=4 => drop(site.run(&["resume", "c1"])),
            5 => {
                let edit = format!("---\ntitle: Hello\ndate: 2026-01-02\n---\n\nEdit {action}.\n");
                site.write("content/hello.md", edit);
            }
            _ => std::thread::sleep(Duration::from_millis(dice.roll(200))),
        }
        if !is_running(&mut child) {
            ended_by_a_pause += 1;
            child = start(&site);
        }
    }
    let mailed = sink.accepted_count();
    assert!(mailed < n, "the sender was done before the actions were");
    site.run(&["resume", "c1"]);
    site.run(&["cancel", "c1"]).expect_code(0);
    end(child);
    site.run(&["publish", "--yes"]);
    let account = check_clean(&site, &sink.messages());
    assert_eq!((account.duplicates, account.doubted.len()), (0, 0), "a pause is no crash");
    let totals = site.totals();
    assert_eq!(count(&totals, "accepted") + count(&totals, "cancelled"), n, "{totals:#}");
    assert!(paused > 0 && mailed > 0, "nothing struck");
    assert!(sink.messages().iter().all(|message| !String::from_utf8_lossy(&message.bytes).contains("Edit ")));
    println!(
        "F25: {actions} actions, {paused} pauses, {ended_by_a_pause} senders ended by them, a cancel at the end; \
         {mailed} of {n} mailed, 0 duplicates, 0 in doubt"
    );
}

/// There is no web server yet: a removal on the command line stands for the POST.
#[test]
fn whoever_leaves_before_their_message_is_begun_is_not_mailed() {
    let (n, leavers) = (size(800, 10_000), size(40, 400));
    let (sink, site) = slow(n, 25);
    let child = start(&site);
    wait_until("mail flows", || sink.accepted_count() > 10);
    // From the end of the list, where nothing is begun yet, and just ahead of the sender.
    let names = readers(n);
    let mut answered = BTreeSet::new();
    for i in 0..leavers {
        let reached = sink.accepted_count();
        let far = n - 1 - i;
        let near = (reached + 4 * BEGIN_AHEAD + i).min(far);
        let address = format!("{}@example.org", names[if i % 2 == 0 { far } else { near }]);
        let taken_before = sink.has_taken(&address);
        site.run(&["subscribers", "remove", &address]);
        let taken_after = sink.has_taken(&address);
        // Begun before the answer or not: whoever had it by then proves nothing.
        if !taken_before && !taken_after {
            answered.insert(address);
        }
    }
    let answered_at = sink.accepted_count();
    assert!(answered_at < n - leavers, "the sender was too fast");
    end(child);
    let mailed: BTreeSet<String> = sink.messages().into_iter().map(|message| message.recipient).collect();
    let begun_before: BTreeSet<_> = answered.intersection(&mailed).cloned().collect();
    check_clean(&site, &sink.messages());
    let suppressed: BTreeSet<String> = in_state(&site, "suppressed").into_keys().collect();
    assert!(answered.iter().all(|one| suppressed.contains(one) || begun_before.contains(one)));
    // Ahead of the sender by more than it begins ahead: nothing of theirs was begun.
    assert!(begun_before.is_empty(), "{begun_before:?} left before they were begun, and were mailed");
    assert!(answered.len() * 2 > leavers, "too few were in time: {}", answered.len());
    println!("F26: {} left in time while the send ran, 0 of them mailed", answered.len());
}
