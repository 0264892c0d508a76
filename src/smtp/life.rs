//! How much a connection may carry: the relay's own limit (RFC 9422) and the author's.

use std::time::Duration;

use tokio::time::Instant;

use super::capabilities::Capabilities;
use super::settings::Settings;

/// The life of one connection, counted in messages and in time.
#[derive(Debug)]
pub(super) struct Life {
    began: Instant,
    /// MAIL commands written, for messages taken or not.
    mails: u64,
    max_mails: Option<u64>,
    max_age: Option<Duration>,
}

impl Life {
    pub(super) fn begin(settings: &Settings) -> Self {
        Self { began: Instant::now(), mails: 0, max_mails: settings.max_messages, max_age: settings.max_age }
    }

    /// Counts a MAIL.
    pub(super) fn count_mail(&mut self) {
        self.mails += 1;
    }

    /// Whether that many more messages, one at least, may go over the connection.
    pub(super) fn has_room_for(&self, messages: u64, relay: &Capabilities) -> bool {
        let is_within = |limit: Option<u64>| limit.is_none_or(|limit| self.mails.saturating_add(messages) <= limit);
        let is_young = self.max_age.is_none_or(|max| self.began.elapsed() < max);
        is_young && is_within(self.max_mails) && is_within(relay.mail_limit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::{ClearTextTo, Security};

    #[tokio::test]
    async fn a_life_ends_with_the_smallest_of_its_limits() {
        let plain = Settings::new("localhost", 25, Security::ClearText(ClearTextTo::LoopbackOnly));
        let relay = |line: &str| Capabilities::from_lines(&["relay".to_owned(), line.to_owned()]);
        let room = |max_messages, max_age, offer: &str| {
            let mut life = Life::begin(&Settings { max_messages, max_age, ..plain.clone() });
            while life.mails < 10 && life.has_room_for(1, &relay(offer)) {
                life.count_mail();
            }
            life.mails
        };
        assert_eq!(room(None, None, "SIZE"), 10);
        assert_eq!(room(Some(3), None, "SIZE"), 3);
        assert_eq!(room(Some(3), None, "LIMITS MAILMAX=2"), 2);
        assert_eq!(room(Some(3), None, "LIMITS MAILMAX=4"), 3);
        assert_eq!(room(None, Some(Duration::ZERO), "SIZE"), 0);
        assert!(!Life::begin(&Settings { max_messages: Some(3), ..plain }).has_room_for(4, &relay("SIZE")));
    }
}
