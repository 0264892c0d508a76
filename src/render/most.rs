//! How much fits, found with few renderings: they are dear.

use crate::diagnostic::Diagnostic;

/// So often is a number guessed; who has not found it so is divided in halves.
const GUESSES: usize = 8;

/// What came of a rendering.
pub(super) enum Attempt<T> {
    /// It, and how many bytes its HTML has.
    Finished(T, usize),
    /// It was given up, since so many bytes were there before its styles were put in.
    GivenUp(usize),
}

/// Styles make most texts about so many times as long.
const GROWTH: usize = 3;

impl<T> Attempt<T> {
    /// How many bytes it has; of what was given up, about how many it would have.
    pub fn size(&self) -> usize {
        match self {
            Self::Finished(_, size) => *size,
            Self::GivenUp(size) => size * GROWTH,
        }
    }

    /// It with its bytes, if it has no more than so many.
    pub fn within(self, limit: usize) -> Option<(T, usize)> {
        match self {
            Self::Finished(rendered, size) if size <= limit => Some((rendered, size)),
            Self::Finished(..) | Self::GivenUp(_) => None,
        }
    }
}

/// The largest number with which the HTML has at most `limit` bytes, with what `render` makes of it;
/// `None` when it has more even with 0. `weights` tells for each number how much it stands for, and
/// last for all, in any unit and never less than for the number before; `whole` is the size of all,
/// above the limit.
///
/// What weighs twice as much is mostly twice as large, but for what every rendering has. So a number
/// is guessed from the last two sizes that were seen, and guessed again: where sizes grow evenly, three
/// or four renderings are all.
pub(super) fn most<T>(
    weights: &[usize],
    whole: usize,
    limit: usize,
    render: impl Fn(usize) -> Result<Attempt<T>, Diagnostic>,
) -> Result<Option<(T, usize)>, Diagnostic> {
    let all = (weights.last().copied().unwrap_or_default(), whole);
    let mut search = Search { weights, limit, low: 0, high: weights.len(), above: all, seen: Vec::new(), found: None };
    for guesses in 0.. {
        let between = search.high - search.low;
        if between <= 1 {
            break;
        }
        let step = if guesses < GUESSES { search.guess() } else { between / 2 };
        search.look(search.low + step.clamp(1, between - 1), &render)?;
    }
    Ok(search.found)
}

/// Between which places the answer lies. The place of a number is one more than the number, and place
/// 0 is nothing at all.
struct Search<'w, T> {
    weights: &'w [usize],
    limit: usize,
    /// The highest place that is known to fit.
    low: usize,
    /// The lowest that is known not to.
    high: usize,
    /// A weight that is too much, and about how large it would be.
    above: (usize, usize),
    /// The weights that were rendered, with their sizes, as they came.
    seen: Vec<(usize, usize)>,
    found: Option<(T, usize)>,
}

impl<T> Search<'_, T> {
    /// How far above the lower place the limit lies if sizes go on growing as they did.
    fn guess(&self) -> usize {
        let (a, b) = match *self.seen {
            [] => ((0, 0), self.above),
            [only] => ((0, 0), only),
            [.., last, newest] => (last, newest),
        };
        let wanted = weight_at(self.limit, a, b);
        self.weights[self.low..self.high].partition_point(|weight| *weight <= wanted)
    }

    /// Renders a place between the two.
    fn look(
        &mut self,
        place: usize,
        render: &impl Fn(usize) -> Result<Attempt<T>, Diagnostic>,
    ) -> Result<(), Diagnostic> {
        let number = place - 1;
        let attempt = render(number)?;
        let measured = (self.weights[number], attempt.size());
        match attempt {
            Attempt::GivenUp(_) => (self.high, self.above) = (place, measured),
            Attempt::Finished(rendered, size) => {
                self.seen.push(measured);
                if size <= self.limit {
                    (self.low, self.found) = (place, Some((rendered, number)));
                } else {
                    self.high = place;
                }
            }
        }
        Ok(())
    }
}

