//! Cells that a spreadsheet would run as formulas.
//!
//! A cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return is executed by the
//! usual spreadsheets. It is exported with a `'` in front, which they show as text, and read
//! back without it. So that the way back is exact, a cell that has such a `'` of its own gets
//! another one.

use std::borrow::Cow;

/// The cell as it is safe to export.
pub fn guarded(text: &str) -> Cow<'_, str> {
    if is_formula(text.trim_start_matches('\'')) { format!("'{text}").into() } else { text.into() }
}

/// The cell that [`guarded`] was given.
pub(super) fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if is_formula(rest.trim_start_matches('\'')) => rest,
        Some(_) | None => text,
    }
}

fn is_formula(text: &str) -> bool {
    let after_spaces = text.trim_start_matches(' ');
    after_spaces.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_formula_is_text_to_a_spreadsheet() {
        for (text, safe) in [
            ("=1+1", "'=1+1"),
            ("+43 1 234", "'+43 1 234"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            (" =1", "' =1"),
            ("'=1", "''=1"),
            ("Ada", "Ada"),
            ("'s Gravenhage", "'s Gravenhage"),
            ("", ""),
        ] {
            assert_eq!(guarded(text), safe);
            assert_eq!(unguarded(safe), text);
        }
    }

    proptest! {
        #[test]
        fn what_goes_out_comes_back_and_never_begins_a_formula(text in "['=+@ a-]{0,6}") {
            let safe = guarded(&text);
            prop_assert!(!is_formula(&safe));
            prop_assert_eq!(unguarded(&safe), &text);
        }
    }
}
