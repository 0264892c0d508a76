//! F6, F7 and F8: a disk that must be waited for, that is full or broken, that may not be written.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{CONNECTIONS, assert_all_accepted, check_clean, relay, site, size, until_settled, wait_until};
use crate::support::sink::{Script, Sink};
use crate::support::site::{Ran, Site};
use crate::support::strace::Strace;

const SYNCS: &str = "fsync,fdatasync";

/// What matters of a trace, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// A sync of the write-ahead log has returned.
    Synced,
    /// A write with a final dot begins.
    Dot,
}

fn seen(lines: &[String]) -> Vec<Seen> {
    let mut syncing: HashSet<String> = HashSet::new();
    let mut seen = Vec::new();
    for line in lines {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        let is_sync = call.starts_with("fsync(") || call.starts_with("fdatasync(");
        if is_sync && call.contains("state.db-wal>") {
            if call.ends_with("<unfinished ...>") {
                syncing.insert(thread.to_owned());
            } else {
                seen.push(Seen::Synced);
            }
        } else if call.contains("sync resumed>") && syncing.remove(thread) {
            seen.push(Seen::Synced);
        } else if call.starts_with("sendto(") && call.contains("\\r\\n.\\r\\n") {
            seen.push(Seen::Dot);
        }
    }
    seen
}

/// Sends under strace; the greatest number of final dots between two syncs, and both counts.
fn dots_between_syncs(readers: usize, connections: usize, begin_ahead: usize) -> (usize, usize, usize) {
    let sink = Sink::start(Script::default());
    let more = format!("{}[delivery]\nbegin_ahead = {begin_ahead}\n", relay(&sink, connections));
    let site = site(&more, readers);
    let strace = Strace::of(&format!("{SYNCS},sendto"));
    strace.run(&site, &["publish", "--yes"]).expect_code(0);
    assert_all_accepted(&site, readers);
    let seen = seen(&strace.lines());
    let first_dot = seen.iter().position(|one| *one == Seen::Dot).expect("a dot was seen");
    assert!(seen[..first_dot].contains(&Seen::Synced), "the first dot left before anything was synced");
    let most = seen[first_dot..].split(|one| *one == Seen::Synced).map(<[Seen]>::len).max().unwrap_or_default();
    let count = |wanted| seen.iter().filter(|one| **one == wanted).count();
    (most, count(Seen::Dot), count(Seen::Synced))
}

#[test]
fn no_group_of_final_dots_leaves_before_a_sync_of_the_log() {
    for (connections, begin_ahead) in [(1, 1), (CONNECTIONS, 16)] {
        let readers = size(60, 1_000);
        let (most, dots, syncs) = dots_between_syncs(readers, connections, begin_ahead);
        assert_eq!(dots, readers, "a dot was not seen");
        assert!(most <= begin_ahead, "{most} dots left between two syncs");
        println!(
            "F6: {dots} dots, {syncs} syncs of the log, at most {most} dots between two ({begin_ahead} begun ahead)"
        );
    }
}

/// A small disk in memory, gone with the value.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(kilobytes: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let size = format!("size={kilobytes}k,mode=700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).status();
        assert!(mounted.expect("mount runs").success(), "only root can mount a disk of its own");
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room there is left.
    fn fill(&self) -> PathBuf {
        let filler = self.path().join("filler");
        let mut file = fs::File::create(&filler).expect("a file can be made");
        let piece = [0; 1024];
        while std::io::Write::write_all(&mut file, &piece).is_ok() {}
        filler
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.path()).status());
    }
}

