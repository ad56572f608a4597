//! The query that builds documents.
//!
//! Every object is a row of a LATERAL sub-select whose columns are named like the JSON keys;
//! a list is an array of such rows; one `to_jsonb` at the top converts the whole. That costs
//! half of nested `jsonb_build_object` calls, and has no limit of 50 fields. A row that is
//! missing on the right of a LEFT JOIN is null, and so is its JSON.
//!
//! Row aliases are the path of field names (`"comments_author"`), and are always followed by
//! a column. Aliases of objects start with `_` (`"_comments_author"`), because they stand
//! alone, where a column of the same name would win.

use std::collections::HashSet;

use crate::scalar::{Form, ScalarType};
use crate::schema::{
    Aggregate, Data, Field, Function, Link, Many, One, Shape, Source, Table, View,
};
use crate::sql::aggregate;
use crate::sql::form;
use crate::sql::text::{Sql, column, fragment, ident};

/// The longest identifier that PostgreSQL does not cut.
const MAX_IDENTIFIER: usize = 63;

/// How the rows that foreign keys refer to are found.
///
/// Looked up one by one, by index, wherever there are few of them: the planner does not know
/// how small a batch is, and would rather read a whole table of a thousand rows than look up
/// ten. `OFFSET 0` keeps it from making a join of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// For few documents: one by one everywhere.
    Few,
    /// For many documents: as the planner likes inside their lists, whose rows are a
    /// multiple; one by one for the documents themselves, and inside lists of lists, which
    /// are built again for each row around them.
    Many,
}

/// What the session must be set to for the documents to be right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionNeeds {
    /// A `timestamptz` is printed: the time zone must be UTC.
    pub utc: bool,
    /// A float is printed: every digit must be.
    pub floats: bool,
}

impl SessionNeeds {
    /// Whether any setting matters.
    #[must_use]
    pub fn any(self) -> bool {
        self.utc || self.floats
    }

    fn note(&mut self, ty: &ScalarType) {
        match ty.form {
            Form::Timestamptz { .. } => self.utc = true,
            Form::Float => self.floats = true,
            _ => {}
        }
    }
}

/// What the documents of a view need of the session.
#[must_use]
pub fn session_needs(view: &View) -> SessionNeeds {
    fn walk(shape: &Shape, needs: &mut SessionNeeds) {
        for field in shape.fields {
            match &field.source {
                Source::Column { ty, .. } | Source::Expr { ty, .. } => needs.note(ty),
                Source::Aggregate(aggregate) => needs.note(&aggregate.ty),
                Source::One(one) => walk((one.shape)(), needs),
                Source::Many(many) => walk((many.shape)(), needs),
            }
        }
    }
    let mut needs = SessionNeeds::default();
    walk(view.shape, &mut needs);
    needs
}

/// The query that builds the documents of the keys `$1`, for people: to read, to EXPLAIN.
/// It is the heart of [`SyncSql::write`](super::sync::SyncSql::write), and shown in whole in
/// [a guide](crate::guide::expanded#in-sql).
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/support.rs"));
/// # #[derive(TView)]
/// # pub struct Post { pub id: i64, pub title: String }
/// # fn main() { on("CREATE TABLE tb_post (id int8 PRIMARY KEY, title text NOT NULL)", async |pool| {
/// let sql = fraiseql_runtime::sql::document::query(Post::VIEW);
/// let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("EXPLAIN {sql}")))
///     .bind(vec![7_i64])
///     .fetch_all(&pool)
///     .await?;
/// println!("{}", plan.join("\n"));
/// # assert!(plan.join("\n").contains("tb_post"));
/// # Ok(()) }) }
/// ```
#[must_use]
pub fn query(view: &View) -> String {
    let mut sql = Sql::new();
    write(&mut sql, view, Lookup::Few, |root| {
        vec![format!(
            "{} = ANY ($1::{}[])",
            column(root, view.key.column),
            view.key.ty.sql
        )]
    });
    sql.finish()
}

