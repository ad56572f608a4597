//! Validation of text arguments. The database would reject the same values, but later, and with
//! messages about columns and indexes: an index entry, for example, has a maximum size.

use super::{Error, Result};

/// Accepts a text of 1 to `max` characters that is not only whitespace.
pub(super) fn required(what: &str, text: &str, max: usize) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::Invalid(format!("{what} is empty")));
    }
    optional(what, text, max)
}

/// Accepts a text of up to `max` characters.
pub(super) fn optional(what: &str, text: &str, max: usize) -> Result<()> {
    let length = text.chars().count();
    if length > max {
        let message = format!("{what} has {length} characters; the limit is {max}");
        return Err(Error::Invalid(message));
    }
    // PostgreSQL's `text` cannot contain it.
    if text.contains('\0') {
        let message = format!("{what} has the character U+0000, which cannot be stored");
        return Err(Error::Invalid(message));
    }
    Ok(())
}

/// Accepts a text that also makes a slug for URLs.
pub(super) fn name(what: &str, text: &str, max: usize) -> Result<()> {
    required(what, text, max)?;
    if slug::slugify(text).is_empty() {
        let message = format!("{what} `{text}` needs a letter or a digit");
        return Err(Error::Invalid(message));
    }
    Ok(())
}
