//! A post becomes a mail issue: one HTML part, one text part, slots for what differs.

use tera::Context;

use super::clip::{self, Extent};
use super::html::{self, Medium, push_attribute, push_text};
use super::links::Here;
use super::mail::{Mail, Templates};
use super::most::Attempt;
use super::views::{PostView, SiteView, byline, finished_html, language, words};
use super::{SiteContext, Theme, embed, shown, text};
use crate::config::MailPictures;
use crate::diagnostic::Diagnostic;
use crate::domain::issue::Issue;
use crate::domain::post::{Article, Post};
use crate::domain::words::Word;

const TEMPLATES: Templates = Templates { subject: "mail/subject.txt", html: "mail/issue.html", text: "mail/issue.txt" };

/// The post as it is mailed to everybody: CSS inlined, URLs absolute, and a marker wherever
/// recipients differ; rendered once more for those who lack what a template asks about. Of a
/// post too long for mail programs a part is mailed, and of its pictures those that fit are put
/// in where the author wants that; warnings say what was left out. A template without the
/// unsubscribe link in both parts is refused. The same post and theme always give the same bytes.
pub fn issue(
    theme: &Theme,
    site: &SiteContext,
    article: &Article,
    pictures: MailPictures,
) -> Result<(Issue, Vec<Diagnostic>), Diagnostic> {
    let words = text::body(article, site.publication, site.pictures);
    let lengths = || html::lengths(article, site.publication, site.pictures);
    let (issue, clipped) = clip::fitted(article, lengths, |extent| {
        let body = body(site, extent);
        if body.len() > clip::HOPELESS {
            return Ok(Attempt::GivenUp(body.len()));
        }
        let issue = rendered(theme, site, &article.post, &body, &words)?;
        let size = issue.largest_html();
        Ok(Attempt::Finished(issue, size))
    })?;
    let (issue, linked) = embed::embedded(issue, pictures, site, article);
    Ok((issue, clipped.into_iter().chain(linked).collect()))
}

fn rendered(theme: &Theme, site: &SiteContext, post: &Post, body: &str, words: &str) -> Result<Issue, Diagnostic> {
    let context = context(theme, site, post);
    let (mut html, mut text) = (context.clone(), context);
    html.insert_value("body", finished_html(body));
    text.insert("body", words);
    let mail = Mail {
        templates: &TEMPLATES,
        about: post.id.clone(),
        nonce: super::digest([post.id.as_str().as_bytes(), body.as_bytes(), words.as_bytes()]),
        html,
        text,
        web_url: site.publication.base_url.join(&post.site_path()),
        commit: post.commit.clone(),
    };
    mail.issue(theme)
}

/// The text of a post as far as it is mailed, and a link to the rest.
fn body(site: &SiteContext, extent: &Extent) -> String {
    let (post, base) = (&extent.article.post, &site.publication.base_url);
    let mut body = html::body_in(extent.colours, &extent.article, site.publication, site.pictures, Medium::Mail);
    if let Some(rest) = &extent.rest {
        let fragment = if rest.fragment.is_empty() { String::new() } else { format!("#{}", rest.fragment) };
        body.push_str("<p class=\"continue\"><a");
        push_attribute(&mut body, "href", &base.join(&format!("{}{fragment}", post.site_path())));
        body.push('>');
        push_text(&mut body, words(post, site.publication).word(Word::Continue));
        body.push_str("</a></p>\n");
    }
    body
}

/// What the mail's templates are told, but for the subscriber and the body.
fn context(theme: &Theme, site: &SiteContext, post: &Post) -> Context {
    let base = &site.publication.base_url;
    let cover = post.cover().and_then(|_| shown::cover_url(post, base, site.pictures)).unwrap_or_default();
    let copies = post.cover().and_then(|cover| shown::copies(post, cover, site.pictures));
    let size = copies.map_or((0, 0), |copies| (copies.mail.width, copies.mail.height));
    let mut context = Context::new();
    context.insert("site", &SiteView::new(site, theme, Here::Anywhere, language(post, site.publication)));
    context.insert("byline", &byline(post, site.publication));
    context.insert("post", &PostView::new(post, site, Here::Anywhere));
    context.insert("cover", &cover);
    context.insert("cover_width", &size.0);
    context.insert("cover_height", &size.1);
    context.insert("has_formulas", &post.contents.has_formulas());
    context.insert("heading", &text::underlined(&post.title, '='));
    context.insert("web_url", &site.publication.base_url.join(&post.site_path()));
    context
}
