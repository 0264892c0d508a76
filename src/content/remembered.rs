//! The history of a repository as it is kept in the cache, and how long it holds.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::DateTime;
use serde::{Deserialize, Serialize};

use super::git::{Commit, FileHistory, History, git};
use crate::files::Fingerprint;

/// The entry of the cache.
pub(super) const KEPT: &str = "history";

/// Raised whenever the same history would be read otherwise.
const VERSION: u32 = 1;

/// A file's path, its first and its last commit, and its former paths.
type KeptFile = (PathBuf, Option<usize>, Option<usize>, Vec<PathBuf>);

/// A history with every commit once.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    /// Hash, moment and author.
    commits: Vec<(String, String, String)>,
    files: Vec<KeptFile>,
    count: usize,
}

impl Kept {
    pub(super) fn of(history: &History) -> Self {
        let mut commits = Vec::new();
        let mut numbers = HashMap::new();
        let mut number = |commit: &Option<Arc<Commit>>| {
            let commit = commit.as_ref()?;
            let next = commits.len();
            let number = *numbers.entry(commit.hash.clone()).or_insert(next);
            if number == next {
                commits.push((commit.hash.clone(), commit.date.to_rfc3339(), commit.author.clone()));
            }
            Some(number)
        };
        let files = history.files.iter();
        let files = files.map(|(path, file)| {
            let (first, last) = (number(&file.first), number(&file.last));
            (path.clone(), first, last, file.former.clone())
        });
        let files = files.collect();
        Self { commits, files, count: history.commits }
    }
}

impl From<Kept> for History {
    fn from(kept: Kept) -> Self {
        let commit = |(hash, date, author): (String, String, String)| {
            let date = DateTime::parse_from_rfc3339(&date).ok()?;
            Some(Arc::new(Commit { hash, date, author }))
        };
        let commits: Vec<Option<Arc<Commit>>> = kept.commits.into_iter().map(commit).collect();
        let find = |number: Option<usize>| number.and_then(|number| commits.get(number).cloned().flatten());
        let files = kept
            .files
            .into_iter()
            .map(|(path, first, last, former)| (path, FileHistory { first: find(first), last: find(last), former }));
        Self { files: files.collect(), commits: kept.count }
    }
}

/// A digest of all that the history of a repository depends on: its newest commit, how far back
/// commits are there, git's settings, and the files that rename authors or replace commits. `None`
/// when git does not say.
pub(super) fn state(top: &Path, program: &str) -> Option<String> {
    let head = said(top, &["rev-parse", "HEAD", "--is-shallow-repository", "--git-common-dir"])?;
    let settings = said(top, &["config", "--list", "--null"])?;
    let common = top.join(head.lines().last()?);
    let places = ["shallow", "packed-refs", "refs/replace", "info/grafts"].map(|name| common.join(name));
    let named = settings.split('\0').filter_map(|setting| setting.strip_prefix("mailmap.file\n"));
    let places = places.into_iter().chain([top.join(".mailmap")]).chain(named.map(|path| top.join(path)));
    let times: Vec<_> = places.map(|path| fs::metadata(path).ok().and_then(|found| found.modified().ok())).collect();
    let key = Fingerprint::of("history").with(&(VERSION, program, top)).with(&(head, settings, times));
    Some(key.hex())
}

/// What git says, when it says it without complaint.
fn said(top: &Path, arguments: &[&str]) -> Option<String> {
    let output = git(top).args(arguments).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{packed, unpacked};

    #[test]
    fn a_history_comes_back_as_it_was() {
        let commit = |hash: &str| {
            let date = DateTime::parse_from_rfc3339("2025-01-15T10:00:00+01:00").unwrap();
            Some(Arc::new(Commit { hash: hash.to_owned(), date, author: "Ada".to_owned() }))
        };
        let (first, last) = (commit("c1"), commit("c2"));
        let file = FileHistory { first: first.clone(), last, former: vec!["/r/old.md".into()] };
        let other = FileHistory { first, last: None, former: Vec::new() };
        let files = HashMap::from([("/r/a.md".into(), file), ("/r/b.md".into(), other)]);
        let history = History { files, commits: 2 };
        let bytes = packed(&Kept::of(&history)).unwrap();
        let back: History = unpacked::<Kept>(&bytes).unwrap().into();
        assert_eq!(back.commits, 2);
        for (path, file) in &history.files {
            assert_eq!(format!("{:?}", back.of(path)), format!("{:?}", Some(file)));
        }
    }
}
