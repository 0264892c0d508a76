//! Shortcodes and colon-fenced notes of other generators, turned into plain Markdown before it
//! is parsed: only so do they work inside links, lists and quotations.

use std::collections::HashSet;
use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag as MarkdownTag};

use super::OPTIONS;
use super::admonition;
use super::shortcode::{Dialect, Role, Tag, tag};
use crate::content::characters::{first_forbidden, is_forbidden};
use crate::content::links::Linker;
use crate::content::site::Site;

/// How deep notes may lie in notes.
const MAX_NOTES: usize = 20;
/// How many unclosed notes are looked after in one post.
const MAX_UNCLOSED: usize = 100;

/// Markdown ready to be parsed, and where each part of it came from.
pub(super) struct Body {
    pub(super) text: String,
    pieces: Vec<Piece>,
}

struct Piece {
    /// Where it begins in the Markdown.
    at: usize,
    /// Where it came from in the file.
    file: usize,
    origin: Origin,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Byte by byte from the file.
    Copied,
    /// Written for something in the file.
    Written,
}

impl Body {
    /// The bytes of the file that a part of the Markdown stands for.
    pub(super) fn file_span(&self, range: Range<usize>) -> Range<usize> {
        let start = self.file_offset(range.start);
        start..self.file_offset(range.end).max(start)
    }

    fn file_offset(&self, at: usize) -> usize {
        let index = self.pieces.partition_point(|piece| piece.at <= at);
        match self.pieces[..index].last() {
            Some(piece) if piece.origin == Origin::Copied => piece.file + (at - piece.at),
            Some(piece) => piece.file,
            None => 0,
        }
    }
}

/// Expands the shortcodes of a post's text, which begins at `body` in the file.
pub(super) fn expand(file: &str, body: usize, site: &Site<'_>, linker: &mut Linker<'_>) -> Body {
    let text = &file[body..];
    let whole = Body { text: text.to_owned(), pieces: vec![Piece { at: 0, file: body, origin: Origin::Copied }] };
    let is_plain = !["{{", "{%", ":::", "!!! ", "??? "].iter().any(|mark| text.contains(mark));
    if is_plain && !text.contains(is_forbidden) {
        return whole;
    }
    let mut expander = Expander {
        file,
        site,
        linker,
        code: code_ranges(text, body),
        out: Body { text: String::with_capacity(text.len()), pieces: Vec::new() },
        prefix: String::new(),
        never_closed: HashSet::new(),
        unclosed_notes: 0,
        open_unknown: 0,
    };
    expander.run(body..file.len(), 0);
    expander.out
}

/// The code blocks and code spans of a text, as byte ranges of the file.
fn code_ranges(text: &str, body: usize) -> Vec<Range<usize>> {
    let events = Parser::new_ext(text, OPTIONS).into_offset_iter();
    events
        .filter(|(event, _)| matches!(event, Event::Start(MarkdownTag::CodeBlock(_)) | Event::Code(_)))
        .map(|(_, range)| range.start + body..range.end + body)
        .collect()
}

struct Expander<'a, 'l, 's> {
    file: &'a str,
    site: &'a Site<'a>,
    linker: &'l mut Linker<'s>,
    code: Vec<Range<usize>>,
    out: Body,
    /// What begins every line inside a quotation or note.
    prefix: String,
    /// Names for which the rest of the file holds no closing tag.
    never_closed: HashSet<String>,
    unclosed_notes: usize,
    /// Zola's `{% end %}` does not say what it ends.
    open_unknown: usize,
}

