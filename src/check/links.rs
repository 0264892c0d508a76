//! Whether the pages that posts link to are still there.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::content::Outbound;
use crate::diagnostic::Diagnostic;
use crate::egress::{Client, EgressError, Reach};

/// So many pages are asked for at once.
const AT_ONCE: usize = 16;

/// Asks for every page once, however often it is linked, and complains at each place that links
/// to one that is gone. A server that refuses to answer programs has said nothing.
pub async fn links(outbound: &[Outbound], reach: Reach) -> Vec<Diagnostic> {
    let mut pages: BTreeMap<&str, Vec<&Outbound>> = BTreeMap::new();
    for link in outbound {
        let page = link.url.split('#').next().unwrap_or_default();
        pages.entry(page).or_default().push(link);
    }
    let client = Client::new(reach);
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut asked = JoinSet::new();
    for page in pages.keys() {
        let (client, room, page) = (client.clone(), Arc::clone(&room), (*page).to_owned());
        asked.spawn(async move {
            let _seat = room.acquire().await.expect("the room is never closed");
            let answer = client.status(&page).await;
            (page, answer)
        });
    }
    let mut found = Vec::new();
    for (page, answer) in asked.join_all().await {
        let Some((code, message)) = complaint(&page, &answer) else { continue };
        let help = "link to where it is now, to a copy in an archive, or take the link out";
        let places = pages.get(page.as_str()).into_iter().flatten();
        found.extend(places.map(|link| Diagnostic::warning(code, link.place.clone(), message.clone()).help(help)));
    }
    found.sort_by(|a, b| {
        (&a.place.file, a.place.line, a.place.column).cmp(&(&b.place.file, b.place.line, b.place.column))
    });
    found
}

fn complaint(page: &str, answer: &Result<u16, EgressError>) -> Option<(&'static str, String)> {
    match answer {
        Ok(404 | 410) => Some(("dead-link", format!("`{page}` is not there any more"))),
        Ok(status @ 500..) => Some(("link-unanswered", format!("`{page}` answers with {status}"))),
        // 401, 403, 429 and the like are answers to programs, and readers may see a page.
        Ok(_) => None,
        Err(EgressError::NoHost(host)) => Some(("dead-link", format!("there is no host `{host}`"))),
        Err(EgressError::Private(host)) => {
            Some(("dead-link", format!("`{host}` is an address that only your own network reaches")))
        }
        Err(EgressError::Address(address)) => Some(("dead-link", format!("`{address}` is no address of the web"))),
        Err(error @ (EgressError::NoAnswer(_) | EgressError::TooLate | EgressError::Redirects)) => {
            Some(("link-unanswered", format!("`{page}`: {error}")))
        }
    }
}
