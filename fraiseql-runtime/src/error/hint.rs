//! What an error of the database is called, and what to do about it, where it tells.
//!
//! Servers speak many languages: names are looked for in a message, and no other words.

/// What was being done, the database's words, and what to do.
pub(super) fn told(doing: &str, source: &sqlx::Error) -> String {
    let said = match source {
        // sqlx adds a line number, which is one of PostgreSQL's own source.
        sqlx::Error::Database(error) => {
            format!("error returned from database: {}", error.message())
        }
        other => other.to_string(),
    };
    match hint(doing, source) {
        Some(hint) => format!("{doing}: {said}; {hint}"),
        None => format!("{doing}: {said}"),
    }
}

const MIGRATE: &str = "run ReadModel::migrate";
const CHECK: &str = "ReadModel::check says what does not fit";
const EITHER: &str =
    "ReadModel::check says what is missing, ReadModel::migrate creates view tables";

fn hint(doing: &str, source: &sqlx::Error) -> Option<&'static str> {
    let error = match source {
        sqlx::Error::PoolTimedOut => {
            return Some("if this task holds a transaction, pass `&mut tx`");
        }
        sqlx::Error::Database(error) => error,
        _ => return None,
    };
    // Who migrates or checks knows what these can do.
    const SETTING_UP: [&str; 4] = ["migrating", "planning", "creating", "checking"];
    if SETTING_UP.iter().any(|verb| doing.starts_with(verb)) {
        return None;
    }
    let (schema, table) = table(doing)?;
    let message = error.message();
    // Here it is the base table that is named; its statement reads the view table, too.
    let of_base = doing.starts_with("reading the keys of");
    match &*error.code()? {
        // undefined_table
        "42P01" => Some(
            match (names(message, &format!("{schema}.{table}")), of_base) {
                (true, false) => MIGRATE,
                (false, true) => EITHER,
                _ => CHECK,
            },
        ),
        // undefined_column. The view table is always `v`, and nothing else is.
        "42703" if !of_base && (names(message, &table) || names(message, "v.")) => Some(MIGRATE),
        // And what a column of another type leads to: undefined_function, datatype_mismatch.
        "42703" | "42883" | "42804" | "3F000" => Some(CHECK),
        _ => None,
    }
}

/// The schema and the name in `syncing "public"."tv_post"`.
fn table(doing: &str) -> Option<(String, String)> {
    let start = doing.find('"')?;
    let quoted = doing.get(start..)?.strip_prefix('"')?.strip_suffix('"')?;
    let (schema, table) = quoted.split_once("\".\"")?;
    let plain = |name: &str| name.replace("\"\"", "\"");
    Some((plain(schema), plain(table)))
}

/// Whether a message has a name, and not only as a part of a longer one.
fn names(message: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let ends_open = name.ends_with('.');
    message.match_indices(name).any(|(at, _)| {
        let before = message[..at].chars().next_back();
        let after = message[at + name.len()..].chars().next();
        !before.is_some_and(is_word) && (ends_open || !after.is_some_and(is_word))
    })
}

#[cfg(test)]
mod tests {
    use super::{names, table};

    #[test]
    fn a_table_is_found_in_what_was_being_done() {
        let found = |doing| table(doing).map(|(schema, table)| format!("{schema}|{table}"));
        assert_eq!(
            found("syncing \"public\".\"tv_post\"").as_deref(),
            Some("public|tv_post")
        );
        assert_eq!(
            found("syncing \"a b\".\"say \"\"x\"\"\"").as_deref(),
            Some("a b|say \"x\"")
        );
        assert_eq!(found("acquiring a connection to sync"), None);
    }

    #[test]
    fn a_name_is_a_whole_one_in_any_language() {
        let german = "Relation \u{bb}public.tv_post\u{ab} existiert nicht";
        assert!(names(german, "public.tv_post"));
        assert!(!names(
            "relation \"public.tv_posts\" is not",
            "public.tv_post"
        ));
        assert!(!names(
            "relation \"my_public.tv_post\" is not",
            "public.tv_post"
        ));
        assert!(names("column v.title does not exist", "v."));
        assert!(!names("column rev.title does not exist", "v."));
    }
}
