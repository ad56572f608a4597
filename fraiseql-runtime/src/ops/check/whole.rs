//! The whole statements of a view, PREPAREd; and the user's fragment in them that a refusal is
//! about.

use sqlx::PgConnection;

use crate::error::check_report::{FindingKind, Remedy, Severity};
use crate::ops::check::ask::{Refusal, pointed, prepare, word};
use crate::ops::check::findings::{Breaks, Fault, Findings, Fragment};
use crate::schema::View;
use crate::sql::{Statements, document};

/// PREPAREs every statement of a view. What is refused for a reason that a finding has
/// given already is not repeated.
pub(crate) async fn statements(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    view: &'static View,
    statements: &'static Statements,
    fragments: &[Fragment],
) -> sqlx::Result<()> {
    if findings.documents_broken(view) {
        return Ok(());
    }
    let query = document::query(view);
    let mut all: Vec<(&str, &str)> = vec![("builds documents", &query)];
    if !findings.storage_broken(view) {
        let sync = &statements.sync;
        all.extend([
            ("syncs", sync.write.as_str()),
            ("syncs a few", &sync.write_few),
            ("syncs inside a transaction", &sync.write_locked),
            ("syncs a few inside a transaction", &sync.write_locked_few),
            ("asks who is writing", &sync.still_writing),
            ("asks what was overwritten", &sync.overwritten),
            ("locks rows", &sync.lock),
            ("locks documents", &sync.lock_documents),
            ("deletes orphans", &sync.delete_orphans),
            ("deletes", &sync.delete),
            ("lists keys", &sync.first_keys),
            ("lists keys", &sync.next_keys),
            ("counts keys", &sync.expected),
            ("counts keys", &sync.expected_after),
            ("finds invalid documents", &sync.flaws),
            ("finds", &statements.read.find),
            ("finds many", &statements.read.find_many),
        ]);
        all.extend(
            statements
                .parts
                .iter()
                .map(|part| ("replaces a part", part.replace.as_str())),
        );
        all.extend(
            sync.clear_unique
                .iter()
                .map(|statement| ("clears unique columns", statement.as_str())),
        );
    }
    for (what, statement) in all {
        let Err(refusal) = prepare(connection, statement).await? else {
            continue;
        };
        let culprit = refusal.position.and_then(|position| {
            fragments
                .iter()
                .find_map(|fragment| Some((fragment, within(fragment.text, statement, position)?)))
        });
        let (path, fault) = match culprit {
            Some((fragment, place)) => {
                (fragment.path.clone(), in_context(fragment, place, &refusal))
            }
            None => {
                let line = refusal
                    .position
                    .and_then(|position| line_at(statement, position))
                    .map(|line| format!("\n  {line}"))
                    .unwrap_or_default();
                let fault = Fault {
                    severity: Severity::Error,
                    kind: FindingKind::Statement,
                    subject: view.table.to_string(),
                    message: format!(
                        "the server refuses the statement that {what}: {}{line}",
                        refusal.message
                    ),
                    remedies: vec![Remedy::Other(
                        "compare the statement, in TView::statements(), with the tables".to_owned(),
                    )],
                    breaks: Breaks::Nothing,
                };
                (view.shape.name.to_owned(), fault)
            }
        };
        findings.add(Some(view), &path, fault);
        break; // The others fail for the same reason.
    }
    Ok(())
}

/// A fragment that works alone, but not among the other tables of the document.
fn in_context(fragment: &Fragment, place: usize, refusal: &Refusal) -> Fault {
    let wanted = word(fragment.text.trim(), place);
    Fault {
        severity: Severity::Error,
        kind: FindingKind::Fragment,
        subject: format!("{} {}", fragment.table, fragment.text),
        message: format!(
            "the server refuses the {} where it stands in the document: {}{}",
            fragment.what,
            refusal.message,
            pointed(fragment.text.trim(), Some(place))
        ),
        remedies: vec![Remedy::Rust(format!("{{}}.{wanted}"))],
        breaks: Breaks::Documents,
    }
}

/// The place in the fragment `text` of a place in a statement, where that is in the fragment.
fn within(text: &str, statement: &str, position: usize) -> Option<usize> {
    let text = text.trim();
    let position = statement.char_indices().nth(position)?.0;
    let first = text.split("{}").next().unwrap_or_default();
    // A fragment that begins with an alias stands between parentheses.
    let (before, first) = if first.is_empty() {
        (1, "(")
    } else {
        (0, first)
    };
    statement
        .match_indices(first)
        .map(|(start, _)| start + before)
        .take_while(|start| *start <= position)
        .find_map(|start| place(text, &statement[start..], position - start))
}

/// The place in `text` of the byte `position` of a statement that begins with `text`. There,
/// an alias stands for each `{}`.
fn place(text: &str, statement: &str, position: usize) -> Option<usize> {
    let mut found = None;
    let (mut at, mut written) = (0, 0);
    for (index, piece) in text.split("{}").enumerate() {
        if index > 0 {
            let end = at + alias_end(&statement[at..])?;
            if (at..end).contains(&position) {
                found = Some(written);
            }
            at = end;
            written += 2;
        }
        if !statement[at..].starts_with(piece) {
            return None;
        }
        let end = at + piece.len();
        if (at..end).contains(&position) {
            found = Some(written + statement[at..position].chars().count());
        }
        at = end;
        written += piece.chars().count();
    }
    found
}

fn alias_end(text: &str) -> Option<usize> {
    match text.strip_prefix('"') {
        Some(quoted) => Some(quoted.find('"')? + 2),
        None => Some(
            text.find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(text.len()),
        ),
    }
}

fn line_at(statement: &str, position: usize) -> Option<&str> {
    let byte = statement.char_indices().nth(position)?.0;
    let start = statement[..byte].rfind('\n').map_or(0, |at| at + 1);
    statement[start..].lines().next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_statement_is_a_place_in_the_fragment() {
        let statement = "SELECT (\"_r_o\".price * tax) AS x";
        let at = |needle: &str| statement.find(needle).unwrap();
        let text = "{}.price * tax";
        assert_eq!(within(text, statement, at("\"_r")), Some(0));
        assert_eq!(within(text, statement, at("price")), Some(3));
        assert_eq!(within(text, statement, at("tax")), Some(11));
        assert_eq!(within(text, statement, at("AS x")), None);
        assert_eq!(within("lower(name)", "SELECT lower(name)", 13), Some(6));
    }
}
