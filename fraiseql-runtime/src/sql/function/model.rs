//! The functions of a read model.

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::{Link, Shape, Source, Table, View};
use crate::sql::dependents::LookupChain;
use crate::sql::function::definition::{FunctionDdl, FunctionText};
use crate::sql::function::drain::{Drain, DrainedView};
use crate::sql::function::{ViewFunctions, dependents, flush};
use crate::sql::hash::fnv1a;

/// A path from the rows of a table to the documents of a view, as the functions of a read model use it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ModelPath<'a> {
    /// The position among all paths.
    pub(crate) position: usize,
    pub(crate) view: &'static View,
    pub(crate) chain: &'a LookupChain,
    /// `tb_comment.post_id -> Post.comments`.
    pub(crate) text: &'a str,
}

/// The paths that leave the rows of a table by one column.
#[derive(Debug)]
pub(super) struct PathGroup<'a> {
    pub(super) table: Table,
    pub(super) column: &'static str,
    /// The type of the column's values, if it is known and not a text, which may be of another type in the
    /// database.
    pub(super) ty: Option<&'static str>,
    pub(super) paths: Vec<ModelPath<'a>>,
}

/// The views and the paths of a read model.
#[derive(Debug)]
pub(super) struct ModelPaths<'a> {
    /// In the order of their tables, in which documents are locked.
    pub(super) views: Vec<&'static View>,
    pub(super) groups: Vec<PathGroup<'a>>,
}

impl<'a> ModelPaths<'a> {
    fn new(views: Vec<&'static View>, paths: &[(Table, ModelPath<'a>)]) -> Self {
        let types = ColumnTypes::of(&views);
        let mut groups: BTreeMap<(Table, &str), Vec<ModelPath<'a>>> = BTreeMap::new();
        for (table, path) in paths {
            let group = groups.entry((*table, path.chain.wanted)).or_default();
            group.push(*path);
        }
        let groups = groups
            .into_iter()
            .map(|((table, column), paths)| PathGroup {
                table,
                column,
                ty: types.find(table, column),
                paths,
            });
        Self {
            views,
            groups: groups.collect(),
        }
    }

    /// The tables that documents are made of.
    pub(super) fn tables(&self) -> BTreeSet<Table> {
        self.groups.iter().map(|group| group.table).collect()
    }

    /// The paths from a table.
    pub(super) fn paths_of(&self, table: Table) -> impl Iterator<Item = &ModelPath<'a>> {
        let groups = self.groups.iter().filter(move |group| group.table == table);
        groups.flat_map(|group| &group.paths)
    }

    /// The position of a view.
    pub(super) fn position(&self, view: &View) -> usize {
        let mut tables = self.views.iter().map(|view| view.table);
        tables
            .position(|table| table == view.table)
            .unwrap_or_default()
    }
}

