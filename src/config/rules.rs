//! The author's own rules about replies: `[[rule]]`.

use super::nearest::nearest;
use super::pacing;
use super::raw::{RawRule, Text};
use super::sheet::{Sheet, Typed};
use crate::domain::policy::QUOTA_PAUSE;
use crate::domain::reply::Stage;
use crate::domain::rules::{Action, CodePattern, Rule, Rules, TextPattern};

const STAGES: &[(&str, Stage)] = &[
    ("connect", Stage::Connect),
    ("greeting", Stage::Greeting),
    ("tls", Stage::Tls),
    ("auth", Stage::Auth),
    ("mail", Stage::Mail),
    ("recipient", Stage::Recipient),
    ("data", Stage::Data),
    ("dot", Stage::Dot),
];

const ACTIONS: &[&str] = &["plain", "slow", "pause relay", "pause campaign", "suppress", "retry now"];

/// Builds the table of rules, the author's in their order before the shipped ones.
pub(super) fn rules(raw: &[RawRule], sheet: &Sheet<'_>) -> Rules {
    Rules::with(raw.iter().filter_map(|raw| rule(raw, sheet)).collect())
}

/// A mistake that has been noted in the sheet.
struct Noted;

fn rule(raw: &RawRule, sheet: &Sheet<'_>) -> Option<Rule> {
    let stage = raw.stage.as_ref().map(|typed| stage(typed, sheet)).transpose();
    let code = raw.code.as_ref().map(|typed| code(typed, sheet)).transpose();
    let text = raw.text.as_ref().map(|typed| text(typed, sheet)).transpose();
    let action = action(raw, sheet)?;
    if raw.code.is_none() && raw.text.is_none() {
        let help = "write code = \"454\", text = \"throttling\", or both";
        let message = "a rule needs a `code` or a `text`: this one is about every refusal";
        sheet.error("rule", raw.span.clone(), message, help);
        return None;
    }
    Some(Rule { stage: stage.ok()?, code: code.ok()?, text: text.ok()?, action })
}

fn stage(typed: &Typed<String>, sheet: &Sheet<'_>) -> Result<Stage, Noted> {
    let found = STAGES.iter().find(|(word, _)| *word == typed.value);
    found.map(|(_, stage)| *stage).ok_or_else(|| {
        one_of("stage", typed, STAGES.iter().map(|(word, _)| *word), sheet);
        Noted
    })
}

fn code(typed: &Typed<String>, sheet: &Sheet<'_>) -> Result<CodePattern, Noted> {
    let help = "write \"454\", \"4xx\", \"4.7.x\", or a basic and an enhanced code, \"550 5.7.x\"";
    CodePattern::parse(&typed.value).map_err(|error| note(typed, &error, help, sheet))
}

fn text(typed: &Typed<String>, sheet: &Sheet<'_>) -> Result<TextPattern, Noted> {
    let help = "write a piece of what the relay says, such as text = \"quota*exceeded\"";
    TextPattern::parse(&typed.value).map_err(|error| note(typed, &error, help, sheet))
}

fn note(typed: &Typed<String>, error: &dyn std::fmt::Display, help: &str, sheet: &Sheet<'_>) -> Noted {
    sheet.error("rule", typed.span.clone(), error.to_string(), help);
    Noted
}

fn action(raw: &RawRule, sheet: &Sheet<'_>) -> Option<Action> {
    let Some(typed) = &raw.action else {
        let help = format!("write action = \"slow\"; known: {}", ACTIONS.join(", "));
        sheet.error("rule", raw.span.clone(), "`[[rule]]` has no `action`", help);
        return None;
    };
    let wait = pacing::span("for", &raw.wait, sheet).unwrap_or(QUOTA_PAUSE);
    let action = match typed.value.as_str() {
        "plain" => Action::Plain,
        "slow" => Action::Slow,
        "pause relay" => Action::PauseRelay(wait),
        "pause campaign" => Action::PauseCampaign,
        "suppress" => Action::Suppress,
        "retry now" => Action::RetryNow,
        _ => {
            one_of("action", typed, ACTIONS.iter().copied(), sheet);
            return None;
        }
    };
    note_idle_wait(action, &raw.wait, sheet);
    Some(action)
}

/// `for` says how long a relay is paused, and nothing else.
fn note_idle_wait(action: Action, wait: &Text, sheet: &Sheet<'_>) {
    if let (Some(typed), false) = (wait, matches!(action, Action::PauseRelay(_))) {
        let help = "leave it out, or write action = \"pause relay\"";
        sheet.error("rule", typed.span.clone(), "`for` belongs to `action = \"pause relay\"` only", help);
    }
}

fn one_of(key: &str, typed: &Typed<String>, known: impl Iterator<Item = &'static str> + Clone, sheet: &Sheet<'_>) {
    let help = match nearest(&typed.value, known.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known: {}", known.collect::<Vec<_>>().join(", ")),
    };
    sheet.error("rule", typed.span.clone(), format!("`{}` is no {key} of a rule", typed.value), help);
}
