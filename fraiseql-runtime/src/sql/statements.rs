//! All statements of one view.

use crate::schema::{Storage, View};
use crate::sql::{ddl, function, matview, part, read, rebuild, shape, sync, verify};

/// The statements of one view. They are composed once, and stored in a `static` for each view, so
/// that their texts are `&'static str`.
#[derive(Debug)]
pub struct Statements {
    /// The number of the view's shape, which is stored with each document. It changes with
    /// everything that decides what is stored.
    pub shape: i64,
    /// Build and write documents, for a sync.
    pub sync: sync::SyncSql,
    /// Compare stored documents with the base tables, for a verification.
    pub verify: verify::VerifySql,
    /// Read documents by key.
    pub read: read::ReadSql,
    /// Replace a part in documents.
    pub parts: Vec<part::PartSql>,
    /// Create the view table and its indexes.
    pub ddl: ddl::Ddl,
    /// Find stale documents, and record the progress of a rebuild.
    pub rebuild: rebuild::RebuildSql,
    /// Functions that sync documents inside of a transaction.
    pub functions: function::ViewFunctions,
    /// The materialized view, if documents are in one.
    pub matview: Option<matview::MatviewSql>,
    /// Which of them are used.
    pub(crate) storage: Storage,
}

impl Statements {
    /// Composes the statements of `view`.
    #[must_use]
    pub fn compose(view: &View) -> Self {
        let shape = shape::number(view);
        Self {
            shape,
            sync: sync::compose(view, shape),
            verify: verify::compose(view),
            read: read::compose(view, shape),
            parts: part::compose(view, shape),
            ddl: ddl::compose(view),
            rebuild: rebuild::compose(view, shape),
            functions: function::compose(view, shape),
            matview: matview::compose(view, shape),
            storage: view.storage,
        }
    }
}

/// One statement of a view, as [`Statements::all`] lists it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListedStatement<'s> {
    /// The path of its field in [`Statements`]: `sync.write`.
    pub(crate) name: &'static str,
    pub(crate) sql: &'s str,
    pub(crate) table: StatementTable,
    pub(crate) kind: StatementKind,
}

/// The table that a statement reads or writes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatementTable {
    /// The view's base table.
    Base,
    /// The view table.
    View,
    /// The bookkeeping table of rebuilds, `fraiseql_view`.
    Bookkeeping,
    /// The table of refreshes, `fraiseql_refresh`.
    Refreshes,
}

/// Whether PostgreSQL can PREPARE a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatementKind {
    /// A single SELECT, INSERT, UPDATE or DELETE, which can be prepared.
    Query,
    /// A utility command such as CREATE TABLE, which PREPARE does not accept.
    Utility,
    /// The definition or the call of a function, which may not exist.
    Function,
}

impl<'s> ListedStatement<'s> {
    fn new(name: &'static str, sql: &'s str, table: StatementTable) -> Self {
        Self {
            name,
            sql,
            table,
            kind: StatementKind::Query,
        }
    }

    /// Whether the statement is sent for a view with this storage.
    fn is_used(&self, storage: Storage) -> bool {
        let (group, _) = self.name.split_once('.').unwrap_or((self.name, ""));
        let builds = group == "read" || self.name == "sync.reject_reasons";
        let pages = ["sync.first_keys", "sync.next_keys"].contains(&self.name);
        match storage {
            Storage::Table => true,
            Storage::Live => builds,
            // Documents that may be stale are compared and built, and never written.
            Storage::Matview { .. } => {
                builds
                    || pages
                    || ["verify", "matview"].contains(&group)
                    || self.name.starts_with("ddl.indexes")
            }
        }
    }

    fn of_kind(self, kind: StatementKind) -> Self {
        Self { kind, ..self }
    }
}

// The structs are taken apart without `..`: a new field does not compile until it is listed
// below, or ignored by name because it is not a statement.
impl Statements {
    /// Every statement that is sent for the view, in the order of the fields.
    pub(crate) fn all(&self) -> impl Iterator<Item = ListedStatement<'_>> {
        self.composed()
            .filter(|statement| statement.is_used(self.storage))
    }

    /// Every statement that was composed.
    fn composed(&self) -> impl Iterator<Item = ListedStatement<'_>> {
        let Self {
            shape: _,
            sync,
            verify,
            read,
            parts,
            ddl,
            rebuild,
            functions,
            matview,
            storage: _,
        } = self;
        sync_statements(sync)
            .into_iter()
            .chain(verify_statements(verify))
            .chain(read_statements(read))
            .chain(parts.iter().map(part_statement))
            .chain(ddl_statements(ddl))
            .chain(rebuild_statements(rebuild))
            .chain(function_statements(functions))
            .chain(matview.iter().flat_map(matview_statements))
    }
}

