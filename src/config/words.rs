//! `[words.LANGUAGE]`: what pages and mails say beside the author's own words.

use super::build::line;
use super::nearest::nearest;
use super::sheet::{Pairs, Sheet, Typed};
use crate::domain::words::{Word, Words};

/// The words of all languages. A name that no word has is an error, and so is a sentence without what
/// is to be filled in.
pub(super) fn words(raw: &[(Typed<String>, Pairs)], sheet: &Sheet<'_>) -> Words {
    let mut words = Words::default();
    for (language, pairs) in raw {
        for (key, text) in pairs {
            let Some(word) = known(key, sheet) else { continue };
            let Some(said) = line(&key.value, &Some(text.clone()), sheet) else { continue };
            if let Some(gap) = word.gaps().find(|gap| !said.contains(gap)) {
                let message = format!("`{}` is said without `{gap}`", key.value);
                let help = format!("in English it is \"{}\"", word.english());
                sheet.error("words", text.span.clone(), message, help);
            }
            words.say(&language.value, word, said);
        }
    }
    words
}

fn known(key: &Typed<String>, sheet: &Sheet<'_>) -> Option<Word> {
    let word = Word::called(&key.value);
    if word.is_none() {
        let help = match nearest(&key.value, Word::ALL.iter().map(|word| word.key())) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "the manual's page on templates lists them all".to_owned(),
        };
        sheet.error("unknown-key", key.span.clone(), format!("there is no word `{}`", key.value), help);
    }
    word
}
