//! What particular replies mean: the table of rules, the author's before the shipped ones.
//!
//! A rule has a pattern (stage, code, text; what is left out matches everything) and an
//! [`Action`]. The first rule that matches decides; when none does,
//! [`policy`](super::policy) goes by the code alone. A rule is only asked about refusals: no
//! rule can take an acceptance for anything else.

use super::reply::{Reply, Stage};
use super::shipped_rules::SHIPPED;
use super::span::Span;

/// What a rule tells the sender to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing special: what the code means, and no slowing down.
    Plain,
    /// What the code means, and the relay and the domain are slowed.
    Slow,
    /// The relay is left alone for a while; the delivery is planned again.
    PauseRelay(Span),
    /// The campaign is paused; the delivery is planned again.
    PauseCampaign,
    /// The delivery is rejected and the address suppressed. Before RCPT, where no recipient
    /// can be at fault, such a rule does not match.
    Suppress,
    /// Once more at once, on another connection. After the second time in a row for the same
    /// delivery it is deferred like any other.
    RetryNow,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The stage at which it holds; `None` is every stage.
    pub stage: Option<Stage>,
    /// The codes it is about; `None` is every refusal.
    pub code: Option<CodePattern>,
    /// What the text must hold; `None` is anything.
    pub text: Option<TextPattern>,
    /// What to do.
    pub action: Action,
}

impl Rule {
    fn matches(&self, stage: Stage, reply: &Reply) -> bool {
        let has_recipient = matches!(stage, Stage::Recipient | Stage::Data | Stage::Dot);
        self.stage.is_none_or(|own| own == stage)
            && (self.action != Action::Suppress || has_recipient)
            && self.code.is_none_or(|pattern| pattern.matches(reply))
            && self.text.as_ref().is_none_or(|pattern| pattern.matches(&reply.text))
    }
}

/// The whole table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// The author's rules in their order, then the shipped ones.
    pub fn with(own: Vec<Rule>) -> Self {
        let mut rules = own;
        rules.extend(SHIPPED.iter().map(|(code, text, action)| Rule {
            stage: None,
            code: code.map(|code| CodePattern::parse(code).expect("a test reads every shipped code")),
            text: Some(TextPattern::parse(text).expect("a test reads every shipped text")),
            action: *action,
        }));
        Self(rules)
    }

    /// What the first matching rule says of a refusal; `None` when no rule speaks of it.
    pub fn action(&self, stage: Stage, reply: &Reply) -> Option<Action> {
        let speaks = reply.code >= 400;
        self.0.iter().find(|rule| speaks && rule.matches(stage, reply)).map(|rule| rule.action)
    }
}

impl Default for Rules {
    /// The shipped rules alone.
    fn default() -> Self {
        Self::with(Vec::new())
    }
}

/// Codes with holes: `454`, `4xx`, `4.7.x`, or both kinds, `454 4.7.x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodePattern {
    basic: [Option<u8>; 3],
    enhanced: Option<[Option<u16>; 3]>,
}

/// Why a text is no pattern of codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no code of a refusal")]
pub struct CodePatternError(String);

impl CodePattern {
    /// Reads a basic code (three digits, the second and third may be `x`), an enhanced one
    /// (`4.7.1`, each part but the class may be `x`), or one of each.
    pub fn parse(text: &str) -> Result<Self, CodePatternError> {
        let wrong = || CodePatternError(text.trim().to_owned());
        let words: Vec<&str> = text.split_whitespace().collect();
        let (basic, enhanced) = match words[..] {
            [basic, enhanced] => (Some(basic), Some(enhanced)),
            [one] if one.contains('.') => (None, Some(one)),
            [one] => (Some(one), None),
            _ => return Err(wrong()),
        };
        let enhanced = enhanced.map(|word| enhanced_holes(word).ok_or_else(wrong)).transpose()?;
        let basic = basic.map_or(Some([None; 3]), basic_holes).ok_or_else(wrong)?;
        Ok(Self { basic, enhanced })
    }

    fn matches(self, reply: &Reply) -> bool {
        let digits = [reply.code / 100, reply.code / 10 % 10, reply.code % 10];
        let basic = self.basic.iter().zip(digits).all(|(want, digit)| want.is_none_or(|want| u16::from(want) == digit));
        let enhanced = self.enhanced.is_none_or(|holes| {
            reply.enhanced.is_some_and(|(class, subject, detail)| {
                let parts = [u16::from(class), subject, detail];
                holes.iter().zip(parts).all(|(want, part)| want.is_none_or(|want| want == part))
            })
        });
        basic && enhanced
    }
}

fn is_hole(text: &str) -> bool {
    matches!(text, "x" | "X")
}

fn basic_holes(word: &str) -> Option<[Option<u8>; 3]> {
    let mut holes = [None; 3];
    if word.len() != 3 || !word.is_ascii() {
        return None;
    }
    for (at, hole) in holes.iter_mut().enumerate() {
        let letter = &word[at..=at];
        *hole = if is_hole(letter) { None } else { Some(letter.parse().ok()?) };
    }
    matches!(holes[0], Some(4 | 5)).then_some(holes)
}

fn enhanced_holes(word: &str) -> Option<[Option<u16>; 3]> {
    let mut parts = word.split('.');
    let mut holes = [None; 3];
    for hole in &mut holes {
        let part = parts.next()?;
        *hole = if is_hole(part) { None } else { Some(part.parse().ok()?) };
    }
    (parts.next().is_none() && matches!(holes[0], Some(4 | 5))).then_some(holes)
}