/// The weight that has a size, on the line through two weights with their sizes.
fn weight_at(size: usize, a: (usize, usize), b: (usize, usize)) -> usize {
    let (a, b) = if a.1 <= b.1 { (a, b) } else { (b, a) };
    let (run, rise) = (b.0.saturating_sub(a.0), (b.1 - a.1).max(1));
    match size.checked_sub(a.1) {
        Some(above) => a.0 + above * run / rise,
        None => a.0.saturating_sub(((a.1 - size) * run).div_ceil(rise)),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    /// What is found among these sizes, and after how many renderings, when each number weighs as
    /// much as the next.
    fn found(sizes: &[usize], limit: usize) -> (Option<usize>, usize) {
        let even: Vec<usize> = (1..=sizes.len()).collect();
        found_by_weight(&even, sizes, limit)
    }

    fn found_by_weight(weights: &[usize], sizes: &[usize], limit: usize) -> (Option<usize>, usize) {
        let whole = sizes[sizes.len() - 1];
        let asked = Cell::new(0);
        let render = |nth: usize| {
            asked.set(asked.get() + 1);
            Ok(Attempt::Finished(nth, sizes[nth]))
        };
        let found = most(weights, whole, limit, render).unwrap();
        assert!(found.is_none_or(|(rendered, nth)| rendered == nth));
        (found.map(|(_, nth)| nth), asked.get())
    }

    #[test]
    fn where_sizes_grow_evenly_a_few_renderings_are_enough() {
        let even: Vec<usize> = (0..=10_000).map(|n| n * 100).collect();
        let with_template: Vec<usize> = (0..=10_000).map(|n| 9_000 + n * 70).collect();
        let with_large_template: Vec<usize> = (0..=10_000).map(|n| 50_000 + n * 70).collect();
        for (sizes, expected) in [(even, 1000), (with_template, 1300), (with_large_template, 714)] {
            let (nth, asked) = found(&sizes, 100_000);
            assert_eq!((nth, asked <= 4), (Some(expected), true), "{asked}");
        }
    }

    #[test]
    fn where_sizes_grow_as_weights_do_two_renderings_are_enough() {
        let weights: Vec<usize> = (1..=1000_usize).map(|n| n.pow(3)).collect();
        let sizes: Vec<usize> = weights.iter().map(|weight| weight * 2).collect();
        assert_eq!(found_by_weight(&weights, &sizes, 2_000_000), (Some(99), 2));
    }

    #[test]
    fn what_was_given_up_is_never_found() {
        let given_up = |_| Ok(Attempt::<usize>::GivenUp(200));
        let render = |nth| if nth < 3 { Ok(Attempt::Finished(nth, nth)) } else { given_up(nth) };
        assert_eq!(most(&[1, 2, 3, 4, 5, 6], 5_000, 100, render).unwrap(), Some((2, 2)));
        assert_eq!(most(&[1, 2], 5_000, 100, given_up).unwrap(), None);
    }

    proptest! {
        #[test]
        fn the_largest_that_fits_is_found_however_sizes_grow(
            steps in proptest::collection::vec(prop_oneof![0..5_usize, 0..100_000_usize], 1..60),
            limit in 0..500_000_usize,
            heavier in proptest::collection::vec(0..1000_usize, 60),
        ) {
            let mut sizes: Vec<usize> = steps.iter().scan(0, |sum, step| { *sum += step; Some(*sum) }).collect();
            sizes.push(sizes[sizes.len() - 1].max(limit) + 1);
            let weights: Vec<usize> =
                heavier.iter().take(sizes.len()).scan(0, |sum, step| { *sum += step; Some(*sum) }).collect();
            let (nth, asked) = found_by_weight(&weights, &sizes, limit);
            prop_assert_eq!(nth, sizes.iter().rposition(|size| *size <= limit));
            prop_assert!(asked <= GUESSES + 7, "{}", asked);
        }
    }
}
