//! What another generator's configuration says about a publication.

use std::fs;
use std::path::Path;

use crate::content::head::{Node, Value, parse_toml, parse_yaml};

/// What was found, in our words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) generator: Option<&'static str>,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) language: Option<String>,
    pub(super) base_url: Option<String>,
    pub(super) author: Option<String>,
}

/// Configuration files by generator; `config.toml` may be Hugo's or Zola's.
const FILES: [(&str, &str); 14] = [
    ("hugo.toml", "Hugo"),
    ("hugo.yaml", "Hugo"),
    ("hugo.yml", "Hugo"),
    ("config/_default/hugo.toml", "Hugo"),
    ("config/_default/config.toml", "Hugo"),
    ("zola.toml", "Zola"),
    ("config.toml", "Hugo"),
    ("config.yaml", "Hugo"),
    ("_config.yml", "Jekyll"),
    ("_config.yaml", "Jekyll"),
    ("pelicanconf.py", "Pelican"),
    (".eleventy.js", "Eleventy"),
    ("eleventy.config.js", "Eleventy"),
    ("eleventy.config.mjs", "Eleventy"),
];

impl Settings {
    /// Reads the first configuration there is.
    pub(super) fn find(dir: &Path) -> Self {
        FILES.iter().find_map(|(name, generator)| Self::read(dir, name, generator)).unwrap_or_default()
    }

    fn read(dir: &Path, name: &str, generator: &'static str) -> Option<Self> {
        let text = fs::read_to_string(dir.join(name)).ok()?;
        let extension = Path::new(name).extension()?.to_str()?;
        let fields = match extension {
            "toml" => parse_toml(&text, 0..text.len()).unwrap_or_default(),
            "yaml" | "yml" => parse_yaml(&text, 0..text.len()).unwrap_or_default(),
            "py" => python(&text),
            _ => Vec::new(),
        };
        let is_zola = name == "config.toml" && text_of(&fields, &["base_url"]).is_some();
        let mut settings = Self::of(&fields);
        settings.generator = Some(if is_zola { "Zola" } else { generator });
        Some(settings)
    }

    fn of(fields: &[(String, Node)]) -> Self {
        let base = text_of(fields, &["baseURL", "base_url", "url", "SITEURL"]);
        // Jekyll divides the address into host and path.
        let path = text_of(fields, &["baseurl"]).filter(|path| path.starts_with('/')).unwrap_or_default();
        let base_url = base.filter(|base| base.starts_with("http")).map(|base| {
            let base = base.trim_end_matches('/');
            if base.ends_with(&path) { format!("{base}/") } else { format!("{base}{path}/") }
        });
        Self {
            generator: None,
            title: text_of(fields, &["title", "SITENAME", "name"]),
            description: text_of(fields, &["description", "SITESUBTITLE", "tagline"]),
            language: text_of(
                fields,
                &["languageCode", "default_language", "defaultContentLanguage", "lang", "DEFAULT_LANG"],
            )
            .map(|language| language.replace('_', "-")),
            base_url,
            author: text_of(fields, &["author", "AUTHOR"]),
        }
    }
}

/// A text at the top, or in the tables where generators keep such things.
fn text_of(fields: &[(String, Node)], names: &[&str]) -> Option<String> {
    let here =
        names.iter().find_map(|name| fields.iter().find(|(key, _)| key == name)).and_then(|(_, node)| text(node));
    here.or_else(|| {
        let inner = fields.iter().filter(|(key, _)| matches!(key.as_str(), "params" | "extra"));
        inner.filter_map(|(_, node)| map(node)).find_map(|fields| {
            names.iter().find_map(|name| fields.iter().find(|(key, _)| key == name)).and_then(|(_, node)| text(node))
        })
    })
}

fn text(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Map(fields) => fields.iter().find(|(key, _)| key == "name").and_then(|(_, node)| text(node)),
        Value::Null | Value::Bool(_) | Value::List(_) => None,
    }
}

fn map(node: &Node) -> Option<&Vec<(String, Node)>> {
    match &node.value {
        Value::Map(fields) => Some(fields),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) => None,
    }
}

/// `NAME = 'text'` lines of a Python file; nothing is run.
fn python(text: &str) -> Vec<(String, Node)> {
    let assignments = text.lines().filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        let value = value.trim();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let inner = value[1..].split(quote).next()?;
        Some((name.trim().to_owned(), Node { value: Value::Text(inner.to_owned()), span: 0..0 }))
    });
    assignments.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_generator_is_known_by_its_configuration() {
        for (name, text, generator, base_url) in [
            (
                "hugo.toml",
                "title = 'T'\nbaseURL = 'https://a.example/'\n[params]\nauthor = 'Ada'\n",
                "Hugo",
                "https://a.example/",
            ),
            (
                "config.toml",
                "title = 'T'\nbase_url = 'https://a.example'\nauthor = 'Ada'\n",
                "Zola",
                "https://a.example/",
            ),
            (
                "_config.yml",
                "title: T\nurl: https://a.example\nbaseurl: /b\nauthor:\n  name: Ada\n",
                "Jekyll",
                "https://a.example/b/",
            ),
            (
                "pelicanconf.py",
                "AUTHOR = 'Ada'\nSITENAME = \"T\"\nSITEURL = 'https://a.example'\n",
                "Pelican",
                "https://a.example/",
            ),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(name), text).unwrap();
            let settings = Settings::find(folder.path());
            assert_eq!(settings.generator, Some(generator));
            assert_eq!(settings.title.as_deref(), Some("T"), "{name}");
            assert_eq!(settings.base_url.as_deref(), Some(base_url));
            assert_eq!(settings.author.as_deref(), Some("Ada"), "{name}");
        }
    }
}
