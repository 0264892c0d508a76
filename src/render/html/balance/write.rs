//! The tree written as HTML (HTML, 13.3), so that reading it gives the same tree again.

use html5ever::serialize::{HtmlSerializer, SerializeOpts, Serializer};
use html5ever::{Attribute, QualName, local_name, ns};

use super::tree::{Kind, Node};

/// Writing into memory cannot fail.
const IN_MEMORY: &str = "a vector takes all bytes";

/// What is still to be written.
enum Step {
    /// A node, those behind it, and what is inside them.
    From(usize),
    /// The end of an element.
    End(QualName),
}

/// The children of the fragment as HTML.
pub(super) fn html(nodes: &[Node]) -> String {
    let opts = SerializeOpts { scripting_enabled: false, ..SerializeOpts::default() };
    let mut writer = Writer { nodes, out: HtmlSerializer::new(Vec::new(), opts), steps: Vec::new(), noscripts: 0 };
    // The parser hangs a fragment under an `html` of its own.
    let root = nodes[0].first.expect("a fragment has its root");
    writer.steps.extend(nodes[root].first.map(Step::From));
    writer.run();
    String::from_utf8(writer.out.writer).expect("what was written was text")
}

struct Writer<'n> {
    nodes: &'n [Node],
    out: HtmlSerializer<Vec<u8>>,
    steps: Vec<Step>,
    /// How many `noscript` are open.
    noscripts: usize,
}

impl Writer<'_> {
    fn run(&mut self) {
        while let Some(step) = self.steps.pop() {
            match step {
                Step::From(at) => {
                    self.steps.extend(self.nodes[at].next.map(Step::From));
                    self.node(at);
                }
                Step::End(name) => {
                    self.noscripts -= usize::from(is_noscript(&name));
                    self.out.end_elem(name).expect(IN_MEMORY);
                }
            }
        }
    }

    fn node(&mut self, at: usize) {
        match &self.nodes[at].kind {
            Kind::Root => {}
            Kind::Element { name, attributes, content } => self.element(at, name, attributes, *content),
            Kind::Text(text) if self.ends_noscript(text) => {}
            Kind::Text(text) => self.out.write_text(text).expect(IN_MEMORY),
            Kind::Comment(text) if self.ends_noscript(text) => {}
            Kind::Comment(text) => self.out.write_comment(text).expect(IN_MEMORY),
        }
    }

    fn element(&mut self, at: usize, name: &QualName, attributes: &[Attribute], content: Option<usize>) {
        let name = shown_name(name);
        self.noscripts += usize::from(is_noscript(&name));
        let attributes = attributes.iter().filter(|attribute| is_attribute(&attribute.name.local));
        self.out.start_elem(name.clone(), attributes.map(|one| (&one.name, &*one.value))).expect(IN_MEMORY);
        let first = content.map_or(self.nodes[at].first, |content| self.nodes[content].first);
        if drops_line_end(&name) && self.begins_with_line_end(first) {
            self.out.write_text("\n").expect(IN_MEMORY);
        }
        self.steps.push(Step::End(name));
        self.steps.extend(first.map(Step::From));
    }

    fn begins_with_line_end(&self, first: Option<usize>) -> bool {
        first.is_some_and(|first| matches!(&self.nodes[first].kind, Kind::Text(text) if text.starts_with('\n')))
    }

    /// Where scripts run, the content of `noscript` is a text that ends at the first
    /// `</noscript`, be it in a comment or a style.
    fn ends_noscript(&self, text: &str) -> bool {
        self.noscripts > 0 && text.to_ascii_lowercase().contains("</noscript")
    }
}

/// `plaintext` has no end: it would take the rest of the page with it.
fn shown_name(name: &QualName) -> QualName {
    match (&name.ns, &name.local) {
        (&ns!(html), &local_name!("plaintext")) => QualName::new(None, ns!(html), local_name!("pre")),
        _ => name.clone(),
    }
}

/// A name that reads the same again and is no sign of a forgotten quote.
fn is_attribute(name: &str) -> bool {
    !name.is_empty() && !name.contains(['"', '\'', '<', '='])
}

/// Elements whose first line end the parser leaves out (HTML, 13.2.6.4.7).
fn drops_line_end(name: &QualName) -> bool {
    name.ns == ns!(html) && matches!(name.local, local_name!("pre") | local_name!("textarea") | local_name!("listing"))
}

fn is_noscript(name: &QualName) -> bool {
    name.ns == ns!(html) && name.local == local_name!("noscript")
}