#[test]
fn a_full_disk_stops_the_sender_before_its_next_dot_and_room_lets_it_go_on() {
    let readers = size(600, 10_000);
    let disk = SmallDisk::mount(size(10_000, 60_000));
    let sink = Sink::start(Script { delay: Duration::from_millis(5), ..Script::default() });
    let state = disk.path().join("state.db");
    let more = format!("{}[ledger]\nurl = \"sqlite:{}\"\n", relay(&sink, CONNECTIONS), state.display());
    let site = site(&more, readers);
    let mut child = site.command(&["publish", "--yes"]);
    let child = child.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
    let child = child.spawn().expect("the binary starts");
    wait_until("mail flows", || sink.accepted_count() > 20);
    let filler = disk.fill();
    let ran = Ran::of(child.wait_with_output().expect("the process is ours")).expect_code(74);
    let stopped_at = sink.accepted_count();
    assert!(ran.stderr().contains("make room on the disk"), "{}", ran.stderr());
    assert!(ran.stderr().contains("state.db"), "{}", ran.stderr());
    assert!(stopped_at < readers, "the disk was full too late to be noticed");
    let again = site.run(&["publish", "--yes"]);
    assert_eq!(again.code(), 74, "{}", again.stderr());
    assert_eq!(sink.accepted_count(), stopped_at, "something was sent on a full disk");
    fs::remove_file(filler).expect("the filler is ours");
    until_settled(&site);
    let account = check_clean(&site, &sink.messages());
    assert_all_accepted(&site, readers);
    assert!(account.doubted.len() <= CONNECTIONS, "{} in doubt", account.doubted.len());
    println!(
        "F7 (full): stopped after {stopped_at} of {readers}, {} in doubt, {} duplicates",
        account.doubted.len(),
        account.duplicates
    );
}

/// Sends until the disk fails at the `n`-th such call of a thread on that file, then on a disk
/// that is whole again; returns how many had been taken.
fn broken_disk(call: &str, file: &str, error: &str, n: usize) -> usize {
    let readers = 40;
    let sink = Sink::start(Script { delay: Duration::from_millis(2), ..Script::default() });
    let more = format!("{}[delivery]\nbegin_ahead = 4\n", relay(&sink, 2));
    let site = site(&more, readers);
    // The campaign is planned, and its first sender dead: what is counted below is the second's.
    let strace = Strace::of("sendto").inject("sendto:signal=SIGKILL:when=1");
    assert_eq!(strace.run(&site, &["publish", "--yes"]).code(), -1);
    let mut strace = Strace::of(call).on(&site.file(".fieldpost").join(file));
    for call in call.split(',') {
        // From the n-th on: a disk does not heal by itself.
        strace = strace.inject(&format!("{call}:error={error}:when={n}+"));
    }
    let ran = strace.run(&site, &["publish", "--yes"]);
    assert_eq!(ran.code(), 74, "{call} on {file}: {}", ran.stderr());
    assert!(ran.stderr().contains("state.db") || ran.stderr().contains("mark file"), "{}", ran.stderr());
    let stopped_at = sink.accepted_count();
    assert!(stopped_at < readers, "{call} on {file}: the disk failed too late to be noticed");
    until_settled(&site);
    let account = check_clean(&site, &sink.messages());
    assert_all_accepted(&site, readers);
    assert!(account.doubted.len() <= 4, "{} in doubt", account.doubted.len());
    stopped_at
}

#[test]
fn a_disk_that_fails_in_mid_send_stops_the_sender_and_loses_nobody() {
    let mut stopped = Vec::new();
    for (call, file, error) in [
        (SYNCS, "state.db-wal", "EIO"),
        ("pwrite64", "state.db-wal", "EIO"),
        ("pwrite64", "state.db-wal", "ENOSPC"),
        ("pwrite64", "state.db.marks", "EIO"),
        ("pwrite64", "state.db.marks", "ENOSPC"),
    ] {
        for n in [8, 14] {
            stopped.push(broken_disk(call, file, error, n));
        }
    }
    assert!(stopped.iter().any(|at| *at > 0), "no failure struck in mid-send: {stopped:?}");
    println!("F7 (broken): {} failures of the disk, mail taken before each: {stopped:?}", stopped.len());
}

/// A publication with a state file, nobody mailed yet, and a relay that waits.
fn ready() -> (Sink, Site) {
    let sink = Sink::start(Script::default());
    let site = site(&relay(&sink, 1), 3);
    site.run(&["status"]).expect_code(0);
    (sink, site)
}

