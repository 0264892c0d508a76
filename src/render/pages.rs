//! The pages of the web archive.

use tera::Context;

use super::html::{self, Medium, push_attribute, push_text};
use super::links::{Here, Links, Reach};
use super::views::{
    AuthorView, PageView, PostView, SiteView, TopicView, direction, finished_html, language, words, years,
};
use super::{SiteContext, Theme, Topic, Writer, shown, structured};
use crate::diagnostic::Diagnostic;
use crate::domain::post::{Article, Post};
use crate::domain::publication::{Publication, SiteUrl};
use crate::domain::words::Word;
use crate::pictures::{Picture, Pictures};

/// Where the home page's own links are written.
const HOME: Here = Here::At("");

/// The posts before and after one in time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Neighbours<'a> {
    /// The next one, if there is one.
    pub newer: Option<&'a Post>,
    /// The one before, if there is one.
    pub older: Option<&'a Post>,
}

/// The text of a post as its page shows it. It depends on the post and the publication alone: not on
/// its neighbours, nor on the templates.
pub fn body(article: &Article, publication: &Publication, pictures: &Pictures) -> String {
    html::body(article, publication, pictures, Medium::Web)
}

/// The page of one post around its [`body`]. `card` is what it is shared with when it has no
/// picture of its own.
pub fn page(
    theme: &Theme,
    site: &SiteContext,
    post: &Post,
    body: &str,
    neighbours: Neighbours,
    card: Option<&Picture>,
) -> Result<String, Diagnostic> {
    let publication = site.publication;
    let base = &publication.base_url;
    let language = language(post, publication);
    let path = post.site_path();
    let here = Here::At(&path);
    let card = || card.map(|card| base.join(&card.site_path));
    let shared = shown::cover_url(post, base, site.pictures).or_else(card).unwrap_or_default();
    let mut context = context(
        theme,
        site,
        here,
        &PageView {
            title: &post.title,
            description: &post.summary,
            url: base.join(&post.site_path()),
            language,
            direction: direction(language),
            kind: "article",
            image: shared,
            math_stylesheet: math_stylesheet(theme, post, base),
        },
    );
    insert_cover(&mut context, site, post);
    context.insert("post", &PostView::new(post, site, here));
    context.insert("newer", &neighbours.newer.map(|post| PostView::new(post, site, here)));
    context.insert("older", &neighbours.older.map(|post| PostView::new(post, site, here)));
    context.insert_value("structured_data", finished_html(&structured::post(post, publication)));
    context.insert_value("body", finished_html(body));
    theme.render("page.html", &context)
}

/// The cover as browsers get it: the file or its largest copy, its proportions, and the copies
/// to choose from.
fn insert_cover(context: &mut Context, site: &SiteContext, post: &Post) {
    let links = Links::new(&site.publication.base_url, post.site_path(), Reach::Page);
    let cover = post.cover();
    let copies = cover.and_then(|cover| shown::copies(post, cover, site.pictures));
    let url = |picture: &Picture| links.site(&picture.site_path);
    let copied = copies.iter().flat_map(|copies| &copies.web);
    let choices = copied.clone().map(|copy| format!("{} {}w", url(copy), copy.width));
    let size = copies.as_ref().map_or((0, 0), |copies| (copies.mail.width, copies.mail.height));
    let shown = copied.last().map(|copy| url(copy).into()).or_else(|| links.href(cover?));
    context.insert("cover", &shown.unwrap_or_default());
    context.insert("cover_choices", &choices.collect::<Vec<_>>().join(", "));
    context.insert("cover_width", &size.0);
    context.insert("cover_height", &size.1);
}

/// Where the page of a post finds the stylesheet for formulas; empty when it needs none.
fn math_stylesheet(theme: &Theme, post: &Post, base: &SiteUrl) -> String {
    if !post.contents.has_formulas() {
        return String::new();
    }
    Here::At(&post.site_path()).path(base, &theme.formulas().stylesheet_path)
}

/// The home page: the posts, newest first as given, grouped by year, and the feeds.
pub fn index(theme: &Theme, site: &SiteContext, posts: &[&Post]) -> Result<String, Diagnostic> {
    let publication = site.publication;
    let mut context = context(theme, site, HOME, &website(site, &publication.title, &publication.description, ""));
    context.insert("years", &years(posts, site, HOME));
    context.insert_value("structured_data", finished_html(&structured::blog(publication)));
    theme.render("index.html", &context)
}

