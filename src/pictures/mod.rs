//! Pictures that fieldpost makes itself of what posts say: each once, in parallel, and not again
//! as long as the cache has it.
//!
//! Whoever meets something that becomes a picture asks [`Pictures`] for it: `content`, so that
//! what is wrong with it is said with its place; `render`, to show it; `publish`, to put it among
//! the site's files. The first one to ask has it made, the others get the same. A picture's path
//! is made of its bytes: another picture has another path, so that readers, mail and proxies may
//! keep it for ever.
//!
//! A new kind of picture is a variant of [`Subject`], with a line in `Subject::make` and one in
//! `Subject::key`. What makes it must not use rayon: others wait for it on rayon's threads.

mod copies;
mod made;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::files::Cache;
use crate::math::{self, Macros, Piece, Style};
pub use copies::{Copies, MAIL_WIDTH, Remark};
use made::Made;
pub use made::is_made;

/// What a picture is made of. Equal subjects are one picture.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A formula.
    Formula {
        /// In TeX, as typed.
        tex: String,
        /// Where it stands.
        style: Style,
    },
    /// A Mermaid diagram.
    Diagram {
        /// As typed.
        source: String,
        /// What it becomes.
        form: Form,
    },
    /// A copy of a picture of the author's.
    Copy {
        /// The author's file.
        file: PathBuf,
        /// Which one: its place among [`Copies::all`].
        number: usize,
    },
    /// The card that is shown where a page is shared.
    Card {
        /// The page's title.
        title: String,
        /// The publication's.
        site: String,
        /// Who wrote it and when.
        byline: String,
    },
}

/// What a diagram becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// A drawing for browsers: SVG.
    Drawing,
    /// Pixels for mail and feeds: PNG.
    Pixels,
}

/// A picture of the site, as pages and mails show it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Picture {
    /// Where it lies under the site: `pictures/0123456789abcdef.png`.
    pub site_path: String,
    /// How wide it is shown, in pixels. The file may have twice as many.
    pub width: u32,
    /// How high it is shown, in pixels.
    pub height: u32,
    /// How far its lower edge lies below the line of text it stands in, in hundredths of a pixel.
    pub depth: u32,
}

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, one sentence without a final dot.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Where, in bytes of what the author typed.
    pub at: Range<usize>,
}

impl Problem {
    fn whole(message: impl Into<String>, help: &str) -> Self {
        Self { message: message.into(), help: help.to_owned(), at: 0..0 }
    }
}

/// How a formula is shown where there is no MathML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Formula {
    /// As text: that is all it is.
    Text(Vec<Piece>),
    /// As a picture.
    Picture(Picture),
}

/// A picture's place in the memory: empty while it is being made.
type Slot = Arc<OnceLock<Result<Picture, Problem>>>;

/// The copies of a file: empty while they are being made.
type CopiesSlot = Arc<OnceLock<Result<Copies, Problem>>>;

/// All pictures of a publication. Shared by all threads.
#[derive(Debug, Default)]
pub struct Pictures {
    macros: Macros,
    cache: Option<Cache>,
    slots: Mutex<HashMap<Subject, Slot>>,
    copies: Mutex<HashMap<PathBuf, CopiesSlot>>,
    grown: AtomicBool,
}

impl Pictures {
    /// Pictures that are kept in a folder of the cache, which need not exist. One that cannot be
    /// written is no error: everything is made again each time.
    pub fn cached_in(folder: &Path, macros: Macros) -> Self {
        Self { macros, cache: Some(Cache::at(folder.to_owned())), ..Self::default() }
    }

    /// The author's abbreviations in formulas.
    pub fn macros(&self) -> &Macros {
        &self.macros
    }

    /// How a formula is shown in mail and feeds.
    pub fn formula(&self, tex: &str, style: Style) -> Result<Formula, Problem> {
        match self.letters(tex, style) {
            Some(pieces) => Ok(Formula::Text(pieces)),
            None => self.of(&Subject::Formula { tex: tex.to_owned(), style }).map(Formula::Picture),
        }
    }

    /// A formula in letters and signs, when it is no more than that and stands in a line of text.
    pub fn letters(&self, tex: &str, style: Style) -> Option<Vec<Piece>> {
        (style == Style::Inline).then(|| math::plain(tex, &self.macros)).flatten()
    }

