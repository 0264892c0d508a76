//! A post that shows every block and inline there is, for the tests of this room.

#[cfg(test)]
mod any;

use crate::domain::address::Mailbox;
use crate::domain::document::{
    AdmonitionKind, Alignment, Block, Definition, Document, Footnote, Image, Inline, ListItem, Spacing, Target,
};
use crate::domain::ids::PostId;
use crate::domain::post::{Article, Channel, Contents, Post, Slug, Visibility};
use crate::domain::publication::{Author, Publication, SiteUrl};
use crate::domain::time::Dated;

#[cfg(test)]
pub use any::{any_document, any_html};

pub fn publication(base: &str) -> Publication {
    Publication {
        title: "Field Notes".into(),
        description: "Short, careful notes on machines that learn, and on what they do when nobody is looking.".into(),
        base_url: SiteUrl::parse(base).unwrap(),
        language: "en".into(),
        author: Some(Author { name: "Ada Byron".into(), url: Some("https://ada.example".into()) }),
        time_zone: chrono_tz::UTC,
        postal_address: Some("Field Notes, 12 St James's Square, London SW1Y 4JH".into()),
        subscribe_url: None,
        from: Mailbox::parse("Field Notes <notes@example.org>").unwrap(),
        reply_to: None,
        idempotency_header: None,
        words: crate::domain::words::Words::default(),
        list_id: "notes.example.org".into(),
    }
}

pub fn post(title: &str, slug: &str, document: Document) -> Article {
    let contents = Contents::of(&document, None, String::new());
    let post = Post {
        id: PostId::parse("tag:example.org,2026:attention").unwrap(),
        source: format!("{slug}.md"),
        slug: Slug::from_text(slug).unwrap(),
        title: title.into(),
        summary: "A softmax is a polite argument. This note follows one row of it from the scores to the loss.".into(),
        language: None,
        date: Dated::parse_from_rfc3339("2026-03-02T09:00:00+01:00").unwrap(),
        updated: None,
        authors: Vec::new(),
        tags: vec!["Attention".into(), "Numerics".into(), "C++".into()],
        image: None,
        number: Some(12),
        aliases: Vec::new(),
        visibility: Visibility::Public,
        email: Channel::On,
        feed: Channel::On,
        contents,
        assets: Vec::new(),
        commit: Some("abc123".into()),
        source_digest: String::new(),
    };
    Article { post, document }
}

pub fn text(text: &str) -> Inline {
    Inline::Text(text.into())
}

pub fn paragraph(content: &str) -> Block {
    Block::Paragraph(vec![text(content)])
}

pub fn link(url: &str, words: &str) -> Inline {
    Inline::Link { target: Target::Url(url.into()), title: None, content: vec![text(words)] }
}

pub fn heading(level: u8, id: &str, words: &str) -> Block {
    Block::Heading { level, id: id.into(), content: vec![text(words)] }
}

pub fn item(task: Option<bool>, blocks: Vec<Block>) -> ListItem {
    ListItem { task, blocks, spacing: Spacing::Tight }
}

fn image(name: &str, alt: &str, size: (u32, u32)) -> Image {
    Image {
        target: Target::Site(format!("images/{name}")),
        alt: alt.into(),
        title: None,
        size: Some(size),
        width: None,
    }
}

fn cells(words: &[&str]) -> Vec<Vec<Inline>> {
    words.iter().map(|word| vec![text(word)]).collect()
}

/// Every kind of block and inline except raw HTML.
pub fn document() -> Document {
    let mut blocks = opening();
    blocks.extend(boxes());
    blocks.extend(lists());
    blocks.extend(pictures_and_tables());
    Document { blocks, footnotes: footnotes(), ..Document::default() }
}

fn opening() -> Vec<Block> {
    vec![
        Block::Paragraph(vec![
            text("Attention is a weighted average, and the weights are a "),
            Inline::Emphasis(vec![text("softmax")]),
            text(" of scores. That is all of it; the rest is bookkeeping. The bookkeeping, though, is where the "),
            Inline::Strong(vec![text("interesting failures")]),
            text(" live"),
            Inline::FootnoteReference(0),
            text(", and why the authors of "),
            link("https://arxiv.org/abs/1706.03762", "the original paper"),
            text(" divided by "),
            Inline::Math("\\sqrt{d_k}".into()),
            text(" before doing anything else."),
        ]),
        Block::More,
        heading(2, "the-scores", "The scores, and why they are scaled"),
        Block::Paragraph(vec![
            text("Take one query and a handful of keys. If their entries are independent with variance one, the product has variance "),
            Inline::Math("d_k".into()),
            text(", so a wide head produces large scores and a softmax that has already made up its mind. You can see it in "),
            Inline::Code("scores.var()".into()),
            text(", or read "),
            Inline::Link { target: Target::Fragment("a-table".into()), title: None, content: vec![text("the table below")] },
            text(". H"),
            Inline::Subscript(vec![text("2")]),
            text("O and 10"),
            Inline::Superscript(vec![text("-9")]),
            text(" are only here for "),
            Inline::Strikethrough(vec![text("show")]),
            text(" the typesetter."),
        ]),
        Block::Math("\\operatorname{Attention}(Q, K, V) = \\operatorname{softmax}\\left(\\frac{QK^\\top}{\\sqrt{d_k}}\\right) V".into()),
        heading(3, "in-code", "In code"),
        Block::Code {
            language: Some("python".into()),
            title: Some("attention.py".into()),
            marked: vec![5..=5],
            text: "def attention(q, k, v):\n    \"\"\"Scaled dot-product attention for one head.\"\"\"\n    scores = q @ k.T / math.sqrt(k.shape[-1])\n    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))\n    weights /= weights.sum(axis=-1, keepdims=True)   # <- each row now sums to one & nothing overflows\n    return weights @ v\n".into(),
        },
        Block::Code { language: None, title: None, marked: Vec::new(), text: "$ python attention.py {{ not_a_template }} {% raw %} ${HOME}\n".into() },
    ]
}

