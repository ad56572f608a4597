//! What documents depend on in the session: its settings, and the schemas in which it looks for
//! operators and functions.
//!
//! A statement that writes documents tests this itself (`Session::conditions`), so that a suitable
//! session needs no other statement. In an unsuitable one it writes nothing, and is repeated in a
//! transaction with other settings (`Session::set_local`). Statements that only read are always
//! run in such a transaction.
//!
//! # Constants in fragments
//!
//! PostgreSQL reads the constants of a statement when it is prepared, with the settings of then:
//! `at >= '2022-02-01'` keeps the time zone in which it was prepared, whatever the session's is
//! later. So a statement with fragments has two texts, see `Session::in_set_session`: one of them
//! is only ever prepared with the right settings. The other tests constants of its own, whose values
//! show the settings with which it was prepared.
//!
//! # Schemas
//!
//! An operator is found by its name, in the schemas of `search_path`. In a session without the
//! schema of `citext`, two such columns are compared as texts, without an error. So the path must
//! have the schemas of all such types. And if a name in a fragment is not in `pg_catalog` alone, the
//! path must be `pg_catalog`, the schemas of the base tables, `public`, and those of extensions. The
//! path that is set has those of operators, too.

mod path;
mod reads;

use std::collections::BTreeSet;

use self::reads::SessionReads;
use crate::schema::scalar::{JsonEncoding, ScalarType};
use crate::schema::{Columns, Key, Link, RowValue, Shape, Source, View};
use crate::sql::text::Sql;

/// What the documents of a view need of the session: in another one PostgreSQL would write other
/// JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionNeeds {
    /// The documents have a `timestamptz`: the time zone must be UTC.
    pub utc: bool,
    /// The documents have a float: it must be printed with all digits.
    pub floats: bool,
    /// An `expr` or `filter` may read any setting, such as `DateStyle`.
    pub fragments: bool,
    /// An operator or a function of another schema than `pg_catalog` may be meant.
    pub search_path: bool,
}

impl SessionNeeds {
    /// Whether the documents depend on anything of the session.
    #[must_use]
    pub fn any(self) -> bool {
        self.utc || self.floats || self.fragments || self.search_path
    }
}

/// The needs of some documents, with what their statements are composed from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    pub(crate) needs: SessionNeeds,
    /// What fragments read.
    reads: SessionReads,
    /// The schemas of the base tables.
    schemas: BTreeSet<&'static str>,
}

/// The settings, and the values with which documents are built.
const SETTINGS: [(&str, &str); 14] = [
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
    ("xmlbinary", "base64"),
    ("xmloption", "content"),
    ("array_nulls", "on"),
    ("transform_null_equals", "off"),
    ("timezone_abbreviations", "Default"),
    ("quote_all_identifiers", "off"),
    ("default_text_search_config", "pg_catalog.simple"),
];

/// The setting that has the same value as `search_path` if that was set for documents.
const SET_PATH: &str = "fraiseql.search_path";

/// The functions that read `lc_numeric` and `lc_time`.
const FORMATTING: [&str; 4] = ["to_char", "to_date", "to_number", "to_timestamp"];

impl Session {
    /// What documents of these shapes need, with all their parts.
    pub(crate) fn of(shapes: impl IntoIterator<Item = &'static Shape>) -> Self {
        let mut session = Self::default();
        for shape in shapes {
            session.walk(shape);
        }
        session
    }

    /// The same with every setting, and the path.
    pub(crate) fn with_every_setting(mut self) -> Self {
        self.needs.search_path = true;
        self
    }

