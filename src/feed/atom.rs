//! Atom 1.0 (RFC 4287) by the types of `atom_syndication`.

use std::collections::BTreeMap;

use atom_syndication::extension::{Extension, ExtensionMap};
use atom_syndication::{Category, Content, Entry, Feed, Generator, Link, Person, Text, TextType};
use chrono::SecondsFormat;

use super::check::{Seen, check_xml};
use super::prepare::Prepared;
use super::xml::{Xml, namespace};
use super::{FeedError, Format};
use crate::domain;
use crate::domain::publication::Author;
use crate::domain::time::Dated;

/// Builds, writes and reads back.
pub(super) fn write(prepared: &Prepared) -> Result<Vec<u8>, FeedError> {
    let bytes = write_feed(&feed(prepared));
    check_xml(Format::Atom, &bytes, prepared, "the atom_syndication crate", read_back)?;
    Ok(bytes)
}

fn read_back(bytes: &[u8]) -> Result<Vec<Seen>, String> {
    let feed = Feed::read_from(bytes).map_err(|error| error.to_string())?;
    Ok(feed.entries.into_iter().map(|entry| Seen { id: entry.id, title: entry.title.value }).collect())
}

fn feed(prepared: &Prepared) -> Feed {
    let settings = &prepared.channel;
    Feed {
        title: Text::plain(settings.title.clone()),
        id: settings.id.clone(),
        // A feed without entries says the epoch: it must say something, and not the time.
        updated: prepared.updated.unwrap_or_default(),
        authors: feed_authors(settings),
        generator: Some(Generator { value: "fieldpost".to_owned(), ..Generator::default() }),
        links: vec![
            link("alternate", &settings.home_url, "text/html"),
            link("self", &settings.atom_url, Format::Atom.mime()),
        ],
        subtitle: (!settings.description.is_empty()).then(|| Text::plain(settings.description.clone())),
        entries: prepared.entries.iter().map(entry).collect(),
        lang: prepared.language.clone(),
        ..Feed::default()
    }
}

/// An entry without an author needs one on the feed (RFC 4287, 4.1.1): the publication.
fn feed_authors(settings: &super::Channel) -> Vec<Person> {
    if settings.authors.is_empty() {
        return vec![Person { name: settings.title.clone(), ..Person::default() }];
    }
    settings.authors.iter().map(person).collect()
}

fn entry(entry: &domain::entry::Entry) -> Entry {
    Entry {
        title: Text::plain(entry.title.clone()),
        id: entry.id.to_string(),
        updated: entry.updated,
        authors: entry.authors.iter().map(person).collect(),
        categories: entry.tags.iter().map(|tag| Category { term: tag.clone(), ..Category::default() }).collect(),
        links: vec![link("alternate", &entry.url, "text/html")],
        published: Some(entry.published),
        summary: (!entry.summary.is_empty()).then(|| Text::plain(entry.summary.clone())),
        content: Some(Content {
            lang: Some(entry.language.clone()).filter(|tag| !tag.is_empty()),
            value: Some(entry.html.clone()),
            content_type: Some("html".to_owned()),
            ..Content::default()
        }),
        extensions: entry.image.as_deref().map(thumbnail).unwrap_or_default(),
        ..Entry::default()
    }
}

fn person(author: &Author) -> Person {
    Person { name: author.name.clone(), uri: author.url.clone(), ..Person::default() }
}

fn link(rel: &str, href: &str, mime: &str) -> Link {
    Link { href: href.to_owned(), rel: rel.to_owned(), mime_type: Some(mime.to_owned()), ..Link::default() }
}

fn thumbnail(url: &str) -> ExtensionMap {
    let element = Extension {
        name: "media:thumbnail".to_owned(),
        attrs: BTreeMap::from([("url".to_owned(), url.to_owned())]),
        ..Extension::default()
    };
    BTreeMap::from([("media".to_owned(), BTreeMap::from([("thumbnail".to_owned(), vec![element])]))])
}

fn write_feed(feed: &Feed) -> Vec<u8> {
    let mut xml = Xml::document();
    let mut attributes = vec![("xmlns", namespace::ATOM)];
    if feed.entries.iter().any(|entry| entry.extensions.contains_key("media")) {
        attributes.push(("xmlns:media", namespace::MEDIA));
    }
    attributes.extend(feed.lang.as_deref().map(|language| ("xml:lang", language)));
    xml.open("feed", &attributes);
    write_about(&mut xml, feed);
    write_extensions(&mut xml, &feed.extensions);
    for entry in &feed.entries {
        write_entry(&mut xml, entry);
    }
    xml.close("feed");
    xml.finish()
}

fn write_about(xml: &mut Xml, feed: &Feed) {
    xml.text("id", &[], &feed.id);
    write_text(xml, "title", &feed.title);
    if let Some(subtitle) = &feed.subtitle {
        write_text(xml, "subtitle", subtitle);
    }
    xml.text("updated", &[], &date(feed.updated));
    feed.authors.iter().for_each(|author| write_person(xml, author));
    feed.links.iter().for_each(|link| write_link(xml, link));
    if let Some(generator) = &feed.generator {
        xml.text("generator", &[], &generator.value);
    }
}

/// Writes an entry. The crate knows no language of an entry: its content's is taken for it.
fn write_entry(xml: &mut Xml, entry: &Entry) {
    let language = entry.content.as_ref().and_then(Content::lang);
    let attributes: Vec<_> = language.map(|language| ("xml:lang", language)).into_iter().collect();
    xml.open("entry", &attributes);
    xml.text("id", &[], &entry.id);
    write_text(xml, "title", &entry.title);
    if let Some(published) = entry.published {
        xml.text("published", &[], &date(published));
    }
    xml.text("updated", &[], &date(entry.updated));
    entry.authors.iter().for_each(|author| write_person(xml, author));
    entry.links.iter().for_each(|link| write_link(xml, link));
    for category in &entry.categories {
        xml.empty("category", &[("term", &category.term)]);
    }
    if let Some(summary) = &entry.summary {
        write_text(xml, "summary", summary);
    }
    if let Some(content) = &entry.content {
        let kind = content.content_type().unwrap_or("text");
        xml.text("content", &[("type", kind)], content.value().unwrap_or_default());
    }
    write_extensions(xml, &entry.extensions);
    xml.close("entry");
}

fn write_text(xml: &mut Xml, name: &str, text: &Text) {
    let kind = match text.r#type {
        TextType::Text => "text",
        TextType::Html => "html",
        TextType::Xhtml => "xhtml",
    };
    xml.text(name, &[("type", kind)], &text.value);
}

fn write_person(xml: &mut Xml, person: &Person) {
    xml.open("author", &[]);
    xml.text("name", &[], &person.name);
    if let Some(uri) = &person.uri {
        xml.text("uri", &[], uri);
    }
    xml.close("author");
}

fn write_link(xml: &mut Xml, link: &Link) {
    let mut attributes = vec![("rel", link.rel.as_str())];
    attributes.extend(link.mime_type.as_deref().map(|mime| ("type", mime)));
    attributes.push(("href", &link.href));
    xml.empty("link", &attributes);
}

/// Writes extensions where RFC 4287's schema wants those of the feed: before the entries.
fn write_extensions(xml: &mut Xml, extensions: &ExtensionMap) {
    for extension in extensions.values().flat_map(BTreeMap::values).flatten() {
        let attributes: Vec<_> = extension.attrs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        xml.empty(&extension.name, &attributes);
    }
}

fn date(date: Dated) -> String {
    date.to_rfc3339_opts(SecondsFormat::Secs, true)
}
