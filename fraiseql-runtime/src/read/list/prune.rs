//! What is left out of documents in the database: nothing, unless a list of parts is among it;
//! then everything that is not needed.
//!
//! `jsonb` is printed anew on every read, and what is taken out of it need not be printed and
//! sent; but to take something out copies the rest. So it is worth it where what goes is larger
//! than what stays. Which that is cannot be known here, but lists are what makes documents large:
//!
//! | left out of 10,000 documents of 3.7 KB with 10 comments each | all | 20 | one |
//! |---|---:|---:|---:|
//! | a number | 1.75 | 1.13 | 1.21 |
//! | an object of three fields | 1.62 | 1.30 | 1.21 |
//! | a text of 560 bytes | 1.49 | 1.03 | 1.18 |
//! | the comments | **0.44** | **0.53** | 1.04 |
//! | the comments, the object, the number | **0.43** | **0.52** | 0.99 |
//! | all of these | **0.20** | **0.47** | 1.05 |
//!
//! The time of that of whole documents, with others at work on the machine:
//! `cargo run --release -p benches -- list`. With 100 comments each, 29 KB, the comments give
//! 0.05 for 1,000 documents, 0.15 for 20 and 0.67 for one, and without them nothing is gained.
//! Where all the lists are empty, both take the same within the noise (0.9 to 1.25).
//!
//! Documents that are stored as `json` are copied out as they are, and would have to be parsed to
//! be cut: never.

use super::error::ListError;
use crate::schema::{Data, Source, View};

/// The keys that are left out in the database, of those that are not needed.
pub(super) fn pruned<'k>(
    view: &'static View,
    omitted: &'k [String],
) -> Result<Vec<&'k str>, ListError> {
    let fields = view.shape.fields;
    let mut lists = false;
    for name in omitted {
        let Some(field) = fields.iter().find(|field| field.json == name) else {
            let names = fields.iter().map(|field| field.json);
            return Err(ListError::field(name, "documents have no {}", names));
        };
        lists |= matches!(field.source, Source::Many(_));
    }
    if view.data == Data::Json || !lists {
        return Ok(Vec::new());
    }
    Ok(omitted.iter().map(String::as_str).collect())
}
