//! Goes through the shapes of a view, and compares what they need with what the base tables
//! have. What only the server can judge is left for `ask`.

use std::collections::{BTreeMap, HashSet};

use crate::error::check_report::{FindingKind, Remedy, Severity};
use crate::ops::check::ask::Question;
use crate::ops::check::catalog::{Column, Kind, Relation};
use crate::ops::check::columns::Role;
use crate::ops::check::findings::{Breaks, Fault, Findings, Fragment};
use crate::ops::check::null::excludes_null;
use crate::ops::check::tables::Use;
use crate::schema::naming::column_name;
use crate::schema::{Aggregate, Link, Many, One, OrderBy, Shape, Source, Table, View};
use crate::sql::probe;

/// The walk through one view.
pub(crate) struct Walk<'f, 'a> {
    pub(crate) findings: &'f mut Findings<'a>,
    pub(crate) view: &'static View,
    pub(crate) used: BTreeMap<Table, Use>,
    /// Columns whose null was reported with something else.
    pub(crate) reported: HashSet<(Table, &'static str)>,
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
    pub(crate) fn error(&mut self, path: &str, kind: FindingKind, subject: String, text: Text) {
        self.fault(path, Severity::Error, kind, subject, text);
    }

    pub(crate) fn warning(&mut self, path: &str, kind: FindingKind, subject: String, text: Text) {
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
            // A value that does not fit is compared with what it cannot be compared with.
            K::MissingSchema
            | K::MissingTable
            | K::MissingColumn
            | K::MissingType
            | K::KeyType
            | K::Type => Breaks::Documents,
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
        if let (Some(rows), Some(_)) = (relation, fk_column) {
            self.lookup_upwards(rows, shape.table, one.fk, path, child.table);
        }
        if let (Some(parts), Some(_)) = (child_relation, key_column)
            && matches!(parts.kind, Kind::Table | Kind::Materialized)
            && !parts.is_unique(key)
        {
            let shown = column_name(child.table, key);
            let text = Text::new(
                format!(
                    "{shown} identifies the row of a `one`, but is not unique: with two rows of one \
                     value, the row that refers to them is doubled: a new document cannot be \
                     written, a stored one has now the one and now the other, a list has the item \
                     twice"
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
            Link::Through { table, fk, to, key } => {
                let joins = self.table(table, path);
                let key = key.unwrap_or(child.key_column());
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
                        self.lookup_upwards(rows, table, to, path, child.table);
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
}

/// What is said of a fault.
pub(crate) struct Text {
    pub(crate) message: String,
    pub(crate) remedies: Vec<Remedy>,
    /// Statements that need the table cannot be PREPAREd.
    pub(crate) breaks: bool,
}

impl Text {
    pub(crate) fn new(message: String, remedies: impl IntoIterator<Item = Remedy>) -> Self {
        Self {
            message,
            remedies: remedies.into_iter().collect(),
            breaks: false,
        }
    }
}
