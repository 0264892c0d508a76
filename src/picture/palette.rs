//! The few colours that a flat picture needs.

use std::collections::HashMap;

use super::pixels::Pixels;

/// A palette PNG holds this many colours at most.
const MOST_COLOURS: usize = 256;

/// A picture with more colours than this is a photograph or a gradient, and not worth a try.
const MOST_TO_REDUCE: usize = 200_000;

/// How far the reduced colours may be from the true ones: the square of the distance in levels
/// of 256, as a mean over all pixels and channels. At 3 nobody sees it beside the original.
const MOST_ERROR: f64 = 3.0;

/// Red, green, blue, opacity.
type Colour = [u8; 4];

/// A picture as numbers of colours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Indexed {
    /// The colours, at most 256; those that let something through stand first.
    pub colours: Vec<Colour>,
    /// For each pixel, the number of its colour.
    pub indices: Vec<u8>,
}

/// The picture in at most 256 colours, exactly or so close that nobody sees it; `None` when
/// that is not possible.
pub(super) fn indexed(picture: &Pixels) -> Option<Indexed> {
    let colours = counted(picture)?;
    let (palette, places) = if colours.len() <= MOST_COLOURS { exact(&colours) } else { reduced(colours)? };
    let mut indices = Vec::with_capacity(picture.rgba.len() / 4);
    for (colour, length) in runs(picture) {
        indices.resize(indices.len() + length as usize, places[&colour]);
    }
    Some(Indexed { colours: palette, indices })
}

/// The colours in use and how often, in order; `None` when there are too many.
fn counted(picture: &Pixels) -> Option<Vec<(Colour, u32)>> {
    let mut counts = HashMap::<Colour, u32>::new();
    for (colour, length) in runs(picture) {
        *counts.entry(colour).or_default() += length;
        if counts.len() > MOST_TO_REDUCE {
            return None;
        }
    }
    let mut colours: Vec<_> = counts.into_iter().collect();
    // The PNG chunk for opacity ends at the last colour that needs it.
    colours.sort_unstable_by_key(|(colour, _)| (colour[3] == 255, *colour));
    Some(colours)
}

/// The colours of the pixels, row by row, each with how often it stands there in a row: flat
/// pictures are little else.
fn runs(picture: &Pixels) -> Vec<(Colour, u32)> {
    let mut runs = Vec::<(Colour, u32)>::new();
    let mut last: &[u8] = &[];
    for pixel in picture.rgba.chunks_exact(4) {
        match runs.last_mut() {
            Some((_, length)) if pixel == last => *length += 1,
            Some(_) | None => runs.push((visible(pixel), 1)),
        }
        last = pixel;
    }
    runs
}

/// A pixel's colour; all that cannot be seen is one.
fn visible(pixel: &[u8]) -> Colour {
    if pixel[3] == 0 { [0; 4] } else { [pixel[0], pixel[1], pixel[2], pixel[3]] }
}

fn exact(colours: &[(Colour, u32)]) -> (Vec<Colour>, HashMap<Colour, u8>) {
    let palette: Vec<Colour> = colours.iter().map(|(colour, _)| *colour).collect();
    let places = palette.iter().zip(0..=u8::MAX).map(|(colour, place)| (*colour, place)).collect();
    (palette, places)
}

/// Median cut (Heckbert 1982): the box of colours that spreads most is halved, again and again.
fn reduced(colours: Vec<(Colour, u32)>) -> Option<(Vec<Colour>, HashMap<Colour, u8>)> {
    let pixels: f64 = colours.iter().map(|(_, count)| f64::from(*count)).sum();
    let mut boxes = vec![Cell::of(colours)];
    while boxes.len() < MOST_COLOURS {
        let widest = (0..boxes.len()).max_by(|a, b| boxes[*a].spread.total_cmp(&boxes[*b].spread))?;
        let halves = boxes.swap_remove(widest).halved()?;
        boxes.extend(halves);
    }
    let error: f64 = boxes.iter().map(|cell| cell.spread).sum();
    if error / (pixels * 4.0) > MOST_ERROR {
        return None;
    }
    boxes.sort_by_key(|cell| (cell.mean[3] == 255, cell.mean));
    let places = boxes.iter().zip(0..=u8::MAX);
    let places =
        places.flat_map(|(cell, place)| cell.colours.iter().map(move |(colour, _)| (*colour, place))).collect();
    Some((boxes.iter().map(|cell| cell.mean).collect(), places))
}

