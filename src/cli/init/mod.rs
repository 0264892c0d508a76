//! `init`: adopts a folder of Markdown, or starts a publication in an empty one.

mod template;

use std::path::{Path, PathBuf};

use serde_json::json;

use self::template::{BaseUrl, Proposal, config_text};
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::{self, Format};
use crate::config::FILE_NAME;
use crate::content::{self, Survey};
use crate::domain::address::Address;
use crate::domain::publication::SiteUrl;
use crate::domain::time::Instant;
use crate::files::{self, FileError};

/// What was done, and what the author should know.
#[derive(Debug)]
struct Outcome {
    /// The files that were written, the configuration first.
    written: Vec<PathBuf>,
    /// What was found, as sentences.
    findings: Vec<String>,
    /// What to do next, as sentences.
    next: Vec<String>,
}

/// Writes `fieldpost.toml` into a folder (made if it is not there) and says what it found.
pub fn run(context: &Context, directory: Option<PathBuf>) -> Result<Exit, Failure> {
    let folder = directory.map_or_else(|| context.directory.clone(), |inner| context.directory.join(inner));
    if folder.join(FILE_NAME).exists() {
        return Err(Failure::Usage {
            message: format!("`{}` is there already", folder.join(FILE_NAME).display()),
            help: Some("edit it, or move it away first; `fieldpost check` says what is wrong with it".to_owned()),
        });
    }
    let outcome = adopt(&folder, context.now())?;
    match context.format {
        Format::Json => printer::json(&json!({
            "written": outcome.written.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
            "findings": outcome.findings,
            "next": outcome.next,
        })),
        Format::Text => show(&outcome),
    }
    Ok(Exit::Done)
}

fn show(outcome: &Outcome) {
    for sentence in &outcome.findings {
        printer::say(sentence);
    }
    for path in &outcome.written {
        printer::say(&format!("wrote {}", path.display()));
    }
    printer::say("");
    for sentence in &outcome.next {
        printer::say(sentence);
    }
}

/// Surveys the folder and writes what follows from it. Without a single post there, a first
/// one is written too. Nothing that exists is overwritten; a second call finds the
/// configuration there and is refused by its caller.
fn adopt(folder: &Path, now: Instant) -> Result<Outcome, FileError> {
    let survey = content::survey(folder);
    let mut proposal = proposal(&survey, folder);
    let mut written = Vec::new();
    if survey.posts == 0 {
        proposal.since = Some(now.date_naive().to_string());
        proposal.source = Some("content".to_owned());
        let hello = folder.join("content/hello.md");
        files::replace_durably(&hello, first_post(now).as_bytes())?;
        written.push(hello);
    }
    // The state holds addresses: it must not be committed by accident.
    files::replace_durably(&folder.join(".fieldpost/.gitignore"), b"*\n")?;
    // The configuration comes last: killed before, `init` can simply be repeated.
    let config = folder.join(FILE_NAME);
    files::replace_durably(&config, config_text(&proposal).as_bytes())?;
    written.insert(0, config);
    Ok(Outcome { written, next: next_steps(&proposal), findings: survey.findings })
}

/// What the survey found, as far as the configuration would take it.
fn proposal(survey: &Survey, folder: &Path) -> Proposal {
    let plain = |text: &Option<String>| text.as_deref().and_then(one_line);
    let author = survey.author.as_ref();
    let name = author.and_then(|author| one_line(&author.name));
    let list = ["subscribers.toml", "subscribers.csv"].into_iter().find(|name| folder.join(name).is_file());
    Proposal {
        title: plain(&survey.title).unwrap_or_else(|| "My Notes".to_owned()),
        base_url: survey.base_url.as_deref().and_then(site).map_or(BaseUrl::Unknown, BaseUrl::Found),
        description: plain(&survey.description),
        author_url: name.as_ref().and(author).and_then(|author| author.url.clone()).filter(|url| is_web_address(url)),
        author: name,
        language: survey.language.clone().filter(|tag| is_language(tag)),
        source: Some(survey.source.clone()),
        since: None,
        subscribers: list,
    }
}

/// A text fit for one line: white space folded, nothing else that controls.
fn one_line(text: &str) -> Option<String> {
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_plain =
        !folded.is_empty() && !folded.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
    is_plain.then_some(folded)
}

/// An address that a site and the sender of its mail can have.
fn site(text: &str) -> Option<String> {
    let url = SiteUrl::parse(text).ok()?;
    Address::parse(&format!("noreply@{}", url.host())).ok()?;
    Some(text.trim().to_owned())
}

fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let is_primary = |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic());
    let is_subtag = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    parts.next().is_some_and(is_primary) && parts.all(is_subtag)
}