#[track_caller]
fn assert_refused(ran: &Ran, sink: &Sink, words: &[&str]) {
    assert_eq!(ran.code(), 74, "{}", ran.stderr());
    for word in words {
        assert!(ran.stderr().contains(word), "`{word}` is missing: {}", ran.stderr());
    }
    assert_eq!(sink.connection_count(), 0, "a connection was opened");
}

#[test]
fn a_read_only_state_is_refused_before_the_first_connection() {
    let (sink, site) = ready();
    fs::set_permissions(site.file(".fieldpost/state.db"), fs::Permissions::from_mode(0o400)).expect("a mode");
    assert_refused(&site.run(&["publish", "--yes"]), &sink, &["state.db", "read-only", "chmod u+w"]);
    fs::set_permissions(site.file(".fieldpost/state.db"), fs::Permissions::from_mode(0o600)).expect("a mode");
    site.run(&["publish", "--yes"]).expect_code(0);
    assert_eq!(sink.accepted_count(), 3);
    println!("F8 (read-only): refused once, 0 connections");
}

#[test]
fn a_state_on_a_read_only_disk_is_refused_before_the_first_connection() {
    let (sink, site) = ready();
    let folder = site.file(".fieldpost");
    let mount = |arguments: &[&str]| Command::new("mount").args(arguments).arg(&folder).status().expect("mount runs");
    let here = folder.to_str().expect("UTF-8");
    assert!(mount(&["--bind", here]).success() && mount(&["-o", "remount,bind,ro"]).success(), "only root can mount");
    let ran = site.run(&["publish", "--yes"]);
    drop(Command::new("umount").arg("-l").arg(&folder).status());
    assert_refused(&ran, &sink, &["state.db", "ead-only file system"]);
    println!("F8 (read-only disk): refused once, 0 connections");
}

/// The binary as a user who owns the folder but not the state file in it.
#[test]
fn somebody_elses_state_is_refused_before_the_first_connection() {
    const NOBODY: u32 = 65534;
    let (sink, site) = ready();
    let binary = site.file("fieldpost");
    fs::copy(env!("CARGO_BIN_EXE_fieldpost"), &binary).expect("the binary can be copied");
    for folder in [".", ".home", ".fieldpost"] {
        fs::set_permissions(site.file(folder), fs::Permissions::from_mode(0o755)).expect("a mode");
        std::os::unix::fs::chown(site.file(folder), Some(NOBODY), Some(NOBODY)).expect("root may give files away");
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&binary).arg("-C").arg(site.path());
    let output = command.args(["publish", "--yes"]).env("HOME", site.file(".home")).output().expect("setpriv runs");
    assert_refused(&Ran::of(output), &sink, &["state.db", "run as the user who owns it"]);
    println!("F8 (wrong owner): refused once, 0 connections");
}

/// `/proc/self/mountinfo` is covered by a copy that says NFS: no kernel here mounts a real one.
#[test]
fn a_state_on_a_network_file_system_is_refused_before_the_first_connection() {
    for kind in ["nfs4", "cifs", "fuse.sshfs"] {
        let (sink, site) = ready();
        let folder = site.path().canonicalize().expect("the folder is there");
        site.write("mountinfo", format!("1 0 0:1 / {} rw - {kind} server:/home rw\n", folder.display()));
        let script = format!(
            "mount --bind {} /proc/$$/mountinfo && exec {} -C {} publish --yes",
            site.file("mountinfo").display(),
            env!("CARGO_BIN_EXE_fieldpost"),
            site.path().display()
        );
        let mut command = Command::new("unshare");
        let output = command.args(["--mount", "sh", "-c", &script]).env("HOME", site.file(".home")).output();
        let ran = Ran::of(output.expect("unshare runs"));
        assert_refused(&ran, &sink, &["network file system", kind, "local disk"]);
    }
    println!("F8 (network file system): refused three times, 0 connections");
}
