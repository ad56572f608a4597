//! The statements that create and change a view table and its indexes.
//!
//! | module | composes |
//! |---|---|
//! | [`table`] | the table, its columns and its partitions |
//! | [`index`] | its indexes |
//! | `idempotent` | the same statements with IF NOT EXISTS |
//! | `twin` | an empty copy of the table, to compare indexes |
//! | `catalog` | the queries of what exists |
//! | `remedy` | the statements that a migration proposes to a person |

pub(crate) mod catalog;
pub(crate) mod idempotent;
pub mod index;
pub(crate) mod remedy;
pub mod table;
pub(crate) mod twin;

use self::index::IndexDdl;
use self::table::{ColumnDdl, PartitionDdl};
use crate::schema::View;

/// The statements of a view table. `migrate` runs those whose result is missing.
#[derive(Debug)]
pub struct Ddl {
    /// Creates the table.
    pub create_table: String,
    /// Creates the table with lz4 compression of documents, which is a fifth faster, for servers
    /// that have it.
    pub create_table_lz4: String,
    /// The partitions; none if the table is not partitioned.
    pub partitions: Vec<PartitionDdl>,
    /// All columns.
    pub columns: Vec<ColumnDdl>,
    /// All indexes but the primary key: those of promoted columns, then those of `index(..)`.
    pub indexes: Vec<IndexDdl>,
    /// Creates an empty table with the same columns, to compare indexes.
    pub(crate) create_twin: String,
}

impl Ddl {
    /// The index with this name, for instance to use its expression in a query:
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
    pub fn index(&self, name: &str) -> Option<&IndexDdl> {
        self.indexes.iter().find(|index| index.name == name)
    }
}

/// Composes the statements of the view table.
pub(crate) fn compose(view: &View) -> Ddl {
    let columns = table::columns(view);
    Ddl {
        create_table: table::create(view, &columns, ""),
        create_table_lz4: table::create(view, &columns, " COMPRESSION lz4"),
        partitions: table::partitions(view),
        create_twin: twin::create_twin(&columns),
        indexes: index::compose(view),
        columns,
    }
}
