//! What git remembers of each file: when it came, when it changed, and what it was called.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use chrono::DateTime;

use super::cache::Keep;
use super::remembered::{KEPT, Kept, state};
use crate::domain::time::Dated;
use crate::files::{self, packed, unpacked};

/// One commit, as far as posts care.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) hash: String,
    pub(super) date: Dated,
    pub(super) author: String,
}

/// The life of one file.
#[derive(Debug, Clone, Default)]
pub(super) struct FileHistory {
    /// The commit that added it, under whatever name.
    pub(super) first: Option<Arc<Commit>>,
    /// The last commit that changed its text; a mere rename does not.
    pub(super) last: Option<Arc<Commit>>,
    /// Paths on disk where it lay before, latest first.
    pub(super) former: Vec<PathBuf>,
}

/// What git knows of a folder.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) files: HashMap<PathBuf, FileHistory>,
    /// How many commits there are.
    pub(super) commits: usize,
}

/// Why there is no history.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoHistory {
    /// The folder is in no repository, or in one without commits.
    NotARepository,
    /// There is a repository, and git does not read it: what git said.
    Refused(String),
}

impl History {
    /// The life of a file on disk.
    pub(super) fn of(&self, path: &Path) -> Option<&FileHistory> {
        self.files.get(path)
    }

    /// The history of a folder, from the cache as long as no commit was made and no setting of git
    /// was changed since.
    pub(super) fn of_folder(folder: &Path, keep: Option<Keep<'_>>) -> Result<Self, NoHistory> {
        let top = repository(folder)?;
        let cache = keep.map(|keep| (files::Cache::at(keep.folder.to_owned()), keep.program));
        let Some((cache, key)) = cache.and_then(|(cache, program)| Some((cache, state(top, program)?))) else {
            return Self::read(folder);
        };
        let kept = cache.get(KEPT).and_then(|bytes| unpacked::<(String, Kept)>(&bytes));
        if let Some((_, kept)) = kept.filter(|(of, _)| *of == key) {
            return Ok(kept.into());
        }
        let history = Self::read(folder)?;
        if let Some(bytes) = packed(&(key, Kept::of(&history))) {
            // What cannot be kept is asked for again.
            let _ = cache.put(KEPT, &bytes);
        }
        Ok(history)
    }

    /// Reads the whole history in one call of git, newest commit first.
    pub(super) fn read(folder: &Path) -> Result<Self, NoHistory> {
        let top = repository(folder)?;
        let output = git(top)
            .args([
                "log",
                "--no-show-signature",
                "--no-ext-diff",
                "--no-textconv",
                "--no-color",
                "--format=%x01%H%x02%aI%x02%aN",
            ])
            .args(["--name-status", "-M", "-z"])
            .output()
            .map_err(|error| NoHistory::Refused(error.to_string()))?;
        if !output.status.success() {
            return Err(refusal(&String::from_utf8_lossy(&output.stderr)));
        }
        Ok(parse(&String::from_utf8_lossy(&output.stdout), top))
    }
}

/// The repository that a folder lies in.
fn repository(folder: &Path) -> Result<&Path, NoHistory> {
    folder.ancestors().find(|folder| folder.join(".git").exists()).ok_or(NoHistory::NotARepository)
}

/// A git that asks nothing, shows nothing, runs nothing of the repository's and fetches nothing.
pub(super) fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .arg("--no-pager")
        .args([
            "-c",
            "core.quotepath=off",
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "diff.renames=true",
        ])
        .current_dir(folder)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    command
}

fn refusal(stderr: &str) -> NoHistory {
    if stderr.contains("does not have any commits") || stderr.contains("not a git repository") {
        return NoHistory::NotARepository;
    }
    let line = stderr.lines().find(|line| line.starts_with("fatal") || line.starts_with("error"));
    NoHistory::Refused(line.or_else(|| stderr.lines().next()).unwrap_or("no reason given").to_owned())
}

/// Walks back through history. `names` says which of today's files a name meant at that time.
fn parse(log: &str, top: &Path) -> History {
    let mut walk = Walk { top, names: HashMap::new(), history: History::default() };
    let mut commit: Option<Arc<Commit>> = None;
    let mut fields = log.split('\0');
    while let Some(field) = fields.next() {
        let field = field.trim_start_matches('\n');
        if let Some(head) = field.strip_prefix('\u{1}') {
            commit = parse_commit(head).map(Arc::new);
            walk.history.commits += 1;
            continue;
        }
        let Some(commit) = &commit else { continue };
        match field.as_bytes().first() {
            Some(b'A') => walk.added(fields.next(), commit),
            Some(b'M' | b'T') => walk.changed(fields.next(), commit),
            Some(b'D') => walk.deleted(fields.next()),
            Some(b'R') => walk.renamed(fields.next(), fields.next(), commit, field),
            Some(b'C') => {
                fields.next();
                walk.added(fields.next(), commit);
            }
            Some(_) | None => {}
        }
    }
    walk.history
}