/// Writes the query that builds the documents of the rows that `pick` allows, given the
/// root row's alias: columns `key`, the promoted ones, and `data`.
pub(crate) fn write(
    sql: &mut Sql,
    view: &View,
    lookup: Lookup,
    pick: impl FnOnce(&str) -> Vec<String>,
) {
    let mut composer = Composer::new(view.data, lookup, Purpose::Documents);
    let (root, document) = composer.root();
    let mut select = vec![format!("{} AS \"key\"", column(&root, view.key.column))];
    let mut computed = false;
    for field in view.shape.fields {
        let Some(promoted) = field.promoted else {
            continue;
        };
        // What was computed for the document is not computed again.
        let in_document = |ty| form::back(column(&document, field.json), ty);
        let value = match &field.source {
            // A String may be a column of another type.
            Source::Column { column: name, ty } if ty.sql == "text" && !form::is_renamed(ty) => {
                format!("{}::{}", column(&root, name), ty.sql_name())
            }
            Source::Column { column: name, ty } if !form::is_renamed(ty) => column(&root, name),
            Source::Column { ty, .. } | Source::Expr { ty, .. } => in_document(ty),
            Source::Aggregate(aggregate) => in_document(&aggregate.ty),
            // The derives refuse to promote objects and lists.
            Source::One(_) | Source::Many(_) => continue,
        };
        computed |= !matches!(field.source, Source::Column { ty, .. } if !form::is_renamed(&ty));
        select.push(format!("{value} AS {}", ident(promoted.column)));
    }
    select.push(format!(
        "pg_catalog.to_{}({document}) AS \"data\"",
        view.data.sql()
    ));
    composer.write(sql, view, &root, &document, select, computed, pick);
}

/// The query that says why the documents of the keys `$1` cannot be written: for each key, in
/// an array, an object of the document's shape with reasons, as text, in the place of values
/// that are flawed, and null in the place of others. A row that is missing is a reason under
/// the field's key with `?` behind it.
pub(crate) fn flaws(view: &View, pick: impl FnOnce(&str) -> Vec<String>) -> String {
    let mut composer = Composer::new(view.data, Lookup::Few, Purpose::Flaws);
    let (root, document) = composer.root();
    let select = vec![
        format!("ARRAY[{}] AS \"key\"", column(&root, view.key.column)),
        format!("pg_catalog.to_jsonb({document}) AS \"flaws\""),
    ];
    let mut sql = Sql::new();
    composer.write(&mut sql, view, &root, &document, select, false, pick);
    sql.finish()
}

/// `FROM` a base table. A filter's columns are meant to be the table's, so it stands in a
/// sub-select of its own, where no other name is in sight. The planner flattens it.
fn write_from(sql: &mut Sql, table: Table, row: &str, filters: &[&str]) {
    if filters.is_empty() {
        sql.line(format!("FROM {table} AS {row}"));
        return;
    }
    sql.block("FROM (", format!(") AS {row}"), |sql| {
        sql.line("SELECT *");
        sql.line(format!("FROM {table} AS {row}"));
        let conditions: Vec<String> = filters
            .iter()
            .map(|filter| format!("({})", fragment(filter, row)))
            .collect();
        sql.conditions("WHERE", &conditions);
    });
}

/// Something written later, into its place.
type Part = Box<dyn FnOnce(&mut Sql)>;

/// The joins of one row, and what the record selects from them.
struct Joins {
    parts: Vec<Part>,
    /// For each field, the expression of its value, where a join provides it.
    values: Vec<Option<String>>,
}

impl Joins {
    fn write(self, sql: &mut Sql) {
        for part in self.parts {
            part(sql);
        }
    }
}

/// The columns of one object, in the order they are written.
struct Record(Vec<(String, Value)>);

enum Value {
    Inline(String),
    List(Part),
}