fn sync_statements(statements: &sync::SyncSql) -> Vec<ListedStatement<'_>> {
    use StatementTable::{Base, View};
    let sync::SyncSql {
        write,
        write_few,
        write_one,
        write_locked,
        write_locked_few,
        announce,
        open_writers,
        still_writing,
        overwritten,
        lock,
        lock_documents,
        clear_unique,
        unique_holders,
        delete_orphans,
        delete,
        first_keys,
        next_keys,
        expected,
        expected_after,
        reject_reasons,
        needs: _,
        set_session,
        session: _,
        filter_reads_session: _,
    } = statements;
    let mut list = vec![
        ListedStatement::new("sync.write", write, View),
        ListedStatement::new("sync.write_few", write_few, View),
        ListedStatement::new("sync.write_one", write_one, View),
        ListedStatement::new("sync.write_locked", write_locked, View),
        ListedStatement::new("sync.write_locked_few", write_locked_few, View),
        ListedStatement::new("sync.announce", announce, View),
        ListedStatement::new("sync.open_writers", open_writers, View),
        ListedStatement::new("sync.still_writing", still_writing, View),
        ListedStatement::new("sync.overwritten", overwritten, View),
        ListedStatement::new("sync.lock", lock, Base),
        ListedStatement::new("sync.lock_documents", lock_documents, View),
    ];
    if let Some(clear) = clear_unique {
        list.push(ListedStatement::new("sync.clear_unique", clear, View));
    }
    if let Some(holders) = unique_holders {
        list.push(ListedStatement::new("sync.unique_holders", holders, View));
    }
    list.extend([
        ListedStatement::new("sync.delete_orphans", delete_orphans, View),
        ListedStatement::new("sync.delete", delete, View),
        ListedStatement::new("sync.first_keys", first_keys, Base),
        ListedStatement::new("sync.next_keys", next_keys, Base),
        ListedStatement::new("sync.expected", expected, Base),
        ListedStatement::new("sync.expected_after", expected_after, Base),
        ListedStatement::new("sync.reject_reasons", reject_reasons, Base),
        ListedStatement::new("sync.set_session", set_session, View),
    ]);
    list
}

fn verify_statements(statements: &verify::VerifySql) -> [ListedStatement<'_>; 4] {
    use StatementTable::{Base, View};
    let verify::VerifySql {
        compare,
        both,
        first_sampled,
        next_sampled,
    } = statements;
    [
        ListedStatement::new("verify.compare", compare, View),
        ListedStatement::new("verify.both", both, View),
        ListedStatement::new("verify.first_sampled", first_sampled, Base),
        ListedStatement::new("verify.next_sampled", next_sampled, Base),
    ]
}

fn read_statements(statements: &read::ReadSql) -> Vec<ListedStatement<'_>> {
    use StatementTable::{Base, View};
    let read::ReadSql {
        find,
        find_unless,
        find_many,
        build,
        of_tenant,
    } = statements;
    let mut list = vec![
        ListedStatement::new("read.find", find, View),
        ListedStatement::new("read.find_many", find_many, View),
        ListedStatement::new("read.build", build, Base),
    ];
    let unless = find_unless.iter();
    list.extend(unless.map(|sql| ListedStatement::new("read.find_unless", sql, View)));
    list.extend(of_tenant.iter().flat_map(|sql| read_statements(sql)));
    list
}

fn part_statement(statements: &part::PartSql) -> ListedStatement<'_> {
    let part::PartSql {
        table: _,
        key: _,
        fk: _,
        replace,
    } = statements;
    ListedStatement::new("parts.replace", replace, StatementTable::View)
}

