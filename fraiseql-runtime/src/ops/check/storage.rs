//! Compares a view table with what `migrate` would make.

use sqlx::PgConnection;

use crate::error::PARTITION_BOUNDS_REMEDY;
use crate::error::check_report::{FindingKind, Remedy, Severity};
use crate::ops::check::catalog::{Catalog, Found, Kind, Relation};
use crate::ops::check::findings::{Breaks, Fault, Findings};
use crate::ops::migrate::bounds;
use crate::schema::naming::table_name as name;
use crate::schema::scalar::ScalarType;
use crate::schema::{Source, View};
use crate::sql::Statements;
use crate::sql::probe;

/// Columns of every view table, besides the key and the promoted ones.
const BOOKKEEPING: [&str; 4] = ["data", "version", "synced_xid", "updated_at"];

/// Compares the view table of `view`.
pub(crate) fn view(findings: &mut Findings<'_>, view: &'static View, statements: &Statements) {
    let catalog = findings.catalog;
    let table = view.table;
    let mut faults = Vec::new();
    match catalog.table(table) {
        Found::NoSchema => faults.push(fault(
            Severity::Error,
            FindingKind::MissingSchema,
            table.schema.to_owned(),
            format!("there is no schema `{}` for the view table", table.schema),
            Remedy::Sql(probe::create_schema(table.schema)),
        )),
        // It cannot be created, and that has been said.
        Found::NoTable if findings.has(FindingKind::PartitionBounds, &table.to_string()) => {}
        Found::NoTable => faults.push(fault(
            Severity::Error,
            FindingKind::MissingViewTable,
            table.to_string(),
            format!("there is no view table {}", name(table)),
            Remedy::Migrate,
        )),
        Found::NoUsage => {
            let role = &findings.server.role;
            faults.push(fault(
                Severity::Error,
                FindingKind::Privilege,
                format!("schema {}", table.schema),
                format!("the role {role} may not use the schema `{}`", table.schema),
                Remedy::Sql(probe::grant_usage(table.schema, role)),
            ));
        }
        Found::Table(relation) if relation.kind != Kind::Table => faults.push(fault(
            Severity::Error,
            FindingKind::NotATable,
            table.to_string(),
            format!("{} is to hold documents, but is no table", name(table)),
            Remedy::Rust("#[tview(view = \"another name\")]".to_owned()),
        )),
        Found::Table(relation) => {
            columns(catalog, view, statements, relation, &mut faults);
            access(findings.server.role.as_str(), view, relation, &mut faults);
        }
    }
    for fault in faults {
        findings.add(Some(view), view.shape.name, fault);
    }
}

/// Whether the view table can be partitioned as its struct says.
pub(crate) async fn bounds(
    connection: &mut PgConnection,
    findings: &mut Findings<'_>,
    view: &'static View,
) -> sqlx::Result<()> {
    if let Some((bounds, order)) = bounds::misplaced(connection, view).await? {
        let fault = fault(
            Severity::Error,
            FindingKind::PartitionBounds,
            view.table.to_string(),
            format!(
                "{} is partitioned at {bounds}, and the order of this database's collation is \
                 {order}",
                name(view.table)
            ),
            Remedy::Other(PARTITION_BOUNDS_REMEDY.to_owned()),
        );
        findings.add(Some(view), view.shape.name, fault);
    }
    Ok(())
}

fn fault(
    severity: Severity,
    kind: FindingKind,
    subject: String,
    message: String,
    remedy: Remedy,
) -> Fault {
    Fault {
        severity,
        kind,
        subject,
        message,
        remedies: vec![remedy],
        breaks: if severity == Severity::Error {
            Breaks::Storage
        } else {
            Breaks::Nothing
        },
    }
}

