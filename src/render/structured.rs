//! What search engines read of a page: JSON-LD in the words of schema.org.

use serde_json::{Map, Value, json};

use super::views::{authors, image_url, language};
use crate::domain::post::Post;
use crate::domain::publication::{Author, Publication};

/// A post, fit to stand in a `script` element.
pub(super) fn post(post: &Post, publication: &Publication) -> String {
    let url = publication.base_url.join(&post.site_path());
    let mut data = begun("BlogPosting");
    data.insert("headline".into(), json!(post.title));
    data.insert("url".into(), json!(url));
    data.insert("mainEntityOfPage".into(), json!(url));
    data.insert("datePublished".into(), json!(post.date.to_rfc3339()));
    insert(&mut data, "dateModified", post.updated.map(|date| date.to_rfc3339()));
    insert(&mut data, "description", Some(post.summary.as_str()).filter(|summary| !summary.is_empty()));
    insert(&mut data, "image", image_url(post, &publication.base_url));
    data.insert("inLanguage".into(), json!(language(post, publication)));
    let authors: Vec<Value> = authors(post, publication).map(person).collect();
    insert(&mut data, "author", (!authors.is_empty()).then_some(authors));
    insert(&mut data, "keywords", (!post.tags.is_empty()).then_some(&post.tags));
    let blog = json!({"@type": "Blog", "name": publication.title, "url": publication.base_url.as_str()});
    data.insert("isPartOf".into(), blog);
    written(data)
}

/// The publication, fit to stand in a `script` element.
pub(super) fn blog(publication: &Publication) -> String {
    let mut data = begun("Blog");
    data.insert("name".into(), json!(publication.title));
    data.insert("url".into(), json!(publication.base_url.as_str()));
    insert(&mut data, "description", Some(&publication.description).filter(|text| !text.is_empty()));
    data.insert("inLanguage".into(), json!(publication.language));
    insert(&mut data, "author", publication.author.as_ref().map(person));
    written(data)
}

fn begun(kind: &str) -> Map<String, Value> {
    Map::from_iter([("@context".to_owned(), json!("https://schema.org")), ("@type".to_owned(), json!(kind))])
}

fn insert(data: &mut Map<String, Value>, key: &str, value: Option<impl serde::Serialize>) {
    data.extend(value.map(|value| (key.to_owned(), json!(value))));
}

fn person(author: &Author) -> Value {
    let mut person = Map::from_iter([("@type".to_owned(), json!("Person")), ("name".to_owned(), json!(author.name))]);
    insert(&mut person, "url", author.url.as_ref());
    Value::Object(person)
}

/// No `<` is left: nothing that an author typed can end the element (HTML, 4.12.1.3).
fn written(data: Map<String, Value>) -> String {
    Value::Object(data).to_string().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::document::Document;
    use crate::render::sample;

    #[test]
    fn no_title_can_end_the_element() {
        let publication = sample::publication("https://example.org/");
        let hostile = sample::post("</script><b>&amp;\"", "t", Document::default());
        let text = post(&hostile.post, &publication);
        assert!(!text.contains('<'), "{text}");
        let data: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(data["headline"], "</script><b>&amp;\"");
        assert_eq!(data["author"][0]["name"], "Ada Byron");
    }
}