    /// The picture of a subject, made now unless it was before. Asked by several threads at
    /// once, it is made by one while the others wait.
    pub fn of(&self, subject: &Subject) -> Result<Picture, Problem> {
        if let Subject::Copy { file, number } = subject {
            let copies = self.copies(file)?;
            return copies
                .all()
                .nth(*number)
                .cloned()
                .ok_or_else(|| Problem::whole("the picture has no such copy", ""));
        }
        let slot = Arc::clone(locked(&self.slots).entry(subject.clone()).or_default());
        slot.get_or_init(|| self.recalled(subject).map_or_else(|| self.made(subject), Ok).map(|made| made.picture))
            .clone()
    }

    /// The copies of a picture of the author's, made together and now unless they were before.
    pub fn copies(&self, file: &Path) -> Result<Copies, Problem> {
        let slot = Arc::clone(locked(&self.copies).entry(file.to_owned()).or_default());
        slot.get_or_init(|| {
            let key = copies::key(file);
            let kept = self.cache.as_ref().and_then(|cache| cache.get(&key));
            let recalled = kept.and_then(|kept| serde_json::from_slice(&kept).ok());
            recalled.map_or_else(|| self.copied(file).map(|(copies, _)| copies), Ok)
        })
        .clone()
    }

    /// Makes the copies of a picture and keeps them.
    fn copied(&self, file: &Path) -> Result<(Copies, Vec<Made>), Problem> {
        let (copies, all) = copies::make(file)?;
        for made in &all {
            self.keep(made::file_name(&made.picture), &made.bytes);
        }
        self.keep(&copies::key(file), &serde_json::to_vec(&copies).expect("facts are always JSON"));
        Ok((copies, all))
    }

    /// The bytes of a subject's picture: from the cache, or made again.
    pub fn bytes(&self, subject: &Subject) -> Result<Vec<u8>, Problem> {
        let kept = self.of(subject)?;
        let recalled = match subject {
            Subject::Copy { .. } => self.cache.as_ref().and_then(|cache| cache.get(made::file_name(&kept))),
            Subject::Formula { .. } | Subject::Diagram { .. } | Subject::Card { .. } => {
                self.recalled(subject).map(|made| made.bytes)
            }
        };
        recalled.map_or_else(|| self.made(subject).map(|made| made.bytes), Ok)
    }

    fn keep(&self, name: &str, bytes: &[u8]) {
        let Some(cache) = &self.cache else { return };
        self.grown.store(true, Ordering::Relaxed);
        // What cannot be kept is made again next time.
        let _ = cache.put(name, bytes);
    }

    /// Forgets what the cache keeps of pictures nobody asked for. Nothing is looked at unless a
    /// picture was made.
    pub fn sweep(&self) {
        let Some(cache) = self.cache.as_ref().filter(|_| self.grown.load(Ordering::Relaxed)) else { return };
        let mut wanted = HashSet::new();
        for (subject, slot) in locked(&self.slots).iter() {
            if let Some(Ok(_)) = slot.get() {
                wanted.insert(subject.key(&self.macros));
            }
        }
        for (file, slot) in locked(&self.copies).iter() {
            if let Some(Ok(copies)) = slot.get() {
                wanted.insert(copies::key(file));
                wanted.extend(copies.all().map(|picture| made::file_name(picture).to_owned()));
            }
        }
        cache.keep_only(&wanted);
    }

    fn recalled(&self, subject: &Subject) -> Option<Made> {
        Made::from_entry(self.cache.as_ref()?.get(&subject.key(&self.macros))?)
    }

    /// Makes a picture and keeps it.
    fn made(&self, subject: &Subject) -> Result<Made, Problem> {
        let made = match subject {
            Subject::Copy { file, number } => {
                let (_, mut all) = self.copied(file)?;
                if *number >= all.len() {
                    return Err(Problem::whole("the picture has no such copy", ""));
                }
                return Ok(all.swap_remove(*number));
            }
            Subject::Formula { .. } | Subject::Diagram { .. } | Subject::Card { .. } => subject.make(&self.macros)?,
        };
        self.keep(&subject.key(&self.macros), &made.to_entry());
        Ok(made)
    }
}

fn locked<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().expect("no thread panics while holding this lock")
}