fn first_post(now: Instant) -> String {
    format!(
        "+++\n\
         title = \"Hello\"\n\
         date = {}\n\
         +++\n\n\
         This is the first post. Write Markdown here; the first paragraph is the summary that feeds\n\
         and previews show, the first image is the cover.\n\n\
         `fieldpost new \"Title\"` starts the next one as a draft.\n",
        now.date_naive()
    )
}

fn next_steps(proposal: &Proposal) -> Vec<String> {
    let mut steps = Vec::new();
    if let BaseUrl::Unknown = proposal.base_url {
        steps.push(format!("Nothing says where the site will be: set `base_url` in `{FILE_NAME}`."));
    }
    if proposal.subscribers.is_none() {
        steps.push("`fieldpost subscribers add ADDRESS` or `subscribers import FILE` names the readers.".to_owned());
    }
    steps.push("`fieldpost plan` shows what would happen, `fieldpost publish` does it.".to_owned());
    steps
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::{Config, Environment};
    use crate::domain::publication::Author;
    use crate::domain::time::from_millis;

    fn adopted(names: &[(&str, &str)]) -> (tempfile::TempDir, Config, Outcome) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let outcome = adopt(folder.path(), from_millis(1_800_000_000_000)).unwrap();
        let (config, warnings) = Config::load(folder.path(), &Environment::default()).unwrap();
        assert_eq!(warnings, []);
        (folder, config, outcome)
    }

    #[test]
    fn an_empty_folder_becomes_a_publication_with_a_first_post() {
        let (folder, config, outcome) = adopted(&[]);
        assert_eq!(config.source, folder.path().join("content"));
        assert_eq!(config.mail_since.unwrap().to_rfc3339(), "2027-01-15T00:00:00+00:00");
        assert_eq!(outcome.written, [folder.path().join(FILE_NAME), folder.path().join("content/hello.md")]);
        assert!(outcome.next[0].contains("base_url"));
        let hello = fs::read_to_string(folder.path().join("content/hello.md")).unwrap();
        assert!(hello.contains("date = 2027-01-15\n"));
    }

    #[test]
    fn a_folder_of_posts_is_taken_as_it_is() {
        let post = "# 1. A title\n\nText.\n";
        let (folder, config, outcome) = adopted(&[
            ("README.md", "# Field \"Notes\"\n\nOn things.\n\n- [A title](notes/1-a.md)\n- [B](notes/2-b.md)\n"),
            ("notes/1-a.md", post),
            ("notes/2-b.md", post),
            ("subscribers.csv", "email\n"),
        ]);
        assert_eq!(config.source, folder.path().join("notes"));
        assert_eq!(config.publication.title, "Field \"Notes\"");
        assert_eq!(config.subscribers_file, Some(folder.path().join("subscribers.csv")));
        assert_eq!(config.mail_since, None);
        assert_eq!(outcome.written, [folder.path().join(FILE_NAME)]);
        assert_eq!(fs::read_to_string(folder.path().join(".fieldpost/.gitignore")).unwrap(), "*\n");
    }

    #[test]
    fn what_the_configuration_would_refuse_is_left_out() {
        let survey = Survey {
            source: ".".to_owned(),
            title: Some("A\r\nB\u{7}".to_owned()),
            description: Some(" two\nlines ".to_owned()),
            base_url: Some("ftp://x".to_owned()),
            language: Some("en_US.UTF-8".to_owned()),
            author: Some(Author { name: "\u{2028}".to_owned(), url: Some("https://x.example.org".to_owned()) }),
            ..Survey::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let proposal = proposal(&survey, folder.path());
        fs::write(folder.path().join(FILE_NAME), config_text(&proposal)).unwrap();
        let (config, warnings) = Config::load(folder.path(), &Environment::default()).unwrap();
        assert_eq!((config.publication.title.as_str(), warnings.len()), ("My Notes", 0));
        assert_eq!(config.publication.description, "two lines");
        assert!(config.publication.author.is_none());
    }

    #[test]
    fn every_example_in_the_file_is_valid_once_it_is_wanted() {
        let proposal = Proposal { title: "N".to_owned(), ..Proposal::default() };
        let text = config_text(&proposal);
        let is_example =
            |line: &str| line.starts_with("# [") || line.strip_prefix("# ").is_some_and(|rest| rest.contains(" = "));
        let wanted: Vec<&str> = text.lines().map(|line| if is_example(line) { &line[2..] } else { line }).collect();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("content")).unwrap();
        fs::write(folder.path().join("subscribers.toml"), "").unwrap();
        fs::write(folder.path().join("relay.password"), "x").unwrap();
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(folder.path().join("relay.password"), owner_only).unwrap();
        fs::write(folder.path().join(FILE_NAME), wanted.join("\n")).unwrap();
        let loaded = Config::load(folder.path(), &Environment::default());
        assert!(loaded.is_ok(), "{}\n{loaded:#?}", wanted.join("\n"));
    }
}
