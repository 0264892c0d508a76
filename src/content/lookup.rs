//! What a text's links are looked up in. Every question is noted with its answer: as long as all
//! answers are the same, a text that did not change need not be parsed again.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::site::{PageRef, Showable, Site};
use crate::files::Stamp;

/// A question that parsing a text may ask about the world around it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(super) enum Question {
    /// Which page a file becomes.
    Page(PathBuf),
    /// Which page a shortcode or an old permalink names.
    Named(String),
    /// Whether a file is a contents page.
    Contents(PathBuf),
    /// Which file an absolute path of the site means.
    FileAt(String),
    /// Whether a file may be shown to readers.
    Showable(PathBuf),
    /// What stands at a path.
    Standing(PathBuf),
    /// What a file looks like, and what might stand in for it.
    Look(PathBuf),
}

/// What stands at a path, links followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Standing {
    Nothing,
    File,
    Folder,
}

/// Questions with digests of their answers.
pub(super) type Answers = Vec<(Question, u64)>;

/// The answer that no question has: what was looked at might have changed unseen.
const UNCERTAIN: u64 = 0;

/// The site and the files around it, as one text sees them.
pub(super) struct Lookup<'a> {
    site: &'a Site,
    asked: RefCell<BTreeMap<Question, u64>>,
    /// The pages that names mean: a text may name one page ten thousand times.
    names: RefCell<HashMap<String, Option<&'a PageRef>>>,
    /// The files that paths of the site mean: asking the disk is dear.
    files: RefCell<HashMap<String, Option<PathBuf>>>,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(site: &'a Site) -> Self {
        Self { site, asked: RefCell::default(), names: RefCell::default(), files: RefCell::default() }
    }

    /// What does not change from one text to another.
    pub(super) fn site(&self) -> &'a Site {
        self.site
    }

    pub(super) fn page(&self, path: &Path) -> Option<&'a PageRef> {
        let answer = self.site.page(path);
        self.note(Question::Page(path.to_owned()), &answer);
        answer
    }

    pub(super) fn named(&self, name: &str) -> Option<&'a PageRef> {
        remembered(&self.names, name, || {
            let answer = self.site.named(name);
            self.note(Question::Named(name.to_owned()), &answer);
            answer
        })
    }

    pub(super) fn is_contents(&self, path: &Path) -> bool {
        let answer = self.site.is_contents(path);
        self.note(Question::Contents(path.to_owned()), &answer);
        answer
    }

    pub(super) fn file_at(&self, path: &str) -> Option<PathBuf> {
        remembered(&self.files, path, || {
            let answer = self.site.file_at(path);
            self.note(Question::FileAt(path.to_owned()), &answer);
            answer
        })
    }

    pub(super) fn may_show(&self, file: &Path) -> Showable {
        let answer = self.site.may_show(file);
        self.note(Question::Showable(file.to_owned()), &answer);
        answer
    }

    pub(super) fn standing(&self, path: &Path) -> Standing {
        let answer = standing(path);
        self.note(Question::Standing(path.to_owned()), &answer);
        answer
    }

    /// Notes that a file is about to be looked into.
    pub(super) fn looks_into(&self, path: &Path) {
        let question = Question::Look(path.to_owned());
        let answer = self.site.answer(&question);
        self.asked.borrow_mut().insert(question, answer);
    }

    fn note(&self, question: Question, answer: &impl Hash) {
        self.asked.borrow_mut().insert(question, digest(answer));
    }

    /// All that was asked.
    pub(super) fn into_answers(self) -> Answers {
        self.asked.into_inner().into_iter().collect()
    }
}

impl Site {
    /// Whether all questions are still answered as they were.
    pub(super) fn still_answers(&self, answers: &Answers) -> bool {
        answers.iter().all(|(question, answer)| *answer != UNCERTAIN && self.answer(question) == *answer)
    }

    fn answer(&self, question: &Question) -> u64 {
        match question {
            Question::Page(path) => digest(&self.page(path)),
            Question::Named(name) => digest(&self.named(name)),
            Question::Contents(path) => digest(&self.is_contents(path)),
            Question::FileAt(path) => digest(&self.file_at(path)),
            Question::Showable(path) => digest(&self.may_show(path)),
            Question::Standing(path) => digest(&standing(path)),
            Question::Look(path) => self.look_of(path),
        }
    }

    /// A picture's file with what stands in for it, as `Pictures::copies` knows them.
    fn look_of(&self, path: &Path) -> u64 {
        let beside = ["png", "jpg", "jpeg"].map(|ending| Stamp::of(&path.with_extension(ending)));
        let stamps = [&[Stamp::of(path)][..], &beside].concat();
        let is_settled = |stamp: &Stamp| self.moment.is_some_and(|moment| stamp.is_settled_at(moment));
        if stamps.iter().flatten().all(is_settled) { digest(&stamps) } else { UNCERTAIN }
    }
}

fn standing(path: &Path) -> Standing {
    match std::fs::metadata(path) {
        Ok(found) if found.is_file() => Standing::File,
        Ok(found) if found.is_dir() => Standing::Folder,
        Ok(_) | Err(_) => Standing::Nothing,
    }
}

/// What is known of a name, found out when it is first asked for.
fn remembered<T: Clone>(known: &RefCell<HashMap<String, T>>, name: &str, find: impl FnOnce() -> T) -> T {
    if let Some(answer) = known.borrow().get(name) {
        return answer.clone();
    }
    let answer = find();
    known.borrow_mut().insert(name.to_owned(), answer.clone());
    answer
}

/// Stable between runs of one program, which is all that a cache needs.
pub(super) fn digest(answer: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    answer.hash(&mut hasher);
    hasher.finish().max(UNCERTAIN + 1)
}
