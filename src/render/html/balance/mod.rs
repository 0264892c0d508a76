//! An author's HTML with every element closed where a browser would close it.
//!
//! The author's own site trusts the author: scripts, frames, styles stay as they are. But a
//! `<div>` without an end would swallow the page's footer, and a stray `</div>` would end what
//! our template began. So the text is read as a browser reads it, and its tree written again.

mod tree;
mod write;

use html5ever::tendril::TendrilSink;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, QualName, local_name, ns, parse_fragment};

use self::tree::Tree;
use super::push_text;

/// How often a text is read and written again before it is given up. Nearly all need one
/// round; a few that HTML's rules pull apart anew need a second.
const ROUNDS: usize = 8;

/// Stands behind a text to see whether all of it is closed there.
const NEXT: &str = "<footer></footer>";

/// Stands behind a piece to see whether it reaches there: formatting left open comes back in the next
/// text (HTML, 13.2.4.3).
const BEHIND: &str = "a<p>a</p>";

/// The HTML balanced: whatever stands behind it in a page is outside of it. Balancing what was
/// balanced changes nothing. Text that no number of rounds settles (nobody writes it by
/// accident) is shown as the source it is.
pub(in crate::render) fn balanced(html: &str) -> String {
    settled(html, ROUNDS).unwrap_or_else(|| source(html))
}

/// As [`balanced`], for HTML that is a piece of a larger one, where what stands before it is balanced:
/// `None` when it reaches into what stands behind it, as a `<div>` does that another piece ends, or a
/// `<b>` that nobody ends.
pub(in crate::render) fn contained(html: &str) -> Option<String> {
    let alone = settled(html, ROUNDS)?;
    let followed = rewritten(&(html.to_owned() + BEHIND));
    (followed.strip_suffix(BEHIND) == Some(alone.as_str())).then_some(alone)
}

fn settled(html: &str, rounds: usize) -> Option<String> {
    let mut current = rewritten(html);
    for _ in 0..rounds {
        let followed = current.clone() + NEXT;
        if rewritten(&followed) == followed {
            return Some(current);
        }
        current = rewritten(&current);
    }
    None
}

fn source(html: &str) -> String {
    let mut source = String::from("<pre>");
    push_text(&mut source, html);
    source.push_str("</pre>\n");
    source
}

/// The tree that a browser makes of some HTML inside a `div`, as HTML.
fn rewritten(html: &str) -> String {
    let context = QualName::new(None, ns!(html), local_name!("div"));
    write::html(&parse_fragment(Tree::default(), options(), context, Vec::new(), false).one(html))
}

/// The tree that a browser makes of a whole page, as HTML without its doctype.
#[cfg(test)]
pub(in crate::render) fn as_browsers_read(page: &str) -> String {
    write::html(&html5ever::parse_document(Tree::default(), options()).one(page))
}

fn options() -> ParseOpts {
    // Without scripts what `noscript` holds is elements, which can be left open as any others;
    // with them it is a text.
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    ParseOpts { tree_builder, ..ParseOpts::default() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::render::sample::any_html;

    #[test]
    fn what_is_left_open_is_closed_and_what_was_never_opened_is_gone() {
        for (html, expected) in [
            ("<div>a", "<div>a</div>"),
            ("a</div></main></body></html>b", "ab"),
            ("<b>x<i>y</b>z", "<b>x<i>y</i></b><i>z</i>"),
            ("<ul><li>a<li>b", "<ul><li>a</li><li>b</li></ul>"),
            ("<!-- a", "<!-- a-->"),
            ("a &copy b", "a © b"),
            ("<pre>\n\na</pre>", "<pre>\n\na</pre>"),
        ] {
            assert_eq!(balanced(html), expected, "{html}");
        }
    }

    #[test]
    fn what_an_author_may_do_on_their_own_site_stays() {
        for html in [
            "<script async=\"\" src=\"x.js\">if (a < b && c) { x = \"</p>\" }</script>",
            "<iframe src=\"https://v.example/e?a=1&amp;b=2\" onload=\"go()\"></iframe>",
            "<style>p > a { color: red }</style><my-chart data-x=\"1\"></my-chart>",
            "<svg viewBox=\"0 0 1 1\"><a xlink:href=\"#x\"><path d=\"M0\"></path></a></svg>",
            "<math><mi>x</mi></math><template><td>a</td></template>",
            "<noscript><img src=\"x\" alt=\"\"></noscript>",
        ] {
            assert_eq!(balanced(html), html);
        }
    }

    #[test]
    fn what_would_swallow_the_rest_of_a_page_does_not() {
        for html in [
            "<plaintext>a",
            "<script><!-- <script>",
            "<script><!-- <script></script>",
            "<noscript><div></noscript>",
            "<noscript><!-- </noscript><div> --></noscript>",
            "<noscript><style></noscript><div></style></noscript>",
            "<textarea><title>",
            "<svg><desc><div>",
            "<select><option>a",
            "<table><tr><td><table>",
            "<template><div>",
            "<a title=\"",
            "<frameset><frame>",
            "<math><annotation-xml encoding=\"text/html\"><p>",
        ] {
            let once = balanced(html);
            assert!(!once.starts_with("<pre>&lt;"), "{html} was given up");
            assert_eq!(balanced(&once), once, "{html}");
        }
    }

    #[test]
    fn a_text_that_never_settles_is_shown_as_its_source() {
        let html = "<form><div></form><form>";
        assert_eq!(settled(html, 1), None);
        assert_eq!(settled(html, 2).as_deref(), Some("<form><div></div></form>"));
        assert_eq!(source("<b>"), "<pre>&lt;b&gt;</pre>\n");
    }

    #[test]
    fn deep_nesting_takes_no_deep_stack() {
        for tag in ["<div>", "<b>", "<table>", "<svg>", "<a>", "<p><b>"] {
            balanced(&tag.repeat(1500));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn any_html_is_balanced_and_once_is_enough(html in any_html(24)) {
            let once = balanced(&html);
            prop_assert_eq!(&balanced(&once), &once);
            let followed = once + NEXT;
            prop_assert_eq!(rewritten(&followed), followed);
        }
    }
}
