//! What a relay has said that nobody has asked for yet.
//!
//! Synchronous: `wire` puts in what came over the socket and takes whole replies out.

use std::collections::VecDeque;

use super::failure::Break;
use super::parser::{RawReply, ReplyParser};

/// Replies read and not yet taken: those to commands sent together.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    parser: ReplyParser,
    replies: VecDeque<RawReply>,
    /// What is wrong with the bytes behind them.
    spoilt: Option<Break>,
}

impl Inbox {
    /// Reads what was said into replies. Nothing behind an error is looked at.
    pub(super) fn put(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.spoilt.is_none() {
            match self.parser.push(bytes) {
                Ok((taken, reply)) => {
                    self.replies.extend(reply);
                    bytes = &bytes[taken..];
                }
                Err(error) => self.spoilt = Some(Break::new(error.to_string())),
            }
        }
    }

    /// The next whole reply, or what is wrong with what came in its place; `None` when nothing
    /// is there.
    pub(super) fn take(&mut self) -> Option<Result<RawReply, Break>> {
        match self.replies.pop_front() {
            Some(reply) => Some(Ok(reply)),
            None => self.spoilt.take().map(Err),
        }
    }

    /// Whether any byte is left, be it of half a reply.
    pub(super) fn is_empty(&self) -> bool {
        self.replies.is_empty() && self.spoilt.is_none() && !self.parser.is_within_reply()
    }

    /// Whether there may be more to read: not behind an error, nor behind more replies than the
    /// relay `owes`, since what a flood holds is not worth reading to its end.
    pub(super) fn wants_more(&self, owed: usize) -> bool {
        self.replies.len() <= owed && self.spoilt.is_none()
    }

    /// Whether the relay has said more than it `owes`.
    pub(super) fn is_beyond(&self, owed: usize) -> bool {
        self.replies.len() > owed || self.spoilt.is_some() || (owed == 0 && !self.is_empty())
    }

    /// The first reply behind those that the relay `owes`.
    pub(super) fn surplus(&self, owed: usize) -> Option<&RawReply> {
        self.replies.get(owed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_after_the_replies_before_it_and_nothing_behind_it_is_read() {
        let mut inbox = Inbox::default();
        inbox.put(b"250 a\r\n354 b\r\nHTTP/1.1\r\n250 c\r\n");
        assert!(!inbox.wants_more(2));
        assert_eq!(inbox.take().unwrap().unwrap().code, 250);
        assert_eq!(inbox.take().unwrap().unwrap().code, 354);
        assert!(inbox.take().unwrap().is_err());
        assert!(inbox.take().is_none());
    }

    #[test]
    fn half_a_reply_is_more_than_nothing_and_less_than_one() {
        let mut inbox = Inbox::default();
        assert!(inbox.is_empty() && !inbox.is_beyond(0));
        inbox.put(b"421 go");
        assert!(inbox.take().is_none() && !inbox.is_empty());
        assert!(inbox.is_beyond(0), "nothing was asked, and something is being said");
        assert!(!inbox.is_beyond(1));
        inbox.put(b"ne\r\n250 b\r\n");
        assert!(inbox.is_beyond(1));
        assert_eq!(inbox.surplus(0).unwrap().code, 421);
    }
}
