//! The dependency index: which tables the documents of a read model are made of, and the paths
//! from their rows to the documents. Derived from the constant tables, once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::mutation::dependents::statement_cache::StatementCache;
use crate::schema::columns::ColumnNames;
use crate::schema::default_schema::DefaultSchema;
use crate::schema::naming::{nearest_name, table_name};
use crate::schema::{Columns, Link, Shape, Source, Table, TableName, View};
use crate::sql::cascade::{self, FoundBy};
use crate::sql::dependents;
use crate::sql::dependents::TableLookup;
use crate::sql::function::model::{self, ModelFunctions, ModelPath};
use crate::sql::part::PartSql;
use crate::sql::session::Session;
use crate::sql::write::advisory;
use crate::sql::written_tables;
use crate::view::Handle;

/// A path from the rows of a table to the documents of a view.
#[derive(Clone, Debug)]
pub(crate) struct EmbedPath {
    pub(crate) view: Handle,
    /// `tb_comment.post_id -> Post.comments, Post.comment_count`.
    pub(crate) text: Arc<str>,
    /// The distance to the root row, which has 0. A join table does not count.
    pub(crate) depth: usize,
    sql: dependents::LookupChain,
}

/// The paths of a read model, by table, and the statements that follow them.
pub(crate) struct DependencyIndex {
    tables: BTreeMap<Table, Vec<EmbedPath>>,
    /// The names and tables of all structs that documents are made of.
    shapes: BTreeSet<(&'static str, Table)>,
    /// The tables that views without a view table are made of.
    unsynced: BTreeSet<Table>,
    statements: StatementCache<StatementKey>,
    /// The schema that stands for `public` in declared tables.
    schema: DefaultSchema,
}

/// What the text of a statement depends on.
#[derive(Debug, PartialEq, Eq, Hash)]
enum StatementKey {
    /// Follows all paths from rows, which are found by columns and the type of their values.
    Find {
        table: Table,
        columns: ColumnNames,
        ty: &'static str,
        lock: bool,
    },
    /// Reads the values of columns in rows that are found in the way of `by`.
    Images {
        table: TableName,
        only: bool,
        columns: Vec<String>,
        by: String,
        lock: bool,
    },
    /// Follows the paths that leave rows by some columns, from values of their type in the database.
    FindFormer {
        table: Table,
        columns: ColumnNames,
        ty: String,
    },
    /// Sets the search path for paths to these view tables.
    SetPath(Vec<Table>),
    /// Announces a transaction for these view tables.
    Announce(Vec<Table>),
    /// Finds those of these tables that were written to.
    Written(Vec<Table>),
    /// Notes how much was written to all tables.
    NoteCounts,
}

impl EmbedPath {
    /// Whether the path leaves the rows by other columns than those by which they were marked. Then an
    /// update of these moves them to other documents.
    pub(crate) fn leaves_through_sibling(&self, marked: &ColumnNames) -> bool {
        *marked != self.first_columns()
    }

    /// The columns by which the path leaves the rows.
    pub(crate) fn first_columns(&self) -> Columns {
        self.sql.wanted
    }

    /// The part of the documents' root objects that rows of `table` are, if the root row references them by the
    /// columns by which the path leaves them.
    pub(crate) fn part_by_key(&self, table: Table) -> Option<&'static PartSql> {
        let parts = &self.view.statements().parts;
        let types = parts.iter().map(|part| part.key.sql_type());
        let first = ColumnNames::from(self.first_columns());
        types.filter_map(|ty| self.part(table, &first, ty)).next()
    }

    /// The part of the documents' root objects that rows of `table` are, which were marked by
    /// these columns. None unless the root row references them by these.
    pub(super) fn part(
        &self,
        table: Table,
        marked: &ColumnNames,
        ty: &str,
    ) -> Option<&'static PartSql> {
        // Exactly one step, and that reads the view's key from its base table.
        let [step] = self.sql.lookups.as_slice() else {
            return None;
        };
        let view = self.view.view;
        let is_root = step.table == view.shape.table && step.wanted == view.key.columns;
        if !is_root || self.leaves_through_sibling(marked) {
            return None;
        }
        let parts = &self.view.statements().parts;
        parts.iter().find(|part| {
            part.table == table
                && *marked == part.key.columns
                && part.key.sql_type() == ty
                && part.fk == step.by
        })
    }
}

impl DependencyIndex {
    pub(crate) fn new(views: &[Handle]) -> Self {
        let mut index = Self {
            tables: BTreeMap::new(),
            shapes: BTreeSet::new(),
            unsynced: BTreeSet::new(),
            statements: StatementCache::default(),
            schema: DefaultSchema::DECLARED,
        };
        // In the order in which documents are written.
        let mut views: Vec<Handle> = views.to_vec();
        views.sort_by_key(|handle| handle.view.table);
        for handle in views {
            let view = handle.view;
            let root = PathEnd {
                field: view.shape.name.to_owned(),
                depth: 0,
                wanted: view.key.columns,
                steps: Vec::new(),
            };
            index.add_shape(handle, view.shape, &root);
        }
        index
    }

