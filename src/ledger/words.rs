//! The ledger's words, read back: anything else is a damaged file, never another state.

use rusqlite::{Row, RowIndex};

use super::error::unreadable;
use crate::domain::address::Address;
use crate::domain::delivery::{CampaignState, DeliveryState};
use crate::domain::ids::{CampaignId, IssueId, MessageId, PostId};
use crate::domain::time::{Instant, from_millis};

/// Whether a delivery in doubt may be resent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resend {
    /// It was not resent: policy decides.
    None,
    /// The author ordered it.
    Ordered,
    /// It was resent once; a second doubt is held.
    Spent,
    /// It must not be: the reason says why.
    Held,
}

impl Resend {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ordered => "ordered",
            Self::Spent => "spent",
            Self::Held => "held",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::None, Self::Ordered, Self::Spent, Self::Held].into_iter().find(|resend| resend.word() == word)
    }
}

fn parsed<T>(row: &Row<'_>, column: &str, what: &str, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    parse(&text).ok_or_else(|| unreadable(what, &text))
}

pub(super) fn delivery_state(row: &Row<'_>, column: &str) -> rusqlite::Result<DeliveryState> {
    parsed(row, column, "state of a delivery", DeliveryState::from_word)
}

pub(super) fn campaign_state(row: &Row<'_>, column: &str) -> rusqlite::Result<CampaignState> {
    parsed(row, column, "state of a campaign", CampaignState::from_word)
}

pub(super) fn resend(row: &Row<'_>, column: &str) -> rusqlite::Result<Resend> {
    parsed(row, column, "word for a resend", Resend::from_word)
}

/// What somebody said, which nothing is decided by: a damaged byte in it hides no delivery.
pub(super) fn said(row: &Row<'_>, name: &str) -> rusqlite::Result<Option<String>> {
    let bytes = row.get_ref(name)?.as_bytes_or_null()?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
}

pub(super) fn address(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Address> {
    // The text is not repeated in the error: an address never stands in a log.
    let text = row.get_ref(column)?.as_str()?;
    Address::parse(text).map_err(|_| unreadable("address", "(hidden)"))
}

pub(super) fn post_id(row: &Row<'_>, column: &str) -> rusqlite::Result<PostId> {
    parsed(row, column, "id of a post", |text| PostId::parse(text).ok())
}

pub(super) fn issue_id(row: &Row<'_>, column: &str) -> rusqlite::Result<IssueId> {
    parsed(row, column, "id of an issue", |text| IssueId::parse(text).ok())
}

pub(super) fn message_id(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Option<MessageId>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| MessageId::parse(&text).map_err(|_| unreadable("Message-ID", &text))).transpose()
}

pub(super) fn moment(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Instant> {
    row.get(column).map(from_millis)
}

pub(super) fn maybe_moment(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<Option<Instant>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(from_millis))
}

/// A count, which `SQLite` gives as a signed number.
pub(super) fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// `c12` for campaign 12.
pub(super) fn campaign_id(number: i64) -> CampaignId {
    CampaignId::parse(&format!("c{number}")).expect("a letter and digits make an id")
}

/// 12 for `c12`; `None` for what was never one of our names.
pub(super) fn campaign_number(id: &CampaignId) -> Option<i64> {
    id.as_str().strip_prefix('c')?.parse().ok().filter(|number| *number > 0)
}