fn parse_commit(head: &str) -> Option<Commit> {
    let mut parts = head.trim_end().split('\u{2}');
    let hash = parts.next()?.to_owned();
    let date = DateTime::parse_from_rfc3339(parts.next()?).ok()?;
    Some(Commit { hash, date, author: parts.next().unwrap_or_default().trim().to_owned() })
}

struct Walk<'a> {
    top: &'a Path,
    /// A name at the time the walk has reached → the name today; `None`: a file that is gone,
    /// or an earlier file of a name that was given again.
    names: HashMap<String, Option<PathBuf>>,
    history: History,
}

impl Walk<'_> {
    fn today(&mut self, name: &str) -> Option<PathBuf> {
        self.names.entry(name.to_owned()).or_insert_with(|| Some(self.top.join(name))).clone()
    }

    fn file(&mut self, name: Option<&str>) -> Option<&mut FileHistory> {
        let today = self.today(name?)?;
        Some(self.history.files.entry(today).or_default())
    }

    fn changed(&mut self, name: Option<&str>, commit: &Arc<Commit>) {
        if let Some(file) = self.file(name) {
            file.first = Some(Arc::clone(commit));
            file.last.get_or_insert_with(|| Arc::clone(commit));
        }
    }

    fn added(&mut self, name: Option<&str>, commit: &Arc<Commit>) {
        self.changed(name, commit);
        self.deleted(name);
    }

    fn deleted(&mut self, name: Option<&str>) {
        if let Some(name) = name {
            self.names.insert(name.to_owned(), None);
        }
    }

    fn renamed(&mut self, old: Option<&str>, new: Option<&str>, commit: &Arc<Commit>, status: &str) {
        let (Some(old), Some(new)) = (old, new) else { return };
        let former = self.top.join(old);
        if let Some(file) = self.file(Some(new)) {
            file.first = Some(Arc::clone(commit));
            file.former.push(former);
            if status != "R100" {
                file.last.get_or_insert_with(|| Arc::clone(commit));
            }
        }
        let today = self.names.insert(new.to_owned(), None).flatten();
        self.names.insert(old.to_owned(), today);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(commits: &[(&str, &[&str])]) -> String {
        let mut out = String::new();
        for (hash, fields) in commits {
            let head = format!("\u{1}{hash}\u{2}2025-01-0{}T10:00:00+01:00\u{2}Ada", &hash[1..]);
            out.push_str(&head);
            out.push('\0');
            for field in *fields {
                out.push_str(field);
                out.push('\0');
            }
        }
        out
    }

    #[test]
    fn a_file_is_followed_through_renames_to_the_commit_that_added_it() {
        let log = log(&[
            ("c5", &["R100", "old.md", "new.md"]),
            ("c4", &["M", "old.md", "A", "other.md"]),
            ("c3", &["R090", "older.md", "old.md"]),
            ("c2", &["M", "older.md"]),
            ("c1", &["A", "older.md"]),
        ]);
        let history = parse(&log, Path::new("/r"));
        let file = history.of(Path::new("/r/new.md")).unwrap();
        assert_eq!(file.first.as_ref().unwrap().hash, "c1");
        assert_eq!(file.last.as_ref().unwrap().hash, "c4", "a mere rename changes nothing");
        assert_eq!(file.former, [PathBuf::from("/r/old.md"), PathBuf::from("/r/older.md")]);
        assert_eq!(history.commits, 5);
        assert!(history.of(Path::new("/r/old.md")).is_none());
    }

    #[test]
    fn an_earlier_file_of_the_same_name_is_another_file() {
        let log =
            log(&[("c4", &["M", "a.md"]), ("c3", &["A", "a.md"]), ("c2", &["D", "a.md"]), ("c1", &["A", "a.md"])]);
        let history = parse(&log, Path::new("/r"));
        let file = history.of(Path::new("/r/a.md")).unwrap();
        assert_eq!(file.first.as_ref().unwrap().hash, "c3");
        assert_eq!(file.last.as_ref().unwrap().hash, "c4");
    }
}
