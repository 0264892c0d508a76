//! What `check` shall leave unsaid, and why: `[[silence]]`.

use std::path::{Path, PathBuf};

use super::raw::RawSilence;
use super::sheet::Sheet;

/// A warning that the author has heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// The warning's code.
    pub code: String,
    /// The file, or the folder of the files, it is about; `None`: all.
    pub path: Option<PathBuf>,
    /// Why it may stay as it is.
    pub reason: String,
}

impl Silence {
    /// Whether it is about a warning of that code in that file, named from the publication's folder.
    pub fn covers(&self, code: &str, file: &Path) -> bool {
        self.code == code && self.path.as_ref().is_none_or(|path| file.starts_with(path))
    }
}

/// Builds the list; one without code or reason is noted and left out.
pub(super) fn silences(raw: &[RawSilence], sheet: &Sheet<'_>) -> Vec<Silence> {
    raw.iter().filter_map(|raw| silence(raw, sheet)).collect()
}

fn silence(raw: &RawSilence, sheet: &Sheet<'_>) -> Option<Silence> {
    let needed = |text: &super::raw::Text, key: &str, help: &str| {
        let value = text.as_ref().map(|typed| typed.value.trim().to_owned()).filter(|value| !value.is_empty());
        if value.is_none() {
            sheet.error("silence", raw.span.clone(), format!("`[[silence]]` has no `{key}`"), help);
        }
        value
    };
    let code = needed(&raw.code, "code", "write code = \"alt-missing\": what stands in brackets behind `warning`");
    let reason = needed(&raw.reason, "reason", "write reason = \"...\": somebody will want to know");
    let path = raw.path.as_ref().map(|typed| PathBuf::from(&typed.value));
    Some(Silence { code: code?, path, reason: reason? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_about_a_code_in_a_file_a_folder_or_everywhere() {
        let of = |path: Option<&str>| Silence { code: "a".into(), path: path.map(PathBuf::from), reason: "r".into() };
        assert!(of(None).covers("a", Path::new("posts/x.md")));
        assert!(of(Some("posts")).covers("a", Path::new("posts/x.md")));
        assert!(of(Some("posts/x.md")).covers("a", Path::new("posts/x.md")));
        assert!(!of(Some("post")).covers("a", Path::new("posts/x.md")));
        assert!(!of(None).covers("b", Path::new("posts/x.md")));
    }
}
