//! Which mail clients show what: an extract of the data of caniemail.com.

/// The data, with its date and licence in its first lines.
const DATA: &str = include_str!("client_support.tsv");

/// The clients, in the order of the columns.
const CLIENTS: [&str; 5] = ["Gmail", "Outlook for Windows", "Outlook.com", "Apple Mail", "Yahoo"];

/// What a feature is a feature of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A property of CSS, with or without a value: `display:flex`.
    Css,
    /// An element of HTML.
    Html,
}

/// The clients that do not show a feature; none for one that the data does not know.
pub(super) fn without(kind: Kind, feature: &str) -> Vec<&'static str> {
    let kind = match kind {
        Kind::Css => "css",
        Kind::Html => "html",
    };
    let mut rows = DATA.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect::<Vec<_>>());
    let row = rows.find(|row| row.first() == Some(&kind) && row.get(1) == Some(&feature)).unwrap_or_default();
    row.iter().skip(2).zip(CLIENTS).filter(|(answer, _)| **answer == "n").map(|(_, client)| client).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_data_is_whole() {
        let rows: Vec<&str> = DATA.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(rows.len() > 100);
        assert!(DATA.lines().any(|line| line.contains("licence") && line.contains("as of 20")));
        for row in rows {
            let cells: Vec<&str> = row.split('\t').collect();
            assert_eq!(cells.len(), 2 + CLIENTS.len(), "{row}");
            assert!(cells[2..].iter().all(|cell| ["y", "a", "n", "u"].contains(cell)), "{row}");
        }
    }

    #[test]
    fn a_feature_names_the_clients_that_lack_it() {
        assert_eq!(without(Kind::Css, "display:grid"), ["Gmail", "Outlook for Windows", "Yahoo"]);
        assert_eq!(without(Kind::Html, "table"), [] as [&str; 0]);
        assert_eq!(without(Kind::Css, "no-such-thing"), [] as [&str; 0]);
    }
}