fn ddl_statements(statements: &ddl::Ddl) -> Vec<ListedStatement<'_>> {
    let ddl::Ddl {
        create_table,
        create_table_lz4,
        partitions,
        columns,
        indexes,
        create_twin,
    } = statements;
    let utility = |name, sql| {
        ListedStatement::new(name, sql, StatementTable::View).of_kind(StatementKind::Utility)
    };
    let mut list = vec![
        utility("ddl.create_table", create_table.as_str()),
        utility("ddl.create_table_lz4", create_table_lz4),
    ];
    for partition in partitions {
        let ddl::table::PartitionDdl {
            name: _,
            bound: _,
            sql,
        } = partition;
        list.push(utility("ddl.partitions.sql", sql));
    }
    for column in columns {
        let ddl::table::ColumnDdl {
            name: _,
            ty: _,
            add,
        } = column;
        list.extend(add.as_ref().map(|add| utility("ddl.columns.add", add)));
    }
    for index in indexes {
        let ddl::index::IndexDdl {
            name: _,
            expression: _,
            filter: _,
            sql,
            concurrently,
            drop_concurrently,
            comment,
            mark: _,
            twin,
        } = index;
        list.extend([
            utility("ddl.indexes.sql", sql),
            utility("ddl.indexes.concurrently", concurrently),
            utility("ddl.indexes.drop_concurrently", drop_concurrently),
            utility("ddl.indexes.comment", comment),
            utility("ddl.indexes.twin", twin),
        ]);
    }
    list.push(utility("ddl.create_twin", create_twin));
    list
}

fn function_statements(functions: &function::ViewFunctions) -> Vec<ListedStatement<'_>> {
    let function::ViewFunctions {
        lock,
        write,
        sync,
        call,
        // An expression.
        can_be_called: _,
    } = functions;
    let listed = |name, function| {
        ListedStatement::new(name, function, StatementTable::Base).of_kind(StatementKind::Function)
    };
    vec![
        listed("functions.lock", lock.create.as_str()),
        listed("functions.lock.drop", lock.drop.as_str()),
        listed("functions.write", write.create.as_str()),
        listed("functions.write.drop", write.drop.as_str()),
        listed("functions.sync", sync.create.as_str()),
        listed("functions.sync.drop", sync.drop.as_str()),
        listed("functions.call", call),
    ]
}

fn matview_statements(statements: &matview::MatviewSql) -> Vec<ListedStatement<'_>> {
    use StatementTable::{Refreshes, View};
    let matview::MatviewSql {
        create,
        fill,
        refresh,
        comment,
        // A text, not a statement.
        mark: _,
        compress,
        create_new,
        compress_new,
        fill_new,
        swap,
        create_refreshes,
        note,
        begin,
        begin_due,
        end,
        fail,
        age,
    } = statements;
    let listed = ListedStatement::new;
    let utility = |name, sql, table| listed(name, sql, table).of_kind(StatementKind::Utility);
    let mut list = vec![
        utility("matview.create", create.as_str(), View),
        utility("matview.fill", fill, View),
        utility("matview.refresh", refresh, View),
        utility("matview.comment", comment, View),
        utility("matview.compress", compress, View),
        utility("matview.create_new", create_new, View),
        utility("matview.compress_new", compress_new, View),
        utility("matview.fill_new", fill_new, View),
        utility("matview.create_refreshes", create_refreshes, Refreshes),
        listed("matview.note", note, Refreshes),
        listed("matview.begin", begin, Refreshes),
        listed("matview.begin_due", begin_due, Refreshes),
        listed("matview.end", end, Refreshes),
        listed("matview.fail", fail, Refreshes),
        listed("matview.age", age, Refreshes),
    ];
    list.extend(swap.iter().map(|sql| utility("matview.swap", sql, View)));
    list
}

