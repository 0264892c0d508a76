//! What was built from what was typed: every default filled in, every mistake noted.

use std::path::Path;

use chrono_tz::Tz;

use super::environment::Environment;
use super::nearest::nearest;
use super::raw::{Raw, RawMail, RawPublication, Text};
use super::sheet::{Sheet, Typed};
use super::{Config, dkim, identity, inquiry, mail_pictures, pacing, paths, relay, rules, silence, words, zone};
use crate::diagnostic::{Diagnostic, has_errors};
use crate::domain::delivery::InDoubtPolicy;
use crate::domain::ids::PostId;
use crate::domain::publication::{Publication, SiteUrl, SiteUrlError};
use crate::domain::time::Instant;
use crate::math::{MacroError, Macros};

/// Deliveries begun and not settled, when the author does not say.
const DEFAULT_BEGIN_AHEAD: usize = 256;

/// Entries of a feed, when the author does not say.
const DEFAULT_FEED_LIMIT: usize = 50;

/// Posts with a card, when the author does not say: what is shared is new.
const DEFAULT_CARDS: usize = 10;

/// Builds the settings of `root` from the text of its file; all mistakes, or the settings and
/// the warnings.
pub(super) fn config(
    root: &Path,
    file: &Path,
    text: &str,
    environment: &Environment,
) -> Result<(Config, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (sheet, table) = Sheet::parse(file, text)?;
    let raw = Raw::read(&sheet, &table);
    let built = build(&raw, &sheet, root, environment);
    let found = sheet.into_found();
    match built {
        Some(config) if !has_errors(&found) => Ok((config, found)),
        Some(_) | None => Err(found),
    }
}

/// `None` only after an error was noted. Every part is built before the first is missed, so
/// that each can note its own mistakes.
fn build(raw: &Raw, sheet: &Sheet<'_>, root: &Path, environment: &Environment) -> Option<Config> {
    let time_zone = time_zone(&raw.publication.time_zone, sheet);
    let mail_since = since(&raw.mail, sheet, time_zone);
    let publication = publication(raw, sheet, time_zone);
    let source = paths::source(&raw.source, sheet, root);
    let output = paths::output(&raw.output, sheet, root, &source);
    let state = paths::state(&raw.ledger, sheet, root);
    let templates = paths::templates(&raw.templates, sheet, root);
    let relays: Vec<_> = raw.relays.iter().filter_map(|raw| relay::relay(raw, sheet, root, environment)).collect();
    let from = publication.as_ref().map(|publication| &publication.from);
    let dkim = dkim::signers(&raw.dkim, from, sheet, root);
    if relays.len() == raw.relays.len() {
        dkim::note_disagreement(&raw.relays, &relays, &dkim, sheet);
    }
    let subscribers_file = paths::subscribers(&raw.subscribers, sheet, root);
    let in_doubt = in_doubt(&raw.delivery.in_doubt, sheet);
    let timing = pacing::timing(&raw.delivery, sheet);
    let rules = rules::rules(&raw.rules, sheet);
    let retired = retired(&raw.retired, sheet);
    let macros = macros(&raw.macros, sheet);
    let resolver = inquiry::resolver(&raw.resolver, sheet);
    Some(Config {
        root: root.to_owned(),
        publication: publication?,
        source,
        output,
        templates,
        state_dir: state.parent().unwrap_or(root).to_owned(),
        state,
        outbox: root.join(".fieldpost/outbox"),
        relays,
        dkim,
        host_name: environment.host_name.clone(),
        smtp_patience: environment.smtp_patience,
        subscribers_file,
        mail_since,
        mail_pictures: mail_pictures::mail_pictures(&raw.mail, sheet),
        in_doubt,
        begin_ahead: raw.delivery.begin_ahead.unwrap_or(DEFAULT_BEGIN_AHEAD),
        timing,
        rules,
        silences: silence::silences(&raw.silences, sheet),
        retired,
        ignore: raw.source.ignore.iter().map(|typed| typed.value.clone()).collect(),
        cards: raw.cards.unwrap_or(DEFAULT_CARDS),
        feed_limit: raw.feed_limit.unwrap_or(DEFAULT_FEED_LIMIT),
        macros,
        resolver,
        places: inquiry::places(raw, sheet),
        program: environment.program.clone(),
    })
}

