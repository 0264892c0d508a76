//! When something is wrong with everything: the last 200 replies under watch.
//!
//! A list with some dead addresses gets some refusals. When more than a fifth of the last 200
//! replies refuse for good, and at least 40 are in, it is not the recipients: the content, the
//! sender or the relay is refused, and the campaign pauses. Such refusals often say "no such
//! user" all the same. So an address is suppressed only when the window it was refused in has
//! passed without alarm; what an alarm finds waiting is dropped.

use std::collections::VecDeque;

/// So many replies are watched.
const WINDOW: usize = 200;
/// Fewer replies raise no alarm over refusals.
const ENOUGH: usize = 40;
/// At the end of a run with fewer replies than that, so many refusals are believed anyhow.
const BELIEVED: usize = 3;

/// What one reply was, to the watch over refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen<T> {
    /// Anything but a refusal for good.
    NoRefusal,
    /// A refusal for good that suppresses nobody.
    Refusal,
    /// A refusal for good, and whom to suppress for it.
    Suppressing(T),
}

/// What the watch says after a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word<T> {
    /// Go on; these suppressions may be booked now.
    GoOn(Vec<T>),
    /// Pause: of so many replies so many refused. What waited to be suppressed is dropped, and
    /// the watch begins anew.
    Alarm {
        /// How many of the last replies refused for good.
        refused: usize,
        /// How many replies that is out of.
        of: usize,
    },
}

/// The watch over the refusals of one campaign.
#[derive(Debug)]
pub struct Refusals<T> {
    window: VecDeque<Seen<T>>,
    /// How many of the window refused for good.
    refused: usize,
}

impl<T> Default for Refusals<T> {
    fn default() -> Self {
        Self { window: VecDeque::new(), refused: 0 }
    }
}

impl<T> Seen<T> {
    fn is_refusal(&self) -> bool {
        !matches!(self, Self::NoRefusal)
    }
}

impl<T> Refusals<T> {
    /// Takes note of a reply.
    pub fn note(&mut self, seen: Seen<T>) -> Word<T> {
        let passed = (self.window.len() == WINDOW).then(|| self.forget_the_first()).flatten();
        self.refused += usize::from(seen.is_refusal());
        self.window.push_back(seen);
        let (refused, of) = (self.refused, self.window.len());
        if of >= ENOUGH && refused * 5 > of {
            // What has just passed is dropped too: it was refused shortly before.
            *self = Self::default();
            return Word::Alarm { refused, of };
        }
        Word::GoOn(Vec::from_iter(passed))
    }

    /// The first reply leaves the window; returns whom to suppress for it.
    fn forget_the_first(&mut self) -> Option<T> {
        let first = self.window.pop_front()?;
        self.refused -= usize::from(first.is_refusal());
        match first {
            Seen::Suppressing(whom) => Some(whom),
            Seen::Refusal | Seen::NoRefusal => None,
        }
    }

    /// The end of a run: what may be suppressed of the replies still under watch. With fewer
    /// than 40, a fifth of them or three are believed.
    pub fn close(&mut self) -> Vec<T> {
        let (refused, of) = (std::mem::take(&mut self.refused), self.window.len());
        let is_calm = refused * 5 <= of || (of < ENOUGH && refused <= BELIEVED);
        let rest = self.window.drain(..).filter_map(|seen| match seen {
            Seen::Suppressing(whom) => Some(whom),
            Seen::Refusal | Seen::NoRefusal => None,
        });
        if is_calm { rest.collect() } else { Vec::new() }
    }
}

/// The watch over one relay's doubts: replies to the final dot that never came.
#[derive(Debug, Default)]
pub struct Doubts {
    window: VecDeque<Doubt>,
    /// How many of the window are in doubt.
    in_doubt: usize,
}

/// Whether the relay answered the final dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It did, whatever it said.
    Answered,
    /// It did not: the delivery is in doubt.
    InDoubt,
}