    fn walk(&mut self, shape: &Shape) {
        self.schemas.insert(shape.table.schema);
        self.fragment(shape.filter, false);
        for field in shape.fields {
            match &field.source {
                Source::Column { ty, .. }
                | Source::GlobalId { ty }
                | Source::Through { ty, .. } => self.value(ty),
                Source::Expr { expr, ty } => {
                    self.value(ty);
                    self.fragment(Some(expr), is_number(ty));
                }
                Source::OfGroup(aggregate) => {
                    self.value(&aggregate.ty);
                    self.fragment(aggregate.expr, is_number(&aggregate.ty));
                    self.fragment(aggregate.filter, false);
                }
                Source::Aggregate(aggregate) => {
                    self.value(&aggregate.ty);
                    self.schemas.insert(aggregate.table.schema);
                    self.fragment(aggregate.expr, is_number(&aggregate.ty));
                    self.fragment(aggregate.filter, false);
                    if let Some(rows) = aggregate.through {
                        self.schemas.insert(rows.table.schema);
                        self.fragment(rows.filter, false);
                        // The type of the key of rows without a struct is not known.
                        self.needs.search_path = true;
                    }
                    self.joined(shape, aggregate.key);
                }
                Source::Values(values) => {
                    self.value(&values.ty);
                    self.schemas.insert(values.table.schema);
                    if let RowValue::Expr(expr) = values.value {
                        self.fragment(Some(expr), is_number(&values.element()));
                    }
                    self.fragment(values.filter, false);
                    self.joined(shape, values.key);
                    if let Link::Through { table, .. } = values.link {
                        self.schemas.insert(table.schema);
                        // The type of the key of rows without a struct is not known.
                        self.needs.search_path = true;
                    }
                }
                Source::One(one) => {
                    let child = one.shape.get();
                    self.joined(child, one.key);
                    self.walk(child);
                }
                Source::Many(many) | Source::First(many) => {
                    let child = many.shape.get();
                    self.fragment(many.filter, false);
                    self.joined(shape, many.key);
                    if let Link::Through { table, key, .. } = many.link {
                        self.schemas.insert(table.schema);
                        self.joined(child, key);
                    }
                    self.walk(child);
                }
            }
        }
    }

    fn value(&mut self, ty: &ScalarType) {
        match ty.encoding {
            JsonEncoding::Timestamptz { .. } => self.needs.utc = true,
            JsonEncoding::Float => self.needs.floats = true,
            _ => {}
        }
    }

    fn fragment(&mut self, fragment: Option<&str>, is_number: bool) {
        let Some(fragment) = fragment else { return };
        let reads = SessionReads::of(fragment, is_number);
        self.needs.fragments |= reads.settings;
        self.needs.search_path |= reads.path;
        self.reads.date_order |= reads.date_order;
        self.reads.names.extend(reads.names);
    }

    /// A column that is compared with a foreign key: `key`, or the key of `shape`.
    fn joined(&mut self, shape: &Shape, key: Option<Columns>) {
        self.needs.search_path |= may_have_own_operator(shape, key);
    }

    /// The conditions that the session has what the documents need.
    pub(crate) fn conditions(&self) -> Vec<String> {
        let SessionNeeds {
            utc,
            floats,
            fragments,
            search_path,
        } = self.needs;
        let mut conditions = Vec::new();
        if utc || fragments {
            conditions.push(setting("TimeZone", " = 'UTC'"));
        }
        if floats || fragments {
            conditions.push(setting("extra_float_digits", "::int4 >= 1"));
        }
        if fragments {
            conditions.extend(self.settings_of_fragments());
            conditions.extend(self.constants().into_iter().map(str::to_owned));
        }
        if search_path {
            conditions.push(self.path_is_right());
        }
        conditions
    }

    fn settings_of_fragments(&self) -> Vec<String> {
        let calls = |name: &&str| self.reads.names.contains(*name);
        let mut conditions = Vec::new();
        for (name, value) in SETTINGS {
            let is_value = format!(" = '{value}'");
            match name {
                "TimeZone" | "extra_float_digits" => {}
                "DateStyle" if !self.reads.date_order => {
                    conditions.push(setting(name, " LIKE 'ISO,%'"));
                }
                // With these locales the result is that of C.
                "lc_numeric" | "lc_time" => {
                    if FORMATTING.iter().any(calls) {
                        conditions.push(setting(name, " ~ '^(C|POSIX|en_US|en_GB)'"));
                    }
                }
                "default_text_search_config" => {
                    if self.reads.names.iter().any(|name| name.contains("ts")) {
                        conditions.push(setting(name, &is_value));
                    }
                }
                _ => conditions.push(setting(name, &is_value)),
            }
        }
        conditions
    }

