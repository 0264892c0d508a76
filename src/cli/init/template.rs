//! The text of a first `fieldpost.toml`: what was found as values, the rest as examples.

use toml::Value;

/// What goes into the file. Every value has been checked: the file loads without a complaint.
#[derive(Debug, Default)]
pub(super) struct Proposal {
    pub title: String,
    pub base_url: BaseUrl,
    pub description: Option<String>,
    pub author: Option<String>,
    pub author_url: Option<String>,
    pub language: Option<String>,
    /// The folder of posts; `None` leaves it to the default.
    pub source: Option<String>,
    /// Posts since this day are mailed by the first `publish`; `None` lets it ask.
    pub since: Option<String>,
    /// The list that lies there already.
    pub subscribers: Option<&'static str>,
}

/// Where the site will be.
#[derive(Debug, Default)]
pub(super) enum BaseUrl {
    /// Something in the folder says so.
    Found(String),
    /// Nothing does: the author has to.
    #[default]
    Unknown,
}

impl BaseUrl {
    /// The URL to write.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Found(url) => url,
            Self::Unknown => "https://example.org",
        }
    }
}

const HEAD: &str = "\
# What fieldpost knows of this publication. Everything but `title` and `base_url` has a default
# that works; a line that begins with # is an example. `fieldpost check` says what is wrong here.
";

const RELAY: &str = r#"
# Mail goes into the Maildir .fieldpost/outbox until there is a relay. The password comes from
# the file (mode 0600), or from FIELDPOST_RELAY_PASSWORD.
# [[relay]]
# url = "smtps://user@mail.example.org"  # or smtp+starttls://…
# password_file = "relay.password"
"#;

/// Writes the file's text.
pub(super) fn config_text(proposal: &Proposal) -> String {
    [HEAD.to_owned(), publication(proposal), source(proposal), mail(proposal), RELAY.to_owned(), subscribers(proposal)]
        .join("\n")
        .replace("\n\n\n", "\n\n")
}

fn publication(proposal: &Proposal) -> String {
    let base_url = match &proposal.base_url {
        BaseUrl::Found(_) => line("base_url", proposal.base_url.text()),
        BaseUrl::Unknown => {
            format!(
                "# Change this before you publish: where the site will be.\n{}",
                line("base_url", proposal.base_url.text())
            )
        }
    };
    let optional = [
        or_example("description", proposal.description.as_deref(), "One sentence on what it is about"),
        or_example("author", proposal.author.as_deref(), "Your Name"),
        or_example("author_url", proposal.author_url.as_deref(), "https://you.example.org"),
        or_example("language", proposal.language.as_deref(), "en"),
        or_example("time_zone", None, "Europe/Vienna"),
        "# postal_address = \"Street 1, 1010 City\"  # the law wants one in the footer of newsletters\n".to_owned(),
    ];
    format!("[publication]\n{}{base_url}{}", line("title", &proposal.title), optional.concat())
}

fn source(proposal: &Proposal) -> String {
    match &proposal.source {
        Some(path) => {
            format!("[source]\n{}# ignore = [\"drafts/**\"]  # files that are no posts\n", line("path", path))
        }
        None => "# [source]\n# path = \"content\"\n".to_owned(),
    }
}

fn mail(proposal: &Proposal) -> String {
    let since = match &proposal.since {
        Some(day) => format!("# Posts older than this were never news and are not mailed.\nsince = {day}\n"),
        None => {
            "# Posts since this day are news; without it the first `publish` asks.\n# since = 2026-01-31\n".to_owned()
        }
    };
    format!("[mail]\n{}{since}", or_example("from", None, "My Notes <notes@example.org>"))
}

fn subscribers(proposal: &Proposal) -> String {
    match proposal.subscribers {
        Some(file) => format!("[subscribers]\n{}", line("file", file)),
        None => "# The readers: [[subscriber]] tables with `email`, `name`, `topics` and `cadence`, or a CSV file.\n\
                 # [subscribers]\n# file = \"subscribers.toml\"\n"
            .to_owned(),
    }
}

fn line(key: &str, value: &str) -> String {
    format!("{key} = {}\n", Value::from(value))
}

fn or_example(key: &str, value: Option<&str>, example: &str) -> String {
    match value {
        Some(value) => line(key, value),
        None => format!("# {}", line(key, example)),
    }
}