impl Doubts {
    /// Takes note of a final dot. `Some` with the number in doubt when more than a twentieth
    /// of the last 200 are (so, eleven or more): pause the relay. The watch then begins anew.
    pub fn note(&mut self, doubt: Doubt) -> Option<usize> {
        if self.window.len() == WINDOW && self.window.pop_front() == Some(Doubt::InDoubt) {
            self.in_doubt -= 1;
        }
        self.in_doubt += usize::from(doubt == Doubt::InDoubt);
        self.window.push_back(doubt);
        let in_doubt = self.in_doubt;
        let is_too_much = in_doubt * 20 > WINDOW;
        if is_too_much {
            *self = Self::default();
        }
        is_too_much.then_some(in_doubt)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn note_all(watch: &mut Refusals<usize>, seen: impl IntoIterator<Item = Seen<usize>>) -> Vec<Word<usize>> {
        seen.into_iter().map(|seen| watch.note(seen)).collect()
    }

    #[test]
    fn forty_replies_with_more_than_a_fifth_refused_raise_the_alarm() {
        let mut watch = Refusals::default();
        let first = (0..39).map(|n| if n % 4 == 0 { Seen::Suppressing(n) } else { Seen::NoRefusal });
        assert!(note_all(&mut watch, first).iter().all(|word| *word == Word::GoOn(Vec::new())));
        assert_eq!(watch.note(Seen::NoRefusal), Word::Alarm { refused: 10, of: 40 });
        assert_eq!(watch.close(), Vec::<usize>::new(), "what waited is dropped");
    }

    #[test]
    fn a_fifth_is_no_alarm_and_is_booked_at_the_end() {
        let mut watch = Refusals::default();
        let seen = (0..100).map(|n| if n % 5 == 4 { Seen::Suppressing(n) } else { Seen::NoRefusal });
        assert!(note_all(&mut watch, seen).iter().all(|word| *word == Word::GoOn(Vec::new())));
        assert_eq!(watch.close().len(), 20);
    }

    #[test]
    fn a_suppression_is_booked_when_two_hundred_replies_followed_it() {
        let mut watch = Refusals::default();
        watch.note(Seen::Suppressing(7));
        assert!(note_all(&mut watch, (0..199).map(|_| Seen::NoRefusal)).iter().all(|w| *w == Word::GoOn(Vec::new())));
        assert_eq!(watch.note(Seen::NoRefusal), Word::GoOn(vec![7]));
    }

    #[test]
    fn refusals_that_suppress_nobody_count_too() {
        let mut watch = Refusals::default();
        let seen = (0..40).map(|n| if n < 9 { Seen::Refusal } else { Seen::NoRefusal });
        assert_eq!(note_all(&mut watch, seen)[39], Word::Alarm { refused: 9, of: 40 });
    }

    #[test]
    fn a_short_list_is_believed_up_to_three() {
        for (refused, of, booked) in [(1, 1, 1), (3, 3, 3), (4, 10, 0), (4, 20, 4), (30, 30, 0)] {
            let mut watch = Refusals::default();
            note_all(&mut watch, (0..of).map(|n| if n < refused { Seen::Suppressing(n) } else { Seen::NoRefusal }));
            assert_eq!(watch.close().len(), booked, "{refused} of {of}");
        }
    }

    #[test]
    fn eleven_doubts_in_two_hundred_pause_the_relay() {
        let mut watch = Doubts::default();
        assert!((0..10).all(|_| watch.note(Doubt::InDoubt).is_none()));
        assert!((0..190).all(|_| watch.note(Doubt::Answered).is_none()));
        assert!((0..10).all(|_| watch.note(Doubt::InDoubt).is_none()), "the first ten are forgotten");
        assert_eq!(watch.note(Doubt::InDoubt), Some(11));
        assert_eq!(watch.note(Doubt::InDoubt), None, "it begins anew");
    }

    proptest! {
        /// Whatever comes, nobody is booked whose window saw an alarm, and nobody twice.
        #[test]
        fn only_calm_windows_book(kinds in prop::collection::vec(0..10u8, 0..900), bias in 0..6u8) {
            let mut watch = Refusals::default();
            let mut alarms = Vec::new();
            let mut booked = Vec::new();
            for (n, kind) in kinds.iter().enumerate() {
                let seen = if *kind < bias { Seen::Suppressing(n) } else { Seen::NoRefusal };
                match watch.note(seen) {
                    Word::GoOn(whom) => booked.extend(whom),
                    Word::Alarm { refused, of } => {
                        prop_assert!((ENOUGH..=WINDOW).contains(&of) && refused * 5 > of);
                        alarms.push((n + 1 - of, n));
                    }
                }
            }
            booked.extend(watch.close());
            for whom in &booked {
                prop_assert!(kinds[*whom] < bias);
                prop_assert!(alarms.iter().all(|(from, to)| whom < from || whom > to), "{whom} of {alarms:?}");
            }
            prop_assert!(booked.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
