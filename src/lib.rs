//! fieldpost turns a folder of Markdown posts into feeds, a web archive and HTML mail,
//! delivers the mail by SMTP, and knows for every subscriber and every post what happened.
//!
//! The modules are floors of one house; a floor imports only lower ones (`tests/tidy.rs`
//! reads the `use crate::…` lines and fails on an arrow that points up):
//!
//! | floor | modules | what happens there |
//! |---|---|---|
//! | 1 | [`domain`], [`diagnostic`] | pure values and transitions; what is wrong in whose file |
//! | 2 | [`config`], [`files`], [`feed`], [`highlight`], [`math`], [`picture`], [`dkim`], [`smtp`], [`egress`], [`ledger`] | the edges: settings, disk, the words of code, formulas, pictures, signatures, wire, durable record |
//! | 3 | [`content`], [`pictures`], [`audience`] | who writes and who reads: posts, what is drawn of them, subscribers |
//! | 4 | [`render`], [`message`] | a document becomes a page, an entry, an issue, a message |
//! | 5 | [`check`], [`publish`], [`deliver`] | what is wrong; the site's files; the campaign's mail |
//! | 6 | [`campaign`] | the story: build, check, open, deliver |
//! | 7 | [`web`] | what is answered over HTTP: the preview |
//! | 8 | [`cli`] | one file per verb, and the only printer |
//!
//! `ARCHITECTURE.md` tells the story of one post and of one crash.

pub mod diagnostic;
pub mod domain;

pub mod config;
pub mod dkim;
pub mod egress;
pub mod feed;
pub mod files;
pub mod highlight;
pub mod ledger;
pub mod math;
pub mod picture;
pub mod smtp;

pub mod audience;
pub mod content;
pub mod pictures;

pub mod message;
pub mod render;

pub mod check;
pub mod deliver;
pub mod publish;

pub mod campaign;

pub mod web;

pub mod cli;
