//! What looks like a tag and is none: `Box<T>` is Rust, not HTML.
//!
//! Markdown takes every `<name>` for a tag. A browser shows nothing for an element it does not
//! know, and never closes it when the author does not; so a name that is no element's is text.

use std::borrow::Cow;

/// Every element of HTML, with those that older standards had and browsers still know, and the
/// two that begin a drawing or a formula.
const ELEMENTS: [&str; 141] = [
    "a",
    "abbr",
    "acronym",
    "address",
    "applet",
    "area",
    "article",
    "aside",
    "audio",
    "b",
    "base",
    "basefont",
    "bdi",
    "bdo",
    "bgsound",
    "big",
    "blink",
    "blockquote",
    "body",
    "br",
    "button",
    "canvas",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "data",
    "datalist",
    "dd",
    "del",
    "details",
    "dfn",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "em",
    "embed",
    "fieldset",
    "figcaption",
    "figure",
    "font",
    "footer",
    "form",
    "frame",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hgroup",
    "hr",
    "html",
    "i",
    "iframe",
    "image",
    "img",
    "input",
    "ins",
    "kbd",
    "keygen",
    "label",
    "legend",
    "li",
    "link",
    "listing",
    "main",
    "map",
    "mark",
    "marquee",
    "math",
    "menu",
    "menuitem",
    "meta",
    "meter",
    "nav",
    "nobr",
    "noembed",
    "noframes",
    "noscript",
    "object",
    "ol",
    "optgroup",
    "option",
    "output",
    "p",
    "param",
    "picture",
    "plaintext",
    "pre",
    "progress",
    "q",
    "rb",
    "rp",
    "rt",
    "rtc",
    "ruby",
    "s",
    "samp",
    "script",
    "search",
    "section",
    "select",
    "slot",
    "small",
    "source",
    "spacer",
    "span",
    "strike",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "template",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "track",
    "tt",
    "u",
    "ul",
    "var",
    "video",
    "wbr",
    "xmp",
];

/// Elements whose content holds no tags (HTML, 13.1.2).
const WITHOUT_TAGS: [&str; 8] = ["iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp"];

/// How far behind a tag its end is looked for: further than anybody's bold words reach, and
/// bounded, so that a text of nothing but such tags does not cost the square of its length.
const REACH: usize = 1000;

/// Reads the tags of one document in order; it knows whether a drawing or a formula is open.
#[derive(Debug, Default)]
pub(super) struct Tags {
    /// `svg` or `math` while one is open: their elements are many, and every tag in them is one.
    foreign: Option<&'static str>,
}

impl Tags {
    /// Whether an inline tag is HTML. `before` and `after` are the text around it.
    pub(super) fn is_html(&mut self, tag: &str, before: &str, after: &str) -> bool {
        match name(tag) {
            Some(name) => self.is_element(tag, name) && !is_type_argument(tag, name, before, after),
            None => true,
        }
    }

    /// A block of HTML in which whatever is no tag begins with `&lt;`.
    pub(super) fn html<'h>(&mut self, html: &'h str) -> Cow<'h, str> {
        let mut out = String::new();
        let mut done = 0;
        let mut at = 0;
        while let Some(found) = html[at..].find('<').map(|offset| at + offset) {
            let Some(name) = name(&html[found..]) else {
                at = if html[found..].starts_with("<!--") { comment_end(html, found) } else { found + 1 };
                continue;
            };
            if self.is_element(&html[found..], name) {
                at = content_end(html, found, name);
            } else {
                out.push_str(&html[done..found]);
                out.push_str("&lt;");
                done = found + 1;
                at = done;
            }
        }
        if done == 0 {
            return Cow::Borrowed(html);
        }
        out.push_str(&html[done..]);
        Cow::Owned(out)
    }

    fn is_element(&mut self, tag: &str, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let is_end = tag.starts_with("</");
        if let Some(open) = self.foreign {
            if is_end && name == open {
                self.foreign = None;
            }
            return true;
        }
        if !is_end {
            self.foreign = ["svg", "math"].into_iter().find(|foreign| *foreign == name);
        }
        is_custom(&name) || ELEMENTS.binary_search(&name.as_str()).is_ok()
    }
}

/// A custom element (`my-chart`), or one of a namespace, as word processors write (`o:p`).
fn is_custom(name: &str) -> bool {
    name.contains('-') || (name.contains(':') && !name.contains("::"))
}

