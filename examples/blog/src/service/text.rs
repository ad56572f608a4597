//! What a text may be. What is refused here would be refused by the database, which is asked
//! later, and has its own words for it: an index cannot hold a title of any length.

use super::{Error, Result};

/// A text that has to be there, of so many characters at most.
pub(super) fn required(what: &str, text: &str, most: usize) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::Invalid(format!("{what} is empty")));
    }
    optional(what, text, most)
}

/// A text that may be empty, of so many characters at most.
pub(super) fn optional(what: &str, text: &str, most: usize) -> Result<()> {
    let length = text.chars().count();
    if length > most {
        let told = format!("{what} has {length} characters, and at most {most} fit");
        return Err(Error::Invalid(told));
    }
    if text.contains('\0') {
        let told = format!("{what} has the character U+0000, which cannot be stored");
        return Err(Error::Invalid(told));
    }
    Ok(())
}

/// A name that stands in addresses, too.
pub(super) fn name(what: &str, text: &str, most: usize) -> Result<()> {
    required(what, text, most)?;
    if slug::slugify(text).is_empty() {
        let told = format!("{what} `{text}` needs a letter or a digit");
        return Err(Error::Invalid(told));
    }
    Ok(())
}
