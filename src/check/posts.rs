//! All posts together: titles that repeat, mails that are cut off.

use std::collections::BTreeMap;

use crate::config::MailPictures;
use crate::content::Texts;
use crate::diagnostic::Diagnostic;
use crate::domain::post::{Article, Channel, Post};
use crate::render::{self, SiteContext, Theme};

/// Looks at posts beside each other and at the mails they become.
pub fn posts(
    posts: &[&Post],
    texts: &Texts,
    theme: &Theme,
    site: &SiteContext,
    pictures: MailPictures,
) -> Vec<Diagnostic> {
    let mut out = repeated_titles(posts, texts);
    for post in posts {
        if post.email == Channel::On {
            // A file that changed meanwhile is reported by whoever mails.
            let Ok(article) = texts.read(post) else { continue };
            out.extend(left_out(&article, theme, site, pictures));
        }
    }
    out
}

fn repeated_titles(posts: &[&Post], texts: &Texts) -> Vec<Diagnostic> {
    let mut first: BTreeMap<String, &str> = BTreeMap::new();
    let mut out = Vec::new();
    // From the oldest on: the later post is the one to rename.
    for post in posts.iter().rev() {
        let title = post.title.to_lowercase();
        match first.get(&title) {
            Some(other) => {
                let message = format!("`{}` is also the title of `{other}`", post.title);
                let help = "give one of them another title: in a list of mails nobody can tell them apart";
                out.push(Diagnostic::warning("title-repeated", texts.title_place(post), message).help(help));
            }
            None => {
                first.insert(title, &post.source);
            }
        }
    }
    out
}

/// What had to be left out of the mail, or nearly so: text that Gmail would cut off, pictures for
/// which there is no room.
fn left_out(article: &Article, theme: &Theme, site: &SiteContext, pictures: MailPictures) -> Vec<Diagnostic> {
    // A template that is wrong is reported by whoever mails.
    render::issue(theme, site, article, pictures).map_or_else(|_| Vec::new(), |(_, left_out)| left_out)
}