/// What a reply's text must hold, letter case aside; `*` stands for anything between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPattern(Vec<String>);

/// A pattern that would match every text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an empty text would match every reply")]
pub struct TextPatternError;

impl TextPattern {
    /// Reads a piece of text with `*` for "anything between". Runs of spaces are one space.
    pub fn parse(text: &str) -> Result<Self, TextPatternError> {
        let pieces: Vec<String> = text.split('*').map(normal).filter(|piece| !piece.trim().is_empty()).collect();
        if pieces.is_empty() { Err(TextPatternError) } else { Ok(Self(pieces)) }
    }

    fn matches(&self, text: &str) -> bool {
        let text = normal(text);
        let mut rest = text.as_str();
        self.0.iter().all(|piece| match rest.find(piece.as_str()) {
            Some(at) => {
                rest = &rest[at + piece.len()..];
                true
            }
            None => false,
        })
    }
}

/// Lower case, and every run of white space one space.
fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match (c.is_whitespace(), out.ends_with(' ')) {
            (true, true) => {}
            (true, false) => out.push(' '),
            (false, _) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(code: &str, text: &str, action: Action) -> Rule {
        let code = (!code.is_empty()).then(|| CodePattern::parse(code).unwrap());
        let text = (!text.is_empty()).then(|| TextPattern::parse(text).unwrap());
        Rule { stage: None, code, text, action }
    }

    #[test]
    fn a_code_pattern_matches_what_it_says() {
        let reply = Reply::new(454, "4.7.12 Throttling failure");
        for (pattern, expected) in [
            ("454", true),
            ("4xx", true),
            ("45X", true),
            ("5xx", false),
            ("455", false),
            ("4.7.x", true),
            ("4.x.12", true),
            ("4.7.1", false),
            ("454 4.7.x", true),
            ("451 4.7.x", false),
        ] {
            assert_eq!(CodePattern::parse(pattern).unwrap().matches(&reply), expected, "{pattern}");
        }
        assert!(!CodePattern::parse("4.x.x").unwrap().matches(&Reply::new(454, "no enhanced code")));
        for wrong in
            ["", "xxx", "250", "2.1.x", "4", "4.7", "4.7.x.1", "4x.7.1", "454 421", "4xx 4.7.x 1", "45é", "x.7.1"]
        {
            assert!(CodePattern::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_text_pattern_is_found_anywhere_in_order_and_in_any_case() {
        for (pattern, expected) in [
            ("throttling", true),
            ("Throttling failure*RATE", true),
            ("*rate*", true),
            ("rate*throttling", false),
            ("failure:  Maximum", true),
            ("quota", false),
        ] {
            let text = "Throttling failure: Maximum sending\r\nrate exceeded";
            assert_eq!(TextPattern::parse(pattern).unwrap().matches(text), expected, "{pattern}");
        }
        assert!(TextPattern::parse(" * ").is_err());
    }

    #[test]
    fn the_first_rule_that_matches_decides_and_the_authors_come_first() {
        let rules = Rules::with(vec![rule("454", "daily", Action::PauseCampaign), rule("454", "", Action::Plain)]);
        let action = |code, text| rules.action(Stage::Dot, &Reply::new(code, text));
        assert_eq!(action(454, "Daily message quota exceeded"), Some(Action::PauseCampaign));
        assert_eq!(action(454, "Maximum sending rate exceeded"), Some(Action::Plain));
        assert_eq!(action(550, "5.7.515 Access denied"), Some(Action::PauseCampaign), "a shipped one");
        assert_eq!(action(550, "5.1.1 unknown"), None);
    }

    #[test]
    fn a_rule_holds_at_its_stage_and_never_for_an_acceptance() {
        let mut at_mail = rule("", "please", Action::PauseCampaign);
        at_mail.stage = Some(Stage::Mail);
        let rules = Rules::with(vec![at_mail, rule("", "thanks", Action::Suppress)]);
        let please = Reply::new(550, "please stop");
        assert_eq!(rules.action(Stage::Mail, &please), Some(Action::PauseCampaign));
        assert_eq!(rules.action(Stage::Recipient, &please), None);
        let thanks = Reply::new(550, "no, thanks");
        assert_eq!(rules.action(Stage::Recipient, &thanks), Some(Action::Suppress));
        assert_eq!(rules.action(Stage::Auth, &thanks), None, "nobody is at fault before RCPT");
        assert_eq!(rules.action(Stage::Dot, &Reply::new(250, "thanks")), None);
    }

    proptest! {
        #[test]
        fn no_pattern_and_no_reply_panics(pattern in "\\PC{0,20}", text in "\\PC{0,60}", code in 200..600u16) {
            let rules = Rules::with(vec![Rule {
                stage: None,
                code: CodePattern::parse(&pattern).ok(),
                text: TextPattern::parse(&pattern).ok(),
                action: Action::Slow,
            }]);
            let found = rules.action(Stage::Dot, &Reply::new(code, &text));
            prop_assert!(code >= 400 || found.is_none());
        }

        #[test]
        fn every_text_matches_itself(text in "[^*]{0,40}[^*\\s]") {
            prop_assert!(TextPattern::parse(&text).unwrap().matches(&text));
        }
    }
}
