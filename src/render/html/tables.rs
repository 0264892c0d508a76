//! Tables as HTML.

use super::{Medium, Writer};
use crate::domain::document::{Alignment, Inline, Target, plain_text};

/// A table of more columns is hard to read in a mail, whatever is done to it.
const COLUMNS_IN_MAIL: usize = 5;

/// A word of more letters is broken in a mail's table.
const LONG_WORD: usize = 20;

impl Writer<'_> {
    pub(super) fn table(&mut self, alignments: &[Alignment], head: &[Vec<Inline>], rows: &[Vec<Vec<Inline>>]) {
        self.out.push_str(match self.medium {
            // Wide tables scroll in a box of their own, reachable by keyboard.
            Medium::Web => "<div class=\"table\" role=\"region\" tabindex=\"0\" aria-label=\"Table\">\n<table>\n",
            Medium::Feed => "<table>\n",
            Medium::Mail if is_wide(head) => {
                "<div class=\"wide\"><table class=\"data\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\">\n"
            }
            Medium::Mail => "<table class=\"data\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\">\n",
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
            Medium::Mail if is_wide(head) => "</table></div>\n",
            Medium::Feed | Medium::Mail => "</table>\n",
        });
        if self.medium == Medium::Mail && is_wide(head) {
            self.table_on_the_web();
        }
    }

    /// A table that a mail has no room for is better read on its page.
    fn table_on_the_web(&mut self) {
        let Some(page) = self.links.href(&Target::Site(self.post.site_path())).filter(|_| !self.inside_link) else {
            return;
        };
        self.out.push_str("<p class=\"caption table-link\"><a");
        self.attribute("href", &page);
        self.out.push_str(">Read this table on the web</a></p>\n");
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
            if self.medium == Medium::Mail && has_long_word(cell) {
                self.class("long");
            }
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

/// Whether a cell holds a word that would push the others out of a mail. Only that one is
/// broken: numbers and short words stay whole.
fn has_long_word(cell: &[Inline]) -> bool {
    plain_text(cell).split_whitespace().any(|word| word.chars().count() > LONG_WORD)
}

fn is_wide(head: &[Vec<Inline>]) -> bool {
    head.len() > COLUMNS_IN_MAIL
}

/// Which part of a table a cell is in.
#[derive(Clone, Copy)]
enum Cell {
    Head,
    Data,
}
