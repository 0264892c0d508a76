//! The folders and files a configuration names, resolved and checked against each other.

use std::path::{Component, Path, PathBuf};

use super::raw::{RawSource, Text};
use super::sheet::{Sheet, Typed};

const RELATIVE: &str = "the path is relative to the folder of fieldpost.toml";

/// The folder of posts: as typed, else `content` if there is one, else the root.
pub(super) fn source(raw: &RawSource, sheet: &Sheet<'_>, root: &Path) -> PathBuf {
    if let Some(feed) = &raw.feed {
        let help = "name a folder of Markdown files with `path`";
        sheet.error("source-feed", feed.span.clone(), "posts cannot be read from a feed yet", help);
    }
    match &raw.path {
        Some(typed) => existing_folder(typed, sheet, root),
        None if root.join("content").is_dir() => root.join("content"),
        None => root.to_owned(),
    }
}

fn existing_folder(typed: &Typed<String>, sheet: &Sheet<'_>, root: &Path) -> PathBuf {
    let path = resolved(root, &typed.value);
    if !path.is_dir() {
        let message = format!("there is no folder `{}`", typed.value);
        sheet.error("no-such-folder", typed.span.clone(), message, RELATIVE);
    }
    path
}

/// The output folder. One that holds the root or the posts would let the site's files and the
/// author's overwrite each other.
pub(super) fn output(raw: &Text, sheet: &Sheet<'_>, root: &Path, source: &Path) -> PathBuf {
    let Some(typed) = raw else { return root.join("public") };
    let path = resolved(root, &typed.value);
    let holds = |inner: &Path| resolved(inner, "").starts_with(&path);
    if holds(root) || (holds(source) && source != root) {
        let message = format!("`{}` holds the posts themselves, and the output would lie among them", typed.value);
        sheet.error("output-over-source", typed.span.clone(), message, "name a folder of its own, such as `public`");
    } else if path.exists() && !path.is_dir() {
        let message = format!("`{}` is no folder", typed.value);
        sheet.error("no-such-folder", typed.span.clone(), message, RELATIVE);
    }
    path
}

/// The publication's templates: as typed, else `templates` if there is such a folder.
pub(super) fn templates(raw: &Text, sheet: &Sheet<'_>, root: &Path) -> Option<PathBuf> {
    match raw {
        Some(typed) => Some(existing_folder(typed, sheet, root)),
        None => Some(root.join("templates")).filter(|path| path.is_dir()),
    }
}

/// The list of subscribers.
pub(super) fn subscribers(raw: &Text, sheet: &Sheet<'_>, root: &Path) -> Option<PathBuf> {
    let typed = raw.as_ref()?;
    let path = resolved(root, &typed.value);
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    if !matches!(ending.as_deref(), Some("toml" | "csv")) {
        let message = format!("`{}` is no list that can be read", typed.value);
        sheet.error("subscribers-file", typed.span.clone(), message, "the name ends in .toml or .csv");
    } else if !path.is_file() {
        let message = format!("there is no file `{}`", typed.value);
        sheet.error("subscribers-file", typed.span.clone(), message, RELATIVE);
    }
    Some(path)
}

/// The ledger's state file.
pub(super) fn state(raw: &Text, sheet: &Sheet<'_>, root: &Path) -> PathBuf {
    let default = root.join(".fieldpost/state.db");
    let Some(typed) = raw else { return default };
    let path = typed.value.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    match path {
        Some(path) if !path.is_empty() && !path.ends_with('/') => return resolved(root, path),
        Some(_) => sheet.error("ledger-url", typed.span.clone(), "the URL names no file", LEDGER),
        None if typed.value.starts_with("postgres") => {
            sheet.error("ledger-url", typed.span.clone(), "PostgreSQL is not supported yet", LEDGER);
        }
        None => {
            let message = format!("`{}` is no ledger", typed.value);
            sheet.error("ledger-url", typed.span.clone(), message, LEDGER);
        }
    }
    default
}

const LEDGER: &str = "write url = \"sqlite:.fieldpost/state.db\"";

/// A path under a folder, without `.` and `..`, and without looking at the disk.
fn resolved(root: &Path, path: &str) -> PathBuf {
    let mut out = PathBuf::new();
    for part in root.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            Component::ParentDir | Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_resolved_without_the_disk() {
        for (root, path, expected) in [
            ("/a/b", "c", "/a/b/c"),
            ("/a/b", "./c/../d", "/a/b/d"),
            ("/a/b", "../d", "/a/d"),
            ("/a/b", "", "/a/b"),
            ("/a/b", "/x", "/x"),
            (".", "public", "public"),
            (".", "../public", "../public"),
        ] {
            assert_eq!(resolved(Path::new(root), path), Path::new(expected), "{root} {path}");
        }
    }
}