fn rebuild_statements(statements: &rebuild::RebuildSql) -> [ListedStatement<'_>; 17] {
    use StatementTable::{Base, Bookkeeping, View};
    let rebuild::RebuildSql {
        table: _,
        create,
        status,
        state,
        has_documents,
        has_rows,
        lacks_documents,
        lock,
        lock_again,
        begin,
        record,
        finish,
        note,
        note_empty,
        note_unfilled,
        note_filled,
        first_keys,
        next_keys,
    } = statements;
    [
        ListedStatement::new("rebuild.create", create, Bookkeeping).of_kind(StatementKind::Utility),
        ListedStatement::new("rebuild.status", status, Bookkeeping),
        ListedStatement::new("rebuild.state", state, Bookkeeping),
        ListedStatement::new("rebuild.has_documents", has_documents, View),
        ListedStatement::new("rebuild.has_rows", has_rows, Base),
        ListedStatement::new("rebuild.lacks_documents", lacks_documents, Base),
        ListedStatement::new("rebuild.lock", lock, View),
        ListedStatement::new("rebuild.lock_again", lock_again, View),
        ListedStatement::new("rebuild.begin", begin, Bookkeeping),
        ListedStatement::new("rebuild.record", record, Bookkeeping),
        ListedStatement::new("rebuild.finish", finish, Bookkeeping),
        ListedStatement::new("rebuild.note", note, Bookkeeping),
        ListedStatement::new("rebuild.note_empty", note_empty, Bookkeeping),
        ListedStatement::new("rebuild.note_unfilled", note_unfilled, Bookkeeping),
        ListedStatement::new("rebuild.note_filled", note_filled, Bookkeeping),
        ListedStatement::new("rebuild.first_keys", first_keys, View),
        ListedStatement::new("rebuild.next_keys", next_keys, View),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{StatementKind, Statements};
    use crate as fraiseql_runtime;
    use crate::view::ViewDef as _;
    use crate::{Embed, TView};

    #[derive(TView)]
    #[tview(
        crate = fraiseql_runtime,
        index(on = "title, id", filter = "title <> ''"),
        partition(hash = 2)
    )]
    #[allow(dead_code)]
    struct Post {
        id: i64,
        #[tview(filter, sort)]
        title: String,
        #[tview(one(fk = "author_id"))]
        author: User,
    }

    #[derive(TView)]
    #[tview(crate = fraiseql_runtime)]
    #[allow(dead_code)]
    struct Account {
        id: i64,
        #[tview(unique)]
        code: String,
    }

    #[derive(Embed)]
    #[tview(crate = fraiseql_runtime)]
    #[allow(dead_code)]
    struct User {
        id: i64,
        name: String,
    }

    /// The texts of all fields that are statements, whatever the fields are called: `Debug`
    /// prints every field, and a statement begins with a command.
    fn statement_fields(statements: &Statements) -> BTreeSet<String> {
        const COMMANDS: [&str; 10] = [
            "WITH", "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "COMMENT", "DROP",
            "BEGIN",
        ];
        format!("{statements:#?}")
            .lines()
            .filter_map(|line| {
                let text = line.split_once('"')?.1.rsplit_once('"')?.0;
                let command = text.split([' ', '\\', ';']).next()?;
                COMMANDS.contains(&command).then(|| text.to_owned())
            })
            .collect()
    }

    #[test]
    fn every_statement_field_is_listed() {
        for statements in [Post::composed(), Account::composed()] {
            let listed: BTreeSet<String> = statements
                .all()
                .map(|statement| {
                    let text = format!("{:?}", statement.sql);
                    text[1..text.len() - 1].to_owned()
                })
                .collect();
            let fields = statement_fields(statements);
            let different: Vec<_> = listed.symmetric_difference(&fields).collect();
            assert!(different.is_empty(), "{different:#?}");
        }
    }

    #[test]
    fn the_number_of_listed_statements_is_that_of_the_fields() {
        let count = |statements: &Statements| {
            let kinds = [
                StatementKind::Query,
                StatementKind::Utility,
                StatementKind::Function,
            ];
            kinds.map(|kind| {
                let listed = statements.all().filter(|statement| statement.kind == kind);
                listed.count()
            })
        };
        // 19 of a sync, 4 of a verification, 4 of reads, 1 of the part `author`, 16 of a rebuild;
        // the table twice, its twin, 2 partitions, the columns `title` and `shape`, 5 for each of
        // 2 indexes, and the bookkeeping table; 3 functions, each created and dropped, and a call.
        assert_eq!(count(Post::composed()), [44, 18, 7]);
        // Two more of a sync, for unique columns, and no part; no partition, 1 index.
        assert_eq!(count(Account::composed()), [45, 11, 7]);
    }

    #[test]
    fn only_functions_have_several_statements() {
        for statement in Post::composed().all() {
            assert!(
                !statement.sql.contains(";\n") || statement.kind == StatementKind::Function,
                "{}",
                statement.name
            );
        }
    }
}
