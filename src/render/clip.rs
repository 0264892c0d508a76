//! A mail that mail programs would cut off is made shorter until none does, in the steps that
//! a reader misses least: first the colours of code go, then what stands behind a heading, with
//! a link to the rest. No cut reaches the footer: the way out is always there.

use super::html::Colours;
use super::most::{Attempt, most};
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::document::{Block, Document, plain_text};
use crate::domain::post::Article;
use crate::domain::walk;

/// From this size on the author is told: HTML, in bytes.
const TELL_AT: usize = 90 * 1024;

/// The largest HTML that goes out. Gmail cuts off at 102 KB; two are left for what differs
/// from recipient to recipient.
const LARGEST: usize = 100 * 1024;

/// A text whose HTML has more before its styles are put in needs none to be known as too large. They
/// add to it, and putting them into a long text takes longer than all else.
pub(super) const HOPELESS: usize = 2 * LARGEST;

/// What of a post is mailed.
#[derive(Debug, Clone)]
pub(super) struct Extent {
    /// The post with its text, or with the beginning of it.
    pub article: Article,
    /// Whether its code has colours.
    pub colours: Colours,
    /// The rest, when it is not mailed.
    pub rest: Option<Rest>,
}

/// Where a mail breaks off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rest {
    /// The fragment of the first heading that is not mailed; empty when no heading stands there.
    pub fragment: String,
    title: String,
    /// The first block of it.
    block: usize,
}

/// The fullest rendering of a post that no mail program cuts off, and what the author should
/// know of it. `render` gives up what has more than [`HOPELESS`] bytes; `lengths` are the bytes that
/// the text has before each block and in all, as nearly as can be said without its styles. The error
/// is a template so long that nothing of the post fits beside it.
pub(super) fn fitted<T>(
    article: &Article,
    lengths: impl FnOnce() -> Vec<usize>,
    render: impl Fn(&Extent) -> Result<Attempt<T>, Diagnostic>,
) -> Result<(T, Option<Diagnostic>), Diagnostic> {
    let told = |block, size, what: &str| told(article, block, size, what);
    let whole = Extent { article: article.clone(), colours: Colours::Classes, rest: None };
    let attempt = render(&whole)?;
    let size = Size::of(&attempt);
    let mut about = attempt.size();
    if let Some((rendered, bytes)) = attempt.within(LARGEST) {
        let told = (bytes >= TELL_AT).then(|| told(0, size, "it is nearly there"));
        return Ok((rendered, told));
    }
    if walk::has_code(&article.document) {
        let attempt = render(&Extent { colours: Colours::None, ..whole })?;
        about = attempt.size();
        if let Some((rendered, _)) = attempt.within(LARGEST) {
            return Ok((rendered, Some(told(0, size, "its code is mailed without colours"))));
        }
    }
    let (rendered, rest) = longest(article, &lengths(), about, &render)?;
    let what = if rest.title.is_empty() { String::new() } else { format!(" before \"{}\"", rest.title) };
    Ok((rendered, Some(told(rest.block, size, &format!("it ends{what} with a link to the rest")))))
}

/// The longest beginning that fits: up to a heading, or up to any block when not even the text
/// before the first heading fits. `whole` is the size of all of it.
fn longest<T>(
    article: &Article,
    lengths: &[usize],
    whole: usize,
    render: &impl Fn(&Extent) -> Result<Attempt<T>, Diagnostic>,
) -> Result<(T, Rest), Diagnostic> {
    let blocks = &article.document.blocks;
    let headings = (1..blocks.len()).filter(|at| matches!(blocks[*at], Block::Heading { .. }));
    for places in [headings.collect::<Vec<usize>>(), (0..blocks.len()).collect()] {
        let weights: Vec<usize> = places.iter().map(|at| lengths[*at]).chain(lengths.last().copied()).collect();
        let found = most(&weights, whole, LARGEST, |nth| {
            let extent = until(article, places[nth]);
            Ok(match render(&extent)? {
                Attempt::Finished(rendered, size) => Attempt::Finished((rendered, extent.rest), size),
                Attempt::GivenUp(size) => Attempt::GivenUp(size),
            })
        })?;
        if let Some(((rendered, Some(rest)), _)) = found {
            return Ok((rendered, rest));
        }
    }
    Err(template_too_long(place(article, 0), "mail/issue.html"))
}