fn publication(raw: &Raw, sheet: &Sheet<'_>, time_zone: Tz) -> Option<Publication> {
    let words = words::words(&raw.words, sheet);
    let (raw, mail) = (&raw.publication, &raw.mail);
    let title = line("title", &raw.title, sheet);
    let base_url = base_url(&raw.base_url, sheet);
    note_missing(raw, sheet);
    let description = line("description", &raw.description, sheet).unwrap_or_default();
    let language = language(&raw.language, sheet);
    let author = identity::author(raw, sheet);
    let postal_address = lines("postal_address", &raw.postal_address, sheet);
    let reply_to = identity::reply_to(&mail.reply_to, sheet);
    let base = base_url.as_ref().zip(raw.base_url.as_ref());
    let from = identity::from(&mail.from, title.as_deref(), base, sheet);
    let list_id = identity::list_id(&mail.list_id, base_url.as_ref(), sheet);
    Some(Publication {
        title: title?,
        description,
        base_url: base_url?,
        language,
        author,
        time_zone,
        postal_address,
        subscribe_url: raw
            .subscribe_url
            .as_ref()
            .and_then(|typed| identity::web_address("subscribe-url", typed, sheet)),
        from: from?,
        reply_to,
        list_id: list_id?,
        idempotency_header: identity::idempotency_header(&mail.idempotency_header, sheet),
        words,
    })
}

/// The two keys that have no default.
fn note_missing(raw: &RawPublication, sheet: &Sheet<'_>) {
    let missing: Vec<&str> = [
        raw.title.is_none().then_some("title = \"My Notes\""),
        raw.base_url.is_none().then_some("base_url = \"https://notes.example.org\""),
    ]
    .into_iter()
    .flatten()
    .collect();
    let Some(first) = missing.first() else { return };
    let keys: Vec<&str> = missing.iter().map(|line| line.split(' ').next().unwrap_or(first)).collect();
    let message = format!("`[publication]` has no `{}`", keys.join("` and no `"));
    let place = raw.span.clone().map_or_else(|| sheet.whole(), |span| sheet.place(span));
    sheet.note(
        Diagnostic::error("publication-incomplete", place, message)
            .help(format!("below [publication], write {}", missing.join(" and "))),
    );
}

/// The abbreviations of `[math.macros]`.
fn macros(raw: &[(Typed<String>, Typed<String>)], sheet: &Sheet<'_>) -> Macros {
    let mut macros = Macros::default();
    for (name, body) in raw {
        if let Err(error) = macros.define(&name.value, &body.value) {
            let span = if matches!(error, MacroError::Name(_)) { &name.span } else { &body.span };
            let help = "write R = '\\mathbb{R}' or norm = '\\lVert #1 \\rVert': letters, then TeX in single quotes";
            sheet.error("math-macro", span.clone(), error.to_string(), help);
        }
    }
    macros
}

/// A text on one line: not empty, trimmed, without control characters.
pub(super) fn line(key: &str, raw: &Text, sheet: &Sheet<'_>) -> Option<String> {
    text(key, raw, sheet, char::is_control)
}

/// A text that may have several lines.
fn lines(key: &str, raw: &Text, sheet: &Sheet<'_>) -> Option<String> {
    text(key, raw, sheet, |c| c.is_control() && c != '\n').map(|text| text.replace("\r\n", "\n"))
}

fn text(key: &str, raw: &Text, sheet: &Sheet<'_>, is_refused: impl Fn(char) -> bool) -> Option<String> {
    let typed = raw.as_ref()?;
    let text = typed.value.trim().replace("\r\n", "\n");
    if text.is_empty() {
        let message = format!("`{key}` is empty");
        sheet.error("config-text", typed.span.clone(), message, "write something, or leave the line out");
        return None;
    }
    if let Some(bad) = text.chars().find(|c| is_refused(*c) || matches!(c, '\u{2028}' | '\u{2029}')) {
        let message = format!("`{key}` holds the control character U+{:04X}", u32::from(bad));
        sheet.error("config-text", typed.span.clone(), message, "write it on one line, without control characters");
        return None;
    }
    Some(text)
}

