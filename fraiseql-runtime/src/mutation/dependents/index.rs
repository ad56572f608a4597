//! Which tables the documents of a read model are made of, and the ways from their rows up to
//! the documents. Read from the constant tables, once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::mutation::dependents::cascade::Cache;
use crate::mutation::dependents::composed::Composed;
use crate::schema::naming::table_name as name;
use crate::schema::{Link, Shape, Source, Table, View};
use crate::sql::dependents;
use crate::sql::dependents::Step;
use crate::sql::part::PartSql;
use crate::sql::write::advisory;
use crate::view::Handle;

/// A way from the rows of a table to the documents of a view, and what it is called.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) view: Handle,
    /// `tb_comment.post_id -> Post.comments, Post.comment_count`.
    pub(crate) text: Arc<str>,
    /// How far from the document's own row: that has 0, what it refers to has 1.
    pub(crate) depth: usize,
    pub(super) sql: dependents::Way,
}

/// The ways of a read model, by table.
pub(crate) struct Index {
    tables: BTreeMap<Table, Vec<Way>>,
    composed: Composed<Statement>,
    /// What goes with deleted rows.
    pub(crate) foreign_keys: Cache,
}

/// What a statement depends on.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Statement {
    /// The documents of rows, by a column and the type of its values.
    Find {
        table: Table,
        column: String,
        ty: &'static str,
        lock: bool,
    },
    /// Where such rows begin their ways.
    OldValues {
        table: Table,
        column: String,
        ty: &'static str,
    },
    /// The documents of the ways that begin with a column, whose type is as the database says.
    FindFrom {
        table: Table,
        column: String,
        ty: String,
    },
    /// These view tables.
    Announce(Vec<Table>),
}

impl Way {
    /// Whether it begins with another column of the rows than the one they are named by: then
    /// an update of that column moves them.
    pub(crate) fn leaves_by_other(&self, column: &str) -> bool {
        self.sql.wanted != column
    }

    /// The column of the rows that it begins with.
    pub(crate) fn first_column(&self) -> &str {
        self.sql.wanted
    }

    /// The part that these rows, named by `column`, are in the root objects of the documents.
    pub(crate) fn part(&self, table: Table, column: &str, ty: &str) -> Option<&'static PartSql> {
        let [step] = self.sql.steps.as_slice() else {
            return None;
        };
        let view = self.view.view;
        let is_root = step.table == view.shape.table && step.wanted == view.key.column;
        let is_of = |part: &&PartSql| {
            part.table == table
                && part.key.column == column
                && part.key.ty.sql == ty
                && part.fk == step.by
        };
        let parts = &self.view.statements().parts;
        (is_root && self.sql.wanted == column)
            .then(|| parts.iter().find(is_of))
            .flatten()
    }
}

impl Index {
    pub(crate) fn of(views: &[Handle]) -> Self {
        let mut index = Self {
            tables: BTreeMap::new(),
            composed: Composed::default(),
            foreign_keys: Cache::default(),
        };
        // In the order in which documents are written.
        let mut views: Vec<Handle> = views.to_vec();
        views.sort_by_key(|handle| handle.view.table);
        for handle in views {
            let view = handle.view;
            let root = Place {
                path: view.shape.name.to_owned(),
                depth: 0,
                wanted: view.key.column,
                steps: Vec::new(),
            };
            index.walk(handle, view.shape, &root);
        }
        index
    }

    /// The ways from a table; none where no document is made of its rows.
    pub(crate) fn ways(&self, table: Table) -> &[Way] {
        self.tables.get(&table).map_or(&[], Vec::as_slice)
    }

    /// The table that documents are made of, by its names.
    pub(crate) fn table_called(&self, schema: &str, name: &str) -> Option<Table> {
        self.tables()
            .find(|table| table.schema == schema && table.name == name)
    }

