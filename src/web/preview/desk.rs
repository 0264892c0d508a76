//! The thread that holds the publication: it reads the folder, answers what is asked about
//! its posts, and reads again when something has changed.

use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::look::Places;
use crate::campaign::{self, Prepared, Proof};
use crate::config::{Config, Environment, FILE_NAME};
use crate::content::Look;
use crate::diagnostic::Diagnostic;
use crate::domain::ids::PostId;
use crate::domain::post::{KnownPost, Post};
use crate::ledger::Ledger;
use crate::render::preview::{Finding, Glance, Mail, Overview, Sheet};

/// The path under which the preview serves the site.
pub(super) const SITE: &str = "/site/";

/// How often the disk is looked at.
const GLANCE: Duration = Duration::from_millis(250);

/// What is asked about a post, by its slug.
pub(super) enum Question {
    /// The list of all posts.
    Overview(oneshot::Sender<Overview>),
    /// Everything about one post; `None` when there is no such post.
    Sheet(String, oneshot::Sender<Option<Sheet>>),
    /// The HTML part of its mail.
    Mail(String, oneshot::Sender<Option<String>>),
    /// The HTML that feeds carry of it.
    Entry(String, oneshot::Sender<Option<String>>),
    /// The folder that holds the site as it is now.
    Site(oneshot::Sender<Option<PathBuf>>),
}

/// What the desk works with.
pub(super) struct Desk {
    /// The publication's folder.
    pub root: PathBuf,
    /// What the environment says.
    pub environment: Environment,
    /// Counted up whenever there is something new to see.
    pub revision: watch::Sender<u64>,
}

impl Desk {
    /// Works until nobody can ask any more.
    pub fn run(self, questions: &Receiver<Question>) {
        while self.read_and_answer(questions).is_some() {
            self.revision.send_modify(|revision| *revision += 1);
        }
    }

    /// Reads the folder once and answers until it has changed; `None` when nobody asks any more.
    fn read_and_answer(&self, questions: &Receiver<Question>) -> Option<()> {
        // Without settings nobody knows where the posts are: then every file counts.
        let all = Places { roots: vec![self.root.clone()], without: Vec::new() };
        let before = all.look();
        let config = match Config::load(&self.root, &self.environment) {
            Ok((config, _)) => config,
            Err(wrong) => return wait(&all, before, questions, |question| refuse(question, &self.root, &wrong)),
        };
        let places = places(&self.root, &config);
        let before = places.look();
        let known = known(&config, &self.environment);
        match campaign::prepare(&config, known, self.environment.clock().now(), Look::Check) {
            Ok(prepared) => {
                let shown = Shown {
                    prepared: &prepared,
                    environment: &self.environment,
                    site: OnceCell::new(),
                    proofs: RefCell::default(),
                };
                wait(&places, before, questions, |question| shown.answer(question))
            }
            Err(wrong) => wait(&places, before, questions, |question| refuse(question, &self.root, &wrong)),
        }
    }
}