    /// Adds views without a view table: nothing is synced after a change of their tables, but their names are
    /// known. So the storage of a view can be switched, and the code that marks rows stays.
    pub(crate) fn with_unsynced(mut self, views: &[Handle]) -> Self {
        let others = Self::new(views);
        self.unsynced = others.tables.into_keys().collect();
        self.shapes.extend(others.shapes);
        self
    }

    /// Whether documents of any storage are made of a table's rows.
    pub(crate) fn knows(&self, table: Table) -> bool {
        self.tables.contains_key(&table) || self.unsynced.contains(&table)
    }

    /// The paths from a table. Empty if no document is made of its rows.
    pub(crate) fn paths(&self, table: Table) -> &[EmbedPath] {
        self.tables.get(&table).map_or(&[], Vec::as_slice)
    }

    /// All paths, with the tables that they leave. Functions of the database name them by their positions.
    pub(crate) fn all_paths(&self) -> impl Iterator<Item = (Table, &EmbedPath)> {
        let tables = self.tables.iter();
        tables.flat_map(|(table, paths)| paths.iter().map(|path| (*table, path)))
    }

    /// The length of the longest path.
    pub(crate) fn max_depth(&self) -> usize {
        let depths = self.all_paths().map(|(_, path)| path.depth);
        depths.max().unwrap_or_default()
    }

    /// Composes the functions that do in the database what the index is for.
    pub(crate) fn functions(&self, views: &[Handle], captures: bool) -> Option<ModelFunctions> {
        let mut views: Vec<_> = views
            .iter()
            .map(|handle| (handle.view, &handle.statements().functions))
            .collect();
        views.sort_by_key(|(view, _)| view.table);
        let paths = self
            .all_paths()
            .enumerate()
            .map(|(position, (table, path))| {
                let path = ModelPath {
                    position,
                    view: path.view.view,
                    chain: &path.sql,
                    text: &path.text,
                };
                (table, path)
            });
        model::compose(&views, &paths.collect::<Vec<_>>(), captures)
    }

    /// Sets the schema of the views that it was made of.
    pub(crate) fn in_schema(self, schema: DefaultSchema) -> Self {
        Self { schema, ..self }
    }

    /// The schema that stands for `public` in declared tables.
    pub(crate) const fn schema(&self) -> DefaultSchema {
        self.schema
    }

    /// Whether documents contain this declared shape, or are of it.
    pub(crate) fn contains(&self, shape: &Shape) -> bool {
        let table = self.schema.table(shape.table);
        self.shapes.contains(&(shape.name, table))
    }