    /// The tables that documents are made of.
    pub(crate) fn tables(&self) -> impl Iterator<Item = Table> + '_ {
        self.tables.keys().copied()
    }

    /// The statement that follows all ways from the rows of a table.
    pub(super) fn statement(
        &self,
        table: Table,
        column: &str,
        ty: &'static str,
        lock: bool,
    ) -> Arc<str> {
        let key = Statement::Find {
            table,
            column: column.to_owned(),
            ty,
            lock,
        };
        self.composed.get(key, || {
            let ways: Vec<_> = self
                .ways(table)
                .iter()
                .map(|way| (&way.sql, way.view.view))
                .collect();
            dependents::compose(table, column, ty, &ways, lock)
        })
    }

    /// The columns of a table that its ways begin with, each once.
    pub(super) fn first_columns(&self, table: Table) -> BTreeSet<&str> {
        self.ways(table).iter().map(Way::first_column).collect()
    }

    /// The statement that reads what rows have in the columns that ways begin with.
    pub(super) fn old_values(&self, table: Table, column: &str, ty: &'static str) -> Arc<str> {
        let key = Statement::OldValues {
            table,
            column: column.to_owned(),
            ty,
        };
        self.composed.get(key, || {
            let wanted: Vec<&str> = self.first_columns(table).into_iter().collect();
            dependents::old_values(table, column, ty, &wanted)
        })
    }

    /// The ways from a table that begin with this column.
    pub(super) fn ways_from(&self, table: Table, column: &str) -> impl Iterator<Item = &Way> {
        let ways = self.ways(table).iter();
        ways.filter(move |way| way.first_column() == column)
    }

    /// The statement that follows them.
    pub(super) fn find_from(&self, table: Table, column: &str, ty: &str) -> Arc<str> {
        let key = Statement::FindFrom {
            table,
            column: column.to_owned(),
            ty: ty.to_owned(),
        };
        self.composed.get(key, || {
            let ways: Vec<_> = self
                .ways_from(table, column)
                .map(|way| (&way.sql, way.view.view))
                .collect();
            dependents::from_values(table, column, ty, &ways)
        })
    }

    /// The statement that says to other syncs that documents of these views may change.
    pub(crate) fn announce(&self, views: &[&View]) -> Arc<str> {
        let key = Statement::Announce(views.iter().map(|view| view.table).collect());
        self.composed.get(key, || advisory::announce(views))
    }

    /// The rows of `shape` at `place`, and those that they refer to.
    fn walk(&mut self, handle: Handle, shape: &'static Shape, place: &Place) {
        self.add(handle, shape.table, place);
        for field in shape.fields {
            let path = format!("{}.{}", place.path, field.name);
            // The rows whose `own` is that of this row.
            let up = |own, wanted| {
                place.below(
                    path.clone(),
                    shape.table,
                    shape.key.map(|key| key.column),
                    own,
                    wanted,
                )
            };
            match &field.source {
                Source::Column { .. } | Source::Expr { .. } => {}
                Source::One(one) => {
                    let child = (one.shape)();
                    let key = one.key.unwrap_or(child.key_column());
                    self.walk(handle, child, &up(one.fk, key));
                }
                Source::Many(many) => {
                    let child = (many.shape)();
                    let own = many.key.unwrap_or(shape.key_column());
                    match many.link {
                        Link::ForeignKey(fk) => self.walk(handle, child, &up(own, fk)),
                        Link::Through { table, fk, to, key } => {
                            let joined = up(own, fk);
                            self.add(handle, table, &joined);
                            let key = key.unwrap_or(child.key_column());
                            let mut place = joined.below(path.clone(), table, None, to, key);
                            place.depth = joined.depth;
                            self.walk(handle, child, &place);
                        }
                    }
                }
                Source::Aggregate(aggregate) => {
                    let own = aggregate.key.unwrap_or(shape.key_column());
                    self.add(handle, aggregate.table, &up(own, aggregate.fk));
                }
            }
        }
    }

    /// Adds a way; one that is there already is called by both names.
    fn add(&mut self, handle: Handle, table: Table, place: &Place) {
        let ways = self.tables.entry(table).or_default();
        let sql = place.way();
        let twin = ways
            .iter_mut()
            .find(|way| way.view.view.table == handle.view.table && way.sql == sql);
        match twin {
            Some(twin) => {
                twin.text = format!("{}, {}", twin.text, place.path).into();
                twin.depth = twin.depth.min(place.depth);
            }
            None => ways.push(Way {
                view: handle,
                text: format!("{}.{} -> {}", name(table), sql.wanted, place.path).into(),
                depth: place.depth,
                sql,
            }),
        }
    }
}

/// Where rows stand in the documents of a view.
struct Place {
    /// `Post.comments`.
    path: String,
    depth: usize,
    /// The column of these rows that the way up begins with.
    wanted: &'static str,
    /// The lookups from there.
    steps: Vec<Step>,
}

impl Place {
    /// The rows whose `wanted` is the `own` of the rows here, which are of `table`. That takes no
    /// lookup where `own` is what the way from here begins with.
    fn below(
        &self,
        path: String,
        table: Table,
        key: Option<&'static str>,
        own: &'static str,
        wanted: &'static str,
    ) -> Self {
        let here = (own != self.wanted).then_some(Step {
            table,
            by: own,
            wanted: self.wanted,
            key,
        });
        Self {
            path,
            depth: self.depth + 1,
            wanted,
            steps: here.into_iter().chain(self.steps.iter().cloned()).collect(),
        }
    }

    fn way(&self) -> dependents::Way {
        dependents::Way {
            wanted: self.wanted,
            steps: self.steps.clone(),
        }
    }
}

impl fmt::Debug for Index {
    /// The ways, as texts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = self.tables.values().flatten().map(|way| &way.text);
        f.debug_list().entries(texts).finish()
    }
}
