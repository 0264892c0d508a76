//! `new`: a post with front matter, in the manner of the posts beside it.

use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{DateTime, SecondsFormat};
use chrono_tz::Tz;
use serde_json::json;
use toml::Value;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::{self, Format};
use crate::config::Config;
use crate::content::{self, HeadKind};
use crate::domain::post::Slug;
use crate::domain::time::Instant;
use crate::files;

/// Writes the post, prints its path, and opens it in the author's editor when one is set and
/// somebody sits at the terminal.
pub fn run(context: &Context, title: &str) -> Result<Exit, Failure> {
    let config = context.config_aloud()?;
    let path = write(&config, title, context.now())?;
    match context.format {
        Format::Json => printer::json(&json!({ "file": path.to_string_lossy() })),
        Format::Text => printer::data(&path.display().to_string()),
    }
    if printer::is_interactive()
        && let Some(editor) = &context.environment.editor
    {
        open(editor, &path);
    }
    Ok(Exit::Done)
}

/// Writes a draft with that title and today's date. The head is of the kind most posts have,
/// the file lies where most posts lie, and its name begins with the date if theirs do. A file
/// that exists is left alone.
fn write(config: &Config, title: &str, now: Instant) -> Result<PathBuf, Failure> {
    let title = title.trim();
    let slug = Slug::from_text(&title.replace('/', " "))
        .ok_or_else(|| Failure::usage(format!("`{title}` has no letter to name a file by")))?;
    if let Some(bad) = title.chars().find(|c| c.is_control()) {
        return Err(Failure::usage(format!("the title holds the control character U+{:04X}", u32::from(bad))));
    }
    let survey = content::survey(&config.source);
    let date = now.with_timezone(&config.publication.time_zone);
    let is_dated = survey.posts > 0 && survey.dated_names * 2 > survey.posts;
    let prefix = if is_dated { date.format("%Y-%m-%d-").to_string() } else { String::new() };
    let path = folder(&config.source, &survey.source).join(format!("{prefix}{}.md", slug.as_str()));
    if path.exists() {
        return Err(Failure::Usage {
            message: format!("`{}` is there already", path.display()),
            help: Some("choose another title, or open that file".to_owned()),
        });
    }
    let kind = survey.heads.first().map_or(HeadKind::Toml, |(kind, _)| *kind);
    files::replace_durably(&path, text(kind, title, date).as_bytes())?;
    Ok(path)
}

fn folder(source: &Path, inner: &str) -> PathBuf {
    if inner == "." { source.to_owned() } else { source.join(inner) }
}

/// The text of a new post. Posts without heads get one all the same: without it, it would be
/// no draft.
fn text(kind: HeadKind, title: &str, date: DateTime<Tz>) -> String {
    let quoted = serde_json::Value::from(title);
    let moment = date.to_rfc3339_opts(SecondsFormat::Secs, false);
    let head = match kind {
        HeadKind::Toml | HeadKind::None => {
            format!("+++\ntitle = {}\ndate = {moment}\ndraft = true\n+++", Value::from(title))
        }
        // A JSON text is a YAML one.
        HeadKind::Yaml => format!("---\ntitle: {quoted}\ndate: {moment}\ndraft: true\n---"),
        HeadKind::Json => format!("{{\n  \"title\": {quoted},\n  \"date\": \"{moment}\",\n  \"draft\": true\n}}"),
        HeadKind::Pelican => format!("Title: {title}\nDate: {}\nStatus: draft", date.format("%Y-%m-%d %H:%M")),
    };
    format!("{head}\n\nWrite here.\n")
}

/// Waits for the editor. That it cannot be started is said and no failure: the file is there.
fn open(editor: &str, path: &Path) {
    let mut words = editor.split_whitespace();
    let Some(program) = words.next() else { return };
    if let Err(error) = Command::new(program).args(words).arg(path).status() {
        printer::complain(&format!("`{editor}` cannot be started: {error}"), Some("correct EDITOR"));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::{Environment, FILE_NAME};
    use crate::domain::time::from_millis;

    const CONFIG: &str =
        "[publication]\ntitle = \"N\"\nbase_url = \"https://n.example.org\"\ntime_zone = \"Asia/Tokyo\"\n";

    fn new_post(others: &[(&str, &str)], title: &str) -> (String, String) {
        let folder = tempfile::tempdir().unwrap();
        let content = folder.path().join("content");
        fs::create_dir(&content).unwrap();
        fs::write(folder.path().join(FILE_NAME), CONFIG).unwrap();
        for (name, text) in others {
            fs::write(content.join(name), text).unwrap();
        }
        let (config, _) = Config::load(folder.path(), &Environment::default()).unwrap();
        let path = write(&config, title, from_millis(1_800_000_000_000)).unwrap();
        assert!(write(&config, title, from_millis(1_800_000_000_000)).is_err(), "a post was overwritten");
        (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
    }

    #[test]
    fn a_first_post_has_a_toml_head() {
        let (name, text) = new_post(&[], "Say \"hello\" / to all");
        assert_eq!(name, "say-hello-to-all.md");
        assert!(
            text.starts_with(
                "+++\ntitle = 'Say \"hello\" / to all'\ndate = 2027-01-15T17:00:00+09:00\ndraft = true\n+++\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_post_among_others_follows_their_manner() {
        let others =
            [("2026-01-02-a.md", "---\ntitle: A\n---\nText.\n"), ("2026-01-03-b.md", "---\ntitle: B\n---\nText.\n")];
        let (name, text) = new_post(&others, "Yes: no");
        assert_eq!(name, "2027-01-15-yes-no.md");
        assert!(
            text.starts_with("---\ntitle: \"Yes: no\"\ndate: 2027-01-15T17:00:00+09:00\ndraft: true\n---\n"),
            "{text}"
        );
    }
}
