//! Which renderings an issue needs, found out by rendering.
//!
//! A template that only shows a value, with a default or without, is rendered once. One that
//! asks whether there is a value is rendered for those who have it and for those who have it
//! not. Nobody reads the template to tell the two apart: it is rendered both ways, and a field
//! is asked about if more differs than the value itself.

use std::collections::BTreeMap;

use super::mail::Templates;
use super::{Theme, slots};
use crate::diagnostic::Diagnostic;
use crate::domain::issue::{Slot, Variants};

/// The most fields that templates may mention; every one costs renderings to look at.
const MOST_FIELDS: usize = 16;

/// The outputs of a mail's templates, styles and defaults as the templates left them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rendered {
    pub subject: String,
    pub html: String,
    pub text: String,
}

/// What [`find`] found.
pub(super) struct Found {
    pub subject: String,
    /// The fields that the templates ask about.
    pub asked: Vec<Slot>,
    /// One rendering for each set of asked fields, in the order of [`Variants::parts`]; the
    /// first is for those who lack nothing.
    pub rendered: Vec<Rendered>,
}

/// Renders for those who lack these.
type Render<'a> = &'a dyn Fn(&[&Slot]) -> Result<Rendered, Diagnostic>;

/// Renders as often as needed. Up to four fields are looked at in every combination. Of more,
/// each is looked at where all others are there, where none is, and where one other is lacking;
/// then that the fields not asked about do not matter in any variant.
pub(super) fn find(theme: &Theme, templates: &Templates, nonce: &str, render: Render) -> Result<Found, Diagnostic> {
    let fields = theme.subscriber_fields();
    if fields.len() > MOST_FIELDS {
        return Err(too_many(
            theme,
            templates.html,
            format!("the mail's templates use more than {MOST_FIELDS} fields of a subscriber"),
        ));
    }
    let mut search = Search { theme, templates, nonce, fields, render, known: BTreeMap::new() };
    let asked = search.asked()?;
    let everything = search.everything();
    let mut rendered = Vec::new();
    for lacking in subsets(asked) {
        let full = search.rendered(lacking)?;
        let all_else_lacking = search.rendered(lacking | everything)?;
        let bare = search.rendered(lacking | (everything & !asked))?;
        search.same_subject(&full, &all_else_lacking)?;
        if search.without(&full, everything & !asked) != bare {
            return Err(search.too_much_asked(&full, &bare));
        }
        rendered.push(full);
    }
    let asked = search.slots(asked).into_iter().cloned().collect();
    Ok(Found { subject: rendered[0].subject.clone(), asked, rendered })
}

/// Sets of fields are bits, the first field the lowest.
struct Search<'a> {
    theme: &'a Theme,
    templates: &'a Templates,
    nonce: &'a str,
    fields: &'a [Slot],
    render: Render<'a>,
    known: BTreeMap<u32, Rendered>,
}

impl Search<'_> {
    fn everything(&self) -> u32 {
        (1 << self.fields.len()) - 1
    }

    fn slots(&self, set: u32) -> Vec<&Slot> {
        self.fields.iter().enumerate().filter(|(nth, _)| set & (1 << nth) != 0).map(|(_, slot)| slot).collect()
    }

    fn rendered(&mut self, lacking: u32) -> Result<Rendered, Diagnostic> {
        if let Some(known) = self.known.get(&lacking) {
            return Ok(known.clone());
        }
        let rendered = (self.render)(&self.slots(lacking))?;
        self.known.insert(lacking, rendered.clone());
        Ok(rendered)
    }

    /// What a rendering would be for those who lack these too, if nothing asked about them.
    fn without(&self, rendered: &Rendered, lacking: u32) -> Rendered {
        let lacking = self.slots(lacking);
        let without = |text: &str| slots::without(text, self.nonce, |slot| lacking.contains(&slot));
        Rendered { subject: without(&rendered.subject), html: without(&rendered.html), text: without(&rendered.text) }
    }

    /// The fields that the templates ask about.
    fn asked(&mut self) -> Result<u32, Diagnostic> {
        let mut asked = 0;
        for lacking in self.probes() {
            for field in (0..self.fields.len()).map(|nth| 1 << nth).filter(|field| lacking & field == 0) {
                if asked & field != 0 {
                    continue;
                }
                let (with, lacking) = (self.rendered(lacking)?, self.rendered(lacking | field)?);
                self.same_subject(&with, &lacking)?;
                if self.without(&with, field) != lacking {
                    asked |= field;
                }
                if asked.count_ones() as usize > Variants::MOST_ASKED {
                    return Err(self.too_much_asked(&self.without(&with, field), &lacking));
                }
            }
        }
        Ok(asked)
    }

    fn probes(&self) -> Vec<u32> {
        let everything = self.everything();
        if self.fields.len() <= Variants::MOST_ASKED {
            return subsets(everything).collect();
        }
        let one = |nth: usize| 1_u32 << nth;
        let ones = (0..self.fields.len()).map(one);
        let all_but_one = (0..self.fields.len()).map(|nth| everything & !one(nth));
        std::iter::once(0).chain(ones).chain(all_but_one).collect()
    }

    fn same_subject(&self, one: &Rendered, other: &Rendered) -> Result<(), Diagnostic> {
        if one.subject == other.subject {
            return Ok(());
        }
        let message = "the subject differs from subscriber to subscriber";
        Err(self.theme.error("mail-slot", self.templates.subject, message).help("use what is the same for everybody"))
    }

    fn too_much_asked(&self, one: &Rendered, other: &Rendered) -> Diagnostic {
        let template = if one.html == other.html { self.templates.text } else { self.templates.html };
        let most = Variants::MOST_ASKED;
        too_many(self.theme, template, format!("the template asks about more than {most} fields of a subscriber"))
    }
}

fn too_many(theme: &Theme, template: &str, message: String) -> Diagnostic {
    let help = "ask in `if` about fewer of them, and show the others with `| default(value=\"…\")`";
    theme.error("mail-variants", template, message).help(help)
}

/// Every set of these bits, the smallest number first.
fn subsets(bits: u32) -> impl Iterator<Item = u32> {
    std::iter::successors(Some(0_u32), move |set| {
        let next = (set | !bits).wrapping_add(1) & bits;
        (next != 0).then_some(next)
    })
}
