//! The card that is shown where a page is shared: 1200 by 630 pixels (Open Graph).

use std::collections::BTreeSet;
use std::fmt::Write;

use super::fonts::{Style, escaped, lacking, width};
use super::svg::Drawing;
use super::{Kind, Rendition, encode};

const WIDTH: u32 = 1200;
const HEIGHT: u32 = 630;

/// The room for a line of text, in pixels.
const LINE: f32 = 1040.0;

/// Sizes of the title and how many lines it may take: the first that fits is used.
const TITLE: [(f32, usize); 4] = [(76.0, 3), (64.0, 4), (54.0, 5), (46.0, 5)];

/// Text is measured at this size and scaled: the typeface has no hints, so widths are exact.
const MEASURE: Style = Style { size: 100.0, weight: 600 };

/// What a card says; plain text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CardText<'a> {
    /// The page's title.
    pub title: &'a str,
    /// The site's name.
    pub site: &'a str,
    /// Who wrote it and when, on one line.
    pub byline: &'a str,
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The card as PNG.
    pub picture: Rendition,
    /// Letters that our typeface lacks. The texts that hold them were left out.
    pub missing: Vec<char>,
}

/// Draws a card. A text whose letters the typeface lacks (it has those of Latin, Greek and
/// Cyrillic) is left out, since empty boxes are worse than nothing; emoji in it are left out
/// alone. Where the title is left out, the site's name stands in its place.
pub fn card(text: &CardText) -> Card {
    let [title, site, byline] = [text.title, text.site, text.byline].map(Line::of);
    let missing = [&title, &site, &byline].into_iter().flat_map(|line| line.missing.iter().copied());
    let missing = missing.collect::<BTreeSet<char>>().into_iter().collect();
    let (headline, name) =
        if title.text.is_empty() { (site.text.as_str(), "") } else { (title.text.as_str(), site.text.as_str()) };
    let drawing = drawing(headline, name, &byline.text);
    let pixels = Drawing::read(drawing.as_bytes())
        .and_then(|drawing| drawing.painted(WIDTH))
        .expect("we wrote it, and it is small");
    let picture = Rendition { kind: Kind::Png, width: WIDTH, height: HEIGHT, bytes: encode::png(&pixels) };
    Card { picture, missing }
}

/// A text as far as the typeface can show it.
struct Line {
    text: String,
    missing: Vec<char>,
}

impl Line {
    fn of(text: &str) -> Self {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let lacking = lacking(&text);
        if lacking.is_empty() {
            return Self { text, missing: Vec::new() };
        }
        let missing: Vec<char> = lacking.iter().copied().filter(|c| c.is_alphanumeric()).collect();
        if missing.is_empty() {
            let shown = text.replace(|c| lacking.contains(&c), " ");
            return Self { text: shown.split_whitespace().collect::<Vec<_>>().join(" "), missing };
        }
        Self { text: String::new(), missing }
    }
}

fn drawing(headline: &str, name: &str, byline: &str) -> String {
    let (size, lines) = set(headline);
    let leading = size * 1.16;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\">\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fdfcfa\"/>\
         <rect width=\"{WIDTH}\" height=\"14\" fill=\"#1a55a5\"/>"
    );
    let mut line = |y: f32, size: f32, weight: u16, colour: &str, text: &str| {
        write!(
            out,
            "<text x=\"80\" y=\"{y}\" font-size=\"{size}\" font-weight=\"{weight}\" fill=\"{colour}\">{}</text>",
            escaped(text)
        )
        .expect("memory takes all text");
    };
    line(112.0, 32.0, 600, "#66615a", &cut(name, 32.0));
    let top = 206.0 + (size - 46.0) * 0.6;
    for (text, number) in lines.iter().zip(0_u8..) {
        line(top + leading * f32::from(number), size, 600, "#22201d", text);
    }
    line(562.0, 30.0, 400, "#66615a", &cut(byline, 30.0));
    out.push_str("</svg>");
    out
}

/// The size and the lines of a headline.
fn set(headline: &str) -> (f32, Vec<String>) {
    let words: Vec<(&str, f32)> = headline.split(' ').map(|word| (word, width(word, MEASURE))).collect();
    let fits = TITLE.iter().find_map(|(size, most)| {
        let lines = wrapped(&words, LINE * MEASURE.size / size);
        (lines.len() <= *most && words.iter().all(|(_, width)| width * size / MEASURE.size <= LINE))
            .then_some((*size, lines))
    });
    fits.unwrap_or_else(|| {
        let (size, most) = TITLE[TITLE.len() - 1];
        (size, shortened(headline, size, most))
    })
}