/// Some colours that will be one.
struct Cell {
    colours: Vec<(Colour, u32)>,
    mean: Colour,
    /// The sum over all pixels of the squared distance from the mean.
    spread: f64,
    /// The channel that varies most.
    axis: usize,
}

impl Cell {
    fn of(colours: Vec<(Colour, u32)>) -> Self {
        let pixels: f64 = colours.iter().map(|(_, count)| f64::from(*count)).sum();
        let mut mean = [0; 4];
        let mut spreads = [0.0; 4];
        for channel in 0..4 {
            let value = |colour: &Colour| f64::from(colour[channel]);
            let exact = colours.iter().map(|(colour, count)| value(colour) * f64::from(*count)).sum::<f64>() / pixels;
            mean[channel] = nearest_byte(exact);
            let centre = f64::from(mean[channel]);
            let square = |(colour, count): &(Colour, u32)| (value(colour) - centre).powi(2) * f64::from(*count);
            spreads[channel] = colours.iter().map(square).sum();
        }
        let axis = (0..4).max_by(|a, b| spreads[*a].total_cmp(&spreads[*b])).expect("there are four channels");
        Self { colours, mean, spread: spreads.iter().sum(), axis }
    }

    /// Both sides of the mean on the widest axis; `None` for one colour.
    fn halved(self) -> Option<[Self; 2]> {
        let (axis, centre) = (self.axis, self.mean[self.axis]);
        let lowest = self.colours.iter().map(|(colour, _)| colour[axis]).min()?;
        // A mean rounded down to the lowest value would leave one side empty.
        let border = centre.max(lowest.saturating_add(1));
        let (low, high): (Vec<_>, Vec<_>) = self.colours.into_iter().partition(|(colour, _)| colour[axis] < border);
        (!low.is_empty() && !high.is_empty()).then(|| [Self::of(low), Self::of(high)])
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a byte holds")]
fn nearest_byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::samples;

    #[test]
    fn few_colours_are_kept_exactly() {
        let picture = samples::chart(60, 40);
        let indexed = indexed(&picture).unwrap();
        let back: Vec<u8> = indexed.indices.iter().flat_map(|place| indexed.colours[usize::from(*place)]).collect();
        assert_eq!(back, picture.rgba);
    }

    #[test]
    fn what_cannot_be_seen_is_one_colour_and_stands_first() {
        let rgba = vec![9, 9, 9, 255, 1, 2, 3, 0, 4, 5, 6, 0, 7, 7, 7, 100];
        let indexed = indexed(&Pixels { width: 4, height: 1, rgba, profile: None }).unwrap();
        assert_eq!(indexed.colours, [[0, 0, 0, 0], [7, 7, 7, 100], [9, 9, 9, 255]]);
        assert_eq!(indexed.indices, [2, 0, 0, 1]);
    }

    #[test]
    fn the_soft_edges_of_a_scaled_chart_are_reduced_without_harm() {
        let picture = samples::chart(1600, 120).scaled_to(700);
        let distinct = counted(&picture).unwrap().len();
        assert!(distinct > MOST_COLOURS, "{distinct}");
        let indexed = indexed(&picture).unwrap();
        let worst = indexed.indices.iter().zip(picture.rgba.chunks_exact(4)).flat_map(|(place, pixel)| {
            indexed.colours[usize::from(*place)].into_iter().zip(pixel).map(|(a, b)| a.abs_diff(*b))
        });
        assert!(worst.max().unwrap() < 40);
    }

    #[test]
    fn a_photograph_is_not_forced_into_a_palette() {
        assert_eq!(indexed(&samples::photo(150, 100)), None);
    }
}