impl<'a> Expander<'a, '_, '_> {
    fn run(&mut self, range: Range<usize>, depth: usize) {
        let mut at = range.start;
        let mut copied = at;
        while at < range.end {
            if let Some(end) = self.code_end(at) {
                at = end.min(range.end);
                continue;
            }
            let at_line_start = at == range.start || self.file.as_bytes()[at - 1] == b'\n';
            let may_be_note = at_line_start && depth < MAX_NOTES && self.unclosed_notes < MAX_UNCLOSED;
            if let Some(note) = may_be_note.then(|| self.note_at(at..range.end)).flatten() {
                self.copy(copied..at);
                self.note(&note, depth);
                (at, copied) = (note.end, note.end);
                continue;
            }
            if let Some(tag) = tag(&self.file[at..range.end]) {
                self.copy(copied..at);
                let end = self.tag(&tag, at, range.end, depth);
                (at, copied) = (end, end);
                continue;
            }
            // The next place where something can begin: a line, or a brace.
            let next = at + self.file[at..].chars().next().map_or(1, char::len_utf8);
            at = self.file[next..range.end].find(['{', '\n']).map_or(range.end, |found| {
                let found = next + found;
                if self.file.as_bytes()[found] == b'\n' { found + 1 } else { found }
            });
        }
        self.copy(copied..range.end);
    }

    fn code_end(&self, at: usize) -> Option<usize> {
        let index = self.code.partition_point(|range| range.start <= at);
        self.code[..index].last().filter(|range| at < range.end).map(|range| range.end)
    }

    fn copy(&mut self, range: Range<usize>) {
        if self.prefix.is_empty() {
            return self.copy_line(range);
        }
        let mut at = range.start;
        for line in self.file[range].split_inclusive('\n') {
            self.begin_line(at);
            self.copy_line(at..at + line.len());
            at += line.len();
        }
    }

    /// Copies without the characters that no feed can carry: left in, they would also keep
    /// Markdown from being read as what it is.
    fn copy_line(&mut self, range: Range<usize>) {
        let mut at = range.start;
        while let Some((found, c)) = first_forbidden(self.file, at..range.end) {
            self.copy_clean(at..found.start);
            self.linker.control_character(&found, c);
            at = found.end;
        }
        self.copy_clean(at..range.end);
    }

