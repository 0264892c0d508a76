//! How much fits, found with few renderings: they are dear.

use crate::diagnostic::Diagnostic;

/// So often is a number guessed; who has not found it so is divided in halves.
const GUESSES: usize = 4;

/// The largest number below `count` with which the HTML has at most `limit` bytes, with what
/// `render` makes of it; `None` when it has more even with 0. `whole` is its size with all, above
/// the limit.
///
/// Twice as many are mostly twice as large. So a number is guessed from the sizes that are known, and
/// then its neighbour is tried: for most texts that is all.
pub(super) fn most<T>(
    count: usize,
    whole: usize,
    limit: usize,
    render: impl Fn(usize) -> Result<(T, usize), Diagnostic>,
) -> Result<Option<(T, usize)>, Diagnostic> {
    let mut search = Search { low: (0, 0), high: (count + 1, whole), limit, found: None };
    let mut guesses = 0..GUESSES;
    while search.between() > 1 {
        if guesses.next().is_none() {
            search.look(search.between() / 2, &render)?;
            continue;
        }
        let fits = search.look(search.guess(), &render)?;
        if search.between() > 1 {
            search.look(if fits { 1 } else { search.between() - 1 }, &render)?;
        }
    }
    Ok(search.found)
}

/// Places with their sizes: the highest that is known to fit, the lowest that is known not to. The
/// place of a number is one more than the number, and place 0 is nothing at all.
struct Search<T> {
    low: (usize, usize),
    high: (usize, usize),
    limit: usize,
    found: Option<(T, usize)>,
}

impl<T> Search<T> {
    fn between(&self) -> usize {
        self.high.0 - self.low.0
    }

    /// How far above the lower place the limit lies if sizes grow evenly.
    fn guess(&self) -> usize {
        (self.limit - self.low.1) * self.between() / (self.high.1 - self.low.1)
    }

    /// Renders so far above the lower place, but below the higher; whether it fits.
    fn look(
        &mut self,
        step: usize,
        render: &impl Fn(usize) -> Result<(T, usize), Diagnostic>,
    ) -> Result<bool, Diagnostic> {
        let place = self.low.0 + step.clamp(1, self.between() - 1);
        let (rendered, size) = render(place - 1)?;
        let fits = size <= self.limit;
        if fits {
            (self.low, self.found) = ((place, size), Some((rendered, place - 1)));
        } else {
            self.high = (place, size);
        }
        Ok(fits)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    /// What is found among these sizes, and after how many renderings.
    fn found(sizes: &[usize], limit: usize) -> (Option<usize>, usize) {
        let (whole, count) = (sizes[sizes.len() - 1], sizes.len() - 1);
        let asked = Cell::new(0);
        let render = |nth: usize| {
            asked.set(asked.get() + 1);
            Ok((nth, sizes[nth]))
        };
        let found = most(count, whole, limit, render).unwrap();
        assert!(found.is_none_or(|(rendered, nth)| rendered == nth));
        (found.map(|(_, nth)| nth), asked.get())
    }

    #[test]
    fn where_sizes_grow_evenly_a_few_renderings_are_enough() {
        let even: Vec<usize> = (0..=10_000).map(|n| n * 100).collect();
        let with_template: Vec<usize> = (0..=10_000).map(|n| 9_000 + n * 70).collect();
        for (sizes, expected) in [(even, 1000), (with_template, 1300)] {
            let (nth, asked) = found(&sizes, 100_000);
            assert_eq!((nth, asked <= 6), (Some(expected), true), "{asked}");
        }
    }

    proptest! {
        #[test]
        fn the_largest_that_fits_is_found_however_sizes_grow(
            steps in proptest::collection::vec(prop_oneof![0..5_usize, 0..100_000_usize], 1..60),
            limit in 0..500_000_usize,
        ) {
            let mut sizes: Vec<usize> = steps.iter().scan(0, |sum, step| { *sum += step; Some(*sum) }).collect();
            sizes.push(sizes[sizes.len() - 1].max(limit) + 1);
            let (nth, asked) = found(&sizes, limit);
            prop_assert_eq!(nth, sizes.iter().rposition(|size| *size <= limit));
            prop_assert!(asked <= 2 * GUESSES + 7, "{}", asked);
        }
    }
}
