//! The header of a CSV list: which column means what, and what divides columns.

use super::field::{self, Refusal, shown};

/// What divides the cells of a file, judged by its first line: comma, semicolon or tab,
/// whichever is most frequent outside quotes.
pub(super) fn delimiter(first_line: &[u8]) -> u8 {
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    let mut is_quoted = false;
    for byte in first_line {
        if *byte == b'"' {
            is_quoted = !is_quoted;
        } else if !is_quoted && let Some((_, count)) = counts.iter_mut().find(|(mark, _)| mark == byte) {
            *count += 1;
        }
    }
    let mut best = counts[0];
    for candidate in counts {
        if candidate.1 > best.1 {
            best = candidate;
        }
    }
    best.0
}

/// What each column means.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    pub email: usize,
    pub name: Option<usize>,
    pub topics: Option<usize>,
    pub cadence: Option<usize>,
    /// Where an export says how the person stood.
    pub state: Option<usize>,
    /// The other columns by name; an export's `since` is not among them.
    pub attributes: Vec<(usize, String)>,
    pub count: usize,
}

impl Columns {
    /// Reads a header; names are compared without regard to case. The error is about the
    /// cell of that number.
    pub(super) fn read(header: &[String]) -> Result<Self, (usize, Refusal)> {
        let mut columns = Self { count: header.len(), ..Self::default() };
        let mut email = None;
        for (i, cell) in header.iter().enumerate() {
            let slot = match cell.trim().to_lowercase().as_str() {
                "email" | "e-mail" | "email address" | "e-mail address" => &mut email,
                "name" | "full name" => &mut columns.name,
                "topics" => &mut columns.topics,
                "cadence" => &mut columns.cadence,
                "state" => &mut columns.state,
                "since" | "" => continue,
                _ => {
                    let name = field::attribute_name(cell).map_err(|refusal| (i, refusal))?;
                    columns.attributes.push((i, name.to_owned()));
                    continue;
                }
            };
            if slot.replace(i).is_some() {
                let message = format!("the column `{}` is there twice", shown(cell));
                return Err((i, Refusal::new(message, "rename or remove one of the two")));
            }
        }
        columns.email = email.ok_or_else(|| (0, no_email(header)))?;
        columns.refuse_twins()?;
        Ok(columns)
    }

    fn refuse_twins(&self) -> Result<(), (usize, Refusal)> {
        for (n, (i, name)) in self.attributes.iter().enumerate() {
            if self.attributes[..n].iter().any(|(_, other)| other == name) {
                let message = format!("the column `{name}` is there twice");
                return Err((*i, Refusal::new(message, "rename or remove one of the two")));
            }
        }
        Ok(())
    }
}

fn no_email(header: &[String]) -> Refusal {
    if header.iter().any(|cell| cell.contains('@')) {
        return Refusal::new("the list has no header", "write `email,name` as its first line");
    }
    Refusal::new("no column is called `email`", "name the columns in the first line, e.g. `email,name,topics`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn columns_are_known_by_any_usual_name() {
        let columns = Columns::read(&header(&["Name", "E-Mail", "Topics", "city", "since", ""])).unwrap();
        assert_eq!((columns.email, columns.name, columns.topics), (1, Some(0), Some(2)));
        assert_eq!(columns.attributes, [(3, "city".to_owned())]);
    }

    #[test]
    fn a_header_that_cannot_be_meant_is_refused() {
        for (cells, reason) in [
            (vec!["ada@example.org", "Ada"], "the list has no header"),
            (vec!["mail"], "no column is called `email`"),
            (vec!["email", "Email"], "the column `Email` is there twice"),
            (vec!["email", "city", "city"], "the column `city` is there twice"),
        ] {
            assert_eq!(Columns::read(&header(&cells)).unwrap_err().1.message, reason);
        }
    }

    #[test]
    fn the_most_frequent_mark_outside_quotes_divides() {
        assert_eq!(delimiter(b"email,name"), b',');
        assert_eq!(delimiter(b"email;\"a,b,c\";name"), b';');
        assert_eq!(delimiter(b"email\tname"), b'\t');
        assert_eq!(delimiter(b"email"), b',');
    }
}