/// Answers questions until the places look other than `before`.
fn wait(places: &Places, before: u64, questions: &Receiver<Question>, mut answer: impl FnMut(Question)) -> Option<()> {
    loop {
        match questions.recv_timeout(GLANCE) {
            Ok(question) => answer(question),
            Err(RecvTimeoutError::Timeout) if places.look() != before => return Some(()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

/// Where the publication's files are.
fn places(root: &Path, config: &Config) -> Places {
    let mut roots = vec![root.join(FILE_NAME), config.source.clone(), root.join("templates")];
    roots.extend(config.templates.clone());
    roots.extend(config.subscribers_file.clone());
    Places { roots, without: vec![config.output.clone(), config.state_dir.clone()] }
}

/// What an existing ledger knows of the posts. A preview makes none.
fn known(config: &Config, environment: &Environment) -> Vec<KnownPost> {
    if !config.state.exists() {
        return Vec::new();
    }
    // A ledger that cannot be read keeps nobody from looking at posts; other commands say why.
    let ledger = Ledger::open(&config.state, environment.clock().now());
    ledger.and_then(|ledger| ledger.known_posts()).unwrap_or_default()
}

/// What is answered while nothing can be shown: what is wrong.
fn refuse(question: Question, root: &Path, wrong: &[Diagnostic]) {
    let problems = wrong.iter().map(|one| Finding::of(&one.clone().relative_to(root))).collect();
    // Whoever no longer waits does not mind.
    match question {
        Question::Overview(answer) => drop(answer.send(Overview { problems, ..Overview::default() })),
        Question::Sheet(_, answer) => drop(answer.send(None)),
        Question::Mail(_, answer) | Question::Entry(_, answer) => drop(answer.send(None)),
        Question::Site(answer) => drop(answer.send(None)),
    }
}

/// A publication that was read.
struct Shown<'a> {
    prepared: &'a Prepared<'a>,
    environment: &'a Environment,
    /// Where the pages are, once they were asked for.
    site: OnceCell<Option<PathBuf>>,
    /// The mails that were asked for: a page shows each of them several times.
    proofs: RefCell<HashMap<PostId, Result<Proof, Diagnostic>>>,
}

impl Shown<'_> {
    fn answer(&self, question: Question) {
        match question {
            Question::Overview(answer) => drop(answer.send(self.overview())),
            Question::Sheet(slug, answer) => drop(answer.send(self.post(&slug).map(|post| self.sheet(post)))),
            Question::Mail(slug, answer) => {
                let proof = self.post(&slug).and_then(|post| self.proof(post).ok());
                drop(answer.send(proof.map(|proof| self.on_this_machine(&proof.html))));
            }
            Question::Entry(slug, answer) => {
                let entry = self.post(&slug).and_then(|post| campaign::entry(self.prepared, post).ok());
                drop(answer.send(entry.map(|entry| self.on_this_machine(&entry.html))));
            }
            Question::Site(answer) => drop(answer.send(self.site.get_or_init(|| self.build()).clone())),
        }
    }

    /// Writes the pages, once for each state of the publication.
    fn build(&self) -> Option<PathBuf> {
        let folder = self.prepared.config.state_dir.join("preview");
        campaign::build_for_preview(self.prepared, &folder).is_ok().then(|| folder.join("site"))
    }

    fn post(&self, slug: &str) -> Option<&Post> {
        self.prepared.posts.iter().find(|post| post.slug.as_str() == slug)
    }

    fn proof(&self, post: &Post) -> Result<Proof, Diagnostic> {
        let make = || campaign::proof(self.prepared, post, self.environment.clock().now());
        self.proofs.borrow_mut().entry(post.id.clone()).or_insert_with(make).clone()
    }

    /// The site's own addresses lead to the preview: what is not published yet is here.
    fn on_this_machine(&self, html: &str) -> String {
        html.replace(self.prepared.config.publication.base_url.as_str(), SITE)
    }

    fn overview(&self) -> Overview {
        let mut posts: Vec<&Post> = self.prepared.posts.iter().collect();
        posts.sort_by(|a, b| b.date.cmp(&a.date).then_with(|| a.source.cmp(&b.source)));
        let sources: HashSet<&Path> = posts.iter().map(|post| Path::new(&post.source)).collect();
        let elsewhere = self.prepared.diagnostics.iter().filter(|one| !sources.contains(one.place.file.as_path()));
        Overview {
            title: self.prepared.config.publication.title.clone(),
            problems: elsewhere.map(Finding::of).collect(),
            posts: posts.into_iter().map(|post| Glance::of(post, &self.findings(post))).collect(),
        }
    }

    fn findings(&self, post: &Post) -> Vec<Finding> {
        let own = |one: &&Diagnostic| one.place.file == Path::new(&post.source);
        self.prepared.diagnostics.iter().filter(own).map(Finding::of).collect()
    }

    fn sheet(&self, post: &Post) -> Sheet {
        let mut findings = self.findings(post);
        let mail = match self.proof(post) {
            Ok(proof) => {
                findings.extend(proof.warnings.iter().map(Finding::of));
                Some(Mail {
                    subject: proof.subject,
                    headers: proof.headers,
                    text: proof.text,
                    html_bytes: proof.html.len(),
                    message_bytes: proof.size,
                })
            }
            Err(wrong) => {
                findings.push(Finding::of(&wrong));
                None
            }
        };
        let entry = campaign::entry(self.prepared, post).map_err(|wrong| findings.push(Finding::of(&wrong))).ok();
        Sheet {
            glance: Glance::of(post, &findings),
            page: format!("{SITE}{}", post.site_path()),
            mail,
            entry,
            findings,
        }
    }
}
