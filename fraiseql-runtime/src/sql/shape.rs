//! The shape of what a view stores, as a number: documents of another number were made for
//! another version of the struct.
//!
//! The number is the hash of a text that has everything which decides what is stored, and
//! nothing else: not the names in Rust and in GraphQL, not indexes, not the statements that
//! this crate happens to compose.

use crate::schema::scalar::{ElementNull, Form, ScalarType};
use crate::schema::{Data, Field, Function, Link, OrderBy, Shape, Source, Table, View};
use crate::sql::ddl::hash;

/// Counts up when this crate begins to store other JSON for the same struct.
const FORMAT: u32 = 1;

/// The number of a view's shape.
pub(crate) fn number(view: &View) -> i64 {
    i64::from_be_bytes(hash(&text(view)).to_be_bytes())
}

/// A number in SQL. In quotes, because the least one cannot be written as a number.
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
    text.text
}

struct Text {
    text: String,
    /// Whether objects have no order: `jsonb` has its own.
    sorted: bool,
}

impl Text {
    /// A word of this file's.
    fn word(&mut self, word: &str) {
        self.text.push_str(word);
        self.text.push(' ');
    }

    /// A word of the user's, with its length, so that no two texts run into one.
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
        if self.sorted {
            fields.sort_unstable_by_key(|field| field.json);
        }
        for field in fields {
            self.name(field.json);
            self.source(&field.source, shape);
            // Inside a document, nothing is promoted.
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
                self.order(many.order_by);
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
                self.ty(&aggregate.ty);
            }
        }
    }

    fn order(&mut self, terms: &[OrderBy]) {
        self.word("order");
        for term in terms {
            self.name(term.column);
            // The largest is first, and with it the nulls, unless it was said otherwise.
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
        match ty.form {
            Form::Native => self.word("native"),
            Form::Float => self.word("float"),
            Form::Decimal => self.word("decimal"),
            Form::Timestamptz { last } => {
                self.word("timestamptz");
                self.name(last);
            }
            Form::Timestamp => self.word("timestamp"),
            Form::Date => self.word("date"),
            Form::Time => self.word("time"),
            Form::Enum(table) => {
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