fn base_url(raw: &Text, sheet: &Sheet<'_>) -> Option<SiteUrl> {
    let typed = raw.as_ref()?;
    SiteUrl::parse(&typed.value).map_err(|error| note_site_url(typed, &error, sheet)).ok()
}

fn note_site_url(typed: &Typed<String>, error: &SiteUrlError, sheet: &Sheet<'_>) {
    let help = match error {
        SiteUrlError::Syntax(text) if text.contains('.') && !text.contains(' ') && !text.contains(':') => {
            format!("write https://{}", text.trim_start_matches('/'))
        }
        SiteUrlError::Syntax(_) | SiteUrlError::Kind(_) => {
            "the address of the site's home page, such as https://notes.example.org".to_owned()
        }
    };
    sheet.error("base-url", typed.span.clone(), error.to_string(), help);
}

fn time_zone(raw: &Text, sheet: &Sheet<'_>) -> Tz {
    let Some(typed) = raw else { return Tz::UTC };
    zone::zone(&typed.value).unwrap_or_else(|help| {
        sheet.error("time-zone", typed.span.clone(), format!("`{}` is no time zone", typed.value), help);
        Tz::UTC
    })
}

fn since(mail: &RawMail, sheet: &Sheet<'_>, time_zone: Tz) -> Option<Instant> {
    let typed = mail.since.as_ref()?;
    let moment = zone::moment(&typed.value, time_zone);
    if moment.is_none() {
        let message = format!("`{}` is no date", typed.value);
        sheet.error(
            "config-date",
            typed.span.clone(),
            message,
            "write since = 2026-01-31, or since = 2026-01-31T09:00:00Z",
        );
    }
    moment
}

/// A language tag in the shape of BCP 47; which languages exist is not our business.
fn language(raw: &Text, sheet: &Sheet<'_>) -> String {
    let Some(typed) = raw else { return "en".to_owned() };
    let tag = typed.value.trim();
    let is_part = |(i, part): (usize, &str)| {
        let is_letters = part.bytes().all(|b| b.is_ascii_alphabetic());
        let is_right =
            if i == 0 { part.len() >= 2 && is_letters } else { part.bytes().all(|b| b.is_ascii_alphanumeric()) };
        is_right && (1..=8).contains(&part.len())
    };
    if !tag.split('-').enumerate().all(is_part) {
        let hyphened = tag.replace('_', "-");
        let help = if hyphened.split('-').enumerate().all(is_part) {
            format!("write `{hyphened}`")
        } else {
            "a tag such as `en`, `de-AT` or `zh-Hant` (BCP 47)".to_owned()
        };
        sheet.error("language", typed.span.clone(), format!("`{tag}` is no language tag"), help);
    }
    tag.to_owned()
}

fn in_doubt(raw: &Text, sheet: &Sheet<'_>) -> InDoubtPolicy {
    match raw.as_ref().map(|typed| (typed, typed.value.as_str())) {
        None | Some((_, "resend")) => InDoubtPolicy::Resend,
        Some((_, "hold")) => InDoubtPolicy::Hold,
        Some((typed, other)) => {
            let help = match nearest(other, ["resend", "hold"]) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "`resend` sends the same bytes once more, `hold` leaves them to you".to_owned(),
            };
            sheet.error(
                "in-doubt",
                typed.span.clone(),
                format!("`{other}` is nothing to do with a delivery in doubt"),
                help,
            );
            InDoubtPolicy::Hold
        }
    }
}

fn retired(raw: &[Typed<String>], sheet: &Sheet<'_>) -> Vec<PostId> {
    let mut ids = Vec::with_capacity(raw.len());
    for typed in raw {
        match PostId::parse(&typed.value) {
            Ok(id) => ids.push(id),
            Err(error) => {
                let message = format!("`{}` is no post's id: {error}", typed.value);
                sheet.error(
                    "retired-id",
                    typed.span.clone(),
                    message,
                    "copy the id from the message that asked for it",
                );
            }
        }
    }
    ids
}
