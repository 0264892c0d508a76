//! What was typed: every section and key of `fieldpost.toml`, with its place and no meaning.
//! A value of the wrong type has been noted in the sheet and is absent here.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeTable;

use super::sheet::{KnownKeys, Pairs, Section, Sheet, Typed};

/// Above this a number is a slip of the finger.
const MAX_CONNECTIONS: usize = 100;
const MAX_BEGIN_AHEAD: usize = 10_000;
const MAX_DAILY: usize = 100_000_000;
const MAX_MESSAGES: usize = 1_000_000;
const MAX_WEIGHT: usize = 1000;
/// As many BDAT messages as `smtp` keeps in flight on one connection at most.
const MAX_WINDOW: usize = 64;
const MAX_FEED: usize = 100_000;

/// Whoever wants a card for every post says a large number.
const MAX_CARDS: usize = 1_000_000;

/// The keys by section, to answer a key that stands in the wrong one.
const ELSEWHERE: &KnownKeys = &[
    (
        "[publication]",
        &[
            "title",
            "base_url",
            "description",
            "author",
            "author_url",
            "language",
            "time_zone",
            "postal_address",
            "subscribe_url",
        ],
    ),
    ("[source]", &["ignore"]),
    ("[mail]", &["from", "reply_to", "list_id", "idempotency_header", "since", "images", "cid_cap"]),
    ("[[relay]]", RELAY_KEYS),
    ("[[dkim]]", &["selector", "key_file", "domain"]),
    ("[subscribers]", &["file"]),
    ("[delivery]", &["in_doubt", "begin_ahead", "domain_rates", "quiet_hours", "send_at", "expires_after"]),
    ("[[rule]]", &["stage", "code", "text", "action", "for"]),
    ("[content]", &["retired"]),
    ("[feed]", &["limit"]),
    ("[[silence]]", &["reason"]),
    ("[math]", &["macros"]),
    ("[check]", &["resolver"]),
];

const RELAY_KEYS: &[&str] = &[
    "ca_file",
    "password_file",
    "allow_clear_text",
    "preset",
    "connections",
    "max_messages",
    "max_age",
    "window",
    "rate",
    "daily",
    "warm_up",
    "weight",
    "sign",
];

/// A text that may be absent.
pub(super) type Text = Option<Typed<String>>;

/// The file as it was typed.
pub(super) struct Raw {
    pub publication: RawPublication,
    pub source: RawSource,
    pub output: Text,
    pub cards: Option<usize>,
    pub mail: RawMail,
    pub relays: Vec<RawRelay>,
    pub dkim: Vec<RawDkim>,
    pub ledger: Text,
    pub subscribers: Text,
    pub delivery: RawDelivery,
    pub rules: Vec<RawRule>,
    pub silences: Vec<RawSilence>,
    pub retired: Vec<Typed<String>>,
    pub feed_limit: Option<usize>,
    pub templates: Text,
    pub macros: Vec<(Typed<String>, Typed<String>)>,
    pub resolver: Text,
    pub words: Vec<(Typed<String>, Pairs)>,
}

/// `[publication]`.
pub(super) struct RawPublication {
    /// Where a missing key belongs; `None` when there is no such section.
    pub span: Option<Range<usize>>,
    pub title: Text,
    pub base_url: Text,
    pub description: Text,
    pub author: Text,
    pub author_url: Text,
    pub language: Text,
    pub time_zone: Text,
    pub postal_address: Text,
    pub subscribe_url: Text,
}

/// `[source]`.
pub(super) struct RawSource {
    pub path: Text,
    pub feed: Text,
    pub ignore: Vec<Typed<String>>,
}

/// `[mail]`.
pub(super) struct RawMail {
    pub from: Text,
    pub reply_to: Text,
    pub list_id: Text,
    pub idempotency_header: Text,
    pub since: Text,
    pub images: Text,
    pub cid_cap: Text,
}

