//! The view table and its indexes.
//!
//! [`table`] composes the table, its columns and its partitions, [`index`] the indexes;
//! `catalog` asks what of them there is, `remedy` says what a person may do about it.

pub(crate) mod catalog;
pub mod index;
pub(crate) mod remedy;
pub mod table;

use self::index::Index;
use self::table::{Column, Partition};
use crate::schema::View;

/// What makes a view table. `migrate` runs what is missing.
#[derive(Debug)]
pub struct Ddl {
    /// Creates the table.
    pub create_table: String,
    /// Creates the table with lz4 for the documents: a fifth faster, where the server has it.
    pub create_table_lz4: String,
    /// The tables that the table is divided into, if it is.
    pub partitions: Vec<Partition>,
    /// All columns.
    pub columns: Vec<Column>,
    /// All indexes but the primary key: those of promoted columns, then those of `index(..)`.
    pub indexes: Vec<Index>,
    /// Creates an empty table of the same columns, to compare indexes by.
    pub(crate) create_twin: String,
}

impl Ddl {
    /// The index of that name; for instance to take its expression into a query:
    ///
    /// ```
    /// use fraiseql_runtime::TView;
    ///
    /// #[derive(TView)]
    /// #[tview(index(fulltext = "title, body", language = "english", name = "post_words"))]
    /// struct Post { id: i64, title: String, body: String }
    ///
    /// # fn main() {
    /// let words = Post::statements().ddl.index("post_words").expect("it is declared above");
    /// let search = format!(
    ///     "SELECT data FROM tv_post WHERE {} @@ websearch_to_tsquery('english', $1)",
    ///     words.expression,
    /// );
    /// # assert!(search.contains("data ->> 'body'"));
    /// # }
    /// ```
    #[must_use]
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name == name)
    }
}

pub(crate) fn compose(view: &View) -> Ddl {
    let columns = table::columns(view);
    Ddl {
        create_table: table::create(view, &columns, ""),
        create_table_lz4: table::create(view, &columns, " COMPRESSION lz4"),
        partitions: table::partitions(view),
        create_twin: table::create_twin(&columns),
        indexes: index::compose(view),
        columns,
    }
}

/// A name of at most 63 bytes: `<stem><suffix>`, cut where it would be too long.
pub(crate) fn name(stem: &str, suffix: &str) -> String {
    const MAX: usize = 63;
    let whole = format!("{stem}{suffix}");
    if whole.len() <= MAX {
        return whole;
    }
    // Two long names that begin alike must not become one: a hash tells them apart.
    let tail = format!("_{:016x}{suffix}", hash(&whole));
    let mut end = MAX - tail.len();
    while !whole.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{tail}", &whole[..end])
}

/// FNV-1a: the same in every version of Rust.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn names_fit_and_differ() {
        assert_eq!(name("tv_post_title", "_idx"), "tv_post_title_idx");
        let long = "é".repeat(40);
        let (a, b) = (
            name(&format!("{long}a"), "_idx"),
            name(&format!("{long}b"), "_idx"),
        );
        assert!(a.len() <= 63 && a.ends_with("_idx"), "{a}");
        assert_ne!(a, b);
    }
}