/// Words set in lines no wider than the room, as many as go into each.
fn wrapped(words: &[(&str, f32)], room: f32) -> Vec<String> {
    let space = width("n n", MEASURE) - width("nn", MEASURE);
    let mut lines: Vec<String> = Vec::new();
    let mut used = f32::INFINITY;
    for (word, width) in words {
        match lines.last_mut() {
            Some(line) if used + space + width <= room => {
                line.push(' ');
                line.push_str(word);
                used += space + width;
            }
            Some(_) | None => {
                lines.push((*word).to_owned());
                used = *width;
            }
        }
    }
    lines
}

/// The beginning of a headline that is too long for a card. Words wider than a line are broken.
fn shortened(headline: &str, size: f32, most: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    for word in headline.split(' ').take(200) {
        let mut rest = word;
        while !rest.is_empty() {
            let end = fitting(rest, size);
            pieces.push(&rest[..end]);
            rest = &rest[end..];
        }
    }
    let words: Vec<(&str, f32)> = pieces.iter().map(|word| (*word, width(word, MEASURE))).collect();
    let mut lines = wrapped(&words, LINE * MEASURE.size / size);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = cut(&format!("{last} …"), size);
        }
    }
    lines
}

/// How much of a word goes into one line: all of it, or so many whole characters.
fn fitting(word: &str, size: f32) -> usize {
    let mut used = 0.0;
    for (at, c) in word.char_indices().skip(1) {
        used += width(c.encode_utf8(&mut [0; 4]), MEASURE) * size / MEASURE.size;
        if used > LINE * 0.9 {
            return at;
        }
    }
    word.len()
}

/// A line cut to the room it has, with an ellipsis where something is gone.
fn cut(text: &str, size: f32) -> String {
    let style = Style { size, weight: MEASURE.weight };
    let mut shown: String = text.chars().take(200).collect();
    if shown.len() == text.len() && width(&shown, style) <= LINE {
        return shown;
    }
    while shown.pop().is_some() {
        let candidate = format!("{}…", shown.trim_end_matches([' ', '…']));
        if width(&candidate, style) <= LINE {
            return candidate;
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::decode::decode;

    fn text(title: &str) -> CardText<'_> {
        CardText { title, site: "ML Field Notes", byline: "Ada Example · 2 March 2026" }
    }

    #[test]
    fn a_card_is_a_png_of_the_size_that_sites_ask_for() {
        let card = card(&text("Why your retrieval fails, and what to measure first"));
        let pixels = decode(&card.picture.bytes, Kind::Png).unwrap();
        assert_eq!((pixels.width, pixels.height, card.picture.width, card.picture.height), (1200, 630, 1200, 630));
        assert!(card.missing.is_empty());
        assert!(card.picture.bytes.len() < 60_000, "{}", card.picture.bytes.len());
    }

    #[test]
    fn a_title_is_set_in_lines_that_fit() {
        for title in ["Short", "This Week in Rust 600", &"supercalifragilistic ".repeat(30), &"x".repeat(900), ""] {
            let (size, lines) = set(title);
            assert!(lines.len() <= 5, "{title}");
            for line in &lines {
                assert!(width(line, Style { size, weight: 600 }) <= LINE + 1.0, "{line}");
            }
        }
        let (size, lines) = set("Attention is not all you need, and other things we learnt by serving a model");
        assert_eq!(lines.join(" "), "Attention is not all you need, and other things we learnt by serving a model");
        assert!(size > 46.0 && lines.len() > 1);
        assert!(set(&"many words ".repeat(60)).1.last().unwrap().ends_with('…'));
    }

    #[test]
    fn letters_that_the_typeface_lacks_are_never_empty_boxes() {
        let foreign = card(&text("日本語の題名"));
        assert_eq!(foreign.missing.len(), 6);
        let without = card(&CardText { title: "", ..text("") });
        assert_eq!(foreign.picture, without.picture);
        assert_eq!(card(&text("שלום")).picture, without.picture);
    }

    #[test]
    fn an_emoji_is_left_out_and_its_title_stays() {
        let (with, without) = (card(&text("🚀 Ship it ✨")), card(&text("Ship it")));
        assert!(with.missing.is_empty());
        assert_eq!(with.picture, without.picture);
    }
}
