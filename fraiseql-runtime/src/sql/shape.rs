//! The number of a view's shape. A document with another number is stale: it was built for another
//! version of the struct.
//!
//! The number is the hash of a text that contains everything that decides what is stored, and
//! nothing else: neither names in Rust and GraphQL nor indexes nor statements. The text must not
//! change from one release of this crate to the next, or all documents become stale.

use crate::schema::scalar::{ElementNull, Enum, JsonEncoding, ScalarType};
use crate::schema::{
    Aggregate, Columns, Data, Field, Function, Link, OrderBy, RowValue, Shape, Source, Table, View,
};
use crate::sql::aggregate::RowOrder;
use crate::sql::enums::enum_of;
use crate::sql::hash::fnv1a;
use crate::sql::session::session_needs;
use crate::sql::values;

/// Incremented when this crate stores other JSON for the same struct.
const FORMAT: u32 = 1;

/// The number of the shape of a view.
pub(crate) fn number(view: &View) -> i64 {
    i64::from_be_bytes(fnv1a(&text(view)).to_be_bytes())
}

/// A number as an SQL literal, in quotes: PostgreSQL parses -9223372036854775808 as the negation of
/// a number that is out of range.
pub(crate) fn literal(number: i64) -> String {
    format!("'{number}'::int8")
}

/// Everything that decides what a view stores.
fn text(view: &View) -> String {
    let mut text = Text {
        text: format!("fraiseql {FORMAT} {} ", view.data.sql()),
        sorted: view.data == Data::Jsonb,
    };
    text.columns(view.key.columns);
    for ty in view.key.types {
        text.ty(ty);
    }
    text.shape(view.shape, true);
    // Values that earlier releases computed with the settings of the session.
    if session_needs(view).fragments {
        text.word("session");
    }
    text.text
}

struct Text {
    text: String,
    /// Whether the order of fields does not matter: `jsonb` sorts keys.
    sorted: bool,
}

impl Text {
    /// Appends a word of this module.
    fn word(&mut self, word: &str) {
        if !word.is_empty() {
            self.text.push_str(word);
            self.text.push(' ');
        }
    }

    /// Appends a name of the user with its length, so that different names never yield the same
    /// text.
    fn name(&mut self, name: &str) {
        self.text.push_str(&format!("{}:{name} ", name.len()));
    }

    /// Appends the names of columns. Of one column, it is the text of its name.
    fn columns(&mut self, columns: Columns) {
        if columns.len() > 1 {
            self.word(&format!("columns-{}", columns.len()));
        }
        for name in columns.names() {
            self.name(name);
        }
    }

    fn optional(&mut self, name: Option<&str>) {
        match name {
            Some(name) => self.name(name.trim()),
            None => self.word("-"),
        }
    }

    fn table(&mut self, table: Table) {
        self.name(table.schema);
        self.name(table.name);
    }

    fn shape(&mut self, shape: &Shape, root: bool) {
        self.word("{");
        self.table(shape.table);
        self.optional(shape.filter);
        for name in shape.group_by {
            self.word("group");
            self.name(name);
        }
        let mut fields: Vec<&Field> = shape.fields.iter().collect();
        // A reordered struct makes no stale documents in `jsonb`; in `json` the order is stored.
        if self.sorted {
            fields.sort_unstable_by_key(|field| field.json);
        }
        for field in fields {
            self.name(field.json);
            self.source(&field.source, shape);
            // Only fields of the root object are promoted, also if a view is a part.
            self.optional(
                field
                    .promoted
                    .filter(|_| root)
                    .map(|promoted| promoted.column),
            );
            if root && field.is_hidden() {
                self.word("hidden");
            }
        }
        self.word("}");
    }

