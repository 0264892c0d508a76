//! Which posts are news, and which are old and go to the feeds alone.

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::domain::digest::start_of_day;
use crate::domain::ids::PostId;
use crate::domain::post::{Channel, Post};
use crate::domain::time::Instant;

/// What the author said on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Nothing: the configuration and the rule decide.
    Unsaid,
    /// `--since DATE`: on the first publish, posts since that day are news.
    Since(NaiveDate),
    /// `--backfill N`: on the first publish, the newest N are news.
    Backfill(usize),
    /// `--digest DATE`: what is new is mailed by itself to nobody; one mail holds all posts since
    /// that day.
    Digest(NaiveDate),
    /// These posts and no others, new or old.
    Named(Vec<PostId>),
}

/// What the publication has decided before.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// Whether nothing was ever published.
    pub first: bool,
    /// Posts already decided, as news or as old.
    pub decided: std::collections::HashSet<PostId>,
    /// Posts decided as news.
    pub news: std::collections::HashSet<PostId>,
    /// Posts decided as news that have no campaign yet: a publish was cut short.
    pub waiting: std::collections::HashSet<PostId>,
}

/// The decision about every public post that was not decided before.
#[derive(Debug, Clone, Default)]
pub struct News<'a> {
    /// To be mailed, oldest first.
    pub news: Vec<&'a Post>,
    /// Newly seen and not to be mailed, now or later.
    pub old: Vec<&'a Post>,
}

/// Sorts the posts into news and old.
///
/// A post that was decided before stays so. On the first publish nothing is news unless
/// `--since`, `--backfill` or `[mail] since` says so: nobody wants ten years of posts in
/// their mail. After it, every new post is news, unless `[mail] since` calls it old.
pub fn choose<'a>(
    posts: impl IntoIterator<Item = &'a Post>,
    memory: &Memory,
    mail_since: Option<Instant>,
    choice: &Choice,
    zone: Tz,
) -> News<'a> {
    let mut candidates: Vec<&Post> =
        posts.into_iter().filter(|post| post.is_public() && post.email == Channel::On).collect();
    candidates.sort_by_key(|post| (post.date, post.id.clone()));
    if let Choice::Named(ids) = choice {
        let (news, others): (Vec<&Post>, Vec<&Post>) = candidates.into_iter().partition(|post| ids.contains(&post.id));
        // The first publish decides about everything: else the next would mail all the rest.
        let old = if memory.first { others } else { Vec::new() };
        return News { news, old };
    }
    let (waiting, undecided): (Vec<&Post>, Vec<&Post>) = candidates
        .into_iter()
        .filter(|post| memory.waiting.contains(&post.id) || !memory.decided.contains(&post.id))
        .partition(|post| memory.waiting.contains(&post.id));
    let (mut news, old) = sort_undecided(undecided, memory, mail_since, choice, zone);
    news.extend(waiting);
    news.sort_by_key(|post| (post.date, post.id.clone()));
    News { news, old }
}

fn sort_undecided<'a>(
    undecided: Vec<&'a Post>,
    memory: &Memory,
    mail_since: Option<Instant>,
    choice: &Choice,
    zone: Tz,
) -> (Vec<&'a Post>, Vec<&'a Post>) {
    if let Choice::Digest(_) = choice {
        return (Vec::new(), undecided);
    }
    let since = match (memory.first, choice, mail_since) {
        (true, Choice::Since(day), _) => Some(start_of_day(*day, zone)),
        (true, Choice::Backfill(n), _) => {
            let first_new = undecided.len().saturating_sub(*n);
            let old = undecided[..first_new].to_vec();
            return (undecided[first_new..].to_vec(), old);
        }
        (_, _, Some(since)) => Some(since),
        (true, Choice::Unsaid | Choice::Named(_) | Choice::Digest(_), None) => return (Vec::new(), undecided),
        (false, _, None) => None,
    };
    undecided.into_iter().partition(|post| since.is_none_or(|since| post.date >= since))
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;
    use crate::domain::post::{Contents, Slug, Visibility};

    fn post(name: &str, day: u32) -> Post {
        Post {
            id: PostId::parse(name).unwrap(),
            source: format!("{name}.md"),
            slug: Slug::from_text(name).unwrap(),
            title: name.to_owned(),
            summary: String::new(),
            language: None,
            date: chrono::Utc.with_ymd_and_hms(2026, 1, day, 12, 0, 0).unwrap().fixed_offset(),
            updated: None,
            authors: Vec::new(),
            tags: Vec::new(),
            image: None,
            number: None,
            aliases: Vec::new(),
            visibility: Visibility::Public,
            email: Channel::On,
            feed: Channel::On,
            contents: Contents::default(),
            assets: Vec::new(),
            commit: None,
            source_digest: String::new(),
        }
    }

    fn three() -> Vec<Post> {
        vec![post("c", 3), post("b", 2), post("a", 1)]
    }

    fn names(posts: &[&Post]) -> String {
        posts.iter().map(|post| post.title.as_str()).collect()
    }

    fn first() -> Memory {
        Memory { first: true, ..Memory::default() }
    }

    #[track_caller]
    fn expect(memory: &Memory, since: Option<Instant>, choice: &Choice, news: &str, old: &str) {
        let posts = three();
        let found = choose(&posts, memory, since, choice, Tz::UTC);
        assert_eq!((names(&found.news).as_str(), names(&found.old).as_str()), (news, old));
    }

    #[test]
    fn the_first_publish_mails_nothing_old_unless_told_to() {
        let since = chrono::Utc.with_ymd_and_hms(2026, 1, 3, 0, 0, 0).unwrap();
        expect(&first(), None, &Choice::Unsaid, "", "abc");
        expect(&first(), None, &Choice::Backfill(2), "bc", "a");
        expect(&first(), None, &Choice::Backfill(9), "abc", "");
        expect(&first(), None, &Choice::Since(NaiveDate::from_ymd_opt(2026, 1, 2).unwrap()), "bc", "a");
        expect(&first(), Some(since), &Choice::Unsaid, "c", "ab");
        expect(&first(), Some(since), &Choice::Backfill(3), "abc", "");
        expect(&first(), None, &Choice::Named(vec![PostId::parse("b").unwrap()]), "b", "ac");
    }

    #[test]
    fn later_only_what_is_new_is_news_and_what_was_cut_short_goes_on() {
        let decided = |ids: &[&str]| ids.iter().map(|id| PostId::parse(id).unwrap()).collect();
        let memory = Memory { first: false, decided: decided(&["a", "b"]), ..Memory::default() };
        expect(&memory, None, &Choice::Unsaid, "c", "");
        expect(&memory, None, &Choice::Backfill(3), "c", "");
        expect(&memory, None, &Choice::Named(vec![PostId::parse("a").unwrap()]), "a", "");
        let memory = Memory { waiting: decided(&["b"]), ..memory };
        expect(&memory, None, &Choice::Unsaid, "bc", "");
    }

    #[test]
    fn drafts_scheduled_posts_and_posts_kept_out_of_the_mail_are_never_news() {
        let mut posts = three();
        posts[0].visibility = Visibility::Draft;
        posts[1].visibility = Visibility::Scheduled;
        posts[2].email = Channel::Off;
        assert!(choose(&posts, &first(), None, &Choice::Backfill(9), Tz::UTC).news.is_empty());
    }
}