fn columns(
    catalog: &Catalog,
    view: &'static View,
    statements: &Statements,
    relation: &Relation,
    faults: &mut Vec<Fault>,
) {
    let table = view.table;
    let shown = name(table);
    let lacks: Vec<&str> = [view.key.column]
        .into_iter()
        .chain(BOOKKEEPING)
        .filter(|name| relation.column(name).is_none())
        .collect();
    if !lacks.is_empty() {
        faults.push(fault(
            Severity::Error,
            FindingKind::OutdatedViewTable,
            table.to_string(),
            format!(
                "{shown} is not the view table of this struct: it has no {}; drop it, migrate, \
                 and sync all",
                list(&lacks)
            ),
            Remedy::Sql(format!("DROP TABLE {table}")),
        ));
        return;
    }
    let ddl = &statements.ddl;
    let lacks: Vec<&str> = ddl
        .columns
        .iter()
        .map(|step| step.name.as_str())
        .filter(|name| relation.column(name).is_none())
        .collect();
    let mut lacks_indexes = Vec::new();
    for step in &ddl.indexes {
        match relation
            .indexes
            .iter()
            .find(|index| index.name == step.name)
        {
            None => lacks_indexes.push(step.name.as_str()),
            Some(index) if !index.valid => faults.push(fault(
                Severity::Warning,
                FindingKind::InvalidIndex,
                index.name.clone(),
                format!("the index {} of {shown} is not valid", index.name),
                Remedy::Sql(probe::reindex(&index.schema, &index.name)),
            )),
            Some(_) => {}
        }
    }
    let what = match (lacks.as_slice(), lacks_indexes.as_slice()) {
        ([], []) => None,
        (columns, []) => Some(format!("the column {}", list(columns))),
        ([], indexes) => Some(format!("the index {}", list(indexes))),
        (columns, indexes) => Some(format!(
            "the column {} and the index {}",
            list(columns),
            list(indexes)
        )),
    };
    if let Some(what) = what {
        let severity = if lacks.is_empty() {
            Severity::Warning
        } else {
            Severity::Error
        };
        faults.push(fault(
            severity,
            FindingKind::OutdatedViewTable,
            table.to_string(),
            format!("{shown} is older than the struct: it lacks {what}"),
            Remedy::Migrate,
        ));
    }
    types(catalog, view, relation, faults);
    let unique = relation.indexes.iter().any(|index| {
        index.unique
            && index.valid
            && !index.partial
            && index.immediate
            && index.columns.len() == 1
            && index.columns[0].as_deref() == Some(view.key.column)
    });
    if !unique {
        let key = view.key.column;
        faults.push(fault(
            Severity::Error,
            FindingKind::ViewKey,
            table.to_string(),
            format!("{shown}.{key} is not unique, so a sync cannot tell a document from a new one"),
            Remedy::Sql(if relation.has_primary_key() {
                probe::create_unique_index(table, key)
            } else {
                probe::add_primary_key(table, key)
            }),
        ));
    }
}

fn types(catalog: &Catalog, view: &'static View, relation: &Relation, faults: &mut Vec<Fault>) {
    let data = ScalarType::new(view.data.sql(), crate::schema::scalar::Form::Native, "JSON");
    let promoted = view.shape.fields.iter().filter_map(|field| {
        let ty = match &field.source {
            Source::Column { ty, .. } | Source::Expr { ty, .. } => *ty,
            Source::Aggregate(aggregate) => aggregate.ty,
            Source::One(_) | Source::Many(_) => return None,
        };
        Some((field.promoted?.column, ty))
    });
    let wanted = [(view.key.column, view.key.ty), ("data", data)];
    for (index, (column, ty)) in wanted.into_iter().chain(promoted).enumerate() {
        let (Some(found), Some(named)) = (relation.column(column), catalog.named(ty.sql)) else {
            continue;
        };
        let Some(declared) = catalog.declared(found.ty) else {
            continue;
        };
        let element = if ty.list.is_some() {
            declared.element
        } else {
            declared.oid
        };
        if element == named.oid {
            continue;
        }
        let sql = ty.sql_name();
        let promoted = index >= 2;
        let mut one = fault(
            Severity::Error,
            FindingKind::ViewColumnType,
            format!("{} {column}", view.table),
            format!(
                "{}.{column} is {}, and the struct says {sql}{}",
                name(view.table),
                declared.written,
                if promoted {
                    format!("; after the change, sync all of {}", view.plural)
                } else {
                    String::new()
                }
            ),
            Remedy::Sql(probe::set_type(view.table, column, &sql)),
        );
        if promoted {
            one.remedies.push(Remedy::Other(format!(
                "where the values cannot be cast, drop the column, migrate, and sync all of {}",
                view.plural
            )));
        }
        faults.push(one);
    }
}

fn access(role: &str, view: &'static View, relation: &Relation, faults: &mut Vec<Fault>) {
    let table = view.table;
    let may = [
        (
            "SELECT",
            relation.columns.iter().all(|column| column.can_select),
        ),
        ("INSERT", relation.can_insert),
        ("UPDATE", relation.can_update),
        ("DELETE", relation.can_delete),
    ];
    let lacks: Vec<&str> = may
        .iter()
        .filter_map(|(name, may)| (!may).then_some(*name))
        .collect();
    if !lacks.is_empty() {
        let lacks = lacks.join(", ");
        let mut one = fault(
            Severity::Error,
            FindingKind::Privilege,
            table.to_string(),
            format!(
                "the role {role} lacks privileges on the view table {}: {lacks}",
                name(table)
            ),
            Remedy::Sql(probe::grant(&lacks, table, role)),
        );
        one.breaks = Breaks::Nothing; // PREPARE does not ask for them.
        faults.push(one);
    }
    if relation.row_security {
        faults.push(fault(
            Severity::Warning,
            FindingKind::RowSecurity,
            table.to_string(),
            format!(
                "row level security is active on the view table {} for the role {role}: a sync \
                 cannot replace the documents that it hides",
                name(table)
            ),
            Remedy::Other(
                "sync as a role that sees every row, such as one with BYPASSRLS".to_owned(),
            ),
        ));
    }
}

fn list(names: &[&str]) -> String {
    names.join(", ")
}
