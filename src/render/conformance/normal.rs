//! What two renderings of one text must agree in.
//!
//! Our pages say more than the specifications' HTML, and say some things otherwise on purpose.
//! Each such thing is taken back here, on the side that has it:
//!
//! - both sides are read as a browser reads them, so that what is left open is closed;
//! - headings: ours have an id and an anchor, and the highest level of a post is shown as `h2`;
//! - an image alone is a `figure`, its title the caption; images load lazily;
//! - tables lie in a box that scrolls, aligned by class; without rows they have no `tbody`;
//! - a name in angle brackets that is no element's (`<foo>`) is text;
//! - code is coloured; its blocks can be reached by keyboard; a task has its name in words;
//! - links are resolved: a path of the source is one of its folder, a link that leads nowhere
//!   (`[a]()`), or by a scheme that no reader can follow (`made-up:`), is its words;
//! - a bare `www.` leads to `https:`.

use std::fmt::Write;

use url::Url;

use super::super::html::{Piece, as_browsers_read, attribute, pieces, tag_name};
use super::super::links::SCHEMES;

/// Attributes that only ours have.
const OURS: [&str; 9] =
    ["loading", "decoding", "tabindex", "role", "aria-label", "width", "height", "data-language", "style"];

/// Whose HTML it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The specification's, or another program's.
    Theirs,
    /// The page of the post at that URL.
    Ours,
}

/// The HTML of one side, as far as both must agree.
pub(super) fn normal(html: &str, side: Side, folder: &Url, page: &Url) -> String {
    let html = if side == Side::Ours { with_titles(html) } else { html.to_owned() };
    let read = as_browsers_read(&format!("<body><main>{html}</main></body>"));
    let inner = read.split_once("<main>").and_then(|(_, rest)| rest.rsplit_once("</main>")).expect("we wrote it").0;
    let mut normal = Normal {
        out: String::new(),
        open: Vec::new(),
        side,
        base: if side == Side::Ours { page.clone() } else { folder.clone() },
        page: page.clone(),
        shift: highest(inner).saturating_sub(1),
        in_pre: 0,
        hidden: 0,
    };
    for piece in pieces(inner) {
        normal.piece(piece);
    }
    without_space_at_blocks(&normal.out)
}

/// The elements that the texts compared here mean as such.
const ELEMENTS: [&str; 56] = [
    "ins",
    "a",
    "b",
    "blockquote",
    "br",
    "center",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "iframe",
    "img",
    "input",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "script",
    "section",
    "small",
    "source",
    "span",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "textarea",
    "th",
    "thead",
    "title",
    "tr",
    "u",
    "ul",
    "video",
    "xmp",
];

/// The HTML with what is named like no element written as text.
pub(super) fn without_unknown(html: &str) -> String {
    let mut parts = html.split('<');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name = part.strip_prefix('/').unwrap_or(part);
        let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(name.len());
        let name = &name[..end];
        let is_text = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && !name.contains('-')
            && !ELEMENTS.contains(&name.to_ascii_lowercase().as_str());
        out.push_str(if is_text { "&lt;" } else { "<" });
        out.push_str(part);
    }
    out
}

/// The HTML with the captions of its figures as titles of their images.
fn with_titles(html: &str) -> String {
    let mut parts = html.split("<figcaption>");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (caption, rest) = part.split_once("</figcaption>").unwrap_or((part, ""));
        out.truncate(out.trim_end_matches('>').len());
        let _ = write!(out, " title=\"{caption}\">{rest}");
    }
    out
}

/// The highest level of the headings in some HTML, 1 without any.
fn highest(html: &str) -> u8 {
    let levels = pieces(html).filter_map(|piece| match piece {
        Piece::Tag(tag) => tag_name(tag).strip_prefix('h').and_then(|level| level.parse::<u8>().ok()),
        Piece::Text(_) | Piece::Comment(_) => None,
    });
    levels.min().unwrap_or(1)
}

struct Normal {
    out: String,
    /// What closes each open element: nothing for those taken out.
    open: Vec<String>,
    side: Side,
    base: Url,
    page: Url,
    shift: u8,
    in_pre: usize,
    /// Inside an element that only ours has, with all it holds.
    hidden: usize,
}

