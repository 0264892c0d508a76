//! Quoted-printable, on lines of its own (RFC 2045, 6.7).