/// The types of columns of base tables, as far as structs tell.
struct ColumnTypes(BTreeMap<(Table, &'static str), &'static str>);

impl ColumnTypes {
    fn of(views: &[&'static View]) -> Self {
        let mut types = Self(BTreeMap::new());
        // Foreign keys have the type of the keys that they refer to, which may be told by a struct
        // that is visited later.
        for _ in 0..2 {
            for view in views {
                types.note(view.shape.table, view.key.column, view.key.ty.sql);
                types.shape(view.shape);
            }
        }
        types
    }

    fn note(&mut self, table: Table, column: &'static str, ty: &'static str) {
        self.0.entry((table, column)).or_insert(ty);
    }

    /// Notes that two columns are compared with each other.
    fn same(&mut self, one: (Table, &'static str), other: (Table, &'static str)) {
        let (of_one, of_other) = (self.0.get(&one).copied(), self.0.get(&other).copied());
        match (of_one, of_other) {
            (Some(ty), None) => self.note(other.0, other.1, ty),
            (None, Some(ty)) => self.note(one.0, one.1, ty),
            _ => {}
        }
    }

    fn shape(&mut self, shape: &'static Shape) {
        if let Some(key) = shape.key {
            self.note(shape.table, key.column, key.ty.sql);
        }
        for field in shape.fields {
            match &field.source {
                Source::Column { column, ty } if ty.list.is_none() => {
                    self.note(shape.table, column, ty.sql);
                }
                Source::Column { .. } | Source::Expr { .. } => {}
                Source::One(one) => {
                    let child = (one.shape)();
                    self.shape(child);
                    let key = one.key.unwrap_or(child.key_column());
                    self.same((shape.table, one.fk), (child.table, key));
                }
                Source::Many(many) => {
                    let child = (many.shape)();
                    self.shape(child);
                    let own = (shape.table, many.key.unwrap_or(shape.key_column()));
                    match many.link {
                        Link::ForeignKey(fk) => self.same(own, (child.table, fk)),
                        Link::Through { table, fk, to, key } => {
                            self.same(own, (table, fk));
                            let key = key.unwrap_or(child.key_column());
                            self.same((child.table, key), (table, to));
                        }
                    }
                }
                Source::Aggregate(aggregate) => {
                    let own = aggregate.key.unwrap_or(shape.key_column());
                    self.same((shape.table, own), (aggregate.table, aggregate.fk));
                }
            }
        }
    }

    /// The type of a column if it is one whose values are the same in every type that the column may have.
    fn find(&self, table: Table, column: &'static str) -> Option<&'static str> {
        let ty = self.0.get(&(table, column)).copied();
        ty.filter(|ty| matches!(*ty, "int2" | "int4" | "int8" | "uuid"))
    }
}

/// The functions of a read model, and what is in their names.
#[derive(Debug)]
pub(crate) struct ModelFunctions {
    /// The id of the read model: a hash of everything that its functions contain. Change rows have it.
    pub(crate) id: i64,
    /// The schema of its functions and of the change table.
    pub(crate) schema: &'static str,
    /// Finds the documents that depend on changes.
    pub(crate) dependents: FunctionDdl,
    /// Syncs the documents of a mutation.
    pub(crate) flush: FunctionDdl,
    /// Drains a batch of changes, for the worker.
    pub(crate) drain: FunctionDdl,
    /// Calls `flush`.
    pub(crate) call_flush: String,
    /// An expression: whether this role can call `flush` in this transaction.
    pub(crate) can_flush: String,
}

/// Composes the functions of a read model. `views` are in the order of their tables, each with its functions, and `paths` in the
/// order of their positions.
pub(crate) fn compose<'a>(
    views: &[(&'static View, &'a ViewFunctions)],
    paths: &[(Table, ModelPath<'a>)],
    captures: bool,
) -> Option<ModelFunctions> {
    let schema = views.iter().map(|(view, _)| view.table.schema).min()?;
    let model = ModelPaths::new(views.iter().map(|(view, _)| *view).collect(), paths);
    let functions: Vec<&ViewFunctions> = views.iter().map(|(_, functions)| *functions).collect();
    let drained = drained_views(views);
    let owners: Vec<(Table, usize)> = paths
        .iter()
        .map(|(table, path)| (*table, model.position(path.view)))
        .collect();
    let texts = |suffix: &str| -> [FunctionDdl; 3] {
        let id = suffix_id(suffix);
        let dependents = dependents::text(&model, schema, captures).named(suffix);
        let flush =
            flush::text(&model, &functions, &dependents, schema, id, captures).named(suffix);
        let drain = Drain {
            model: id,
            schema,
            dependents: dependents.qualified(),
            views: &drained,
            paths: &owners,
        };
        let drain = drain.text().named(suffix);
        [dependents, flush, drain]
    };
    // The texts contain the id, and the id is the hash of the texts with another one.
    let draft: String = texts(&suffix(0))
        .iter()
        .map(|function| &*function.create)
        .collect();
    let id = i64::from_be_bytes(fnv1a(&draft).to_be_bytes());
    let [dependents, flush, drain] = texts(&suffix(id));
    let all = functions
        .iter()
        .flat_map(|functions| [&functions.lock, &functions.sync]);
    let can_flush = match captures {
        // It runs with the privileges of its owner.
        true => super::can_be_called([&flush]),
        false => super::can_be_called(all.chain([&dependents, &flush])),
    };
    Some(ModelFunctions {
        id,
        schema,
        can_flush,
        call_flush: format!(
            "SELECT * FROM {}($1::jsonb, $2::int8, $3::text)",
            flush.qualified()
        ),
        dependents,
        flush,
        drain,
    })
}

/// The views as the function that drains changes knows them.
fn drained_views(views: &[(&'static View, &ViewFunctions)]) -> Vec<DrainedView> {
    let drained = views.iter().map(|(view, functions)| DrainedView {
        table: view.table,
        key: &view.key,
        sync: functions.sync.qualified(),
    });
    drained.collect()
}

/// The end of the names of the functions.
pub(crate) fn suffix(id: i64) -> String {
    format!("{:016x}", u64::from_be_bytes(id.to_be_bytes()))
}

fn suffix_id(suffix: &str) -> i64 {
    let id = u64::from_str_radix(suffix, 16).unwrap_or_default();
    i64::from_be_bytes(id.to_be_bytes())
}