impl Record {
    /// `SELECT` and its list, without FROM.
    fn write(self, sql: &mut Sql) {
        let last = self.0.len().saturating_sub(1);
        sql.line("SELECT");
        sql.indented(|sql| {
            for (index, (json, value)) in self.0.into_iter().enumerate() {
                let comma = if index == last { "" } else { "," };
                match value {
                    Value::Inline(value) => sql.line(format!("{value} AS {}{comma}", ident(&json))),
                    Value::List(part) => {
                        sql.block("ARRAY(", format!(") AS {}{comma}", ident(&json)), part);
                    }
                }
            }
        });
    }
}

/// What the records of a query hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// The values.
    Documents,
    /// Why values cannot be held.
    Flaws,
}

struct Composer {
    data: Data,
    lookup: Lookup,
    purpose: Purpose,
    /// How many lists are around the row in hand.
    lists: usize,
    aliases: HashSet<String>,
}

impl Composer {
    fn new(data: Data, lookup: Lookup, purpose: Purpose) -> Self {
        Self {
            data,
            lookup,
            purpose,
            lists: 0,
            aliases: HashSet::new(),
        }
    }

    /// The aliases of the root row and of the document.
    fn root(&mut self) -> (String, String) {
        (self.alias("root"), self.alias("_document"))
    }

    /// The whole query. `fence` keeps what the document computes from being computed in each
    /// place where it is used.
    #[expect(clippy::too_many_arguments, reason = "the parts of one statement")]
    fn write(
        mut self,
        sql: &mut Sql,
        view: &View,
        root: &str,
        document: &str,
        select: Vec<String>,
        fence: bool,
        pick: impl FnOnce(&str) -> Vec<String>,
    ) {
        let joins = self.joins(view.shape, root, "");
        let record = self.record(view.shape, root, "", &joins);
        sql.line("SELECT");
        sql.block_list(select);
        write_from(sql, view.shape.table, root, view.shape.filter.as_slice());
        joins.write(sql);
        sql.block("CROSS JOIN LATERAL (", format!(") AS {document}"), |sql| {
            record.write(sql);
            if fence {
                sql.line("OFFSET 0");
            }
        });
        sql.conditions("WHERE", &pick(root));
    }

    /// A quoted alias that nothing else has, also after PostgreSQL would have cut it.
    fn alias(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut count = 1;
        while name.len() > MAX_IDENTIFIER || !self.aliases.insert(name.clone()) {
            count += 1;
            let suffix = format!("_{count}");
            let mut end = wanted.len().min(MAX_IDENTIFIER - suffix.len());
            while !wanted.is_char_boundary(end) {
                end -= 1;
            }
            name = format!("{}{suffix}", &wanted[..end]);
        }
        ident(&name)
    }

