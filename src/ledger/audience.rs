//! Who would get a post, from the ledger's facts.

use super::Ledger;
use super::error::LedgerError;
use crate::domain::audience::Audience;
use crate::domain::ids::{Generation, PostId};

impl Ledger {
    /// Places every subscriber by `domain::audience::place`, with suppression and coverage
    /// read beside each row. Streams: memory grows with the members only.
    pub fn resolve_audience(
        &self,
        tags: &[String],
        post: &PostId,
        generation: Generation,
    ) -> Result<Audience, LedgerError> {
        let _ = (tags, post, generation);
        unimplemented!()
    }
}
