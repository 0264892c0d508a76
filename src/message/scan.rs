//! The last look at a message's bytes before anybody may send them.

/// What may not leave the house (RFC 5322, 2.1; RFC 2045, 2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// A CR or LF that is not part of a CRLF, or a last line without one.
    #[error("a line does not end with CR LF")]
    LineEnd,
    /// NUL, another control character, or a byte above 126.
    #[error("a byte is no printable ASCII")]
    Byte,
    /// A line of more than 998 bytes.
    #[error("a line is longer than 998 bytes")]
    LongLine,
    /// A line of the header section that is neither a field nor a continuation.
    #[error("a header line has no name")]
    HeaderLine,
    /// Another number of header fields than the template has, or a field that may
    /// stand once and does not.
    #[error("a header field is missing or stands twice")]
    HeaderCount,
}
