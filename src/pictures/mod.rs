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

mod made;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::files::Cache;
use crate::math::{self, Macros, Piece, Style};
use made::Made;

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

/// All pictures of a publication. Shared by all threads.
#[derive(Debug, Default)]
pub struct Pictures {
    macros: Macros,
    cache: Option<Cache>,
    slots: Mutex<HashMap<Subject, Slot>>,
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
        let text = (style == Style::Inline).then(|| math::plain(tex, &self.macros)).flatten();
        match text {
            Some(pieces) => Ok(Formula::Text(pieces)),
            None => self.of(&Subject::Formula { tex: tex.to_owned(), style }).map(Formula::Picture),
        }
    }

    /// The picture of a subject, made now unless it was before. Asked by several threads at
    /// once, it is made by one while the others wait.
    pub fn of(&self, subject: &Subject) -> Result<Picture, Problem> {
        let slot = Arc::clone(self.lock().entry(subject.clone()).or_default());
        slot.get_or_init(|| self.recalled(subject).map_or_else(|| self.made(subject).map(|made| made.picture), Ok))
            .clone()
    }

    /// The bytes of a subject's picture: from the cache, or made again.
    pub fn bytes(&self, subject: &Subject) -> Result<Vec<u8>, Problem> {
        let kept = self.of(subject)?;
        let bytes = self.cache.as_ref().and_then(|cache| cache.get(made::file_name(&kept)));
        bytes.map_or_else(|| self.made(subject).map(|made| made.bytes), Ok)
    }

    /// Forgets what the cache keeps of pictures nobody asked for. Nothing is looked at unless a
    /// picture was made.
    pub fn sweep(&self) {
        let Some(cache) = self.cache.as_ref().filter(|_| self.grown.load(Ordering::Relaxed)) else { return };
        let mut wanted = HashSet::new();
        for (subject, slot) in self.lock().iter() {
            if let Some(Ok(picture)) = slot.get() {
                wanted.insert(subject.key(&self.macros));
                wanted.insert(made::file_name(picture).to_owned());
            }
        }
        cache.keep_only(&wanted);
    }

    fn recalled(&self, subject: &Subject) -> Option<Picture> {
        let kept = self.cache.as_ref()?.get(&subject.key(&self.macros))?;
        serde_json::from_slice(&kept).ok()
    }

    /// Makes a picture and keeps it.
    fn made(&self, subject: &Subject) -> Result<Made, Problem> {
        let made = subject.make(&self.macros)?;
        if let Some(cache) = &self.cache {
            self.grown.store(true, Ordering::Relaxed);
            let facts = serde_json::to_vec(&made.picture).expect("a picture's facts are always JSON");
            // The bytes first: facts without bytes would have them made twice.
            let kept = cache.put(made::file_name(&made.picture), &made.bytes);
            let _ = kept.and_then(|()| cache.put(&subject.key(&self.macros), &facts));
        }
        Ok(made)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Subject, Slot>> {
        self.slots.lock().expect("no thread panics while holding this lock")
    }
}