    fn copy_clean(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.out.pieces.push(Piece { at: self.out.text.len(), file: range.start, origin: Origin::Copied });
            self.out.text.push_str(&self.file[range]);
        }
    }

    fn write(&mut self, text: &str, file: usize) {
        for line in text.split_inclusive('\n') {
            self.begin_line(file);
            self.out.pieces.push(Piece { at: self.out.text.len(), file, origin: Origin::Written });
            self.out.text.push_str(line);
        }
    }

    fn begin_line(&mut self, file: usize) {
        let fresh = self.out.text.is_empty() || self.out.text.ends_with('\n');
        if fresh && !self.prefix.is_empty() {
            self.out.pieces.push(Piece { at: self.out.text.len(), file, origin: Origin::Written });
            self.out.text.push_str(&self.prefix);
        }
    }

    /// Begins a paragraph of its own.
    fn block(&mut self, file: usize) {
        if !self.out.text.is_empty() {
            if !self.out.text.ends_with('\n') {
                self.write("\n", file);
            }
            self.write("\n", file);
        }
    }

    fn note_at(&mut self, range: Range<usize>) -> Option<admonition::Note> {
        match admonition::find(self.file, range)? {
            admonition::Found::Note(note) => Some(note),
            admonition::Found::Unclosed => {
                self.unclosed_notes += 1;
                None
            }
        }
    }

    fn note(&mut self, note: &admonition::Note, depth: usize) {
        self.quoted(&format!("[!{}] {}", note.word, note.title), &note.lines, note.start, depth);
    }

    /// Writes lines of the file as a quotation under a first line.
    fn quoted(&mut self, first: &str, lines: &[Range<usize>], file: usize, depth: usize) {
        self.block(file);
        let outer = self.prefix.len();
        self.prefix.push_str("> ");
        if !first.trim().is_empty() {
            self.write(&format!("{}\n", first.trim_end()), file);
        }
        for line in lines {
            self.run(line.clone(), depth + 1);
        }
        self.prefix.truncate(outer);
        self.block(file);
    }

    /// Expands one tag; returns where the text goes on.
    fn tag(&mut self, tag: &Tag<'a>, at: usize, limit: usize, depth: usize) -> usize {
        let end = at + tag.length;
        match tag.role {
            Role::Escaped { open, inner, close } => {
                // Shown, not run: as code, so that nothing in it is Markdown.
                self.write(&format!("{}{inner}{}", escape(open), escape(close)), at);
                end
            }
            Role::Close => self.stray_close(tag, at),
            Role::Open => self.open(tag, at, limit, depth),
        }
    }

    fn stray_close(&mut self, tag: &Tag<'a>, at: usize) -> usize {
        let end = at + tag.length;
        match tag.dialect {
            Dialect::Zola if self.open_unknown == 0 => self.copy(at..end),
            Dialect::Zola => self.open_unknown -= 1,
            // Its opening tag was already reported.
            Dialect::Hugo | Dialect::Liquid => {}
        }
        end
    }

    fn open(&mut self, tag: &Tag<'a>, at: usize, limit: usize, depth: usize) -> usize {
        let end = at + tag.length;
        match tag.name {
            "figure" | "img" | "image" | "include" => self.figure(tag, at),
            "youtube" | "vimeo" | "gist" | "tweet" | "twitter" | "x" => self.embedded(tag, at),
            "ref" | "relref" | "post_url" | "link" => self.reference(tag, at),
            "toc" | "TOC" => {}
            "highlight" => return self.highlight(tag, at, limit),
            "raw" => return self.paired(tag, at, limit, Self::copy),
            "comment" => return self.paired(tag, at, limit, |_, _| ()),
            "quote" | "blockquote" | "callout" | "notice" | "admonition" | "alert" | "hint" | "note" | "tip"
            | "info" | "warning" | "danger" | "important" | "caution" => return self.remark(tag, at, limit, depth),
            _ => self.unknown(tag, at),
        }
        end
    }

    fn figure(&mut self, tag: &Tag<'a>, at: usize) {
        if tag.name == "include"
            && !tag.arg(&[], Some(0)).is_some_and(|file| file.contains("figure") || file.contains("image"))
        {
            return self.include(tag, at);
        }
        let position = (tag.name != "include").then_some(0);
        let Some(source) = tag.arg(&["src", "path", "image_path", "url", "image", "file"], position) else {
            return self.unknown(tag, at);
        };
        let caption = tag.arg(&["caption", "title"], None).unwrap_or_default();
        let alt = tag.arg(&["alt"], position.map(|_| 1)).unwrap_or(caption);
        let source = source.replace(['<', '>', '\n'], "");
        let title = if caption.is_empty() { String::new() } else { format!(" \"{}\"", escape(caption)) };
        self.write(&format!("![{}](<{source}>{title})", escape(alt)).replace('\n', " "), at);
    }

    fn include(&mut self, tag: &Tag<'a>, at: usize) {
        let file = tag.arg(&[], Some(0)).unwrap_or_default();
        let id = tag.arg(&["id", "video_id"], None);
        match id.filter(|_| file.contains("youtube") || file.contains("video")) {
            Some(id) => self.write(&format!("<https://www.youtube.com/watch?v={}>", plain(id)), at),
            None => self.unknown(tag, at),
        }
    }

    fn embedded(&mut self, tag: &Tag<'a>, at: usize) {
        let Some(id) = tag.arg(&["id", "url"], Some(0)).map(plain) else { return self.unknown(tag, at) };
        let user = tag.arg(&["user"], None).map(plain);
        let url = match tag.name {
            _ if id.starts_with("https://") => id,
            "youtube" => format!("https://www.youtube.com/watch?v={id}"),
            "vimeo" => format!("https://vimeo.com/{id}"),
            "gist" => match tag.arg(&[], Some(1)).map(plain) {
                Some(gist) => format!("https://gist.github.com/{id}/{gist}"),
                None => format!("https://gist.github.com/{id}"),
            },
            _ => format!("https://x.com/{}/status/{id}", user.as_deref().unwrap_or("i")),
        };
        self.write(&format!("<{url}>"), at);
    }

    fn reference(&mut self, tag: &Tag<'a>, at: usize) {
        let whole = tag.arg(&["path"], Some(0)).unwrap_or_default();
        let (name, fragment) = whole.split_once('#').map_or((whole, None), |(name, fragment)| (name, Some(fragment)));
        let fragment = fragment.map(|fragment| format!("#{}", plain(fragment))).unwrap_or_default();
        if name.is_empty() && !fragment.is_empty() {
            return self.write(&fragment, at);
        }
        let Some(page) = self.site.named(name.trim_start_matches("_posts/")) else {
            let message = format!("there is no post `{name}`; the link is left out");
            let help = "name a post by its file, as in `my-post.md`";
            self.linker.warn("missing-link", &(at..at + tag.length), message, help);
            return;
        };
        let url = self.site.base_url.join(&format!("{}/", page.slug.as_str()));
        self.write(&format!("{url}{fragment}"), at);
    }

    fn highlight(&mut self, tag: &Tag<'a>, at: usize, limit: usize) -> usize {
        let language = plain(tag.arg(&["lang", "language"], Some(0)).unwrap_or_default());
        self.paired(tag, at, limit, |this, inner| {
            let code = &this.file[inner.clone()];
            let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
            let fence = "`".repeat(longest.max(2) + 1);
            let lead = code.len() - code.trim_start_matches(['\n', ' ']).len();
            // Leading blank lines go, the first line's indentation stays.
            let lead = code[..lead].rfind('\n').map_or(0, |newline| newline + 1);
            this.block(at);
            this.write(&format!("{fence}{language}\n"), at);
            this.copy(inner.start + lead..inner.start + lead + code[lead..].trim_end().len());
            this.write(&format!("\n{fence}\n\n"), at);
        })
    }

    fn remark(&mut self, tag: &Tag<'a>, at: usize, limit: usize, depth: usize) -> usize {
        if depth >= MAX_NOTES {
            self.unknown(tag, at);
            return at + tag.length;
        }
        let kind = tag.arg(&["type", "kind"], Some(0)).unwrap_or(tag.name);
        let word = admonition::word(kind).or_else(|| admonition::word(tag.name));
        let title = tag.arg(&["title"], Some(1)).unwrap_or_default().replace('\n', " ");
        let first = word.map(|word| format!("[!{word}] {title}")).unwrap_or_default();
        self.paired(tag, at, limit, |this, inner| {
            let text = &this.file[inner.clone()];
            let start = inner.start + (text.len() - text.trim_start().len());
            let words = start..start.max(inner.start + text.trim_end().len());
            this.quoted(&first, std::slice::from_ref(&words), at, depth);
        })
    }

    /// Hands the text between a tag and the one that closes it to `write`.
    fn paired(&mut self, tag: &Tag<'a>, at: usize, limit: usize, write: impl FnOnce(&mut Self, Range<usize>)) -> usize {
        let start = at + tag.length;
        let Some((inner_end, end)) = self.find_close(tag, start, limit) else {
            self.unknown(tag, at);
            return start;
        };
        write(self, start..inner_end);
        end
    }

    fn find_close(&mut self, opening: &Tag<'a>, start: usize, limit: usize) -> Option<(usize, usize)> {
        let key = format!("{:?} {}", opening.dialect, opening.name);
        if self.never_closed.contains(&key) {
            return None;
        }
        let mut at = start;
        while let Some(found) = self.file[at..limit].find('{') {
            at += found;
            let closing =
                tag(&self.file[at..limit]).filter(|tag| tag.role == Role::Close && tag.dialect == opening.dialect);
            match closing.filter(|tag| tag.name == opening.name || tag.name == "end") {
                Some(closing) => return Some((at, at + closing.length)),
                None => at += 1,
            }
        }
        self.never_closed.insert(key);
        None
    }

    fn unknown(&mut self, tag: &Tag<'a>, at: usize) {
        if tag.dialect == Dialect::Zola && self.file[at..].starts_with("{%") {
            self.open_unknown += 1;
        }
        let message = format!("the shortcode `{}` is not known here and is left out", tag.name);
        let help = "write it as Markdown or HTML, or in backticks if it is meant as text";
        self.linker.warn("unknown-shortcode", &(at..at + tag.length), message, help);
    }
}

/// Text that Markdown shows as it is.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(if c == '\n' { ' ' } else { c });
    }
    out
}

/// The characters of an id or a language, and no others.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric() || "-_./:?=&+#%@".contains(*c)).collect()
}