/// The name of a tag, opening or closing, as written; `None` for comments, doctypes and text.
fn name(tag: &str) -> Option<&str> {
    let inner = tag.strip_prefix("</").or_else(|| tag.strip_prefix('<'))?;
    let end = inner.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')).unwrap_or(inner.len());
    inner.starts_with(|c: char| c.is_ascii_alphabetic()).then(|| &inner[..end])
}

/// Whether a tag is what a program names in angle brackets: `Iterator<S>` strikes nothing, and
/// `Rc<Title>` is no title. It stands right behind a word, begins with a capital, says nothing
/// more, and nothing ends it.
fn is_type_argument(tag: &str, name: &str, before: &str, after: &str) -> bool {
    let follows_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let is_bare = tag.len() == name.len() + "<>".len();
    let is_break = matches!(name, "BR" | "HR" | "WBR");
    follows_word && is_bare && !is_break && name.starts_with(|c: char| c.is_ascii_uppercase()) && !is_ended(name, after)
}

fn is_ended(name: &str, after: &str) -> bool {
    let reach = &after.as_bytes()[..after.len().min(REACH)];
    let end = format!("</{name}");
    reach.windows(end.len()).any(|window| window.eq_ignore_ascii_case(end.as_bytes()))
}

fn comment_end(html: &str, start: usize) -> usize {
    html[start..].find("-->").map_or(html.len(), |end| start + end + "-->".len())
}

/// Where to read on behind a tag: after its attributes, and after its text when it is of the
/// elements that hold nothing else.
fn content_end(html: &str, start: usize, name: &str) -> usize {
    let tag_end = super::html::tag_end(html, start);
    let holds_tags = WITHOUT_TAGS.iter().all(|element| !element.eq_ignore_ascii_case(name));
    if html[start..].starts_with("</") || holds_tags {
        return tag_end;
    }
    let end = format!("</{name}");
    let rest = &html.as_bytes()[tag_end..];
    let found = rest.windows(end.len()).position(|window| window.eq_ignore_ascii_case(end.as_bytes()));
    found.map_or(html.len(), |at| tag_end + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_html(before: &str, tag: &str, after: &str) -> bool {
        Tags::default().is_html(tag, before, after)
    }

    #[test]
    fn the_elements_are_in_order_for_the_search() {
        assert!(ELEMENTS.is_sorted());
    }

    #[test]
    fn only_what_browsers_know_and_custom_elements_are_html() {
        for tag in ["<b>", "</b>", "<BR/>", "<img src=x>", "<my-chart>", "<o:p>", "<!-- x -->", "<?php ?>", "<svg>"] {
            assert!(is_html("", tag, ""), "{tag}");
        }
        for tag in ["<T>", "</T>", "<E>", "<u8>", "<path>", "<Foo bar=\"1\">"] {
            assert!(!is_html("", tag, ""), "{tag}");
        }
    }

    #[test]
    fn a_type_argument_that_is_named_like_an_element_is_text() {
        for tag in ["<S>", "<Title>", "<P>", "<B>", "<Input>"] {
            assert!(!is_html("Iterator", tag, " goes on"), "{tag}");
        }
        assert!(is_html("H", "<B>", "2</b>O"));
        assert!(is_html("a ", "<B>", " b"));
        assert!(is_html("line", "<BR>", ""));
        assert!(is_html("x", "<s>", ""));
        assert!(is_html("x", "<A HREF=\"y\">", ""));
    }

    #[test]
    fn every_tag_in_a_drawing_is_one() {
        let mut tags = Tags::default();
        let answers = ["<svg>", "<path/>", "</svg>", "<path/>"].map(|tag| tags.is_html(tag, "", ""));
        assert_eq!(answers, [true, true, true, false]);
    }

    #[test]
    fn in_a_block_only_what_is_no_tag_is_escaped() {
        for (html, expected) in [
            ("<div>Box<T> and </T></div>\n", "<div>Box&lt;T> and &lt;/T></div>\n"),
            ("<a title=\"Box<T>\">x</a>", "<a title=\"Box<T>\">x</a>"),
            ("<script>a<T>()</script><T>", "<script>a<T>()</script>&lt;T>"),
            ("<STYLE>a<T>", "<STYLE>a<T>"),
            ("<!-- <T> --><T>", "<!-- <T> -->&lt;T>"),
            ("<svg><Path d=''/></svg><Path>", "<svg><Path d=''/></svg>&lt;Path>"),
            ("1 < 2 <T", "1 < 2 &lt;T"),
        ] {
            assert_eq!(Tags::default().html(html), expected);
        }
    }
}
