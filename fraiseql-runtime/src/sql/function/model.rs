//! The functions of a read model.

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::{Columns, Key, Link, RowValue, Shape, Source, Table, View};
use crate::sql::dependents::LookupChain;
use crate::sql::function::definition::FunctionDdl;
use crate::sql::function::drain::{Drain, DrainedView};
use crate::sql::function::embedded::{self, EmbeddedRows};
use crate::sql::function::{ViewFunctions, at_commit, change, dependents, flush};
use crate::sql::hash::fnv1a;
use crate::sql::text::literal;

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

/// The paths that leave the rows of a table by the same columns.
#[derive(Debug)]
pub(super) struct PathGroup<'a> {
    pub(super) table: Table,
    pub(super) columns: Columns,
    /// The type of the values of a single column, if it is known and not a text, which may be of another type in the
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
    /// The rows below changed ones.
    pub(super) embedded: EmbeddedRows,
    /// The key columns of tables whose rows can be marked by a key.
    keys: BTreeMap<Table, Key>,
}

impl<'a> ModelPaths<'a> {
    fn new(views: Vec<&'static View>, paths: &[(Table, ModelPath<'a>)]) -> Self {
        let types = ColumnTypes::of(&views);
        let mut groups: BTreeMap<(Table, Columns), Vec<ModelPath<'a>>> = BTreeMap::new();
        for (table, path) in paths {
            let group = groups.entry((*table, path.chain.wanted)).or_default();
            group.push(*path);
        }
        let groups = groups
            .into_iter()
            .map(|((table, columns), paths)| PathGroup {
                table,
                columns,
                ty: types.find(table, columns),
                paths,
            });
        Self {
            groups: groups.collect(),
            embedded: EmbeddedRows::of(&views, &types),
            keys: keys_of(&views),
            views,
        }
    }

    /// The tables that documents are made of.
    pub(super) fn tables(&self) -> BTreeSet<Table> {
        self.groups.iter().map(|group| group.table).collect()
    }

    /// The paths from a table, by the columns with which they leave its rows.
    pub(super) fn groups_of(&self, table: Table) -> impl Iterator<Item = &PathGroup<'a>> {
        self.groups.iter().filter(move |group| group.table == table)
    }

    /// The paths from a table.
    pub(super) fn paths_of(&self, table: Table) -> impl Iterator<Item = &ModelPath<'a>> {
        self.groups_of(table).flat_map(|group| &group.paths)
    }

    /// The columns of a table whose values changes contain: those by which paths leave rows, and those by which rows
    /// refer to the rows that documents embed.
    pub(super) fn columns_of(&self, table: Table) -> BTreeSet<Columns> {
        let below = self.embedded.columns.iter();
        let below = below
            .filter(|(of, _)| *of == table)
            .map(|(_, columns)| *columns);
        let first = self.groups_of(table).map(|group| group.columns);
        first.chain(below).collect()
    }

    /// The key by which rows of a table can be marked.
    pub(super) fn key_of(&self, table: Table) -> Option<Key> {
        self.keys.get(&table).copied()
    }
}

