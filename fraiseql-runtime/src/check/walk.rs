//! Goes through the shapes of a view, and compares what they need with what the base tables
//! have. What only the server can judge is left for `ask`.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::check::ask::Question;
use crate::check::catalog::{Column, Found, Kind, Relation};
use crate::check::findings::{
    Breaks, Fault, Findings, Fragment, column_name, did_you_mean, name, near, qualified,
};
use crate::check::fit::{self, Conversion, Misfit};
use crate::check::report::{FindingKind, Remedy, Severity};
use crate::scalar::ScalarType;
use crate::schema::{Aggregate, Field, Link, Many, One, OrderBy, Shape, Source, Table, View};
use crate::sql::probe;

/// How a column is named in the attributes.
#[derive(Clone, Copy)]
enum Role<'a> {
    /// The field's own column, of this type.
    Own(&'a ScalarType),
    /// `fk = ".."`, `to = ".."`, `order_by = ".."`, `key = ".."`.
    Named(&'static str),
}

/// What a view uses of a base table.
#[derive(Default)]
struct Use {
    path: String,
    columns: BTreeSet<&'static str>,
    /// All of them: the table is filtered.
    every_column: bool,
    /// Its rows are locked by a sync inside a transaction.
    locked: bool,
}

/// The walk through one view.
pub(crate) struct Walk<'f, 'a> {
    findings: &'f mut Findings<'a>,
    view: &'static View,
    used: BTreeMap<Table, Use>,
    /// Columns whose null was reported with something else.
    reported: HashSet<(Table, &'static str)>,
    pub(crate) questions: Vec<Question>,
    pub(crate) fragments: Vec<Fragment>,
}

/// Compares a view with its base tables; yields what to ask the server.
pub(crate) fn view<'f, 'a>(
    findings: &'f mut Findings<'a>,
    view: &'static View,
) -> (Vec<Question>, Vec<Fragment>) {
    let mut walk = Walk {
        findings,
        view,
        used: BTreeMap::new(),
        reported: HashSet::new(),
        questions: Vec::new(),
        fragments: Vec::new(),
    };
    let shape = view.shape;
    if let Some(relation) = walk.table(shape.table, shape.name) {
        walk.used.entry(shape.table).or_default().locked = true;
        walk.root_key(relation);
    }
    walk.shape(shape, shape.name, true, None);
    walk.privileges();
    (walk.questions, walk.fragments)
}

impl<'f, 'a> Walk<'f, 'a> {
    fn error(&mut self, path: &str, kind: FindingKind, subject: String, text: Text) {
        self.fault(path, Severity::Error, kind, subject, text);
    }

    fn warning(&mut self, path: &str, kind: FindingKind, subject: String, text: Text) {
        self.fault(path, Severity::Warning, kind, subject, text);
    }

    fn fault(
        &mut self,
        path: &str,
        severity: Severity,
        kind: FindingKind,
        subject: String,
        text: Text,
    ) {
        use FindingKind as K;
        let breaks = match kind {
            K::MissingSchema | K::MissingTable | K::MissingColumn | K::MissingType | K::KeyType => {
                Breaks::Documents
            }
            K::Privilege if text.breaks => Breaks::Documents,
            _ => Breaks::Nothing,
        };
        self.findings.add(
            Some(self.view),
            path,
            Fault {
                severity,
                kind,
                subject,
                message: text.message,
                remedies: text.remedies,
                breaks,
            },
        );
    }

    /// A base table, or `None` where that was a fault.
    fn table(&mut self, table: Table, path: &str) -> Option<&'a Relation> {
        let catalog = self.findings.catalog;
        let shown = name(table);
        let relation = match catalog.table(table) {
            Found::Table(relation) => relation,
            Found::NoSchema => {
                let near = near(
                    table.schema,
                    catalog.all.iter().map(|(schema, _)| schema.as_str()),
                );
                let elsewhere = self.same_name_elsewhere(table);
                let remedy = match elsewhere
                    .clone()
                    .or_else(|| near.map(|schema| format!("{schema}.{}", table.name)))
                {
                    Some(other) => Remedy::Rust(format!("#[tview(table = \"{other}\")]")),
                    None => Remedy::Other(
                        "run the migrations that create the schema and its tables".to_owned(),
                    ),
                };
                let text = Text::new(
                    format!(
                        "there is no schema `{}`{}",
                        table.schema,
                        did_you_mean(elsewhere.as_deref().or(near))
                    ),
                    [remedy],
                );
                self.error(
                    path,
                    FindingKind::MissingSchema,
                    table.schema.to_owned(),
                    text,
                );
                return None;
            }
            Found::NoTable => {
                let here = catalog
                    .all
                    .iter()
                    .filter(|(schema, _)| schema == table.schema)
                    .map(|(_, name)| name.as_str());
                let other = self
                    .same_name_elsewhere(table)
                    .or_else(|| near(table.name, here).map(|near| qualified(table.schema, near)));
                let remedy = match &other {
                    Some(other) => Remedy::Rust(format!("table = \"{other}\"")),
                    None => Remedy::Other("run the migration that creates it".to_owned()),
                };
                let text = Text::new(
                    format!(
                        "there is no table {shown}{}",
                        did_you_mean(other.as_deref())
                    ),
                    [remedy],
                );
                self.error(path, FindingKind::MissingTable, table.to_string(), text);
                return None;
            }
            Found::NoUsage => {
                self.no_usage(table, path);
                return None;
            }
        };
        self.used.entry(table).or_insert_with(|| Use {
            path: path.to_owned(),
            ..Use::default()
        });
        let what = match relation.kind {
            Kind::Table => None,
            Kind::View => Some((
                "a view",
                "a sync inside a transaction locks the rows of the tables behind it",
            )),
            Kind::Materialized => Some((
                "a materialized view",
                "its rows cannot be locked, so a sync inside a transaction fails where it embeds \
                 them, and documents are as old as its last refresh",
            )),
            Kind::Foreign => Some((
                "a foreign table",
                "whether a sync inside a transaction can lock its rows depends on the other server",
            )),
        };
        if let Some((what, locks)) = what {
            let text = Text::new(
                format!(
                    "{shown} is {what}: whether its columns can be null, are unique or indexed \
                     cannot be checked, and {locks}"
                ),
                [Remedy::Other(
                    "name the table behind it, with `expr` and `filter` for what differs; or see \
                     that every field fits, and keep this warning"
                        .to_owned(),
                )],
            );
            self.warning(path, FindingKind::NotATable, table.to_string(), text);
        }
        if relation.row_security {
            let text = Text::new(
                format!(
                    "row level security is active on {shown} for the role {}: the rows that it \
                     hides will be missing from documents, or delete them",
                    self.findings.server.role
                ),
                [Remedy::Other(
                    "sync as a role that sees every row, such as one with BYPASSRLS".to_owned(),
                )],
            );
            self.warning(path, FindingKind::RowSecurity, table.to_string(), text);
        }
        Some(relation)
    }

    fn no_usage(&mut self, table: Table, path: &str) {
        let role = &self.findings.server.role;
        let mut text = Text::new(
            format!("the role {role} may not use the schema `{}`", table.schema),
            [Remedy::Sql(probe::grant_usage(table.schema, role))],
        );
        text.breaks = true;
        self.error(
            path,
            FindingKind::Privilege,
            format!("schema {}", table.schema),
            text,
        );
    }

    /// A table of this name in another schema.
    fn same_name_elsewhere(&self, table: Table) -> Option<String> {
        self.findings
            .catalog
            .all
            .iter()
            .find(|(_, name)| name == table.name)
            .map(|(schema, name)| format!("{schema}.{name}"))
    }

    /// A column of a base table, or `None` where that was a fault.
    fn column(
        &mut self,
        relation: &'a Relation,
        table: Table,
        wanted: &'static str,
        path: &str,
        role: Role<'_>,
    ) -> Option<&'a Column> {
        if let Some(column) = relation.column(wanted) {
            self.used.entry(table).or_default().columns.insert(wanted);
            return Some(column);
        }
        let names = relation.columns.iter().map(|column| column.name.as_str());
        let near = near(wanted, names);
        let key = match role {
            Role::Own(_) => "column",
            Role::Named(key) => key,
        };
        let remedy = match (near, role) {
            (Some(near), Role::Own(_)) => Remedy::Rust(format!("#[tview(column = \"{near}\")]")),
            (Some(near), Role::Named(key)) => Remedy::Rust(format!("{key} = \"{near}\"")),
            (None, Role::Own(ty)) => Remedy::Sql(probe::add_column(table, wanted, ty)),
            (None, Role::Named(key)) => {
                Remedy::Other(format!("name another {key}, or add the column"))
            }
        };
        let text = Text::new(
            format!(
                "{} has no column `{wanted}`{}",
                name(table),
                match (near, key) {
                    (None, "column") => String::new(),
                    (None, key) => format!(", which is its {key}"),
                    (near, _) => did_you_mean(near),
                }
            ),
            [remedy],
        );
        self.error(
            path,
            FindingKind::MissingColumn,
            column_name(table, wanted),
            text,
        );
        None
    }

    /// The key of the documents: one row for each, none without.
    fn root_key(&mut self, relation: &'a Relation) {
        let shape = self.view.shape;
        let key = self.view.key;
        let Some(column) = relation.column(key.column) else {
            return; // Its field says so.
        };
        let path = self.path_of_key(shape);
        match fit::key(self.findings.catalog, &key.ty, column.ty) {
            Ok(()) => {}
            Err(Misfit::Missing) => self.missing_type(&path, &key.ty),
            Err(Misfit::Because(why)) => {
                let text = self.key_type(&key.ty, shape.table, column, why);
                self.error(&path, FindingKind::KeyType, path.clone(), text);
            }
        }
        if relation.kind != Kind::Table || relation.is_unique(key.column) {
            return;
        }
        let never_null = self.findings.catalog.never_null(column);
        let (what, remedy) = if never_null {
            (
                "unique",
                probe::create_unique_index(shape.table, key.column),
            )
        } else if relation.has_primary_key() {
            (
                "unique, and can be null",
                probe::create_unique_index(shape.table, key.column),
            )
        } else {
            self.reported.insert((shape.table, key.column));
            (
                "unique, and can be null",
                probe::add_primary_key(shape.table, key.column),
            )
        };
        let shown = column_name(shape.table, key.column);
        let text = Text::new(
            format!(
                "{shown} is the key of the documents, but is not {what}: two rows with one key \
                 cannot be one document"
            ),
            [Remedy::Sql(remedy)],
        );
        self.error(&path, FindingKind::NotUnique, shown, text);
    }

    fn key_type(&self, ty: &ScalarType, table: Table, column: &Column, why: &str) -> Text {
        Text::new(
            format!(
                "{} is {}, and the key is {} ({}): {why}",
                column_name(table, &column.name),
                self.written(column),
                fit::rust(ty),
                ty.sql
            ),
            fit::rust_for(self.findings.catalog, column.ty, false)
                .filter(|rust| *rust != fit::rust(ty))
                .map(Remedy::Rust)
                .into_iter()
                .chain(self.set_type(table, column, ty.sql))
                .chain([Remedy::Other(
                    "take another column, or another type, as the key".to_owned(),
                )]),
        )
    }

    /// The statement that changes a column's type, where no value can be lost by it.
    fn set_type(&self, table: Table, column: &Column, ty: &str) -> Option<Remedy> {
        let sql = match fit::conversion(self.findings.catalog, column.ty, ty)? {
            Conversion::Cast => probe::set_type(table, &column.name, ty),
            Conversion::InUtc => probe::set_type_in_utc(table, &column.name, ty),
        };
        Some(Remedy::Sql(sql))
    }

    fn missing_type(&mut self, path: &str, ty: &ScalarType) {
        let text = Text::new(
            format!("there is no type `{}`, which the field names", ty.sql),
            [Remedy::Other(
                "run the migration that creates the type, or name it with its schema".to_owned(),
            )],
        );
        self.error(path, FindingKind::MissingType, ty.sql.to_owned(), text);
    }

    fn path_of_key(&self, shape: &Shape) -> String {
        let key = self.view.key.column;
        let field = shape
            .fields
            .iter()
            .find(|field| matches!(field.source, Source::Column { column, .. } if column == key));
        match field {
            Some(field) => format!("{}.{}", shape.name, field.name),
            None => shape.name.to_owned(),
        }
    }

    /// The rows of `shape`; `around` is the filter of the list that they stand in.
    fn shape(
        &mut self,
        shape: &'static Shape,
        path: &str,
        root: bool,
        around: Option<&'static str>,
    ) {
        let relation = self.findings.catalog.relation(shape.table);
        if let (Some(_), Some(filter)) = (relation, shape.filter) {
            self.filter(shape.table, path, filter);
        }
        for field in shape.fields {
            let path = format!("{path}.{}", field.name);
            match &field.source {
                Source::Column { column, ty } => {
                    if let Some(relation) = relation {
                        let filters = [shape.filter, around];
                        let key = root && *column == self.view.key.column;
                        self.own_column(relation, shape, field, column, ty, &path, &filters, key);
                    }
                }
                Source::Expr { expr, ty } => {
                    if relation.is_some() {
                        self.fragment(&path, "expr", expr, shape.table);
                        self.questions.push(Question::TypeOf {
                            path: path.clone(),
                            text: expr,
                            table: shape.table,
                            ty: *ty,
                            promoted: field.promoted.is_some(),
                        });
                    }
                }
                Source::One(one) => self.one(relation, shape, one, &path),
                Source::Many(many) => self.many(relation, shape, many, &path),
                Source::Aggregate(aggregate) => self.aggregate(relation, shape, aggregate, &path),
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "all of one field")]
    fn own_column(
        &mut self,
        relation: &'a Relation,
        shape: &Shape,
        field: &Field,
        wanted: &'static str,
        ty: &ScalarType,
        path: &str,
        filters: &[Option<&str>],
        root_key: bool,
    ) {
        let Some(column) = self.column(relation, shape.table, wanted, path, Role::Own(ty)) else {
            return;
        };
        let shown = column_name(shape.table, wanted);
        let fits = if root_key {
            Ok(()) // It has rules of its own.
        } else {
            fit::column(self.findings.catalog, ty, column.ty)
        };
        match fits {
            Ok(()) if field.promoted.is_some() => {
                self.questions.push(Question::Promoted {
                    path: path.to_owned(),
                    table: shape.table,
                    column: wanted,
                    written: self.written(column),
                    ty: *ty,
                    rust: fit::rust_for(self.findings.catalog, column.ty, ty.nullable)
                        .filter(|rust| *rust != fit::rust(ty)),
                });
            }
            Ok(()) => {}
            Err(Misfit::Missing) => self.missing_type(path, ty),
            Err(Misfit::Because(why)) => {
                let rust = if ty.graphql == "JSON" {
                    Some(format!(
                        "#[tview(expr = \"pg_catalog.to_jsonb({{}}.{wanted})\")]"
                    ))
                } else {
                    fit::rust_for(self.findings.catalog, column.ty, ty.nullable)
                };
                let mut remedies: Vec<Remedy> = rust
                    .map(Remedy::Rust)
                    .into_iter()
                    .chain(self.set_type(shape.table, column, &ty.sql_name()))
                    .collect();
                if remedies.is_empty() {
                    remedies.push(Remedy::Other(format!(
                        "convert it with #[tview(expr = \"..\")], to {}",
                        ty.sql_name()
                    )));
                }
                let text = Text::new(
                    format!(
                        "{shown} is {}, and the field is {}: {why}",
                        self.written(column),
                        fit::rust(ty)
                    ),
                    remedies,
                );
                let subject = format!("{shown} {}", ty.sql_name());
                self.error(path, FindingKind::Type, subject, text);
            }
        }
        let may_be_null = relation.kind == Kind::Table
            && !ty.nullable
            && !self.findings.catalog.never_null(column)
            && !self.reported.contains(&(shape.table, wanted))
            && !filters
                .iter()
                .flatten()
                .any(|filter| excludes_null(filter, wanted));
        if may_be_null {
            let text = Text::new(
                format!(
                    "{shown} can be null, and the field is no Option: a document with a null \
                     there cannot be read"
                ),
                [
                    Remedy::Rust(fit::optional(fit::rust(ty), true)),
                    Remedy::Sql(probe::set_not_null(shape.table, wanted)),
                ],
            );
            let text = if root_key {
                Text::new(
                    format!("{shown} is the key of the documents, and can be null"),
                    [Remedy::Sql(probe::set_not_null(shape.table, wanted))],
                )
            } else {
                text
            };
            self.error(path, FindingKind::Nullable, shown, text);
        }
    }

    fn one(
        &mut self,
        relation: Option<&'a Relation>,
        shape: &'static Shape,
        one: &'static One,
        path: &str,
    ) {
        let child = (one.shape)();
        let key = one.key.unwrap_or(child.key_column());
        let fk_column =
            relation.and_then(|it| self.column(it, shape.table, one.fk, path, Role::Named("fk")));
        let child_relation = self.table(child.table, path);
        let key_column = child_relation
            .and_then(|it| self.column(it, child.table, key, path, Role::Named("key")));
        if child_relation.is_some() {
            self.used.entry(child.table).or_default().locked = true;
        }
        if let (Some(parts), Some(_)) = (child_relation, key_column)
            && matches!(parts.kind, Kind::Table | Kind::Materialized)
            && !parts.is_unique(key)
        {
            let shown = column_name(child.table, key);
            let text = Text::new(
                format!(
                    "{shown} identifies the row of a `one`, but is not unique: two rows with the \
                     same value would be two documents with one key"
                ),
                [Remedy::Sql(probe::create_unique_index(child.table, key))],
            );
            self.error(path, FindingKind::NotUnique, shown, text);
        }
        if let (Some(rows), Some(fk), Some(parts), Some(parent_key)) =
            (relation, fk_column, child_relation, key_column)
        {
            let guaranteed = rows.refers(one.fk, parts, key);
            if !guaranteed {
                self.link((shape.table, fk), (child.table, parent_key), path);
            }
            if !one.nullable && rows.kind == Kind::Table {
                self.required(
                    shape,
                    one,
                    rows,
                    fk,
                    // Where there can be no foreign key, another finding says why.
                    guaranteed || parts.kind != Kind::Table || !parts.is_unique(key),
                    path,
                );
            }
        }
        if let (false, Some(filter)) = (one.nullable, child.filter) {
            let text = Text::new(
                format!(
                    "{} leaves out rows (filter = \"{filter}\"), and the field is no Option: a \
                     document that refers to such a row cannot be read",
                    child.name
                ),
                [Remedy::Rust(format!("Option<{}>", child.name))],
            );
            self.warning(path, FindingKind::FilteredOne, path.to_owned(), text);
        }
        self.shape(child, path, false, None);
    }

    /// A `one` that is no `Option`.
    fn required(
        &mut self,
        shape: &Shape,
        one: &One,
        rows: &Relation,
        fk: &Column,
        guaranteed: bool,
        path: &str,
    ) {
        let child = (one.shape)();
        let shown = column_name(shape.table, one.fk);
        let option = || Remedy::Rust(format!("Option<{}>", child.name));
        let excluded = shape
            .filter
            .is_some_and(|filter| excludes_null(filter, one.fk));
        if !self.findings.catalog.never_null(fk) && !excluded {
            let text = Text::new(
                format!(
                    "{shown} can be null, and the field is no Option: a document without the row \
                     cannot be read"
                ),
                [
                    option(),
                    Remedy::Sql(probe::set_not_null(shape.table, one.fk)),
                ],
            );
            self.error(path, FindingKind::NullableLink, shown, text);
        } else if !guaranteed {
            debug_assert_eq!(rows.kind, Kind::Table);
            let key = one.key.unwrap_or(child.key_column());
            let text = Text::new(
                format!(
                    "no foreign key says that the row of {shown} is there, and the field is no \
                     Option: a document without the row cannot be read"
                ),
                [
                    Remedy::Sql(probe::add_foreign_key(
                        shape.table,
                        one.fk,
                        child.table,
                        key,
                    )),
                    option(),
                ],
            );
            self.warning(path, FindingKind::NoForeignKey, shown, text);
        }
    }

    fn many(
        &mut self,
        relation: Option<&'a Relation>,
        shape: &'static Shape,
        many: &'static Many,
        path: &str,
    ) {
        let child = (many.shape)();
        let own = many.key.unwrap_or(shape.key_column());
        let own_column =
            relation.and_then(|it| self.column(it, shape.table, own, path, Role::Named("key")));
        let children = self.table(child.table, path);
        let order: &[OrderBy] = if many.limit.is_some() {
            many.order_by
        } else {
            &[]
        };
        match many.link {
            Link::ForeignKey(fk) => {
                if let Some(rows) = children
                    && let Some(column) =
                        self.column(rows, child.table, fk, path, Role::Named("fk"))
                {
                    self.lookup(rows, child.table, fk, path, order);
                    self.refer(
                        rows,
                        (child.table, column),
                        relation,
                        shape.table,
                        own_column,
                        path,
                    );
                }
            }
            Link::Through { table, fk, to } => {
                let joins = self.table(table, path);
                let key = child.key_column();
                let key_column = children
                    .and_then(|it| self.column(it, child.table, key, path, Role::Named("key")));
                if let (Some(rows), Some(_)) = (children, key_column) {
                    self.lookup(rows, child.table, key, path, &[]);
                }
                if let Some(rows) = joins {
                    if let Some(column) = self.column(rows, table, fk, path, Role::Named("fk")) {
                        self.lookup(rows, table, fk, path, &[]);
                        self.refer(
                            rows,
                            (table, column),
                            relation,
                            shape.table,
                            own_column,
                            path,
                        );
                    }
                    if let Some(column) = self.column(rows, table, to, path, Role::Named("to")) {
                        self.refer(
                            rows,
                            (table, column),
                            children,
                            child.table,
                            key_column,
                            path,
                        );
                    }
                }
            }
        }
        if let Some(rows) = children {
            for term in many.order_by {
                let role = Role::Named("order_by");
                if let Some(column) = self.column(rows, child.table, term.column, path, role) {
                    self.questions.push(Question::Order {
                        path: path.to_owned(),
                        table: child.table,
                        column: term.column,
                        written: self.written(column),
                    });
                }
            }
            if let Some(filter) = many.filter {
                self.filter(child.table, path, filter);
            }
        }
        self.shape(child, path, false, many.filter);
    }

    fn aggregate(
        &mut self,
        relation: Option<&'a Relation>,
        shape: &Shape,
        aggregate: &Aggregate,
        path: &str,
    ) {
        let own = aggregate.key.unwrap_or(shape.key_column());
        let own_column =
            relation.and_then(|it| self.column(it, shape.table, own, path, Role::Named("key")));
        let Some(rows) = self.table(aggregate.table, path) else {
            return;
        };
        let table = aggregate.table;
        if let Some(fk) = self.column(rows, table, aggregate.fk, path, Role::Named("fk")) {
            self.lookup(rows, table, aggregate.fk, path, &[]);
            self.refer(rows, (table, fk), relation, shape.table, own_column, path);
        }
        if let Some(filter) = aggregate.filter {
            self.filter(table, path, filter);
        }
        if let Some(expr) = aggregate.expr {
            self.fragment(path, "expr", expr, table);
            self.questions.push(Question::Aggregate {
                path: path.to_owned(),
                text: expr,
                aggregate: *aggregate,
            });
        }
    }

    fn filter(&mut self, table: Table, path: &str, text: &'static str) {
        self.used.entry(table).or_default().every_column = true;
        self.fragment(path, "filter", text, table);
        self.questions.push(Question::Filter {
            path: path.to_owned(),
            text,
            table,
        });
    }

    fn fragment(&mut self, path: &str, what: &'static str, text: &'static str, table: Table) {
        self.fragments.push(Fragment {
            path: path.to_owned(),
            what,
            text,
            table,
        });
    }

    /// `fk` of `rows` refers to `key` of the parent: a foreign key says that it can, or the
    /// server is asked.
    fn refer(
        &mut self,
        rows: &Relation,
        (table, fk): (Table, &Column),
        parent: Option<&Relation>,
        parent_table: Table,
        key: Option<&Column>,
        path: &str,
    ) {
        if let (Some(parent), Some(key)) = (parent, key)
            && !rows.refers(&fk.name, parent, &key.name)
        {
            self.link((table, fk), (parent_table, key), path);
        }
    }

    fn link(&mut self, fk: (Table, &Column), key: (Table, &Column), path: &str) {
        self.questions.push(Question::Link {
            path: path.to_owned(),
            fk: (fk.0, fk.1.name.clone(), self.written(fk.1)),
            key: (key.0, key.1.name.clone(), self.written(key.1)),
            remedy: self.set_type(fk.0, fk.1, &self.written(key.1)),
        });
    }

    /// Rows are found by `column`.
    fn lookup(
        &mut self,
        rows: &Relation,
        table: Table,
        column: &'static str,
        path: &str,
        order: &[OrderBy],
    ) {
        if !matches!(rows.kind, Kind::Table | Kind::Materialized) {
            return;
        }
        let mut why = String::new();
        let mut remedy = None;
        for index in rows.indexes_of(column) {
            if !index.valid {
                why = format!("; {} is not valid", index.name);
                remedy = Some(probe::reindex(&index.schema, &index.name));
            } else if index.partial {
                why = format!("; {} has not all rows", index.name);
            } else if index.finds_equal {
                return;
            }
        }
        let shown = column_name(table, column);
        let text = Text::new(
            format!(
                "no index of {} begins with `{column}`, so each document reads the whole \
                 table{why}",
                name(table)
            ),
            [Remedy::Sql(remedy.unwrap_or_else(|| {
                probe::create_index(table, column, order)
            }))],
        );
        self.warning(path, FindingKind::MissingIndex, shown, text);
    }

    fn written(&self, column: &Column) -> String {
        let catalog = self.findings.catalog;
        let (Some(declared), Some(base)) = (catalog.declared(column.ty), catalog.base(column.ty))
        else {
            return "of another type".to_owned();
        };
        if declared.oid == base.oid {
            base.written.clone()
        } else {
            format!("{} ({})", declared.written, base.written)
        }
    }

    /// What the role may not do with the tables that were used.
    fn privileges(&mut self) {
        let role = &self.findings.server.role;
        for (table, used) in std::mem::take(&mut self.used) {
            let Some(relation) = self.findings.catalog.relation(table) else {
                continue;
            };
            let hidden: Vec<&str> = relation
                .columns
                .iter()
                .filter(|column| !column.can_select)
                .map(|column| column.name.as_str())
                .filter(|name| used.every_column || used.columns.contains(name))
                .collect();
            if !hidden.is_empty() {
                let text = Text::new(
                    if hidden.len() == relation.columns.len() {
                        format!("the role {role} may not read {}", name(table))
                    } else {
                        format!(
                            "the role {role} may not read all of {}: {}",
                            name(table),
                            hidden.join(", ")
                        )
                    },
                    [Remedy::Sql(probe::grant("SELECT", table, role))],
                );
                let subject = format!("{table} SELECT");
                self.error(&used.path, FindingKind::Privilege, subject, text);
            }
            if used.locked && !relation.can_lock && relation.kind == Kind::Table {
                let text = Text::new(
                    format!(
                        "the role {role} may not lock rows of {}, which needs the privilege \
                         UPDATE: a sync inside a transaction fails, one on a pool works",
                        name(table)
                    ),
                    [Remedy::Sql(probe::grant("UPDATE", table, role))],
                );
                self.warning(
                    &used.path,
                    FindingKind::LockPrivilege,
                    table.to_string(),
                    text,
                );
            }
        }
    }
}

/// What is said of a fault.
struct Text {
    message: String,
    remedies: Vec<Remedy>,
    breaks: bool,
}

impl Text {
    fn new(message: String, remedies: impl IntoIterator<Item = Remedy>) -> Self {
        Self {
            message,
            remedies: remedies.into_iter().collect(),
            breaks: false,
        }
    }
}

/// Whether a filter is a conjunction with `column IS NOT NULL` in it.
fn excludes_null(filter: &str, column: &str) -> bool {
    // What stands between quotes or parentheses says nothing here.
    let mut plain = String::new();
    let (mut quoted, mut depth) = (false, 0_usize);
    for c in filter.to_lowercase().chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ if quoted || depth > 0 => continue,
            _ => {}
        }
        plain.push(c);
    }
    let words: Vec<&str> = plain.split_whitespace().collect();
    if words.contains(&"or") || words.contains(&"case") {
        return false;
    }
    words.split(|word| *word == "and").any(|term| match term {
        [name, "is", "not", "null"] => {
            let name = name.strip_prefix("{}.").unwrap_or(name);
            name.trim_matches('"') == column.to_lowercase()
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::excludes_null;

    #[test]
    fn a_filter_can_say_that_a_column_is_not_null() {
        assert!(excludes_null("{}.at IS NOT NULL", "at"));
        assert!(excludes_null("not hidden AND at is not null", "at"));
        assert!(excludes_null(
            "(a OR b)\nAND at IS NOT NULL AND c <> ' or '",
            "at"
        ));
        assert!(!excludes_null("b <> 'x and at is not null and y'", "at"));
        assert!(excludes_null("\"At\" IS NOT NULL", "At"));
        assert!(!excludes_null("at IS NOT NULL OR hidden", "at"));
        assert!(!excludes_null("NOT (at IS NOT NULL)", "at"));
        assert!(!excludes_null("at IS NULL", "at"));
        assert!(!excludes_null("created_at IS NOT NULL", "at"));
    }
}