    /// Conditions on constants of the statement: whether it was prepared with the right settings.
    /// The planner evaluates them.
    fn constants(&self) -> Vec<&'static str> {
        let mut conditions = vec![
            // In 1800 no place had the time of another.
            "'{1800-01-01,2020-01-01,2020-07-01}'::timestamptz[] = \
             '{1800-01-01T00:00Z,2020-01-01T00:00Z,2020-07-01T00:00Z}'::timestamptz[]",
            "(1 = NULL) IS NULL",
        ];
        if self.reads.date_order {
            conditions.push("'01/02/03'::date = '2003-01-02'::date");
            conditions
                .push("'-1 2:00:00'::interval = pg_catalog.make_interval(days => -1, hours => 2)");
        }
        conditions
    }

    /// Gives the rest of the transaction what the documents need.
    pub(crate) fn set_local(&self) -> String {
        let mut sql = Sql::new();
        sql.line("SELECT");
        sql.indented(|sql| {
            if self.needs_path() {
                self.set_path_config(sql);
                sql.line(",");
            }
            sql.list(
                SETTINGS.iter().map(|(name, value)| {
                    format!("pg_catalog.set_config('{name}', '{value}', true)")
                }),
            );
        });
        sql.finish()
    }

    /// The settings that the documents depend on, apart from the path, with the values that they need.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let SessionNeeds {
            utc,
            floats,
            fragments,
            ..
        } = self.needs;
        SETTINGS.into_iter().filter(move |(name, _)| match *name {
            "TimeZone" => utc || fragments,
            "extra_float_digits" => floats || fragments,
            _ => fragments,
        })
    }

    /// Whether the path of functions must have schemas of extensions and operators.
    pub(crate) fn needs_path(&self) -> bool {
        self.needs.search_path || self.needs.fragments
    }

    /// `sql` as a text of its own, if it has constants whose value depends on the session. It is
    /// only sent in a transaction with the settings of [`set_local`](Self::set_local).
    pub(crate) fn in_set_session(&self, sql: &str) -> Option<String> {
        self.needs
            .fragments
            .then(|| format!("{sql}\n-- Prepared with the settings that documents need."))
    }
}

/// A condition on a setting.
fn setting(name: &str, test: &str) -> String {
    let missing_ok = if name == SET_PATH { ", true" } else { "" };
    format!("pg_catalog.current_setting('{name}'{missing_ok}){test}")
}

/// The present values of all settings that [`Session::set_local`] changes, as an array.
pub(crate) fn settings() -> String {
    let values: Vec<String> = setting_names().map(|name| setting(name, "")).collect();
    format!("SELECT ARRAY[{}]", values.join(", "))
}

/// Restores the settings `$1` for the rest of the transaction.
pub(crate) fn restore() -> String {
    let values: Vec<String> = setting_names()
        .enumerate()
        .map(|(index, name)| {
            format!(
                "pg_catalog.set_config('{name}', ($1::text[])[{}], true)",
                index + 1
            )
        })
        .collect();
    format!("SELECT {}", values.join(", "))
}

fn setting_names() -> impl Iterator<Item = &'static str> {
    ["search_path", SET_PATH]
        .into_iter()
        .chain(SETTINGS.iter().map(|(name, _)| *name))
}

/// What the documents of a view need of the session.
#[must_use]
pub fn session_needs(view: &View) -> SessionNeeds {
    Session::of([view.shape]).needs
}

/// Whether the rows that a filter selects may depend on the session.
pub(crate) fn reads_session(filter: Option<&str>) -> bool {
    filter.is_some_and(|filter| {
        let reads = SessionReads::of(filter, false);
        reads.settings || reads.path
    })
}

fn is_number(ty: &ScalarType) -> bool {
    ty.list.is_none()
        && matches!(
            ty.sql,
            "int2" | "int4" | "int8" | "float4" | "float8" | "numeric"
        )
}

/// Whether a column may have a type whose operators are not in `pg_catalog`: a text may be `citext`,
/// and a column that is no field may be anything.
fn may_have_own_operator(shape: &Shape, key: Option<Columns>) -> bool {
    let names = key.unwrap_or(shape.key_columns()).names().iter();
    let mut types = names.map(|name| {
        let mut of_key = shape.key.iter().flat_map(Key::iter);
        let of_key = of_key.find(|(column, _)| column == name);
        let of_field = shape.fields.iter().find_map(|field| match &field.source {
            Source::Column { column, ty } if column == name => Some(ty.sql),
            _ => None,
        });
        of_key.map(|(_, ty)| ty.sql).or(of_field)
    });
    types.any(|ty| !matches!(ty, Some("int2" | "int4" | "int8" | "uuid")))
}
