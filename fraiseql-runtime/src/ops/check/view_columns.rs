//! Compares the columns and indexes of a view table with those of its struct.

use crate::error::check_report::{FindingKind, Remedy};
use crate::ops::check::catalog::{Catalog, CatalogRelation};
use crate::ops::check::diagnostic::{Breaks, Diagnostic};
use crate::schema::View;
use crate::schema::naming::table_name;
use crate::schema::scalar::{JsonEncoding, ScalarType};
use crate::sql::ddl::remedy;
use crate::sql::{Statements, probe};

/// Reports columns and indexes that `migrate` would add, and indexes that are not valid.
pub(crate) fn indexes(
    view: &'static View,
    statements: &Statements,
    relation: &CatalogRelation,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let shown = table_name(view.table);
    let ddl = &statements.ddl;
    let missing_columns: Vec<&str> = ddl
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .filter(|name| relation.column(name).is_none())
        .collect();
    let mut missing_indexes = Vec::new();
    for declared in &ddl.indexes {
        let mut existing = relation.indexes.iter();
        match existing.find(|index| index.name == declared.name) {
            None => missing_indexes.push(declared.name.as_str()),
            Some(index) if !index.valid => diagnostics.push(
                Diagnostic::warning(
                    FindingKind::InvalidIndex,
                    index.name.as_str(),
                    format!("the index {} of {shown} is not valid", index.name),
                )
                // REINDEX does not add the partitions that an index of a partitioned table lacks.
                // Without the index, `migrate` creates it.
                .sql(if relation.is_partitioned() {
                    remedy::drop_index(view.table, &index.name, None)
                } else {
                    probe::reindex(&index.schema, &index.name)
                }),
            ),
            Some(_) => {}
        }
    }
    let missing = match (missing_columns.as_slice(), missing_indexes.as_slice()) {
        ([], []) => return,
        (columns, []) => format!("the column {}", columns.join(", ")),
        ([], indexes) => format!("the index {}", indexes.join(", ")),
        (columns, indexes) => format!(
            "the column {} and the index {}",
            columns.join(", "),
            indexes.join(", ")
        ),
    };
    let subject = view.table.to_string();
    let message = format!("{shown} is older than the struct: it lacks {missing}");
    // A missing index only makes reads slow.
    let diagnostic = if missing_columns.is_empty() {
        Diagnostic::warning(FindingKind::OutdatedViewTable, subject, message)
    } else {
        Diagnostic::error(FindingKind::OutdatedViewTable, subject, message).breaks(Breaks::Storage)
    };
    diagnostics.push(diagnostic.remedies([Remedy::Migrate]));
}

/// Reports columns of another type than the struct's.
pub(crate) fn types(
    catalog: &Catalog,
    view: &'static View,
    relation: &CatalogRelation,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let data = ScalarType::new(view.data.sql(), JsonEncoding::Native, "JSON");
    let key = view
        .key_columns()
        .into_iter()
        .zip(view.key.types.iter().copied());
    for (name, ty) in key.chain([("data", data)]) {
        diagnostics.extend(column_type(catalog, view, relation, name, &ty, false));
    }
    for field in view.shape.fields {
        if let (Some(promoted), Some(ty)) = (field.promoted, field.source.scalar()) {
            let name = promoted.column;
            diagnostics.extend(column_type(catalog, view, relation, name, ty, true));
        }
    }
}

fn column_type(
    catalog: &Catalog,
    view: &'static View,
    relation: &CatalogRelation,
    name: &str,
    ty: &ScalarType,
    is_promoted: bool,
) -> Option<Diagnostic> {
    let (column, wanted) = (relation.column(name)?, catalog.named(ty.sql)?);
    let declared = catalog.declared(column.type_oid)?;
    let oid = if ty.list.is_some() {
        declared.element
    } else {
        declared.oid
    };
    if oid == wanted.oid {
        return None;
    }
    let sql = ty.sql_name();
    // A value that is cast can differ from the one that a sync writes.
    let resync = if is_promoted {
        format!("; after the change, sync all of {}", view.plural)
    } else {
        String::new()
    };
    let message = format!(
        "{}.{name} is {}, but should be {sql}{resync}",
        table_name(view.table),
        declared.sql
    );
    let recreate = is_promoted.then(|| {
        Remedy::Other(format!(
            "if the values cannot be cast, drop the column, migrate, and sync all of {}",
            view.plural
        ))
    });
    Some(
        Diagnostic::error(
            FindingKind::ViewColumnType,
            format!("{} {name}", view.table),
            message,
        )
        .sql(probe::set_type(view.table, name, &sql))
        .remedies(recreate)
        .breaks(Breaks::Storage),
    )
}