/// `[[relay]]`.
pub(super) struct RawRelay {
    pub span: Range<usize>,
    pub url: Text,
    pub ca_file: Text,
    pub password_file: Text,
    pub connections: Option<usize>,
    pub allow_clear_text: ClearText,
    pub preset: Text,
    pub max_messages: Option<usize>,
    pub max_age: Text,
    pub window: Option<usize>,
    pub rate: Text,
    pub daily: Option<usize>,
    pub warm_up: RawWarmUp,
    pub weight: Option<usize>,
    pub sign: Text,
}

/// `warm_up` of a `[[relay]]`.
pub(super) struct RawWarmUp {
    /// Where it stands; `None` when there is none.
    pub span: Option<Range<usize>>,
    pub start: Text,
    pub double_every: Text,
}

/// `[[dkim]]`.
pub(super) struct RawDkim {
    pub span: Range<usize>,
    pub selector: Text,
    pub key_file: Text,
    pub domain: Text,
}

/// Whether the author accepts that mail and password cross the network readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClearText {
    /// They wrote `allow_clear_text = true`.
    Allowed,
    /// Only to this machine itself.
    LoopbackOnly,
}

/// `[delivery]`.
pub(super) struct RawDelivery {
    pub in_doubt: Text,
    pub begin_ahead: Option<usize>,
    pub domain_rates: Vec<(Typed<String>, Typed<String>)>,
    pub quiet_hours: Text,
    pub send_at: Text,
    pub expires_after: Text,
}

/// `[[rule]]`.
pub(super) struct RawRule {
    pub span: Range<usize>,
    pub stage: Text,
    pub code: Text,
    pub text: Text,
    pub action: Text,
    pub wait: Text,
}

/// `[[silence]]`.
pub(super) struct RawSilence {
    pub span: Range<usize>,
    pub code: Text,
    pub path: Text,
    pub reason: Text,
}

impl Raw {
    /// Takes everything known out of the file and notes what is left as unknown.
    pub(super) fn read<'t>(sheet: &Sheet<'t>, table: &Spanned<DeTable<'t>>) -> Self {
        let mut top = Section::top(sheet, table);
        let (output, cards) = output(top.section("output", "[output]"));
        let raw = Self {
            publication: publication(top.section("publication", "[publication]")),
            source: source(top.section("source", "[source]")),
            output,
            cards,
            mail: mail(top.section("mail", "[mail]")),
            relays: top.sections("relay", "[[relay]]").into_iter().map(relay).collect(),
            dkim: top.sections("dkim", "[[dkim]]").into_iter().map(dkim).collect(),
            ledger: only(top.section("ledger", "[ledger]"), "url"),
            subscribers: only(top.section("subscribers", "[subscribers]"), "file"),
            delivery: delivery(top.section("delivery", "[delivery]")),
            rules: top.sections("rule", "[[rule]]").into_iter().map(rule).collect(),
            silences: top.sections("silence", "[[silence]]").into_iter().map(silence).collect(),
            retired: retired(top.section("content", "[content]")),
            feed_limit: feed_limit(top.section("feed", "[feed]")),
            templates: only(top.section("templates", "[templates]"), "path"),
            macros: macros(top.section("math", "[math]")),
            resolver: only(top.section("check", "[check]"), "resolver"),
            words: top.groups("words"),
        };
        top.finish(ELSEWHERE);
        raw
    }
}

fn publication(mut section: Section<'_, '_>) -> RawPublication {
    let raw = RawPublication {
        span: section.span(),
        title: section.text("title"),
        base_url: section.text("base_url"),
        description: section.text("description"),
        author: section.text("author"),
        author_url: section.text("author_url"),
        language: section.text("language"),
        time_zone: section.text("time_zone"),
        postal_address: section.text("postal_address"),
        subscribe_url: section.text("subscribe_url"),
    };
    section.finish(ELSEWHERE);
    raw
}

fn source(mut section: Section<'_, '_>) -> RawSource {
    let raw = RawSource { path: section.text("path"), feed: section.text("feed"), ignore: section.texts("ignore") };
    section.finish(ELSEWHERE);
    raw
}

