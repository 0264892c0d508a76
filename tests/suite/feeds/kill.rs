//! F30: the built binary writes the site and is killed again and again, while it is read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::support::site::Site;

const POSTS: usize = 40;
/// So many kills must strike while files are being written.
const KILLS: usize = 50;
/// So many reads must find a whole file.
const READS: usize = 10_000;
/// What stands before a version's number wherever a version is named.
const MARK: &str = "version-";
/// A version's number, six digits wherever it stands: all versions are of one length.
const DIGITS: usize = 6;

type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// Writes every post anew, each naming the version first, last and often in between.
fn write_posts(site: &Site, version: usize) {
    let mark = format!("{MARK}{version:0DIGITS$}");
    for number in 0..POSTS {
        let date = format!("2026-03-{:02}T10:{number:02}:00Z", number % 28 + 1);
        let paragraph = format!("{mark} says the same as ever, only its number is another.\n\n");
        let text = paragraph.repeat(60);
        site.write(
            &format!("content/post-{number}.md"),
            format!("---\ntitle: Post {number} {mark}\ndate: {date}\n---\n\n{text}"),
        );
    }
}

fn tree(root: &Path) -> Tree {
    let mut files = Tree::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(root).unwrap().to_owned();
                files.insert(name, fs::read(entry.path()).unwrap());
            }
        }
    }
    files
}

/// The versions a file names, and the file as it would be if they were all the first.
fn versions_and_frame(bytes: &[u8]) -> (BTreeSet<usize>, Vec<u8>) {
    let text = std::str::from_utf8(bytes).expect("no file ends within a character");
    let mut versions = BTreeSet::new();
    let mut frame = Vec::with_capacity(bytes.len());
    let mut rest = text;
    while let Some(at) = rest.find(MARK) {
        let (head, tail) = rest.split_at(at + MARK.len());
        let number = tail.get(..DIGITS).expect("no file ends within a number");
        versions.insert(number.parse().expect("a version's number"));
        frame.extend_from_slice(head.as_bytes());
        frame.extend_from_slice(&[b'0'; DIGITS]);
        rest = &tail[DIGITS..];
    }
    frame.extend_from_slice(rest.as_bytes());
    (versions, frame)
}

/// The one version that a file holds from its first byte to its last.
fn whole_version(name: &Path, bytes: &[u8], first: &Tree) -> usize {
    let (versions, frame) = versions_and_frame(bytes);
    assert!(frame == first[name], "{} is cut or mixed: {} bytes", name.display(), bytes.len());
    assert_eq!(versions.len(), 1, "{} mixes the versions {versions:?}", name.display());
    *versions.first().expect("one version")
}

/// Reads the files that every visitor and every feed reader asks for, until told to stop.
fn read_on(public: &Path, first: &Tree, reads: &AtomicUsize, stop: &AtomicBool) -> BTreeSet<usize> {
    let names = ["feed.xml", "index.html", "atom.xml", "feed.json", "post-7/index.html"].map(PathBuf::from);
    let mut seen = BTreeSet::new();
    for name in names.iter().cycle() {
        let held = fs::read(public.join(name)).expect("the file is never away");
        seen.insert(whole_version(name, &held, first));
        reads.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_micros(500));
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    seen
}

/// How many files hold this version, of all that name one.
fn progress(public: &Path, first: &Tree, version: usize) -> (usize, usize) {
    let named = first.iter().filter(|(_, bytes)| !versions_and_frame(bytes).0.is_empty());
    named.fold((0, 0), |(new, all), (name, _)| {
        let held = fs::read(public.join(name)).expect("the file is never away");
        (new + usize::from(whole_version(name, &held, first) == version), all + 1)
    })
}

/// Builds and kills until enough kills have struck and enough was read. Returns the last
/// version, which is the number of builds, and how many of them were killed while they wrote.
fn kill_builds(site: &Site, first: &Tree, duration: Duration, reads: &AtomicUsize) -> (usize, usize) {
    let public = site.file("public");
    let deadline = Instant::now() + Duration::from_mins(5);
    let (mut version, mut struck, mut random) = (0, 0, 20_261_124_u64);
    while struck < KILLS || reads.load(Ordering::Relaxed) < READS {
        assert!(Instant::now() < deadline, "{struck} of {version} kills struck, {reads:?} reads");
        version += 1;
        write_posts(site, version);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let before = written(&public);
        let mut builder = site.start(&["build"]);
        // Every other kill strikes at any moment, the others soon after the first file is written.
        let span = if version % 2 == 0 { duration } else { duration / 8 };
        while version % 2 == 1 && written(&public) == before && builder.try_wait().expect("it is ours").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(span * (u32::try_from(random >> 33).expect("31 bits") % 1000) / 1000);
        builder.kill().expect("the process is ours");
        builder.wait().expect("the process is ours");
        let (new, all) = progress(&public, first, version);
        struck += usize::from(0 < new && new < all);
    }
    (version, struck)
}

/// When the file was written that a build writes among the first.
fn written(public: &Path) -> Option<SystemTime> {
    fs::metadata(public.join("atom.xml")).and_then(|found| found.modified()).ok()
}

#[test]
fn readers_find_whole_files_while_the_writer_is_killed() {
    let site = Site::with_config("[output]\ncards = 0\n");
    write_posts(&site, 0);
    let start = Instant::now();
    site.run(&["build"]).expect_code(0);
    let duration = start.elapsed();
    let public = site.file("public");
    let first = tree(&public);

    let (reads, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let ((version, struck), seen) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| read_on(&public, &first, &reads, &stop));
        let killed =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| kill_builds(&site, &first, duration, &reads)));
        stop.store(true, Ordering::Relaxed);
        let seen = reader.join().expect("every file was whole");
        (killed.unwrap_or_else(|panic| std::panic::resume_unwind(panic)), seen)
    });
    assert!(seen.len() > 5, "hardly anything changed while it was read: {seen:?}");

    write_posts(&site, version + 1);
    site.run(&["build"]).expect_code(0);
    let last = tree(&public);
    assert_eq!(last.keys().collect::<Vec<_>>(), first.keys().collect::<Vec<_>>(), "nothing is left over");
    assert_eq!(progress(&public, &first, version + 1).0, progress(&public, &first, 0).1, "nothing is old");
    println!(
        "F30: {version} builds killed, {struck} while they wrote, {} reads, {} versions seen, 0 mixed",
        reads.load(Ordering::Relaxed),
        seen.len()
    );
}