    /// The tables that documents are made of.
    pub(crate) fn tables(&self) -> impl Iterator<Item = Table> + '_ {
        self.tables.keys().copied()
    }

    /// The table of this name, if documents are made of its rows.
    pub(crate) fn find_table(&self, name: &TableName) -> Option<Table> {
        self.tables().find(|table| *name == *table)
    }

    /// The name of a table that documents are made of which is most like this one.
    pub(crate) fn nearest_table(&self, wanted: &str) -> Option<String> {
        let names: Vec<String> = self.tables().map(table_name).collect();
        nearest_name(wanted, names.iter().map(String::as_str)).map(ToOwned::to_owned)
    }

    /// The table that a user means: `table` in the schema `public`, `schema.table`, or both parts
    /// quoted.
    pub(crate) fn table_named(&self, wanted: &str) -> Result<Table> {
        let is_named = |table: &Table| {
            (table.schema == self.schema.name() && table.name == wanted)
                || table_name(*table) == wanted
                || wanted == format!("{}.{}", table.schema, table.name)
                || wanted == table.to_string()
        };
        self.tables()
            .chain(self.unsynced.iter().copied())
            .find(is_named)
            .ok_or_else(|| Error::NoSuchTable {
                table: wanted.to_owned(),
                near: self.nearest_table(wanted),
            })
    }

    /// The tables whose rows a mutation locks on its way to documents, each with columns of theirs.
    pub(crate) fn locked_tables(&self) -> BTreeMap<Table, Columns> {
        let mut locked = BTreeMap::new();
        for path in self.tables.values().flatten() {
            let view = path.view.view;
            for lookup in &path.sql.lookups {
                // As in the statement: the root row needs no lock.
                if lookup.table != view.shape.table || lookup.wanted != view.key.columns {
                    locked
                        .entry(lookup.table)
                        .or_insert(lookup.key.unwrap_or(lookup.by));
                }
            }
        }
        locked
    }

    /// The columns by which paths leave the rows of a table, each set once.
    pub(crate) fn first_columns(&self, table: Table) -> BTreeSet<Columns> {
        let paths = self.paths(table).iter();
        paths.map(EmbedPath::first_columns).collect()
    }

    /// The paths that leave the rows of a table by these columns.
    pub(super) fn paths_leaving_by(
        &self,
        table: Table,
        columns: &ColumnNames,
    ) -> impl Iterator<Item = &EmbedPath> {
        let paths = self.paths(table).iter();
        paths.filter(move |path| *columns == path.first_columns())
    }

    /// The statement that follows all paths from the rows of a table.
    pub(super) fn find_statement(
        &self,
        table: Table,
        columns: &ColumnNames,
        ty: &'static str,
        lock: bool,
    ) -> Arc<str> {
        let key = StatementKey::Find {
            table,
            columns: columns.clone(),
            ty,
            lock,
        };
        self.statements.get(key, || {
            let paths: Vec<_> = self
                .paths(table)
                .iter()
                .map(|path| (&path.sql, path.view.view))
                .collect();
            dependents::compose(table, columns, ty, &paths, lock)
        })
    }

    /// The statement that reads the values of some columns in rows of a table.
    pub(super) fn images_statement(
        &self,
        table: &TableName,
        only: bool,
        columns: &[&str],
        by: FoundBy<'_>,
        lock: bool,
    ) -> Arc<str> {
        let key = StatementKey::Images {
            table: table.clone(),
            only,
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            by: format!("{by:?}"),
            lock,
        };
        self.statements.get(key, || {
            cascade::images(&table.to_string(), only, columns, by, lock)
        })
    }

    /// The statement that follows the paths that leave rows by these columns.
    pub(super) fn find_former_statement(
        &self,
        table: Table,
        columns: &ColumnNames,
        ty: &str,
    ) -> Arc<str> {
        let key = StatementKey::FindFormer {
            table,
            columns: columns.clone(),
            ty: ty.to_owned(),
        };
        self.statements.get(key, || {
            let paths: Vec<_> = self
                .paths_leaving_by(table, columns)
                .map(|path| (&path.sql, path.view.view))
                .collect();
            dependents::from_values(table, columns, ty, &paths)
        })
    }

    /// The statement that announces a transaction which may change documents of these views.
    pub(crate) fn announce(&self, views: &[&View]) -> Arc<str> {
        let key = StatementKey::Announce(views.iter().map(|view| view.table).collect());
        self.statements.get(key, || advisory::announce(views))
    }

    /// The views whose documents may depend on rows of a table, each once, in the order of tables.
    pub(crate) fn views_of(&self, table: Table) -> Vec<&'static View> {
        let views: BTreeMap<Table, &'static View> = self
            .paths(table)
            .iter()
            .map(|path| (path.view.view.table, path.view.view))
            .collect();
        views.into_values().collect()
    }

    /// The statement that makes a transaction compare the keys on paths to these views by the right
    /// operators. `None` if every session does.
    pub(crate) fn set_path(&self, views: &[&'static View]) -> Option<Arc<str>> {
        let key = StatementKey::SetPath(views.iter().map(|view| view.table).collect());
        let compose = || {
            let session = Session::of(views.iter().map(|view| view.shape));
            session.set_path().unwrap_or_default()
        };
        Some(self.statements.get(key, compose)).filter(|sql| !sql.is_empty())
    }

    /// The statement that finds those of these tables to which the transaction has written.
    pub(crate) fn written(&self, tables: &[Table]) -> Arc<str> {
        let key = StatementKey::Written(tables.to_vec());
        self.statements.get(key, || written_tables::written(tables))
    }

    /// The statement that notes at the beginning of a transaction what [`written`](Self::written)
    /// compares.
    pub(crate) fn note_counts(&self) -> Arc<str> {
        self.statements.get(StatementKey::NoteCounts, || {
            let tables: Vec<Table> = self.tables().collect();
            written_tables::note_counts(&tables)
        })
    }

    /// Adds the paths from the rows of `shape`, and from those that they embed.
    ///
    /// It goes down from the root, and each path is extended at its lower end. It ends because the
    /// derive refuses structs that contain themselves.
    fn add_shape(&mut self, handle: Handle, shape: &'static Shape, end: &PathEnd) {
        self.add(handle, shape.table, end);
        self.shapes.insert((shape.name, shape.table));
        for field in shape.fields {
            let path = format!("{}.{}", end.field, field.name);
            // The rows whose columns `wanted` have the values of this row's columns `own`.
            let extended = |own, wanted| {
                end.extended(
                    path.clone(),
                    shape.table,
                    shape.key.map(|key| key.columns),
                    own,
                    wanted,
                )
            };
            match &field.source {
                Source::Column { .. }
                | Source::Expr { .. }
                | Source::GlobalId { .. }
                | Source::Through { .. }
                | Source::OfGroup(_) => {}
                Source::One(one) => {
                    let child = one.shape.get();
                    let key = one.key.unwrap_or(child.key_columns());
                    self.add_shape(handle, child, &extended(one.fk, key));
                }
                Source::Many(many) | Source::First(many) => {
                    let child = many.shape.get();
                    let own = many.key.unwrap_or(shape.key_columns());
                    match many.link {
                        Link::ForeignKey(fk) => self.add_shape(handle, child, &extended(own, fk)),
                        Link::Through {
                            table, fk, to, key, ..
                        } => {
                            // Rows of the join table lead to documents, too.
                            let joined = extended(own, fk);
                            self.add(handle, table, &joined);
                            let key = key.unwrap_or(child.key_columns());
                            let far = joined.through(&path, table, to, key);
                            self.add_shape(handle, child, &far);
                        }
                    }
                }
                Source::Values(values) => {
                    let own = values.key.unwrap_or(shape.key_columns());
                    match values.link {
                        Link::ForeignKey(fk) => {
                            self.add(handle, values.table, &extended(own, fk));
                        }
                        Link::Through {
                            table, fk, to, key, ..
                        } => {
                            let joined = extended(own, fk);
                            self.add(handle, table, &joined);
                            let far = joined.through(&path, table, to, key.unwrap_or(Columns::ID));
                            self.add(handle, values.table, &far);
                        }
                    }
                }
                Source::Aggregate(aggregate) => {
                    let own = aggregate.key.unwrap_or(shape.key_columns());
                    match aggregate.through {
                        None => self.add(handle, aggregate.table, &extended(own, aggregate.fk)),
                        Some(rows) => {
                            let between = extended(own, rows.fk);
                            self.add(handle, rows.table, &between);
                            let key = Some(rows.key);
                            let far = between.extended(
                                path.clone(),
                                rows.table,
                                key,
                                rows.key,
                                aggregate.fk,
                            );
                            self.add(handle, aggregate.table, &far);
                        }
                    }
                }
            }
        }
    }

    /// Adds a path. If it takes the same steps as another one, the two are merged, with both names.
    fn add(&mut self, handle: Handle, table: Table, end: &PathEnd) {
        let paths = self.tables.entry(table).or_default();
        let sql = dependents::LookupChain {
            wanted: end.wanted,
            lookups: end.steps.clone(),
        };
        let twin = paths
            .iter_mut()
            .find(|path| path.view.view.table == handle.view.table && path.sql == sql);
        match twin {
            Some(twin) => {
                twin.text = format!("{}, {}", twin.text, end.field).into();
                twin.depth = twin.depth.min(end.depth);
            }
            None => paths.push(EmbedPath {
                view: handle,
                text: format!("{}.{} -> {}", table_name(table), sql.wanted, end.field).into(),
                depth: end.depth,
                sql,
            }),
        }
    }
}

