//! The architecture, enforced.
