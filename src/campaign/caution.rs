//! Why no campaign is opened now, although there may be news.
//!
//! A mail cannot be called back. When what is wrong with the files could make somebody miss a
//! post, or get an old one, the site is still built and what was opened before goes on, but
//! nothing new is opened until the author has seen to it.

use super::news::Memory;
use super::prepare::Prepared;
use crate::diagnostic::{Diagnostic, Severity};

/// A reason to open nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caution {
    /// People whom the list cannot name now would never get the post.
    List,
    /// A published post is gone; a new one may be the same under another name.
    Vanished,
    /// The first publish decides what is old; what it cannot read would be news later.
    FirstPublish,
}

impl Caution {
    /// The reason as a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::List => "nothing new is mailed while the list of subscribers has errors",
            Self::Vanished => "nothing new is mailed while a published post is missing: a new one may be the same",
            Self::FirstPublish => {
                "the first publish decides which posts are old, so it mails nothing while posts have errors"
            }
        }
    }

    /// All reasons there are now.
    pub(super) fn all(prepared: &Prepared, memory: &Memory) -> Vec<Self> {
        let list = prepared.listing.diagnostics.iter().any(is_error);
        let first = memory.first && prepared.config.mail_since.is_none() && prepared.has_content_errors();
        [(list, Self::List), (prepared.has_vanished(), Self::Vanished), (first, Self::FirstPublish)]
            .into_iter()
            .filter_map(|(applies, caution)| applies.then_some(caution))
            .collect()
    }
}

/// Whether a diagnostic is an error.
pub(super) fn is_error(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity == Severity::Error
}