impl Normal {
    fn piece(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Comment(comment) => self.out.push_str(comment),
            Piece::Text(text) if self.hidden == 0 => {
                if self.in_pre > 0 {
                    self.out.push_str(text);
                } else {
                    self.out.push_str(&collapsed(text));
                }
            }
            Piece::Text(_) => {}
            Piece::Tag(tag) => self.tag(tag),
        }
    }

    fn tag(&mut self, tag: &str) {
        let name = tag_name(tag);
        if let Some(element) = name.strip_prefix('/') {
            return self.close(element);
        }
        let is_void =
            matches!(name.as_str(), "img" | "br" | "hr" | "input" | "wbr" | "source" | "col" | "meta" | "link");
        if self.hidden > 0 || has_class(tag, "anchor") {
            self.hidden += usize::from(!is_void);
            return;
        }
        if name == "pre" {
            self.in_pre += 1;
        }
        let written = self.opening(&name, tag);
        if is_void {
            self.out.push_str(&written);
            return;
        }
        let closing = match (written.as_str(), name.as_str()) {
            ("", _) => String::new(),
            (_, "figure") => "</p>".to_owned(),
            (_, _) => format!("</{}>", self.element(&name)),
        };
        self.open.push(closing);
        self.out.push_str(&written);
    }

    fn close(&mut self, element: &str) {
        if self.hidden > 0 {
            self.hidden -= 1;
            return;
        }
        if element == "pre" {
            self.in_pre -= 1;
        }
        let closing = self.open.pop().unwrap_or_default();
        self.out.push_str(&closing);
    }

    fn element(&self, name: &str) -> String {
        match name.strip_prefix('h').and_then(|level| level.parse::<u8>().ok()) {
            Some(level) => format!("h{}", (level - self.shift).min(5)),
            None => name.to_owned(),
        }
    }

    fn opening(&mut self, name: &str, tag: &str) -> String {
        match name {
            "div" if has_class(tag, "table") => String::new(),
            "figure" if self.side == Side::Ours && !tag.contains("class") => "<p>".to_owned(),
            "figcaption" => String::new(),
            "span" if self.in_pre > 0 => String::new(),
            "a" => match self.target(tag, "href") {
                Some(href) => format!("<a href={href}{}>", self.rest(tag, &["href"])),
                None => String::new(),
            },
            "img" => {
                let src = self.target(tag, "src").unwrap_or_default();
                format!("<img src={src}{}>", self.rest(tag, &["src"]))
            }
            _ => format!("<{}{}>", self.element(name), self.rest(tag, &[])),
        }
    }

    fn target(&self, tag: &str, name: &str) -> Option<String> {
        let written = attribute(tag, name)?.replace("&amp;", "&").replace("&quot;", "\"");
        let base = if written.starts_with('#') { &self.page } else { &self.base };
        let url = base.join(written.trim()).ok()?;
        let url = if url.scheme() == "http" && url.host_str().is_some_and(|host| host.starts_with("www.")) {
            url.as_str().replacen("http:", "https:", 1)
        } else {
            url.to_string()
        };
        let scheme = url.split(':').next().unwrap_or_default();
        (!written.is_empty() && SCHEMES.contains(&scheme)).then_some(url)
    }

    /// The other attributes in order of their names.
    fn rest(&self, tag: &str, done: &[&str]) -> String {
        let mut all: Vec<String> = Vec::new();
        for name in names(tag) {
            let value = attribute(tag, &name).unwrap_or_default();
            let is_heading = tag_name(tag).len() == 2 && tag_name(tag).starts_with('h');
            if done.contains(&name.as_str()) || OURS.contains(&name.as_str()) || (name == "id" && is_heading) {
                continue;
            }
            match (name.as_str(), value) {
                ("href" | "src", _) => all.push(format!(" {name}={}", self.target(tag, &name).unwrap_or_default())),
                ("class", "left" | "center" | "right") => all.push(format!(" align={value}")),
                ("class", "tasks" | "contains-task-list" | "task-list-item") => {}
                _ => all.push(format!(" {name}={value}")),
            }
        }
        all.sort();
        all.concat()
    }
}

fn has_class(tag: &str, class: &str) -> bool {
    attribute(tag, "class") == Some(class)
}

/// The names of a tag's attributes, as the browser's tree writes them.
fn names(tag: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = tag.trim_start_matches('<').trim_end_matches('>');
    while let Some(space) = rest.find(' ') {
        rest = &rest[space + 1..];
        let Some((name, value)) = rest.split_once("=\"") else { break };
        names.push(name.trim().to_owned());
        rest = value.split_once('"').map_or("", |(_, rest)| rest);
        rest = if rest.is_empty() { "" } else { rest };
    }
    names
}

fn collapsed(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        let c = if c == '\n' || c == '\t' { ' ' } else { c };
        if c != ' ' || !out.ends_with(' ') {
            out.push(c);
        }
    }
    out
}

/// Space beside the tag of a block is nothing to a reader.
fn without_space_at_blocks(html: &str) -> String {
    const BLOCKS: [&str; 26] = [
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "blockquote",
        "pre",
        "hr",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "div",
        "dl",
        "dt",
        "dd",
        "br",
        "section",
        "details",
    ];
    let mut out = String::new();
    let mut after_block = true;
    let mut in_pre = false;
    for piece in pieces(html) {
        match piece {
            Piece::Tag(tag) => {
                let name = tag_name(tag);
                after_block = BLOCKS.contains(&name.trim_start_matches('/'));
                if after_block && !in_pre {
                    out.truncate(out.trim_end_matches(' ').len());
                }
                match name.as_str() {
                    "pre" => in_pre = true,
                    "/pre" => in_pre = false,
                    _ => {}
                }
                out.push_str(tag);
                if after_block {
                    out.push_str(if name.starts_with('/') { "\n" } else { "" });
                }
            }
            Piece::Text(text) if after_block && !in_pre => out.push_str(text.trim_start_matches(' ')),
            Piece::Text(text) | Piece::Comment(text) => out.push_str(text),
        }
        if let Piece::Text(text) = piece
            && !text.trim().is_empty()
        {
            after_block = false;
        }
    }
    let out = out.replace("<p></p>\n", "");
    // An empty header names nothing.
    let cells = ["", " align=left", " align=center", " align=right"];
    let out = cells.iter().fold(out, |out, cell| out.replace(&format!("<th{cell}></th>"), &format!("<td{cell}></td>")));
    out.trim().to_owned()
}
