//! The web server: what fieldpost answers over HTTP.
//!
//! [`http`] is the server itself, small and bounded; it knows nothing of newsletters.
//! [`preview`] shows an author, on this machine alone, what readers will get.

pub mod http;
pub mod preview;
