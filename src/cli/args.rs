//! What can be typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Turn a folder of Markdown posts into feeds, a web archive and HTML mail, and know who got what.
#[derive(Debug, Parser)]
#[command(name = "fieldpost", version, about, propagate_version = true)]
pub struct Arguments {
    /// The publication's folder
    #[arg(short = 'C', long = "directory", value_name = "DIR", default_value = ".", global = true)]
    pub directory: PathBuf,
    /// Print data as JSON on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Adopt a folder of Markdown, or start a new publication in an empty one
    Init {
        /// The folder, made if it is not there (default: the one given with -C)
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Start a post and open it in $EDITOR
    New {
        /// The post's title
        title: String,
    },
    /// Say everything that is wrong, with file, line and remedy
    Check {
        /// Repair what can be repaired without judgement (mojibake)
        #[arg(long)]
        fix: bool,
        /// Also ask every other site that posts link to whether the page is there
        #[arg(long)]
        links: bool,
        /// With --links, ask pages of private networks too
        #[arg(long, requires = "links")]
        private: bool,
        /// Also ask DNS about the sending domain: bounces, SPF, DKIM, DMARC, one-click unsubscribing
        #[arg(long)]
        dns: bool,
        /// Fail on warnings too
        #[arg(long)]
        strict: bool,
    },
    /// Write feeds, pages and assets; only what changed
    Build,
    /// Show in a browser, on this machine, what readers will get; shows changes by itself
    Preview {
        /// The port on this machine (default: 4747, or any that is free)
        #[arg(long)]
        port: Option<u16>,
        /// Open the browser
        #[arg(long)]
        open: bool,
    },
    /// Show what `publish` would do, and do nothing
    Plan(Selection),
    /// Build, open campaigns for new posts, and deliver
    Publish {
        /// Which posts are news.
        #[command(flatten)]
        selection: Selection,
        /// How it is done.
        #[command(flatten)]
        how: Publishing,
    },
    /// Send a test copy of a post to named addresses; never recorded as a delivery
    Test {
        /// The post: its slug, source file or id
        post: String,
        /// Whom to send it to
        #[arg(long, required = true, num_args = 1.., value_name = "ADDRESS")]
        to: Vec<String>,
    },
    /// Show the counts of every campaign
    Status,
    /// Show who got what, when, and why not
    Report {
        /// The campaign (default: all)
        campaign: Option<String>,
        /// Print one line per delivery as CSV
        #[arg(long)]
        csv: bool,
    },
    /// Hold a campaign
    Pause {
        /// The campaign
        campaign: String,
    },
    /// Let a held campaign go on
    Resume {
        /// The campaign
        campaign: String,
    },
    /// Stop a campaign; what was not begun is never sent
    Cancel {
        /// The campaign
        campaign: String,
    },
    /// Make a campaign's deferred deliveries due now
    Retry {
        /// The campaign
        campaign: String,
    },
    /// Decide what becomes of a campaign's deliveries in doubt
    Resolve {
        /// The campaign
        campaign: String,
        /// The decision
        #[arg(value_enum)]
        decision: Decision,
        /// Only this recipient (default: all that are in doubt)
        #[arg(long, value_name = "ADDRESS")]
        address: Option<String>,
        /// What proves that they arrived or were refused, such as a line of the relay's log; kept with them
        #[arg(long, value_name = "TEXT")]
        evidence: Option<String>,
    },
    /// List, add, import, export and remove subscribers
    #[command(subcommand)]
    Subscribers(Subscribers),
    /// Make the keys that sign mail, and show what belongs in DNS
    #[command(subcommand)]
    Keys(Keys),
    /// Look after the state file
    #[command(subcommand)]
    State(State),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// Which posts a plan or a publish is about.
#[derive(Debug, Args)]
pub struct Selection {
    /// Posts to mail, by slug, source file or id (default: everything new)
    pub posts: Vec<String>,
    /// On the first publish, mail the posts since this day
    #[arg(long, value_name = "DATE", conflicts_with = "backfill")]
    pub since: Option<NaiveDate>,
    /// On the first publish, mail the newest N posts
    #[arg(long, value_name = "N")]
    pub backfill: Option<usize>,
    /// Mail one digest of all posts since this day, and none of them by itself
    #[arg(long, value_name = "DATE", conflicts_with_all = ["since", "backfill", "posts"])]
    pub digest: Option<NaiveDate>,
}

/// How a publish goes about it.
#[derive(Debug, Args)]
pub struct Publishing {
    /// Do not ask before mailing
    #[arg(short, long)]
    pub yes: bool,
    /// Stay until deferred deliveries are settled too
    #[arg(long)]
    pub wait: bool,
    /// Mail what is new not before this moment: `2026-12-01 09:00`, in the publication's time zone
    #[arg(long, value_name = "MOMENT")]
    pub at: Option<String>,
    /// What is new and could not be mailed by this moment expires
    #[arg(long, value_name = "MOMENT")]
    pub deliver_by: Option<String>,
    /// Mail also what should have been mailed more than an hour ago
    #[arg(long)]
    pub overdue: bool,
    /// While sending, answer `GET /metrics` for Prometheus at this address, such as 127.0.0.1:9464
    #[arg(long, value_name = "ADDR", value_parser = super::metrics::address)]
    pub metrics: Option<SocketAddr>,
}

/// What becomes of a delivery in doubt.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Decision {
    /// Send the same bytes once more
    Resend,
    /// Leave them in doubt, and resend nothing until the next decision
    Hold,
    /// Give up: they stay in doubt for ever, and nothing is resent
    Abandon,
    /// There is proof that they arrived
    Arrived,
    /// There is proof that they did not and never will
    Refused,
}

/// What can be done with subscribers.
#[derive(Debug, Subcommand)]
pub enum Subscribers {
    /// Print everybody and their state
    List,
    /// Add one person
    Add {
        /// The address
        address: String,
        /// The name
        #[arg(long)]
        name: Option<String>,
        /// A topic to follow; may be given again
        #[arg(long = "topic")]
        topics: Vec<String>,
    },
    /// Read a `.toml` or `.csv` list; can be repeated without harm
    Import {
        /// The list
        file: PathBuf,
    },
    /// Print the list as CSV, or as TOML
    Export {
        /// The format
        #[arg(long, value_enum, default_value_t = ListFormat::Csv)]
        format: ListFormat,
    },
    /// Unsubscribe an address for good
    Remove {
        /// The address
        address: String,
    },
}

/// The formats of a subscriber list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// Comma-separated values with a header
    Csv,
    /// `[[subscriber]]` tables
    Toml,
}

/// What can be done with the keys that sign mail.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make DKIM keys; print their DNS records and the configuration to paste
    Dkim {
        /// The name of the keys within the domain (default: fp and the month)
        #[arg(long, value_name = "NAME")]
        selector: Option<String>,
        /// The kind of key
        #[arg(long, value_enum, default_value_t = KeyKind::Both)]
        algorithm: KeyKind,
    },
    /// Print the DNS records of the configured keys
    Show,
}

/// The kinds of key to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyKind {
    /// RSA of 2,048 bits, which every receiver verifies
    Rsa,
    /// Ed25519
    Ed25519,
    /// One of each
    Both,
}

/// What can be done with the state file.
#[derive(Debug, Subcommand)]
pub enum State {
    /// Check the state file's integrity and the ledger's laws
    Verify,
    /// Go on with a state file that is older than the last one, or another; its campaigns are paused
    Accept,
}
