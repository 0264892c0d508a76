//! The words that readers see beside what the author wrote: English, unless a publication says them
//! in the language of its posts.

use std::collections::BTreeMap;

/// The words by their names: their keys in settings and templates, the English, and where they are
/// seen. What stands in braces is filled in.
macro_rules! words {
    ($($name:ident $key:literal $english:literal $seen:literal)*) => {
        /// A word or sentence of pages, mails and feeds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Word {
            $(#[doc = $seen] $name,)*
        }

        impl Word {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in settings and templates.
            pub fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }

            /// How it is said in English.
            pub fn english(self) -> &'static str {
                match self { $(Self::$name => $english,)* }
            }
        }
    };
}

words! {
    Skip "skip" "Skip to the text" "The first link of a page, for those who use no mouse."
    Site "site" "Site" "What screen readers call the links at the top of pages."
    Archive "archive" "Archive" "The link to the home page."
    Topics "topics" "Topics" "The link to the list of topics, its title, and what screen readers call a post's topics."
    Feed "feed" "Feed" "The link to the feed."
    Follow "follow" "Follow {title} in your reader:" "The foot of pages, before the feeds."
    Empty "empty" "Nothing here yet." "The home page before the first post."
    OnePost "one_post" "1 post" "How many posts a topic, an author or a digest has."
    Posts "posts" "{count} posts" "The same for any other number."
    Number "number" "No. {number}" "Above the title of an issue that has a number."
    Updated "updated" "updated" "Before the day of a later change."
    MorePosts "more_posts" "More posts" "What screen readers call the links to the posts before and after."
    Older "older" "Older" "The link to the post before."
    Newer "newer" "Newer" "The link to the post after."
    HomePage "home_page" "Home page" "The link from an author's page to their own elsewhere."
    ByMail "by_mail" "{title} by mail" "Above the form to subscribe."
    Subscribe "subscribe" "Subscribe" "The button of the form."
    Promise "promise" "One mail for each post. No tracking, and every mail has a way out." "Below the form."
    NotFound "not_found" "Page not found" "The title of the page for addresses that lead nowhere."
    Lost "lost" "The address may be old or mistyped. Everything that was published is in the {archive}." "What it says."
    LostArchive "lost_archive" "archive" "The link in it."
    Moved "moved" "This page is now at {url}." "The page at an old address, for browsers that are not sent on."
    Section "section" "Link to this section" "What screen readers call the sign behind a heading."
    Table "table" "Table" "What screen readers call a table that scrolls."
    Done "done" "Done" "What screen readers call a task that is done."
    NotDone "not_done" "Not done" "What they call one that is not."
    Notes "notes" "Notes" "Above the footnotes of a text part, and what screen readers call those of a page."
    Back "back" "Back to the text of note {note}" "What screen readers call the way back from a note."
    Note "note" "Note" "The title of a box without one of its own."
    Tip "tip" "Tip" "The same."
    Important "important" "Important" "The same."
    Warning "warning" "Warning" "The same."
    Caution "caution" "Caution" "The same."
    Browser "browser" "Read in browser" "The link from a mail to its page."
    Why "why" "You get this mail because {address} is subscribed to {title}." "The foot of a mail."
    Unsubscribe "unsubscribe" "Unsubscribe" "The way out of a mail."
    Preferences "preferences" "Preferences" "The link beside it."
    Continue "continue" "Continue reading on the web" "The end of a mail that is too long for mail programs."
    TableLink "table_link" "Read this table on the web" "Below a table that is too wide for a mail."
    Since "since" "Since {day}" "Which days a digest has, for one of everything since a day."
    Days "days" "{first} to {last}" "The same for a week or a month."
    Week "week" "the week to {day}" "In the subject of a week's digest."
    Month "month" "the month to {day}" "In that of a month's."
    SinceDay "since_day" "since {day}" "In that of one of everything since a day."
    AndMore "and_more" "and {count} more" "At the end of a digest's subject, behind the title of the first post."
    Read "read" "Read it on the web" "The link below each post of a digest."
    OneMore "one_more" "Continue on the web: 1 more post" "The end of a digest that is too long for mail programs."
    More "more" "Continue on the web: {count} more posts" "The same for any other number."
    Links "links" "Links" "Above the list of links of a text part."
    Image "image" "image" "Before the description of an image in a text part."
}

impl Word {
    /// The word of that name.
    pub fn called(key: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.key() == key)
    }

    /// What is filled in, braces included.
    pub fn gaps(self) -> impl Iterator<Item = &'static str> {
        let pieces = self.english().split_inclusive('}');
        pieces.filter_map(|piece| piece.find('{').map(|at| &piece[at..]))
    }
}

/// A publication's own words, by language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(BTreeMap<String, BTreeMap<Word, String>>);

impl Words {
    /// Says a word in a language.
    pub fn say(&mut self, language: &str, word: Word, text: String) {
        self.0.entry(language.to_lowercase()).or_default().insert(word, text);
    }

    /// The words of a language (BCP 47): those of `de-AT` are those of `de` where it has none of its
    /// own, and English is the last.
    pub fn of(&self, language: &str) -> Vocabulary<'_> {
        let language = language.to_lowercase();
        let primary = language.split('-').next().unwrap_or_default();
        Vocabulary { own: self.0.get(&language), primary: self.0.get(primary) }
    }
}

/// The words of one language.
#[derive(Debug, Clone, Copy)]
pub struct Vocabulary<'w> {
    own: Option<&'w BTreeMap<Word, String>>,
    primary: Option<&'w BTreeMap<Word, String>>,
}

impl<'w> Vocabulary<'w> {
    /// A word, with its gaps.
    pub fn word(self, word: Word) -> &'w str {
        let said = [self.own, self.primary].into_iter().flatten().find_map(|words| words.get(&word));
        said.map_or(word.english(), String::as_str)
    }

    /// Every word by its name.
    pub fn by_key(self) -> BTreeMap<&'static str, &'w str> {
        Word::ALL.iter().map(|word| (word.key(), self.word(*word))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_says_what_it_can_and_the_rest_is_english() {
        let mut words = Words::default();
        words.say("de", Word::Notes, "Anmerkungen".into());
        words.say("de", Word::Table, "Tabelle".into());
        words.say("de-AT", Word::Notes, "Fußnoten".into());
        let said = |language: &str| {
            [Word::Notes, Word::Table, Word::Links].map(|word| words.of(language).word(word).to_owned())
        };
        assert_eq!(said("de"), ["Anmerkungen", "Tabelle", "Links"]);
        assert_eq!(said("DE-at"), ["Fußnoten", "Tabelle", "Links"]);
        assert_eq!(said("de-CH"), said("de"));
        assert_eq!(said("fr"), ["Notes", "Table", "Links"]);
    }

    #[test]
    fn a_word_knows_its_name_and_its_gaps() {
        for word in Word::ALL {
            assert_eq!(Word::called(word.key()), Some(*word));
        }
        assert_eq!(Word::called("nothing"), None);
        assert_eq!(Word::Why.gaps().collect::<Vec<_>>(), ["{address}", "{title}"]);
        assert_eq!(Word::Notes.gaps().count(), 0);
    }

    #[test]
    fn every_word_stands_in_the_manual() {
        let manual = include_str!("../../docs/templates.md");
        for word in Word::ALL {
            let row = format!("| `{}` | {} | ", word.key(), word.english());
            assert!(manual.contains(&row), "{row}");
        }
    }
}
