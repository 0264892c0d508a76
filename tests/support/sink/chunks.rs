//! BDAT, as strictly as RFC 3030 has it.

use std::io;

use tokio::time::sleep;

use super::conversation::{Conversation, Next};
use super::script::{Behaviour, Lie};

/// What a BDAT announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    size: usize,
    is_last: bool,
}

/// The chunks of the transaction at hand.
#[derive(Debug, Default)]
pub(super) enum Chunks {
    /// None was sent.
    #[default]
    None,
    /// These octets so far, in this many chunks.
    Taken(Vec<u8>, usize),
    /// One was refused: nothing but RSET is taken now.
    Refused,
}

impl Conversation {
    /// `BDAT size`, with LAST or without.
    pub(super) fn bdat(&mut self, line: &str) -> Next {
        let words: Vec<&str> = line.split(' ').skip(1).collect();
        let (size, is_last) = match words[..] {
            [size] => (size, false),
            [size, last] if last.eq_ignore_ascii_case("LAST") => (size, true),
            _ => return self.answer("501 5.5.4 BDAT how?"),
        };
        if !self.offers("CHUNKING") {
            return self.answer("502 5.5.1 no BDAT here");
        }
        match size.parse() {
            Ok(size) if size <= 1 << 30 => Next::Chunk(Chunk { size, is_last }),
            Ok(_) | Err(_) => self.answer("501 5.5.4 how many octets?"),
        }
    }

    /// Reads the octets first, whatever the answer is: they are on their way.
    pub(super) async fn take_chunk(&mut self, chunk: Chunk) -> io::Result<Next> {
        let Some(octets) = self.wire.octets(chunk.size).await? else { return Ok(Next::Close) };
        if let Some(refusal) = self.objection(chunk) {
            self.chunks = Chunks::Refused;
            return Ok(self.answer(&refusal));
        }
        if self.recipient.is_none() {
            // The lie of a relay that took what it had refused.
            return Ok(self.answer("250 2.0.0 taken nevertheless"));
        }
        let (bytes, count) = match std::mem::take(&mut self.chunks) {
            Chunks::Taken(mut bytes, count) => {
                bytes.extend_from_slice(&octets);
                (bytes, count)
            }
            Chunks::None | Chunks::Refused => (octets, 0),
        };
        if chunk.is_last {
            sleep(self.shared.script.delay).await;
            return self.finish(bytes, count + 1).await;
        }
        self.chunks = Chunks::Taken(bytes, count + 1);
        Ok(self.answer(&format!("250 2.0.0 {} octets", chunk.size)))
    }

    fn objection(&self, chunk: Chunk) -> Option<String> {
        if matches!(self.chunks, Chunks::Refused) {
            return Some("503 5.5.1 RSET first".to_owned());
        }
        let Some(recipient) = &self.recipient else {
            let is_lie = chunk.is_last && self.lies(Lie::AcceptRefused);
            return (!is_lie).then(|| "554 5.5.1 no valid recipients".to_owned());
        };
        match self.behaviour("chunk", recipient) {
            Behaviour::RefuseChunk(code) if !chunk.is_last => Some(format!("{code} {}.3.1 no room", code / 100)),
            Behaviour::Accept
            | Behaviour::RefuseChunk(_)
            | Behaviour::RefuseRecipient(_)
            | Behaviour::RefuseMessage(_)
            | Behaviour::DropAtRecipient
            | Behaviour::Lose(_) => None,
        }
    }
}
