//! Random documents, for the laws that hold for all of them.

use proptest::prelude::*;

use crate::domain::document::{
    AdmonitionKind, Alignment, Block, Definition, Document, Footnote, Image, Inline, ListItem, Spacing, Target, Width,
};

/// Documents of every shape that our own writers can be given, without raw HTML.
pub fn any_document() -> impl Strategy<Value = Document> {
    let notes = prop::collection::vec(prop::collection::vec(any_block(), 0..3), 0..3);
    (prop::collection::vec(any_block(), 0..6), notes).prop_map(|(blocks, notes)| Document {
        blocks,
        footnotes: notes.into_iter().map(|blocks| Footnote { label: "n".into(), blocks }).collect(),
        ..Document::default()
    })
}

/// HTML of elements that its rules pull apart when they lie in each other, and of signs that
/// begin something.
pub fn any_html(most: usize) -> impl Strategy<Value = String> {
    const NAMES: &str = "(a|b|i|p|div|li|ul|table|tr|td|caption|select|option|button|form|h1|nobr|svg|math|mi|desc|\
                         title|script|style|noscript|template|textarea|pre|plaintext|iframe|dd|br|hr|body|html|col|\
                         image|foreignObject|annotation-xml|font|ruby|rt|rtc|frameset|xmp|my-tag|marquee|input)";
    let part = prop_oneof![
        24 => NAMES.prop_map(|name| format!("<{name}>")),
        14 => NAMES.prop_map(|name| format!("</{name}>")),
        2 => NAMES.prop_map(|name| format!("<{name} a='\"' b>")),
        1 => NAMES.prop_map(|name| format!("<{name} a='")),
        4 => "[a-z \n]{1,3}",
        1 => "<!--|-->|]]>|<!|<\\?|&amp|&#0;|\"|<|>|</",
    ];
    prop::collection::vec(part, 0..most).prop_map(|parts| parts.concat())
}

fn any_words() -> impl Strategy<Value = String> {
    "[a-z<>&\"'{}%$\u{a0} \u{4e00}-\u{4e1f}。é]{1,30}"
}

fn any_target() -> impl Strategy<Value = Target> {
    prop_oneof![
        "https://[a-z]{1,9}\\.example/[a-zé \"<>&?=]{0,12}".prop_map(Target::Url),
        "(javascript|data|mailto):[a-z@()]{1,9}".prop_map(Target::Url),
        "[a-zé ]{0,9}(#[a-z]{1,4})?".prop_map(Target::Site),
        "[a-z]{1,9}".prop_map(Target::Fragment),
    ]
}

fn any_inline() -> impl Strategy<Value = Inline> {
    let image = (any_target(), any_words(), prop::option::of(any_words()), prop::option::of((1u32..3000, 1u32..3000)));
    let leaf = prop_oneof![
        any_words().prop_map(Inline::Text),
        any_words().prop_map(Inline::Code),
        any_words().prop_map(Inline::Math),
        image.prop_map(|(target, alt, title, size)| Inline::Image(Image { target, alt, title, size, width: None })),
        (0usize..3).prop_map(Inline::FootnoteReference),
        Just(Inline::SoftBreak),
        Just(Inline::HardBreak),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let inner = prop::collection::vec(inner, 0..3);
        prop_oneof![
            inner.clone().prop_map(Inline::Emphasis),
            inner.clone().prop_map(Inline::Strong),
            inner.clone().prop_map(Inline::Strikethrough),
            inner.clone().prop_map(Inline::Superscript),
            inner.clone().prop_map(Inline::Subscript),
            (any_target(), prop::option::of(any_words()), inner).prop_map(|(target, title, content)| Inline::Link {
                target,
                title,
                content
            }),
        ]
    })
}

fn any_block() -> impl Strategy<Value = Block> {
    let inlines = || prop::collection::vec(any_inline(), 0..4);
    let row = || prop::collection::vec(inlines(), 1..4);
    let leaf = prop_oneof![
        inlines().prop_map(Block::Paragraph),
        (1u8..7, "[a-z]{1,9}", inlines()).prop_map(|(level, id, content)| Block::Heading { level, id, content }),
        (prop::option::of("rust|html|[a-z+]{1,5}"), prop::option::of(any_words()), "[a-z<>& \n\t]{0,90}")
            .prop_map(|(language, title, text)| Block::Code { language, title, marked: vec![2..=3], text }),
        (row(), prop::collection::vec(row(), 0..3)).prop_map(|(head, rows)| Block::Table {
            alignments: vec![Alignment::Right, Alignment::Center],
            head,
            rows
        }),
        (any_target(), any_words(), inlines()).prop_map(|(target, alt, caption)| Block::Figure {
            image: Image { target, alt, title: None, size: Some((1200, 800)), width: Some(Width::Percent(50)) },
            caption,
        }),
        any_words().prop_map(Block::Math),
        Just(Block::Rule),
        Just(Block::More),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        let blocks = prop::collection::vec(inner, 0..3);
        let spacing = prop_oneof![Just(Spacing::Tight), Just(Spacing::Loose)];
        let item = (prop::option::of(any::<bool>()), blocks.clone(), spacing)
            .prop_map(|(task, blocks, spacing)| ListItem { task, blocks, spacing });
        prop_oneof![
            blocks.clone().prop_map(Block::Quote),
            (prop::option::of(prop::collection::vec(any_inline(), 0..3)), blocks.clone())
                .prop_map(|(title, blocks)| Block::Admonition { kind: AdmonitionKind::Tip, title, blocks }),
            (prop::option::of(0u64..2000), prop::collection::vec(item, 0..4))
                .prop_map(|(start, items)| Block::List { start, items }),
            (prop::collection::vec(any_inline(), 1..3), blocks)
                .prop_map(|(term, meaning)| Block::Definitions(vec![Definition { term, meanings: vec![meaning] }])),
        ]
    })
}
