//! The marks of a mutation for each statement of these tests.

use fraiseql_runtime::Mutation;

/// Marks the rows that a statement has written: the one that it names, or all of its table. Returns
/// whether there are any.
pub(crate) fn mark(mutation: &mut Mutation, sql: &str) -> bool {
    let mut words = sql.split_whitespace();
    let (table, rest) = match (words.next(), words.next(), words.next()) {
        (Some("UPDATE"), Some(table), _) => (table, sql.split_once("WHERE id = ")),
        (Some("DELETE"), Some("FROM"), Some(table)) => (table, sql.split_once("WHERE id = ")),
        (Some("INSERT"), Some("INTO"), Some(table)) => (table, sql.split_once("VALUES (")),
        _ => panic!("no statement of these tests: {sql}"),
    };
    let keys: Vec<i32> = match rest {
        Some((_, key)) => {
            let end = key.find(|c: char| !c.is_ascii_digit()).unwrap_or(key.len());
            vec![key[..end].parse().expect("the statement names a key")]
        }
        None => (1..=10).collect(),
    };
    let column = match table {
        "tb_user" | "tb_post" | "tb_comment" | "tb_tag" => "id",
        "tb_post_tag" => "post_id",
        other => panic!("{other} is in no document"),
    };
    // In a read model without this table, no document depends on the row.
    let _ = mutation.changed_rows(table, column, &keys);
    true
}