fn mail(mut section: Section<'_, '_>) -> RawMail {
    let raw = RawMail {
        from: section.text("from"),
        reply_to: section.text("reply_to"),
        list_id: section.text("list_id"),
        idempotency_header: section.text("idempotency_header"),
        since: section.date("since"),
        images: section.text("images"),
        cid_cap: section.text("cid_cap"),
    };
    section.finish(ELSEWHERE);
    raw
}

fn relay(mut section: Section<'_, '_>) -> RawRelay {
    let raw = RawRelay {
        span: section.span().expect("an item of a list of sections stands somewhere"),
        url: section.text("url"),
        ca_file: section.text("ca_file"),
        password_file: section.text("password_file"),
        connections: section.number("connections", 1..=MAX_CONNECTIONS),
        allow_clear_text: match section.yes("allow_clear_text") {
            Some(true) => ClearText::Allowed,
            Some(false) | None => ClearText::LoopbackOnly,
        },
        preset: section.text("preset"),
        max_messages: section.number("max_messages", 1..=MAX_MESSAGES),
        max_age: section.text("max_age"),
        window: section.number("window", 1..=MAX_WINDOW),
        rate: section.text("rate"),
        daily: section.number("daily", 1..=MAX_DAILY),
        warm_up: warm_up(section.section("warm_up", "warm_up")),
        weight: section.number("weight", 0..=MAX_WEIGHT),
        sign: section.text("sign"),
    };
    section.finish(ELSEWHERE);
    raw
}

fn dkim(mut section: Section<'_, '_>) -> RawDkim {
    let raw = RawDkim {
        span: section.span().expect("an item of a list of sections stands somewhere"),
        selector: section.text("selector"),
        key_file: section.text("key_file"),
        domain: section.text("domain"),
    };
    section.finish(ELSEWHERE);
    raw
}

fn warm_up(mut section: Section<'_, '_>) -> RawWarmUp {
    let raw =
        RawWarmUp { span: section.span(), start: section.text("start"), double_every: section.text("double_every") };
    section.finish(ELSEWHERE);
    raw
}

fn delivery(mut section: Section<'_, '_>) -> RawDelivery {
    let raw = RawDelivery {
        in_doubt: section.text("in_doubt"),
        begin_ahead: section.number("begin_ahead", 1..=MAX_BEGIN_AHEAD),
        domain_rates: section.pairs("domain_rates"),
        quiet_hours: section.text("quiet_hours"),
        send_at: section.text("send_at"),
        expires_after: section.text("expires_after"),
    };
    section.finish(ELSEWHERE);
    raw
}

fn rule(mut section: Section<'_, '_>) -> RawRule {
    let raw = RawRule {
        span: section.span().expect("an item of a list of sections stands somewhere"),
        stage: section.text("stage"),
        code: section.text("code"),
        text: section.text("text"),
        action: section.text("action"),
        wait: section.text("for"),
    };
    section.finish(ELSEWHERE);
    raw
}

fn silence(mut section: Section<'_, '_>) -> RawSilence {
    let raw = RawSilence {
        span: section.span().expect("an item of a list of sections stands somewhere"),
        code: section.text("code"),
        path: section.text("path"),
        reason: section.text("reason"),
    };
    section.finish(ELSEWHERE);
    raw
}

fn retired(mut section: Section<'_, '_>) -> Vec<Typed<String>> {
    let retired = section.texts("retired");
    section.finish(ELSEWHERE);
    retired
}

/// The output folder, and how many posts have a card.
fn output(mut section: Section<'_, '_>) -> (Text, Option<usize>) {
    let found = (section.text("path"), section.number("cards", 0..=MAX_CARDS));
    section.finish(ELSEWHERE);
    found
}

fn feed_limit(mut section: Section<'_, '_>) -> Option<usize> {
    let limit = section.number("limit", 1..=MAX_FEED);
    section.finish(ELSEWHERE);
    limit
}

fn macros(mut section: Section<'_, '_>) -> Vec<(Typed<String>, Typed<String>)> {
    let macros = section.pairs("macros");
    section.finish(ELSEWHERE);
    macros
}

/// A section of a single text.
fn only(mut section: Section<'_, '_>, key: &'static str) -> Text {
    let text = section.text(key);
    section.finish(ELSEWHERE);
    text
}