/// The lower end of a path while it is extended from the root down.
struct PathEnd {
    /// The field that embeds the rows: `Post.comments`.
    field: String,
    depth: usize,
    /// The columns by which the path leaves the rows upwards.
    wanted: Columns,
    /// The lookups from there up to the document's key.
    steps: Vec<TableLookup>,
}

impl PathEnd {
    /// The path from the rows below: those whose columns `wanted` have the values of the columns `own`
    /// of the rows here, which are of `table`.
    ///
    /// If `own` are also the columns by which the path leaves the rows here, no lookup in `table` is
    /// needed: a comment's `post_id` is the key of the post.
    fn extended(
        &self,
        field: String,
        table: Table,
        key: Option<Columns>,
        own: Columns,
        wanted: Columns,
    ) -> Self {
        let lookup = (own != self.wanted).then_some(TableLookup {
            table,
            by: own,
            wanted: self.wanted,
            key,
        });
        Self {
            field,
            depth: self.depth + 1,
            wanted,
            steps: lookup
                .into_iter()
                .chain(self.steps.iter().cloned())
                .collect(),
        }
    }
}

impl PathEnd {
    /// The path from the rows that rows of a join table refer to: this path begins at the join table.
    fn through(&self, field: &str, table: Table, to: Columns, key: Columns) -> Self {
        Self {
            depth: self.depth,
            ..self.extended(field.to_owned(), table, None, to, key)
        }
    }
}

impl fmt::Debug for DependencyIndex {
    /// The texts of the paths.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = self.tables.values().flatten().map(|path| &path.text);
        f.debug_list().entries(texts).finish()
    }
}
