//! The number of a view's shape. A document with another number is stale: it was built for another
//! version of the struct.
//!
//! The number is the hash of a text that contains everything that decides what is stored, and
//! nothing else: neither names in Rust and GraphQL nor indexes nor statements. The text must not
//! change from one release of this crate to the next, or all documents become stale.

use crate::schema::scalar::{ElementNull, JsonEncoding, ScalarType};
use crate::schema::{Data, Field, Function, Link, OrderBy, Shape, Source, Table, View};
use crate::sql::aggregate::RowOrder;
use crate::sql::enums::enum_of;
use crate::sql::hash::fnv1a;
use crate::sql::session::session_needs;

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
    text.name(view.key.column);
    text.ty(&view.key.ty);
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
            Source::One(one) => {
                let child = (one.shape)();
                self.word(if one.nullable { "one?" } else { "one" });
                self.name(one.fk);
                self.name(one.key.unwrap_or(child.key_column()));
                self.shape(child, false);
            }
            Source::Many(many) => {
                let child = (many.shape)();
                self.word("many");
                match many.link {
                    Link::ForeignKey(fk) => self.name(fk),
                    Link::Through { table, fk, to, key } => {
                        self.word("through");
                        self.table(table);
                        self.name(fk);
                        self.name(to);
                        self.name(key.unwrap_or(child.key_column()));
                    }
                }
                self.name(many.key.unwrap_or(parent.key_column()));
                self.order(many.order_by, child);
                self.optional(child.key.map(|key| key.column));
                self.optional(many.limit.map(|limit| limit.to_string()).as_deref());
                self.optional(many.filter);
                self.shape(child, false);
            }
            Source::Aggregate(aggregate) => {
                self.word(match aggregate.function {
                    Function::Count => "count",
                    Function::Sum => "sum",
                    Function::Avg => "avg",
                    Function::Min => "min",
                    Function::Max => "max",
                    Function::Exists => "exists",
                });
                self.table(aggregate.table);
                self.name(aggregate.fk);
                self.name(aggregate.key.unwrap_or(parent.key_column()));
                self.optional(aggregate.expr);
                self.optional(aggregate.filter);
                self.word(match RowOrder::of(aggregate) {
                    RowOrder::Free => "",
                    RowOrder::Values => "values",
                    RowOrder::Exact => "exact",
                    RowOrder::Scale => "scale",
                    RowOrder::Bytes => "bytes",
                });
                self.ty(&aggregate.ty);
            }
        }
    }

    fn order(&mut self, terms: &[OrderBy], child: &Shape) {
        self.word("order");
        for term in terms {
            self.name(term.column);
            if let Some(table) = enum_of(child, term.column) {
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