fn boxes() -> Vec<Block> {
    let kinds = [
        AdmonitionKind::Note,
        AdmonitionKind::Tip,
        AdmonitionKind::Important,
        AdmonitionKind::Warning,
        AdmonitionKind::Caution,
    ];
    let mut blocks = vec![
        Block::Quote(vec![
            paragraph("The purpose of computing is insight, not numbers."),
            Block::Paragraph(vec![
                text("Richard Hamming, "),
                Inline::Emphasis(vec![text("Numerical Methods for Scientists and Engineers")]),
            ]),
        ]),
        Block::Admonition {
            kind: AdmonitionKind::Warning,
            title: Some(vec![text("Half precision overflows early")]),
            blocks: vec![paragraph(
                "In float16 the largest finite number is 65504. Subtract the maximum before the exponential, always.",
            )],
        },
    ];
    blocks.extend(kinds.into_iter().take(3).map(|kind| Block::Admonition {
        kind,
        title: None,
        blocks: vec![Block::Paragraph(vec![
            text("A remark with "),
            Inline::Code("code".into()),
            text(" and "),
            link("https://example.org/more", "a link"),
            text("."),
        ])],
    }));
    blocks
}

fn lists() -> Vec<Block> {
    vec![
        heading(2, "what-to-check", "What to check"),
        Block::List {
            start: None,
            items: vec![
                item(None, vec![paragraph("Rows of the weights sum to one.")]),
                item(
                    None,
                    vec![
                        paragraph("Masked positions are exactly zero, in both directions:"),
                        Block::List {
                            start: Some(9),
                            items: vec![
                                item(None, vec![paragraph("padding,")]),
                                item(None, vec![paragraph("the future.")]),
                            ],
                        },
                    ],
                ),
                item(
                    None,
                    vec![paragraph(
                        "The gradient with respect to the scores is orthogonal to the all-ones vector, a fact worth deriving once in your life on paper.",
                    )],
                ),
            ],
        },
        Block::List {
            start: None,
            items: vec![
                item(Some(true), vec![paragraph("derive it once")]),
                item(Some(false), vec![paragraph("test it in CI")]),
            ],
        },
        Block::Definitions(vec![Definition {
            term: vec![text("Temperature")],
            meanings: vec![vec![paragraph(
                "A number that scales the scores before the softmax. Low is decided, high is undecided.",
            )]],
        }]),
    ]
}

fn pictures_and_tables() -> Vec<Block> {
    vec![
        Block::Figure {
            image: image("loss.png", "The training loss falls steeply, then slowly", (1200, 640)),
            caption: vec![
                text("Fig. 1. Training loss of the same model with and without scaling; "),
                Inline::Emphasis(vec![text("lower is better")]),
                text("."),
            ],
        },
        heading(2, "a-table", "A table"),
        Block::Table {
            alignments: vec![Alignment::Left, Alignment::Right, Alignment::Right, Alignment::Center],
            head: cells(&["Head width", "Unscaled", "Scaled", "Stable"]),
            rows: vec![
                cells(&["32", "5.71", "1.01", "yes"]),
                cells(&["128", "11.30", "0.99", "yes"]),
                cells(&["1,024", "31.96", "1.00", "no"]),
            ],
        },
        Block::Rule,
        Block::Paragraph(vec![
            text("Write to "),
            link("mailto:notes@example.org", "notes@example.org"),
            text(", or see "),
            link("https://example.org/more", "more of this"),
            Inline::HardBreak,
            text("日本語の文章も、行末で正しく折り返されなければならない。句読点は行頭に来ない。 Then English again."),
        ]),
    ]
}

fn footnotes() -> Vec<Footnote> {
    vec![Footnote {
        label: "fail".into(),
        blocks: vec![Block::Paragraph(vec![
            text("Most of them are silent: the loss still falls. See "),
            link("https://example.org/silent?a=1&b=2", "a list of silent failures"),
            text("."),
        ])],
    }]
}