/// The longest beginning of a list of so many posts that no mail program cuts off, and what the
/// author should know of it. `render` is told how many of them, and returns its work with the bytes
/// of its HTML.
pub(super) fn fitted_list<T>(
    posts: usize,
    place: &Place,
    render: impl Fn(usize) -> Result<(T, usize), Diagnostic>,
) -> Result<(T, Option<Diagnostic>), Diagnostic> {
    let help = "shorten the summaries; every post is in the text part and on the web";
    let told = |size: usize, what: &str| {
        Diagnostic::warning("mail-size", place.clone(), said(Size::Exactly(size), what)).help(help)
    };
    let (rendered, size) = render(posts)?;
    if size < TELL_AT {
        return Ok((rendered, None));
    }
    if size <= LARGEST {
        return Ok((rendered, Some(told(size, "it is nearly there"))));
    }
    let weights: Vec<usize> = (1..=posts + 1).collect();
    let render = |shown| render(shown).map(|(rendered, size)| Attempt::Finished(rendered, size));
    let (rendered, shown) =
        most(&weights, size, LARGEST, render)?.ok_or_else(|| template_too_long(place.clone(), "mail/digest.html"))?;
    Ok((rendered, Some(told(size, &format!("it ends after {shown} of {posts} posts with a link to the rest")))))
}

fn template_too_long(place: Place, template: &str) -> Diagnostic {
    let message = format!("the mail's template alone is more than {} KB", LARGEST / 1024);
    Diagnostic::error("mail-size", place, message).help(format!("make `{template}` shorter"))
}

/// How many bytes the HTML of a whole mail has.
#[derive(Debug, Clone, Copy)]
enum Size {
    Exactly(usize),
    MoreThan(usize),
}

impl Size {
    fn of<T>(attempt: &Attempt<T>) -> Self {
        match attempt {
            Attempt::Finished(_, size) => Self::Exactly(*size),
            Attempt::GivenUp(size) => Self::MoreThan(*size),
        }
    }
}

fn said(size: Size, what: &str) -> String {
    let size = match size {
        Size::Exactly(size) => format!("{} KB", size.div_ceil(1024)),
        Size::MoreThan(size) => format!("more than {} KB", size / 1024),
    };
    format!("the mail's HTML has {size}, and Gmail cuts off at 102 KB: {what}")
}

/// The post before a block of it, with the notes that it refers to.
fn until(article: &Article, end: usize) -> Extent {
    let document = &article.document;
    let (mut fragment, mut title) = (String::new(), String::new());
    if let Block::Heading { id, content, .. } = &document.blocks[end] {
        (fragment, title) = (id.clone(), plain_text(content));
    }
    let blocks = document.blocks[..end].to_vec();
    let notes = walk::notes_used(&blocks, &document.footnotes);
    let document = Document { blocks, footnotes: document.footnotes[..notes].to_vec(), ..Document::default() };
    let article = Article { post: article.post.clone(), document };
    Extent { article, colours: Colours::None, rest: Some(Rest { fragment, title, block: end }) }
}

/// What the author should know of a mail, where a block begins.
fn told(article: &Article, block: usize, size: Size, what: &str) -> Diagnostic {
    Diagnostic::warning("mail-size", place(article, block), said(size, what))
        .help("divide the post, or leave long listings to the web")
}

