//! Header values: encoded, folded, or refused.