/// The key of each table whose structs agree on it, and whose values are the same in every type that its column
/// may have.
pub(crate) fn keys_of(views: &[&'static View]) -> BTreeMap<Table, Key> {
    let mut keys = BTreeMap::new();
    for view in views {
        collect_keys(view.shape, &mut keys);
    }
    let usable = |(table, key): (Table, Option<Key>)| Some((table, key?));
    let of_one_type = |(_, key): &(Table, Key)| match key.single() {
        Some((_, ty)) => is_of_one_type(ty.sql),
        // The values are read as a row of the table.
        None => true,
    };
    keys.into_iter()
        .filter_map(usable)
        .filter(of_one_type)
        .collect()
}

fn collect_keys(shape: &'static Shape, keys: &mut BTreeMap<Table, Option<Key>>) {
    if let Some(key) = shape.key {
        let known = keys.entry(shape.table).or_insert(Some(key));
        let types = |key: Key| key.iter().map(|(_, ty)| ty.sql);
        let same = |other: Key| other.columns == key.columns && types(other).eq(types(key));
        *known = known.filter(|other| same(*other));
    }
    for field in shape.fields {
        match &field.source {
            Source::One(one) => collect_keys(one.shape.get(), keys),
            Source::Many(many) | Source::First(many) => collect_keys(many.shape.get(), keys),
            Source::Column { .. }
            | Source::Expr { .. }
            | Source::GlobalId { .. }
            | Source::Through { .. }
            | Source::OfGroup(_)
            | Source::Aggregate(_)
            | Source::Values(_) => {}
        }
    }
}

/// Whether a column whose values are of this type in Rust can be compared with an array of it: a text may be of
/// a type in the database that has operators of its own.
fn is_of_one_type(ty: &str) -> bool {
    matches!(ty, "int2" | "int4" | "int8" | "uuid")
}

/// The types of columns of base tables, as far as structs tell.
pub(super) struct ColumnTypes(BTreeMap<(Table, &'static str), &'static str>);

impl ColumnTypes {
    fn of(views: &[&'static View]) -> Self {
        let mut types = Self(BTreeMap::new());
        // Foreign keys have the type of the keys that they refer to, which may be told by a struct
        // that is visited later.
        for _ in 0..2 {
            for view in views {
                types.note_key(view.shape.table, &view.key);
                types.shape(view.shape);
            }
        }
        types
    }

    fn note_key(&mut self, table: Table, key: &Key) {
        for (name, ty) in key.iter() {
            self.note(table, name, ty.sql);
        }
    }

    fn note(&mut self, table: Table, column: &'static str, ty: &'static str) {
        self.0.entry((table, column)).or_insert(ty);
    }

    /// Notes that columns of two tables are compared with each other, one by one.
    fn same(&mut self, one: (Table, Columns), other: (Table, Columns)) {
        for (name, other_name) in one.1.names().iter().zip(other.1.names()) {
            self.same_type((one.0, name), (other.0, other_name));
        }
    }

    fn same_type(&mut self, one: (Table, &'static str), other: (Table, &'static str)) {
        let (of_one, of_other) = (self.0.get(&one).copied(), self.0.get(&other).copied());
        match (of_one, of_other) {
            (Some(ty), None) => self.note(other.0, other.1, ty),
            (None, Some(ty)) => self.note(one.0, one.1, ty),
            _ => {}
        }
    }

    /// Notes what the link of a list compares. `rows` is the table of the list, and its key.
    fn link(&mut self, own: (Table, Columns), link: &Link, rows: (Table, Columns)) {
        match *link {
            Link::ForeignKey(fk) => self.same(own, (rows.0, fk)),
            Link::Through {
                table, fk, to, key, ..
            } => {
                self.same(own, (table, fk));
                self.same((rows.0, key.unwrap_or(rows.1)), (table, to));
            }
        }
    }

    fn shape(&mut self, shape: &'static Shape) {
        if let Some(key) = shape.key {
            self.note_key(shape.table, &key);
        }
        for field in shape.fields {
            match &field.source {
                Source::Column { column, ty } if ty.list.is_none() => {
                    self.note(shape.table, column, ty.sql);
                }
                Source::Column { .. }
                | Source::Expr { .. }
                | Source::GlobalId { .. }
                | Source::Through { .. }
                | Source::OfGroup(_) => {}
                Source::One(one) => {
                    let child = one.shape.get();
                    self.shape(child);
                    let key = one.key.unwrap_or(child.key_columns());
                    self.same((shape.table, one.fk), (child.table, key));
                }
                Source::Many(many) | Source::First(many) => {
                    let child = many.shape.get();
                    self.shape(child);
                    let own = (shape.table, many.key.unwrap_or(shape.key_columns()));
                    self.link(own, &many.link, (child.table, child.key_columns()));
                }
                Source::Values(values) => {
                    let own = (shape.table, values.key.unwrap_or(shape.key_columns()));
                    if let RowValue::Column(name) = values.value {
                        self.note(values.table, name, values.ty.sql);
                    }
                    self.link(own, &values.link, (values.table, Columns::ID));
                }
                Source::Aggregate(aggregate) => {
                    let own = aggregate.key.unwrap_or(shape.key_columns());
                    let (own, fk) = ((shape.table, own), (aggregate.table, aggregate.fk));
                    match aggregate.through {
                        None => self.same(own, fk),
                        Some(rows) => {
                            self.same(own, (rows.table, rows.fk));
                            self.same((rows.table, rows.key), fk);
                        }
                    }
                }
            }
        }
    }

    /// The type of a single column if it is one whose values are the same in every type that the column may have.
    pub(super) fn find(&self, table: Table, columns: Columns) -> Option<&'static str> {
        let ty = self.0.get(&(table, columns.single()?)).copied();
        ty.filter(|ty| is_of_one_type(ty))
    }
}

/// The functions of a read model, and what is in their names.
#[derive(Debug)]
pub(crate) struct ModelFunctions {
    /// The id of the read model: a hash of everything that its functions contain. Change rows have it.
    pub(crate) id: i64,
    /// The schema of its functions and of the change table.
    pub(crate) schema: &'static str,
    /// Does the work of `dependents`, with the settings of its caller.
    pub(crate) find_function: FunctionDdl,
    /// Finds the documents that depend on changes.
    pub(crate) dependents: FunctionDdl,
    /// Locks the rows that documents begin to embed by changes.
    pub(crate) embedded: FunctionDdl,
    /// Syncs the documents of a mutation.
    pub(crate) flush: FunctionDdl,
    /// Drains a batch of changes, for the worker.
    pub(crate) drain: FunctionDdl,
    /// The columns of each table whose values changes contain.
    pub(crate) columns: BTreeMap<Table, BTreeSet<Columns>>,
    /// The function and the trigger that sync the documents of every transaction when it commits.
    pub(crate) at_commit: AtCommit,
    /// The key of each table whose rows `flush` takes as marked.
    pub(crate) keys: BTreeMap<Table, Key>,
    /// Finds the documents that depend on the changes `$1`, at most `$2` and one more on each path.
    pub(crate) find: String,
    /// Returns the changes of this transaction.
    pub(crate) read_own: String,
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
        .filter_map(|(table, path)| {
            let mut of_views = views.iter().map(|(view, _)| view.table);
            Some((*table, of_views.position(|view| view == path.view.table)?))
        })
        .collect();
    let texts = |suffix: &str| -> [FunctionDdl; 6] {
        let id = suffix_id(suffix);
        let find = dependents::find(&model, schema).named(suffix);
        let dependents = dependents::text(&model, &find, schema, captures).named(suffix);
        let embedded = embedded::text(&model, schema).named(suffix);
        let flush =
            flush::text(&model, &functions, [&find, &embedded], schema, id, captures).named(suffix);
        let at_commit = at_commit::text(&model.views, &flush, schema, id).named(suffix);
        let drain = Drain {
            model: id,
            schema,
            dependents: dependents.qualified(),
            views: &drained,
            paths: &owners,
        };
        let drain = drain.text().named(suffix);
        [find, dependents, embedded, flush, at_commit, drain]
    };
    // The texts contain the id, and the id is the hash of the texts with another one.
    let draft: String = texts(&suffix(0))
        .iter()
        .map(|function| &*function.create)
        .collect();
    let id = i64::from_be_bytes(fnv1a(&draft).to_be_bytes());
    let [find, dependents, embedded, flush, at_commit, drain] = texts(&suffix(id));
    let all = functions.iter().flat_map(|functions| functions.all());
    let mut can_flush = match captures {
        // It runs with the privileges of its owner.
        true => super::can_be_called([&flush]),
        false => super::can_be_called(all.chain([&find, &dependents, &embedded, &flush])),
    };
    can_flush.push_str(&all_are_tables(&model.tables()));
    Some(ModelFunctions {
        id,
        schema,
        can_flush,
        keys: keys_of(&model.views),
        find: format!(
            "SELECT path, keys FROM {}($1::jsonb, $2::int8)",
            dependents.qualified()
        ),
        read_own: change::read_own(schema, id),
        at_commit: AtCommit::new(at_commit, &suffix(id), schema, id),
        columns: model
            .tables()
            .into_iter()
            .map(|table| (table, model.columns_of(table)))
            .collect(),
        find_function: find,
        dependents,
        embedded,
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

/// The function and the trigger that sync the documents of every transaction when it commits.
#[derive(Debug)]
pub(crate) struct AtCommit {
    pub(crate) function: FunctionDdl,
    /// The name of the trigger of the change table.
    pub(crate) trigger: String,
    /// Creates the trigger.
    pub(crate) create_trigger: String,
}

impl AtCommit {
    fn new(function: FunctionDdl, suffix: &str, schema: &str, id: i64) -> Self {
        let (trigger, create_trigger) = at_commit::trigger(&function, suffix, schema, id);
        Self {
            function,
            trigger,
            create_trigger,
        }
    }
}

impl ModelFunctions {
    /// The functions of the read model itself, each after those that it calls.
    pub(crate) fn own(&self) -> [&FunctionDdl; 5] {
        [
            &self.find_function,
            &self.dependents,
            &self.embedded,
            &self.flush,
            &self.drain,
        ]
    }
}

/// The condition that base relations are tables: the rows of a view may not be lockable, and have no `xmin`.
fn all_are_tables(tables: &BTreeSet<Table>) -> String {
    let names: Vec<String> = tables
        .iter()
        .map(|table| format!("pg_catalog.to_regclass({})", literal(&table.to_string())))
        .collect();
    format!(
        "\n  AND NOT EXISTS (\n    SELECT FROM pg_catalog.pg_class AS c\n    \
         WHERE c.oid = ANY (ARRAY[{}]::oid[]) AND c.relkind NOT IN ('r', 'p')\n  )",
        names.join(", ")
    )
}

/// The end of the names of the functions.
pub(crate) fn suffix(id: i64) -> String {
    format!("{:016x}", u64::from_be_bytes(id.to_be_bytes()))
}

fn suffix_id(suffix: &str) -> i64 {
    let id = u64::from_str_radix(suffix, 16).unwrap_or_default();
    i64::from_be_bytes(id.to_be_bytes())
}
