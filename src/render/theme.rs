//! The templates: built into the binary, overlaid file by file by a publication's own.

use std::path::Path;

use crate::diagnostic::Diagnostic;

/// The loaded templates. Loaded once and shared by all threads.
#[derive(Debug)]
pub struct Theme {}

impl Theme {
    /// Loads the built-in templates and puts the files of `overlay` in their place, file by
    /// file. Every template that cannot be read or parsed is an error with its place; a
    /// folder that does not exist is no overlay.
    pub fn load(_overlay: Option<&Path>) -> Result<Self, Vec<Diagnostic>> {
        Ok(Self {})
    }
}

/// The text of the one stylesheet all pages use.
pub fn stylesheet(_theme: &Theme) -> &str {
    ""
}

/// Where the stylesheet lies under the site; the name holds a digest of its content, so it
/// may be cached for ever.
pub fn stylesheet_path(_theme: &Theme) -> &str {
    "assets/style.css"
}
