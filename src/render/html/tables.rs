//! Tables as HTML.

use super::{Medium, Writer};
use crate::domain::document::{Alignment, Inline};
use crate::domain::words::Word;

/// A table of more columns is set in smaller type in a mail, and scrolls where it can.
const MAIL_COLUMNS: usize = 6;

impl Writer<'_> {
    pub(super) fn table(&mut self, alignments: &[Alignment], head: &[Vec<Inline>], rows: &[Vec<Vec<Inline>>]) {
        let is_wide = alignments.len() > MAIL_COLUMNS;
        // On the web wide tables scroll in a box of their own, reachable by keyboard.
        if self.medium == Medium::Web {
            self.out.push_str("<div class=\"table\" role=\"group\" tabindex=\"0\"");
            self.attribute("aria-label", self.words.word(Word::Table));
            self.out.push_str(">\n");
        }
        self.out.push_str(match self.medium {
            Medium::Web | Medium::Feed => "<table>\n",
            Medium::Mail if is_wide => {
                "<div class=\"scroll\">\n<table class=\"data wide\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\">\n"
            }
            Medium::Mail => "<table class=\"data\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\">\n",
        });
        if head.iter().any(|cell| !cell.is_empty()) {
            self.out.push_str("<thead>\n");
            self.row(alignments, head, Cell::Head);
            self.out.push_str("</thead>\n");
        }
        if !rows.is_empty() {
            self.out.push_str("<tbody>\n");
            for row in rows {
                self.row(alignments, row, Cell::Data);
            }
            self.out.push_str("</tbody>\n");
        }
        self.out.push_str(match self.medium {
            Medium::Web => "</table>\n</div>\n",
            Medium::Mail if is_wide => "</table>\n</div>\n",
            Medium::Feed | Medium::Mail => "</table>\n",
        });
        if self.medium == Medium::Mail && is_wide {
            self.table_on_the_web();
        }
    }

    /// A table that a mail has no room for is better read on its page.
    fn table_on_the_web(&mut self) {
        if self.inside_link {
            return;
        }
        let page = self.links.site(&self.post.site_path());
        self.out.push_str("<p class=\"caption table-link\"><a");
        self.attribute("href", &page);
        self.out.push('>');
        self.word(Word::TableLink);
        self.out.push_str("</a></p>\n");
    }

    fn row(&mut self, alignments: &[Alignment], cells: &[Vec<Inline>], kind: Cell) {
        self.out.push_str("<tr>");
        for (column, cell) in cells.iter().enumerate() {
            let tag = match kind {
                // An empty header names nothing; screen readers stumble over it.
                Cell::Head if cell.is_empty() => "td",
                Cell::Head => "th",
                Cell::Data => "td",
            };
            self.out.push('<');
            self.out.push_str(tag);
            self.alignment(alignments.get(column).copied().unwrap_or(Alignment::Natural));
            self.out.push('>');
            self.inlines(cell);
            self.close(tag);
        }
        self.out.push_str("</tr>\n");
    }

    fn alignment(&mut self, alignment: Alignment) {
        let word = match alignment {
            Alignment::Natural => return,
            Alignment::Left => "left",
            Alignment::Center => "center",
            Alignment::Right => "right",
        };
        match self.medium {
            Medium::Web => self.attribute("class", word),
            // The attribute is the only alignment that feed readers and Outlook keep.
            Medium::Feed | Medium::Mail => self.attribute("align", word),
        }
    }
}

/// Which part of a table a cell is in.
#[derive(Clone, Copy)]
enum Cell {
    Head,
    Data,
}
