//! Statements that create something only if it does not exist.
//!
//! A migration runs them, and the plans of migrations in files have the same: applied twice, or the
//! plans of two read models in one database, they do no harm.

/// The statement `sql` of this crate, with IF NOT EXISTS. Other statements are returned as they are.
pub(crate) fn if_not_exists(sql: &str) -> String {
    const OBJECTS: [&str; 8] = [
        "CREATE TABLE ",
        "CREATE UNLOGGED TABLE ",
        "CREATE INDEX CONCURRENTLY ",
        "CREATE UNIQUE INDEX CONCURRENTLY ",
        "CREATE INDEX ",
        "CREATE UNIQUE INDEX ",
        "CREATE SCHEMA ",
        "CREATE MATERIALIZED VIEW ",
    ];
    const ADD_COLUMN: &str = " ADD COLUMN ";
    if sql.contains("IF NOT EXISTS ") {
        return sql.to_owned();
    }
    if let Some(create) = OBJECTS.into_iter().find(|create| sql.starts_with(create)) {
        return format!("{create}IF NOT EXISTS {}", &sql[create.len()..]);
    }
    match sql.split_once(ADD_COLUMN) {
        Some((alter, column)) if alter.starts_with("ALTER TABLE ") => {
            format!("{alter}{ADD_COLUMN}IF NOT EXISTS {column}")
        }
        _ => sql.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::if_not_exists;

    #[test]
    fn what_is_created_is_created_if_it_does_not_exist() {
        for (sql, wanted) in [
            (
                "CREATE TABLE a (b int8)",
                "CREATE TABLE IF NOT EXISTS a (b int8)",
            ),
            (
                "CREATE UNIQUE INDEX CONCURRENTLY i ON a (b)",
                "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON a (b)",
            ),
            (
                "CREATE INDEX i ON a (b)",
                "CREATE INDEX IF NOT EXISTS i ON a (b)",
            ),
            (
                "ALTER TABLE a ADD COLUMN b int8",
                "ALTER TABLE a ADD COLUMN IF NOT EXISTS b int8",
            ),
            (
                "CREATE MATERIALIZED VIEW a AS SELECT 1",
                "CREATE MATERIALIZED VIEW IF NOT EXISTS a AS SELECT 1",
            ),
            ("COMMENT ON INDEX i IS 'x'", "COMMENT ON INDEX i IS 'x'"),
        ] {
            assert_eq!(if_not_exists(sql), wanted);
            assert_eq!(if_not_exists(wanted), wanted);
        }
    }
}
