//! What wants to be at the same path of the site.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::post::Post;

/// Sees to it that no two things are copied to one path: assets of different files, an asset
/// and a page, an alias and either. `locate` says where a post's file says something.
pub(super) fn settle_paths(posts: &mut [Box<Post>], locate: &dyn Fn(&Post, &str) -> Place, out: &mut Vec<Diagnostic>) {
    if posts.iter().all(|post| post.assets.is_empty() && post.aliases.is_empty()) {
        return;
    }
    let pages: HashSet<String> = posts.iter().map(|post| post.slug.as_str().to_owned()).collect();
    let mut assets: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut aliases: HashMap<String, String> = HashMap::new();
    for post in posts.iter_mut() {
        for asset in &post.assets {
            let first = assets.entry(asset.site_path.clone()).or_insert_with(|| asset.source.clone());
            let covers_page = asset.site_path.strip_suffix("/index.html").is_some_and(|slug| pages.contains(slug));
            if *first != asset.source || covers_page || pages.contains(&asset.site_path) {
                let message = format!(
                    "the file `{}` would be copied to `{}`, which is taken",
                    asset.source.display(),
                    asset.site_path
                );
                let name = asset.source.file_name().unwrap_or_default().to_string_lossy();
                let place = locate(post, &name);
                out.push(Diagnostic::error("asset-collision", place, message).help("rename the file"));
            }
        }
        let mut own = std::mem::take(&mut post.aliases);
        own.retain(|alias| {
            let page = alias.trim_end_matches("index.html").trim_end_matches('/');
            let other = aliases.entry(page.to_owned()).or_insert_with(|| post.source.clone());
            let free = !pages.contains(page) && *other == post.source;
            if !free && page != post.slug.as_str() {
                let message = format!("the alias `{alias}` is left out: another page has that URL");
                let place = locate(post, alias);
                out.push(Diagnostic::warning("alias-taken", place, message).help("remove it from the front matter"));
            }
            free
        });
        post.aliases = own;
    }
}
