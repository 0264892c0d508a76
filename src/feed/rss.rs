//! RSS 2.0 by the types of the `rss` crate.

use std::collections::BTreeMap;

use quick_xml::escape::partial_escape;
use rss::extension::atom::{AtomExtension, Link};
use rss::extension::dublincore::DublinCoreExtension;
use rss::extension::{Extension, ExtensionMap};
use rss::{Category, Channel, Guid, Item};

use super::check::{Seen, check_xml};
use super::prepare::Prepared;
use super::xml::{Xml, namespace};
use super::{FeedError, Format};
use crate::domain::entry::Entry;
use crate::domain::time::Dated;

/// Builds, writes and reads back.
pub(super) fn write(prepared: &Prepared) -> Result<Vec<u8>, FeedError> {
    let bytes = write_channel(&channel(prepared));
    check_xml(Format::Rss, &bytes, prepared, "the rss crate", read_back)?;
    Ok(bytes)
}

fn read_back(bytes: &[u8]) -> Result<Vec<Seen>, String> {
    let channel = Channel::read_from(bytes).map_err(|error| error.to_string())?;
    let seen = |item: Item| Seen {
        id: item.guid.map(|guid| guid.value).unwrap_or_default(),
        title: item.title.unwrap_or_default(),
    };
    Ok(channel.items.into_iter().map(seen).collect())
}

fn channel(prepared: &Prepared) -> Channel {
    let settings = &prepared.channel;
    let own = Link {
        href: settings.rss_url.clone(),
        rel: "self".to_owned(),
        mime_type: Some(Format::Rss.mime().to_owned()),
        ..Link::default()
    };
    Channel {
        title: settings.title.clone(),
        link: settings.home_url.clone(),
        // The element is required, and an empty one makes some readers show nothing at all.
        description: or(&settings.description, &settings.title),
        language: prepared.language.clone(),
        last_build_date: prepared.updated.map(date),
        generator: Some("fieldpost".to_owned()),
        atom_ext: Some(AtomExtension { links: vec![own] }),
        items: prepared.entries.iter().map(|entry| item(entry, settings)).collect(),
        ..Channel::default()
    }
}

fn item(entry: &Entry, settings: &super::Channel) -> Item {
    let authors = if entry.authors.is_empty() { &settings.authors } else { &entry.authors };
    Item {
        title: Some(entry.title.clone()),
        link: Some(entry.url.clone()),
        // RSS descriptions are HTML: a plain summary is escaped once for that.
        description: (!entry.summary.is_empty()).then(|| partial_escape(&*entry.summary).into_owned()),
        content: Some(entry.html.clone()),
        categories: entry.tags.iter().map(|tag| Category { name: tag.clone(), domain: None }).collect(),
        guid: Some(Guid { value: entry.id.to_string(), permalink: false }),
        pub_date: Some(date(entry.published)),
        dublin_core_ext: Some(DublinCoreExtension {
            creators: authors.iter().map(|author| author.name.clone()).collect(),
            languages: Some(entry.language.clone()).into_iter().filter(|tag| !tag.is_empty()).collect(),
            ..DublinCoreExtension::default()
        }),
        extensions: entry.image.as_deref().map(thumbnail).unwrap_or_default(),
        ..Item::default()
    }
}

/// The cover. An `enclosure` would need the length of a file that may lie elsewhere.
fn thumbnail(url: &str) -> ExtensionMap {
    let element = Extension {
        name: "media:thumbnail".to_owned(),
        attrs: BTreeMap::from([("url".to_owned(), url.to_owned())]),
        ..Extension::default()
    };
    BTreeMap::from([("media".to_owned(), BTreeMap::from([("thumbnail".to_owned(), vec![element])]))])
}

/// A date as RFC 822 and its successors write it, with a numeric offset and a four-digit year.
fn date(date: Dated) -> String {
    date.format("%a, %d %b %Y %H:%M:%S %z").to_string()
}

fn or(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise } else { text }.to_owned()
}

fn write_channel(channel: &Channel) -> Vec<u8> {
    let mut xml = Xml::document();
    let mut attributes = vec![("version", "2.0"), ("xmlns:atom", namespace::ATOM)];
    attributes.extend(item_namespaces(channel));
    attributes.extend(channel.language.as_deref().map(|language| ("xml:lang", language)));
    xml.open("rss", &attributes);
    xml.open("channel", &[]);
    write_about(&mut xml, channel);
    for item in &channel.items {
        write_item(&mut xml, item);
    }
    xml.close("channel");
    xml.close("rss");
    xml.finish()
}

/// The namespaces of what the items hold: one that is not used is not declared.
fn item_namespaces(channel: &Channel) -> Vec<(&'static str, &'static str)> {
    let used = |is_used: fn(&Item) -> bool| channel.items.iter().any(is_used);
    let creators = |item: &Item| item.dublin_core_ext.as_ref().is_some_and(|dc| !dc.creators.is_empty());
    [
        ("xmlns:content", namespace::CONTENT, used(|item| item.content.is_some())),
        ("xmlns:dc", namespace::DC, used(creators)),
        ("xmlns:media", namespace::MEDIA, used(|item| item.extensions.contains_key("media"))),
    ]
    .into_iter()
    .filter_map(|(name, uri, is_used)| is_used.then_some((name, uri)))
    .collect()
}

fn write_about(xml: &mut Xml, channel: &Channel) {
    xml.hex_text("title", &channel.title);
    xml.text("link", &[], &channel.link);
    xml.hex_text("description", &channel.description);
    write_some(xml, "language", channel.language.as_deref());
    write_some(xml, "lastBuildDate", channel.last_build_date.as_deref());
    write_some(xml, "generator", channel.generator.as_deref());
    for link in channel.atom_ext.iter().flat_map(AtomExtension::links) {
        let mut attributes = vec![("href", link.href.as_str()), ("rel", link.rel.as_str())];
        attributes.extend(link.mime_type.as_deref().map(|mime| ("type", mime)));
        xml.empty("atom:link", &attributes);
    }
}

/// Writes an item. The description stands before the content, or readers take it for the content.
fn write_item(xml: &mut Xml, item: &Item) {
    let dublin_core = item.dublin_core_ext.as_ref();
    let language = dublin_core.and_then(|dc| dc.languages.first());
    let attributes: Vec<_> = language.map(|language| ("xml:lang", language.as_str())).into_iter().collect();
    xml.open("item", &attributes);
    xml.hex_text("title", item.title().unwrap_or_default());
    write_some(xml, "link", item.link());
    if let Some(guid) = item.guid() {
        let permalink = if guid.permalink { "true" } else { "false" };
        xml.text("guid", &[("isPermaLink", permalink)], &guid.value);
    }
    write_some(xml, "pubDate", item.pub_date());
    for creator in dublin_core.iter().flat_map(|dc| &dc.creators) {
        xml.text("dc:creator", &[], creator);
    }
    for category in item.categories() {
        xml.text("category", &[], &category.name);
    }
    if let Some(description) = item.description() {
        xml.html("description", description);
    }
    if let Some(content) = item.content() {
        xml.html("content:encoded", content);
    }
    for extension in item.extensions.values().flat_map(BTreeMap::values).flatten() {
        write_extension(xml, extension);
    }
    xml.close("item");
}

fn write_some(xml: &mut Xml, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        xml.text(name, &[], text);
    }
}

fn write_extension(xml: &mut Xml, extension: &Extension) {
    let attributes: Vec<_> = extension.attrs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    xml.empty(&extension.name, &attributes);
}