    fn source(&mut self, source: &Source, parent: &Shape) {
        match source {
            Source::Column { column, ty } => {
                self.word("column");
                self.name(column);
                self.ty(ty);
            }
            Source::Expr { expr, ty } => {
                self.word("expr");
                self.name(expr.trim());
                self.ty(ty);
            }
            Source::GlobalId { ty } => {
                self.word("global-id");
                self.name(parent.type_name);
                self.columns(parent.key_columns());
                self.ty(ty);
            }
            Source::Through { column, ty } => {
                self.word("through-column");
                self.name(column);
                self.ty(ty);
            }
            Source::One(one) => {
                let child = one.shape.get();
                self.word(if one.nullable { "one?" } else { "one" });
                self.columns(one.fk);
                self.columns(one.key.unwrap_or(child.key_columns()));
                self.shape(child, false);
            }
            Source::Many(many) | Source::First(many) => {
                let child = many.shape.get();
                self.word(match source {
                    Source::First(_) => "first",
                    _ => "many",
                });
                self.link(&many.link, child.key_columns());
                self.columns(many.key.unwrap_or(parent.key_columns()));
                self.order(many.order_by, |column| enum_of(child, column));
                match child.key {
                    Some(key) => self.columns(key.columns),
                    None => self.word("-"),
                }
                self.optional(many.limit.map(|limit| limit.to_string()).as_deref());
                self.optional(many.filter);
                self.shape(child, false);
            }
            Source::Values(values) => {
                self.word(if values.distinct {
                    "distinct-values"
                } else {
                    "values"
                });
                self.table(values.table);
                self.link(&values.link, Columns::ID);
                self.columns(values.key.unwrap_or(parent.key_columns()));
                match values.value {
                    RowValue::Column(name) => self.name(name),
                    RowValue::Expr(expr) => {
                        self.word("expr");
                        self.name(expr.trim());
                    }
                }
                self.order(values.order_by, |column| values::enum_of(values, column));
                self.optional(values.limit.map(|limit| limit.to_string()).as_deref());
                self.optional(values.filter);
                self.ty(&values.ty);
            }
            Source::OfGroup(aggregate) => {
                self.word("of-group");
                self.word(function_word(aggregate.function));
                self.aggregated(aggregate);
            }
            Source::Aggregate(aggregate) => {
                self.word(function_word(aggregate.function));
                self.table(aggregate.table);
                self.columns(aggregate.fk);
                if let Some(rows) = aggregate.through {
                    self.word("through");
                    self.table(rows.table);
                    self.columns(rows.fk);
                    self.columns(rows.key);
                    self.optional(rows.filter);
                }
                self.columns(aggregate.key.unwrap_or(parent.key_columns()));
                self.aggregated(aggregate);
            }
        }
    }

    /// What an aggregate computes from its rows.
    fn aggregated(&mut self, aggregate: &Aggregate) {
        self.optional(aggregate.expr);
        self.word(if aggregate.distinct { "distinct" } else { "" });
        self.optional(aggregate.filter);
        self.word(match RowOrder::of(aggregate) {
            RowOrder::Free => "",
            RowOrder::Values => "values",
            RowOrder::Exact => "exact",
            RowOrder::Scale => "scale",
            RowOrder::Bytes => "bytes",
            RowOrder::MaxScale => "max-scale",
        });
        self.ty(&aggregate.ty);
    }

    /// How rows refer to their parent row. `rows_key` is the key of the rows.
    fn link(&mut self, link: &Link, rows_key: Columns) {
        match link {
            Link::ForeignKey(fk) => self.columns(*fk),
            Link::Through {
                table,
                fk,
                to,
                key,
                order_by,
            } => {
                self.word("through");
                self.table(*table);
                self.columns(*fk);
                self.columns(*to);
                self.columns(key.unwrap_or(rows_key));
                if !order_by.is_empty() {
                    self.order(order_by, |_| None);
                }
            }
        }
    }

    /// An order. `enum_of` is the enum of a column, whose labels are ordered as its variants.
    fn order(&mut self, terms: &[OrderBy], enum_of: impl Fn(&str) -> Option<&'static Enum>) {
        self.word("order");
        for term in terms {
            self.name(term.column);
            if let Some(table) = enum_of(term.column) {
                self.word("declared");
                for variant in table.variants {
                    self.name(variant.json);
                }
            }
            // The default of PostgreSQL: nulls are larger than all values.
            let nulls_first = term.nulls_first.unwrap_or(term.descending);
            self.word(if term.descending { "desc" } else { "asc" });
            self.word(if nulls_first {
                "nulls-first"
            } else {
                "nulls-last"
            });
        }
    }

    fn ty(&mut self, ty: &ScalarType) {
        self.name(ty.sql);
        match ty.encoding {
            JsonEncoding::Native => self.word("native"),
            JsonEncoding::Float => self.word("float"),
            JsonEncoding::Decimal => self.word("decimal"),
            JsonEncoding::Timestamptz { last } => {
                self.word("timestamptz");
                self.name(last);
            }
            JsonEncoding::Timestamp => self.word("timestamp"),
            JsonEncoding::Date => self.word("date"),
            JsonEncoding::Time => self.word("time"),
            JsonEncoding::Enum(table) => {
                self.word("enum");
                let mut variants: Vec<_> = table.variants.iter().collect();
                variants.sort_unstable_by_key(|variant| variant.json);
                for variant in variants {
                    self.name(variant.json);
                    for label in variant.labels {
                        self.name(label);
                    }
                    self.word(";");
                }
            }
        }
        self.word(if ty.nullable { "null" } else { "not-null" });
        match ty.list {
            None => {}
            Some(ElementNull::No) => self.word("list"),
            Some(ElementNull::Yes) => self.word("list-of-nulls"),
        }
    }
}

fn function_word(function: Function) -> &'static str {
    match function {
        Function::Count => "count",
        Function::Sum => "sum",
        Function::Avg => "avg",
        Function::Min => "min",
        Function::Max => "max",
        Function::Exists => "exists",
    }
}