fn place(article: &Article, block: usize) -> Place {
    Place::line(&article.post.source, article.document.line(block))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::{Footnote, Inline};
    use crate::render::sample::{self, heading, paragraph};

    /// A renderer that writes 1,000 bytes around the text, a byte for each of its letters, and
    /// 20 for each letter of code with colours.
    #[expect(clippy::unnecessary_wraps, reason = "the signature of a renderer")]
    fn measured(extent: &Extent) -> Result<Attempt<Extent>, Diagnostic> {
        let size = size(&extent.article.document.blocks, extent.colours);
        Ok(if size > HOPELESS { Attempt::GivenUp(size) } else { Attempt::Finished(extent.clone(), 1000 + size) })
    }

    fn size(blocks: &[Block], colours: Colours) -> usize {
        let size = |block: &Block| match block {
            Block::Paragraph(content) | Block::Heading { content, .. } => plain_text(content).len(),
            Block::Code { text, .. } if colours == Colours::Classes => text.len() * 20,
            Block::Code { text, .. } => text.len(),
            _ => 0,
        };
        blocks.iter().map(size).sum()
    }

    fn fit(article: &Article) -> Result<(Extent, Option<Diagnostic>), Diagnostic> {
        let blocks = &article.document.blocks;
        fitted(article, || (0..=blocks.len()).map(|end| size(&blocks[..end], Colours::None)).collect(), measured)
    }

    fn post(blocks: Vec<Block>) -> Article {
        // Each begins in a line that says which it is.
        let lines = (100..100 + blocks.len()).collect();
        sample::post("T", "t", Document { blocks, lines, ..Document::default() })
    }

    fn code(letters: usize) -> Block {
        Block::Code { language: Some("rust".into()), title: None, marked: Vec::new(), text: "x".repeat(letters) }
    }

    fn letters(count: usize) -> Block {
        paragraph(&"x".repeat(count))
    }

    #[test]
    fn a_short_mail_is_whole_and_nothing_is_said() {
        let (mail, told) = fit(&post(vec![letters(80_000), code(100)])).unwrap();
        assert_eq!((mail.rest, mail.colours, told), (None, Colours::Classes, None));
    }

    #[test]
    fn a_mail_near_the_limit_is_whole_and_its_author_is_told() {
        let (mail, told) = fit(&post(vec![letters(95_000)])).unwrap();
        assert_eq!((mail.rest, mail.colours), (None, Colours::Classes));
        let told = told.unwrap();
        assert!(told.message.contains("has 94 KB") && told.place.line == 100, "{told:?}");
    }

    #[test]
    fn the_colours_of_code_go_first() {
        let (mail, told) = fit(&post(vec![letters(60_000), code(6_000)])).unwrap();
        assert_eq!((mail.rest, mail.colours), (None, Colours::None));
        assert!(told.unwrap().message.ends_with("its code is mailed without colours"));
    }

    #[test]
    fn of_a_mail_that_was_given_up_it_is_said_how_much_it_is_at_least() {
        let (mail, told) = fit(&post(vec![code(20_000)])).unwrap();
        assert_eq!((mail.rest, mail.colours), (None, Colours::None));
        assert!(told.unwrap().message.contains("has more than 390 KB, and"));
    }

    #[test]
    fn then_the_mail_ends_before_the_last_heading_that_can_be_reached() {
        let chapter = |n: u8| [heading(2, &format!("h{n}"), &format!("Chapter {n}")), letters(30_000)];
        let (mail, told) = fit(&post((1..9).flat_map(chapter).collect())).unwrap();
        let rest = mail.rest.unwrap();
        assert_eq!((rest.fragment.as_str(), mail.article.document.blocks.len()), ("h4", 6));
        assert_eq!(mail.colours, Colours::None);
        let told = told.unwrap();
        assert!(told.message.ends_with("it ends before \"Chapter 4\" with a link to the rest"));
        assert_eq!(told.place.line, 106, "where it ends");
    }

    #[test]
    fn a_text_without_a_heading_in_reach_ends_before_any_block() {
        let (mail, _) = fit(&post(vec![letters(60_000), letters(60_000), heading(2, "h", "H")])).unwrap();
        assert_eq!((mail.article.document.blocks.len(), mail.rest.unwrap().fragment.as_str()), (1, ""));
        let (mail, _) = fit(&post(vec![letters(600_000)])).unwrap();
        assert_eq!(mail.article.document.blocks.len(), 0);
    }

    #[test]
    fn notes_of_what_is_not_mailed_are_not_mailed_either() {
        let note = |n: usize, blocks| Footnote { label: n.to_string(), blocks };
        let refer = |n: usize| Block::Paragraph(vec![Inline::FootnoteReference(n)]);
        let document = Document {
            blocks: vec![refer(0), heading(2, "h", "H"), refer(2)],
            footnotes: vec![note(0, vec![refer(1)]), note(1, vec![]), note(2, vec![])],
            ..Document::default()
        };
        assert_eq!(until(&sample::post("T", "t", document), 1).article.document.footnotes.len(), 2);
    }

    #[test]
    fn a_digest_ends_after_the_last_post_that_fits() {
        let place = Place::file("x");
        let list = |posts: usize, each: usize| {
            let fitted = fitted_list(posts, &place, |shown| Ok((shown, 1000 + shown * each))).unwrap();
            (fitted.0, fitted.1.map(|told| told.message))
        };
        assert_eq!(list(80, 1000), (80, None));
        let (shown, told) = list(95, 1000);
        assert_eq!(
            (shown, told.unwrap().ends_with("has 94 KB, and Gmail cuts off at 102 KB: it is nearly there")),
            (95, true)
        );
        let (shown, told) = list(500, 1000);
        assert_eq!(
            (shown, told.unwrap().ends_with("it ends after 101 of 500 posts with a link to the rest")),
            (101, true)
        );
        assert!(fitted_list(3, &place, |shown| Ok((shown, LARGEST + 1 + shown))).is_err());
    }

    #[test]
    fn a_template_that_leaves_no_room_is_refused() {
        let long = |extent: &Extent| Ok(Attempt::Finished(extent.clone(), LARGEST + 1));
        let problem = fitted(&post(vec![letters(10)]), || vec![0, 10], long).err().unwrap();
        assert_eq!(problem.code, "mail-size");
    }
}
