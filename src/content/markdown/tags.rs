//! What the known shortcodes mean: each becomes the Markdown an author would have written.

use std::ops::Range;

use super::admonition;
use super::expand::{Expander, MAX_NOTES};
use super::shortcode::{Dialect, Role, Tag, tag};

impl<'a> Expander<'a, '_, '_> {
    /// Expands one tag; returns where the text goes on.
    pub(super) fn tag(&mut self, tag: &Tag<'a>, at: usize, limit: usize, depth: usize) -> usize {
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
            "youtube" | "vimeo" | "gist" | "tweet" | "twitter" | "x" | "instagram" | "streamable" | "mastodon" => {
                self.embedded(tag, at);
            }
            "ref" | "relref" | "post_url" | "link" => self.reference(tag, at),
            "video" | "audio" | "button" => return self.linked(tag, at, limit),
            "toc" | "TOC" => self.contents(at),
            "highlight" | "mermaid" => return self.highlight(tag, at, limit),
            "math" | "katex" => return self.formula(tag, at, limit),
            "details" | "expand" | "collapse" => return self.details(tag, at, limit, depth),
            "raw" => return self.paired(tag, at, limit, Self::copy),
            "comment" => return self.paired(tag, at, limit, |_, _| ()),
            "quote" | "blockquote" | "callout" | "notice" | "admonition" | "alert" | "hint" | "note" | "tip"
            | "info" | "warning" | "danger" | "important" | "caution" => return self.remark(tag, at, limit, depth),
            _ => self.unknown(tag, at),
        }
        end
    }

    fn contents(&mut self, at: usize) {
        self.block(at);
        self.write("[TOC]\n\n", at);
    }

    /// A file or a page behind a player or a button: a link to it.
    fn linked(&mut self, tag: &Tag<'a>, at: usize, limit: usize) -> usize {
        let end = at + tag.length;
        let Some(target) = tag.arg(&["src", "href", "url", "link", "relref"], Some(0)) else {
            self.unknown(tag, at);
            return end;
        };
        let target = target.replace(['<', '>', '\n'], "");
        let given = tag.arg(&["title", "text", "caption", "label"], Some(1)).map(str::to_owned);
        let close = (tag.name == "button").then(|| self.find_close(tag, end, limit)).flatten();
        let inner = close.map(|(inner_end, _)| self.file[end..inner_end].trim().to_owned());
        let words = given.or(inner).filter(|words| !words.is_empty());
        let words = words.unwrap_or_else(|| target.rsplit('/').next().unwrap_or_default().to_owned());
        self.write(&format!("[{}](<{target}>)", escape(&words)), at);
        close.map_or(end, |(_, end)| end)
    }

    /// Hugo's `details`, as HTML with Markdown in it.
    fn details(&mut self, tag: &Tag<'a>, at: usize, limit: usize, depth: usize) -> usize {
        if depth >= MAX_NOTES {
            self.unknown(tag, at);
            return at + tag.length;
        }
        let summary = tag.arg(&["summary", "title"], Some(0)).unwrap_or("Details");
        let summary = summary.replace('&', "&amp;").replace('<', "&lt;").replace('\n', " ");
        self.paired(tag, at, limit, |this, inner| {
            this.block(at);
            this.write(&format!("<details><summary>{summary}</summary>\n\n"), at);
            this.run(inner, depth + 1);
            this.write("\n\n</details>\n\n", at);
        })
    }

    /// A formula that a theme's shortcode sets.
    fn formula(&mut self, tag: &Tag<'a>, at: usize, limit: usize) -> usize {
        self.paired(tag, at, limit, |this, inner| {
            let tex = this.file[inner.clone()].trim();
            let start = inner.start + this.file[inner].find(tex).unwrap_or_default();
            let bare = tex.trim_matches('$').trim();
            let start = start + tex.find(bare).unwrap_or_default();
            this.write("$$", at);
            this.copy(start..start + bare.len());
            this.write("$$", at);
        })
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
            "instagram" => format!("https://www.instagram.com/p/{id}/"),
            "streamable" => format!("https://streamable.com/{id}"),
            "mastodon" => return self.unknown(tag, at),
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
        let Some(page) = self.linker.lookup.named(name.trim_start_matches("_posts/")) else {
            let message = format!("there is no post `{name}`; the link is left out");
            let help = "name a post by its file, as in `my-post.md`";
            self.linker.warn("missing-link", &(at..at + tag.length), message, help);
            return;
        };
        let url = self.linker.lookup.site().base_url.join(&format!("{}/", page.slug.as_str()));
        self.write(&format!("{url}{fragment}"), at);
    }

    fn highlight(&mut self, tag: &Tag<'a>, at: usize, limit: usize) -> usize {
        let language = match tag.name {
            "mermaid" => "mermaid".to_owned(),
            _ => plain(tag.arg(&["lang", "language"], Some(0)).unwrap_or_default()),
        };
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
pub(super) fn escape(text: &str) -> String {
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
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric() || "-_./:?=&+#%@".contains(*c)).collect()
}
