//! Tables as plain text: aligned columns when they fit, records when they do not.

use unicode_width::UnicodeWidthStr;

use super::Writer;
use super::flow::Flow;
use crate::domain::document::{Alignment, Inline};

/// What stands between two columns.
const GUTTER: usize = 2;

impl Writer<'_> {
    pub(super) fn table(
        &mut self,
        alignments: &[Alignment],
        head: &[Vec<Inline>],
        rows: &[Vec<Vec<Inline>>],
        width: usize,
    ) -> Vec<String> {
        let head = self.cells(head);
        let rows: Vec<Vec<String>> = rows.iter().map(|row| self.cells(row)).collect();
        let widths = column_widths(&head, &rows);
        let total = widths.iter().sum::<usize>() + GUTTER * widths.len().saturating_sub(1);
        if total <= width { columns(&widths, alignments, &head, &rows) } else { records(&head, &rows, width) }
    }

    fn cells(&mut self, cells: &[Vec<Inline>]) -> Vec<String> {
        cells.iter().map(|cell| self.flow(cell).one_line()).collect()
    }
}

fn column_widths(head: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).chain([head.len()]).max().unwrap_or(0);
    (0..columns)
        .map(|column| {
            let cells = rows.iter().map(Vec::as_slice).chain([head]);
            cells.filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0)
        })
        .collect()
}

fn columns(widths: &[usize], alignments: &[Alignment], head: &[String], rows: &[Vec<String>]) -> Vec<String> {
    let mut lines = Vec::new();
    if head.iter().any(|cell| !cell.is_empty()) {
        lines.push(row(widths, alignments, head));
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        lines.push(rule.join(&" ".repeat(GUTTER)));
    }
    lines.extend(rows.iter().map(|cells| row(widths, alignments, cells)));
    lines
}

fn row(widths: &[usize], alignments: &[Alignment], cells: &[String]) -> String {
    let padded: Vec<String> = widths
        .iter()
        .enumerate()
        .map(|(column, width)| {
            let cell = cells.get(column).map_or("", String::as_str);
            padded(cell, *width, alignments.get(column).copied().unwrap_or(Alignment::Natural))
        })
        .collect();
    padded.join(&" ".repeat(GUTTER)).trim_end().to_owned()
}

/// Pads by columns on screen: `format!` would count characters.
fn padded(cell: &str, width: usize, alignment: Alignment) -> String {
    let free = width.saturating_sub(cell.width());
    let before = match alignment {
        Alignment::Natural | Alignment::Left => 0,
        Alignment::Center => free / 2,
        Alignment::Right => free,
    };
    format!("{}{cell}{}", " ".repeat(before), " ".repeat(free - before))
}

/// Each row as `Header: value` lines, rows apart by a blank line.
fn records(head: &[String], rows: &[Vec<String>], width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for cells in rows {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let name = head.get(column).map_or("", String::as_str);
            let text = if name.is_empty() { cell.clone() } else { format!("{name}: {cell}") };
            lines.extend(hanging(&text, width));
        }
    }
    if rows.is_empty() {
        lines.extend(hanging(&head.join(", "), width));
    }
    lines
}

fn hanging(text: &str, width: usize) -> Vec<String> {
    let mut flow = Flow::default();
    for (number, word) in text.split(' ').enumerate() {
        if number > 0 {
            flow.space();
        }
        // A URL in a cell stays whole here too.
        if word.contains("://") { flow.fixed(word) } else { flow.text(word) }
    }
    let lines = flow.lines(width.saturating_sub(2));
    lines
        .iter()
        .enumerate()
        .map(|(number, line)| if number == 0 { line.clone() } else { format!("  {line}") })
        .collect()
}
