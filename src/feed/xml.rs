//! The small XML writer: declaration with encoding, indentation, three ways to write text.

use quick_xml::Writer;
use quick_xml::escape::partial_escape;
use quick_xml::events::{BytesCData, BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// The namespaces we write, by their prefix.
pub(super) mod namespace {
    /// Atom (RFC 4287).
    pub const ATOM: &str = "http://www.w3.org/2005/Atom";
    /// RSS 1.0's content module, used by RSS 2.0 for whole posts.
    pub const CONTENT: &str = "http://purl.org/rss/1.0/modules/content/";
    /// Dublin Core, for names of people.
    pub const DC: &str = "http://purl.org/dc/elements/1.1/";
    /// Media RSS, for covers.
    pub const MEDIA: &str = "http://search.yahoo.com/mrss/";
    /// Sitemaps.
    pub const SITEMAP: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";
}

/// Attributes in the order in which they are written.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a str)];

/// An XML document being written. Text must be free of forbidden characters (`prepare`);
/// what markup means is escaped here.
pub(super) struct Xml(Writer<Vec<u8>>);

impl Xml {
    /// Begins a document with its declaration.
    pub(super) fn document() -> Self {
        let mut xml = Self(Writer::new_with_indent(Vec::new(), b' ', 2));
        xml.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        xml
    }

    /// Opens an element that holds others.
    pub(super) fn open(&mut self, name: &str, attributes: Attributes) {
        self.event(Event::Start(start(name, attributes)));
    }

    /// Closes the element opened last.
    pub(super) fn close(&mut self, name: &str) {
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// Writes an element without content.
    pub(super) fn empty(&mut self, name: &str, attributes: Attributes) {
        self.event(Event::Empty(start(name, attributes)));
    }

    /// Writes an element that holds text, escaped.
    pub(super) fn text(&mut self, name: &str, attributes: Attributes, text: &str) {
        self.leaf(name, attributes, Event::Text(BytesText::from_escaped(partial_escape(text))));
    }

    /// Writes an element whose `&` and `<` are hexadecimal references, as the RSS profile
    /// recommends: readers that unescape a title twice take named ones for markup.
    pub(super) fn hex_text(&mut self, name: &str, text: &str) {
        let escaped = text.replace('&', "&#x26;").replace('<', "&#x3C;").replace('>', "&#x3E;");
        self.leaf(name, &[], Event::Text(BytesText::from_escaped(escaped)));
    }

    /// Writes an element that holds HTML as a CDATA section, which stays readable; escaped
    /// when the HTML holds `]]>`, since many readers lose text at a divided section.
    pub(super) fn html(&mut self, name: &str, html: &str) {
        if html.contains("]]>") {
            self.text(name, &[], html);
        } else {
            self.leaf(name, &[], Event::CData(BytesCData::new(html)));
        }
    }

    /// The bytes, ending in a line feed.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut bytes = self.0.into_inner();
        bytes.push(b'\n');
        bytes
    }

    fn leaf(&mut self, name: &str, attributes: Attributes, content: Event) {
        self.event(Event::Start(start(name, attributes)));
        self.event(content);
        self.close(name);
    }

    fn event(&mut self, event: Event) {
        self.0.write_event(event).expect("a vector takes every byte");
    }
}

fn start<'a>(name: &'a str, attributes: Attributes) -> BytesStart<'a> {
    BytesStart::new(name).with_attributes(attributes.iter().copied())
}
