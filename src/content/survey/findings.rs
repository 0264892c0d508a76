//! What a survey found, in sentences.

use super::Survey;
use crate::content::head::HeadKind;

/// The sentences to print, the most important first.
pub(super) fn sentences(survey: &Survey) -> Vec<String> {
    let mut out = vec![posts(survey)];
    out.extend(heads(survey));
    if survey.dated_names > 0 {
        out.push(format!("{} of the file names carry a date.", survey.dated_names));
    }
    if let Some(commits) = survey.commits {
        let count = counted(commits, "commit", "commits");
        out.push(format!(
            "git knows {count}: posts without a date of their own take it, and their author, from there."
        ));
    }
    if let Some(page) = &survey.contents_page {
        out.push(format!("`{page}` is the contents page: links to it lead to the home page, and a footer that only leads back to it is left out."));
    }
    if !survey.no_posts.is_empty() {
        let verb = if survey.no_posts.len() == 1 { "is no post" } else { "are no posts" };
        out.push(format!("{} {verb}.", listed(&survey.no_posts)));
    }
    if let Some((field, count)) = survey.tag_fields.first() {
        out.push(format!("Topics stand in `{field}` ({}).", counted(*count, "post", "posts")));
    }
    if let Some(generator) = &survey.generator {
        out.push(format!(
            "There is a configuration of {generator}; title, address and author are taken from it where it has them."
        ));
    }
    if !survey.feeds.is_empty() {
        out.push(format!(
            "There are feeds already: {}. Readers know their entries by id; see the manual before you replace them.",
            listed(&survey.feeds)
        ));
    }
    out
}

fn posts(survey: &Survey) -> String {
    let place = if survey.source == "." { "this folder".to_owned() } else { format!("`{}`", survey.source) };
    match survey.posts {
        0 => format!("No posts in {place} yet."),
        count => format!("{} in {place}.", counted(count, "post", "posts")),
    }
}

fn heads(survey: &Survey) -> Option<String> {
    let parts: Vec<String> = survey.heads.iter().map(|(kind, count)| format!("{count} {}", words(*kind))).collect();
    match survey.heads.as_slice() {
        [] => None,
        [(HeadKind::None, _)] => {
            Some("They have no front matter: the first heading is the title, the first image the cover.".to_owned())
        }
        [(kind, _)] => Some(format!("They are all {}.", words(*kind))),
        _ => Some(format!("Of these, {}.", parts.join(", "))),
    }
}

fn words(kind: HeadKind) -> &'static str {
    match kind {
        HeadKind::Toml => "with TOML front matter",
        HeadKind::Yaml => "with YAML front matter",
        HeadKind::Json => "with JSON front matter",
        HeadKind::Pelican => "with `Key: value` heads",
        HeadKind::None => "without front matter",
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// At most five names, and how many more there are.
fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(5).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(5) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