    /// The joins that a row of `shape` needs for its objects and aggregates.
    fn joins(&mut self, shape: &'static Shape, row: &str, path: &str) -> Joins {
        let mut joins = Joins {
            parts: Vec::new(),
            values: shape.fields.iter().map(|_| None).collect(),
        };
        for (index, field) in shape.fields.iter().enumerate() {
            if let Source::One(one) = &field.source {
                let (alias, part) = self.one(one, row, &child_path(path, field.name));
                joins.values[index] = Some(alias);
                joins.parts.push(part);
            }
        }
        for (index, field) in shape.fields.iter().enumerate() {
            if let Source::Expr { expr, ty } = &field.source
                && (!is_plain(expr) || form::repeats(ty))
            {
                let (value, part) = self.expr(expr, row, &child_path(path, field.name));
                joins.values[index] = Some(value);
                joins.parts.push(part);
            }
        }
        for (list, count) in counted_lists(shape) {
            let Source::Many(many) = &shape.fields[list].source else {
                continue;
            };
            let (value, part) =
                self.list(many, shape, row, &child_path(path, shape.fields[list].name));
            joins.values[count] = Some(format!("pg_catalog.cardinality({value})"));
            joins.values[list] = Some(value);
            joins.parts.push(part);
        }
        // Aggregates over the same rows are computed together.
        let mut groups: Vec<Vec<(usize, &'static Field, Aggregate)>> = Vec::new();
        for (index, field) in shape.fields.iter().enumerate() {
            let Source::Aggregate(aggregate) = field.source else {
                continue;
            };
            if aggregate.function == Function::Exists || joins.values[index].is_some() {
                continue;
            }
            match groups
                .iter_mut()
                .find(|group| aggregate::same_rows(&group[0].2, &aggregate))
            {
                Some(group) => group.push((index, field, aggregate)),
                None => groups.push(vec![(index, field, aggregate)]),
            }
        }
        for group in groups {
            let path = child_path(path, group[0].1.name);
            let inner = self.alias(&path);
            let outer = self.alias(&format!("_{path}"));
            let first = group[0].2;
            let on = aggregate::conditions(&first, shape, row, &inner);
            let mut select = Vec::new();
            for (index, field, aggregate) in &group {
                select.push(format!(
                    "{} AS {}",
                    aggregate::value(aggregate, &inner),
                    ident(field.json)
                ));
                joins.values[*index] = Some(column(&outer, field.json));
            }
            joins.parts.push(Box::new(move |sql| {
                sql.block("CROSS JOIN LATERAL (", format!(") AS {outer}"), |sql| {
                    sql.line("SELECT");
                    sql.block_list(select);
                    sql.line(format!("FROM {} AS {inner}", first.table));
                    sql.conditions("WHERE", &on);
                });
            }));
        }
        joins
    }

    /// `LEFT JOIN LATERAL` the row that a foreign key refers to.
    fn one(&mut self, one: &'static One, row: &str, path: &str) -> (String, Part) {
        let child = (one.shape)();
        let inner = self.alias(path);
        let outer = self.alias(&format!("_{path}"));
        let joins = self.joins(child, &inner, path);
        let record = self.record(child, &inner, path, &joins);
        let on = format!(
            "{} = {}",
            column(&inner, one.key.unwrap_or(child.key_column())),
            column(row, one.fk)
        );
        let alias = outer.clone();
        let fence = self.lookup == Lookup::Few || self.lists != 1;
        let part: Part = Box::new(move |sql| {
            sql.block(
                "LEFT JOIN LATERAL (",
                format!(") AS {outer} ON true"),
                |sql| {
                    record.write(sql);
                    write_from(sql, child.table, &inner, child.filter.as_slice());
                    joins.write(sql);
                    sql.conditions("WHERE", &[on]);
                    if fence {
                        sql.line("OFFSET 0");
                    }
                },
            );
        });
        (alias, part)
    }

    /// An expression as a join, so that it is computed once though it is used twice.
    fn expr(&mut self, expr: &str, row: &str, path: &str) -> (String, Part) {
        let alias = self.alias(&format!("_{path}_expr"));
        let value = column(&alias, "value");
        let expr = fragment(expr, row);
        let part: Part = Box::new(move |sql| {
            sql.block("CROSS JOIN LATERAL (", format!(") AS {alias}"), |sql| {
                sql.line(format!("SELECT {expr} AS \"value\""));
                sql.line("OFFSET 0");
            });
        });
        (value, part)
    }

    /// A list as a join, for more than one use of it. `OFFSET 0` keeps the planner from
    /// putting the whole of it in each place.
    fn list(
        &mut self,
        many: &'static Many,
        shape: &Shape,
        row: &str,
        path: &str,
    ) -> (String, Part) {
        let alias = self.alias(&format!("_{path}_list"));
        let rows = self.many(many, shape, row, path);
        let value = column(&alias, "list");
        let part: Part = Box::new(move |sql| {
            sql.block("CROSS JOIN LATERAL (", format!(") AS {alias}"), |sql| {
                sql.line("SELECT");
                sql.indented(|sql| sql.block("ARRAY(", ") AS \"list\"", rows));
                sql.line("OFFSET 0");
            });
        });
        (value, part)
    }

    /// The body of `ARRAY(..)`: the rows that refer to `row`, as records, in order.
    fn many(&mut self, many: &'static Many, shape: &Shape, row: &str, path: &str) -> Part {
        let child = (many.shape)();
        let inner = self.alias(path);
        let item = self.alias(&format!("_{path}"));
        self.lists += 1;
        let joins = self.joins(child, &inner, path);
        let record = self.record(child, &inner, path, &joins);
        self.lists -= 1;
        let parent = column(row, many.key.unwrap_or(shape.key_column()));
        let (link, on) = match many.link {
            Link::ForeignKey(fk) => (None, format!("{} = {parent}", column(&inner, fk))),
            Link::Through { table, fk, to } => {
                let through = self.alias(&format!("{path}_through"));
                (
                    Some(format!(
                        "JOIN {table} AS {through} ON {} = {}",
                        column(&through, to),
                        column(&inner, child.key_column())
                    )),
                    format!("{} = {parent}", column(&through, fk)),
                )
            }
        };
        let order = order(many, child, &inner);
        let order = (!order.is_empty()).then(|| format!("ORDER BY {}", order.join(", ")));
        Box::new(move |sql| {
            let filters: Vec<&str> = child.filter.into_iter().chain(many.filter).collect();
            sql.line(format!("SELECT {item}"));
            let rows = |sql: &mut Sql| {
                write_from(sql, child.table, &inner, &filters);
                if let Some(link) = link {
                    sql.line(link);
                }
            };
            // Limited before anything else is looked up for the rows, or can fail for them.
            if let Some(limit) = many.limit {
                sql.block("FROM (", format!(") AS {inner}"), |sql| {
                    sql.line(format!("SELECT {inner}.*"));
                    rows(sql);
                    sql.conditions("WHERE", std::slice::from_ref(&on));
                    if let Some(order) = &order {
                        sql.line(order);
                    }
                    sql.line(format!("LIMIT {limit}"));
                });
            } else {
                rows(sql);
            }
            joins.write(sql);
            sql.block("CROSS JOIN LATERAL (", format!(") AS {item}"), |sql| {
                record.write(sql);
            });
            if many.limit.is_none() {
                sql.conditions("WHERE", &[on]);
            }
            if let Some(order) = &order {
                sql.line(order);
            }
        })
    }

    /// The columns of the object of a row.
    fn record(&mut self, shape: &'static Shape, row: &str, path: &str, joins: &Joins) -> Record {
        let mut columns: Vec<(String, Value)> = Vec::with_capacity(shape.fields.len());
        // Those that cannot be null in the document.
        let mut never_null = Vec::new();
        let mut checked: Option<(usize, String, &ScalarType)> = None;
        for (field, joined) in shape.fields.iter().zip(&joins.values) {
            let key = || field.json.to_owned();
            match self.raw(field, shape, row, path, joined) {
                Raw::Scalar(value, ty) => {
                    let is_key = matches!(
                        field.source,
                        Source::Column { column, .. } if column == shape.key_column()
                    );
                    if checked.is_none() || is_key {
                        checked = Some((columns.len(), value.clone(), ty));
                    }
                    let computed = matches!(field.source, Source::Aggregate(_));
                    if form::never_null(ty) && !is_key && !computed {
                        never_null.push(value.clone());
                    }
                    match self.purpose {
                        Purpose::Documents => {
                            columns
                                .push((key(), Value::Inline(form::value(&value, ty, self.data))));
                        }
                        Purpose::Flaws => columns.extend(
                            form::flaw(&value, ty).map(|flaw| (key(), Value::Inline(flaw))),
                        ),
                    }
                }
                Raw::One(alias, one) => {
                    if !one.nullable {
                        if self.purpose == Purpose::Flaws {
                            columns.push((format!("{}?", field.json), Value::Inline(format!(
                                "CASE WHEN pg_catalog.num_nulls({alias}) > 0 THEN 'there is no row' END"
                            ))));
                        }
                        never_null.push(alias.clone());
                    }
                    columns.push((key(), Value::Inline(alias)));
                }
                Raw::List(value) => columns.push((key(), value)),
            }
        }
        if self.purpose == Purpose::Documents
            && !never_null.is_empty()
            && let Some((index, value, ty)) = checked
            && let Some((_, Value::Inline(text))) = columns.get_mut(index)
        {
            *text = form::unless_null(text, &value, ty, &never_null);
        }
        if self.data == Data::Jsonb {
            // The order in which jsonb stores keys: it then has nothing to sort.
            columns.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
        }
        Record(columns)
    }

    /// The value of a field, before it gets the form that it has in the document.
    fn raw(
        &mut self,
        field: &'static Field,
        shape: &'static Shape,
        row: &str,
        path: &str,
        joined: &Option<String>,
    ) -> Raw {
        let joined = joined.clone();
        match &field.source {
            Source::Column { column: name, ty } => Raw::Scalar(column(row, name), ty),
            Source::Expr { expr, ty } => Raw::Scalar(
                joined.unwrap_or_else(|| format!("({})", fragment(expr, row))),
                ty,
            ),
            Source::One(one) => Raw::One(joined.unwrap_or_default(), one),
            Source::Many(many) => Raw::List(match joined {
                Some(list) => Value::Inline(list),
                None => {
                    let path = child_path(path, field.name);
                    Value::List(self.many(many, shape, row, &path))
                }
            }),
            Source::Aggregate(aggregate) => Raw::Scalar(
                joined.unwrap_or_else(|| {
                    // Only `exists` has no join of its own.
                    let inner = self.alias(&child_path(path, field.name));
                    let on = aggregate::conditions(aggregate, shape, row, &inner).join(" AND ");
                    let table = aggregate.table;
                    format!("EXISTS (SELECT FROM {table} AS {inner} WHERE {on})")
                }),
                &aggregate.ty,
            ),
        }
    }
}

/// The value of a field.
enum Raw {
    Scalar(String, &'static ScalarType),
    One(String, &'static One),
    List(Value),
}

/// Whether an expression calls nothing, so that computing it twice costs less than keeping it.
fn is_plain(expr: &str) -> bool {
    !expr.contains('(')
}

/// Pairs of a list and a count of the same rows: the list is long enough to know it.
fn counted_lists(shape: &Shape) -> Vec<(usize, usize)> {
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (count, field) in shape.fields.iter().enumerate() {
        let Source::Aggregate(aggregate) = &field.source else {
            continue;
        };
        let list = shape.fields.iter().position(|field| match &field.source {
            Source::Many(many) => aggregate::counts_list(aggregate, many),
            _ => false,
        });
        if let Some(list) = list
            && pairs.iter().all(|(other, _)| *other != list)
        {
            pairs.push((list, count));
        }
    }
    pairs
}

fn child_path(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}_{name}")
    }
}

/// The user's order, made total: by the child's key, or without one by all its columns.
fn order(many: &Many, child: &Shape, row: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut terms = Vec::new();
    for term in many.order_by {
        seen.insert(term.column);
        let direction = if term.descending { " DESC" } else { "" };
        let nulls = match term.nulls_first {
            None => "",
            Some(true) => " NULLS FIRST",
            Some(false) => " NULLS LAST",
        };
        terms.push(format!("{}{direction}{nulls}", column(row, term.column)));
    }
    let rest: Vec<&str> = match child.key {
        Some(key) => vec![key.column],
        None => child
            .fields
            .iter()
            .filter_map(|field| match &field.source {
                // json has no order; two rows that differ only there may swap.
                Source::Column { column, ty } if ty.sql != "jsonb" => Some(*column),
                _ => None,
            })
            .collect(),
    };
    terms.extend(
        rest.into_iter()
            .filter(|name| seen.insert(name))
            .map(|name| column(row, name)),
    );
    terms
}