/// The page of one topic: the posts about it, grouped by year.
pub fn topic(theme: &Theme, site: &SiteContext, topic: &Topic) -> Result<String, Diagnostic> {
    let here = Here::At(&topic.site_path);
    let mut context = context(theme, site, here, &website(site, &topic.title, "", &topic.site_path));
    context.insert("topic", &topic_view(site, topic, here));
    context.insert("years", &years(&topic.posts, site, here));
    theme.render("topic.html", &context)
}

/// The page of one author: their posts, grouped by year.
pub fn author(theme: &Theme, site: &SiteContext, writer: &Writer) -> Result<String, Diagnostic> {
    let here = Here::At(&writer.site_path);
    let mut context = context(theme, site, here, &website(site, &writer.author.name, "", &writer.site_path));
    context.insert("author", &AuthorView::new(writer.author, site, here));
    context.insert("count", &writer.posts.len());
    context.insert("years", &years(&writer.posts, site, here));
    theme.render("author.html", &context)
}

/// The page that lists all topics (`topics/index.html`).
pub fn topics(theme: &Theme, site: &SiteContext, topics: &[Topic]) -> Result<String, Diagnostic> {
    let here = Here::At("topics/");
    let title = own_word(site, Word::Topics);
    let mut context = context(theme, site, here, &website(site, title, "", "topics/"));
    let views: Vec<TopicView> = topics.iter().map(|topic| topic_view(site, topic, here)).collect();
    context.insert("topics", &views);
    theme.render("topics.html", &context)
}

/// The page a web server shows for an address that leads nowhere (`404.html`). Its links are
/// root-relative, so it works at any depth.
pub fn not_found(theme: &Theme, site: &SiteContext) -> Result<String, Diagnostic> {
    let title = own_word(site, Word::NotFound);
    theme.render("404.html", &context(theme, site, Here::Anywhere, &website(site, title, "", "404.html")))
}

/// The page at an old address of a post: it sends browsers and search engines on.
pub fn redirect(site: &SiteContext, post: &Post) -> String {
    let base = &site.publication.base_url;
    let url = base.join(&post.site_path());
    let mut out = String::from("<!doctype html>\n<html");
    push_attribute(&mut out, "lang", language(post, site.publication));
    out.push_str(">\n<head>\n<meta charset=\"utf-8\">\n<title>");
    push_text(&mut out, &post.title);
    out.push_str("</title>\n<link rel=\"canonical\"");
    push_attribute(&mut out, "href", &url);
    out.push_str(">\n<meta name=\"robots\" content=\"noindex\">\n<meta http-equiv=\"refresh\"");
    push_attribute(&mut out, "content", &format!("0; url={url}"));
    let moved = words(post, site.publication).word(Word::Moved);
    let (before, after) = moved.split_once("{url}").unwrap_or((moved, ""));
    out.push_str(">\n</head>\n<body>\n<p>");
    push_text(&mut out, before);
    out.push_str("<a");
    push_attribute(&mut out, "href", &Here::Anywhere.path(base, &post.site_path()));
    out.push('>');
    push_text(&mut out, &url);
    out.push_str("</a>");
    push_text(&mut out, after);
    out.push_str("</p>\n</body>\n</html>\n");
    out
}

/// A word in the language of the publication.
fn own_word<'a>(site: &SiteContext<'a>, word: Word) -> &'a str {
    site.publication.words.of(&site.publication.language).word(word)
}

/// What every page's template is told.
fn context(theme: &Theme, site: &SiteContext, here: Here, page: &PageView) -> Context {
    let mut context = Context::new();
    context.insert("site", &SiteView::new(site, theme, here, page.language));
    context.insert("page", page);
    context
}

fn website<'a>(site: &SiteContext<'a>, title: &'a str, description: &'a str, site_path: &str) -> PageView<'a> {
    let publication = site.publication;
    PageView {
        title,
        description,
        url: publication.base_url.join(site_path),
        language: &publication.language,
        direction: direction(&publication.language),
        kind: "website",
        image: String::new(),
        math_stylesheet: String::new(),
    }
}

fn topic_view<'a>(site: &SiteContext, topic: &'a Topic, here: Here) -> TopicView<'a> {
    TopicView {
        title: &topic.title,
        path: here.path(&site.publication.base_url, &topic.site_path),
        count: topic.posts.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn a_redirect_leads_to_the_post() {
        let publication = sample::publication("https://example.org/");
        let pictures = Pictures::default();
        let site =
            SiteContext { publication: &publication, feeds: &[], topic_count: 0, author_count: 0, pictures: &pictures };
        let html = redirect(&site, &sample::post("T", "softmax", sample::document()).post);
        assert!(html.contains("content=\"0; url=https://example.org/softmax/\""), "{html}");
        assert!(html.contains("<link rel=\"canonical\" href=\"https://example.org/softmax/\">"));
    }
}
