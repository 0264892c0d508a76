//! What time it is: the system's clock, or the one a test set.

use chrono::Utc;

use crate::domain::time::Instant;

/// A clock that can be handed on. Only commands and the loops of a run read it; everything
/// else takes `now` as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// The system's.
    #[default]
    System,
    /// Standing still at a moment: for tests.
    Still(Instant),
}

impl Clock {
    /// Whether waiting brings a later moment nearer.
    pub fn runs(self) -> bool {
        match self {
            Self::System => true,
            Self::Still(_) => false,
        }
    }

    /// The moment by this clock.
    pub fn now(self) -> Instant {
        match self {
            Self::System => Utc::now(),
            Self::Still(moment) => moment,
        }
    }
}
