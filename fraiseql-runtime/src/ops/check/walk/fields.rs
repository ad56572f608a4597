//! Goes through the fields of a shape, and of the shapes in it.

use crate::ops::check::catalog::CatalogRelation;
use crate::ops::check::findings::Findings;
use crate::ops::check::fragments::Fragment;
use crate::ops::check::server_checks::{Question, ServerCheck};
use crate::ops::check::walk::columns::FieldColumn;
use crate::ops::check::walk::state::Walk;
use crate::schema::{Field, Shape, Source, View};

/// Compares a view with its base tables. Returns what only the server can judge, and the
/// fragments of the view.
pub(crate) fn view(
    findings: &mut Findings<'_>,
    view: &'static View,
) -> (Vec<ServerCheck>, Vec<Fragment>) {
    let mut walk = Walk::new(findings, view);
    let shape = view.shape;
    if let Some(relation) = walk.table(shape.table, shape.name) {
        walk.root_key(relation);
    }
    walk.shape(shape, shape.name, true, None);
    walk.privileges();
    (walk.checks, walk.fragments)
}

impl<'a> Walk<'_, 'a> {
    /// Compares the fields of `shape`; `list_filter` is the filter of the list that contains its
    /// rows.
    pub(super) fn shape(
        &mut self,
        shape: &'static Shape,
        path: &str,
        is_root: bool,
        list_filter: Option<&'static str>,
    ) {
        let relation = self.findings.catalog.relation(shape.table);
        if let (Some(_), Some(filter)) = (relation, shape.filter) {
            self.filter(shape.table, path, filter);
        }
        for field in shape.fields {
            let path = format!("{path}.{}", field.name);
            self.field(relation, shape, field, &path, is_root, list_filter);
        }
    }

    /// Compares one field. `relation` is `None` if the table is missing, which is reported once:
    /// only the tables below it are compared then.
    fn field(
        &mut self,
        relation: Option<&'a CatalogRelation>,
        shape: &'static Shape,
        field: &'static Field,
        path: &str,
        is_root: bool,
        list_filter: Option<&'static str>,
    ) {
        match &field.source {
            Source::Column { column, ty } => {
                if let Some(relation) = relation {
                    self.field_column(&FieldColumn {
                        relation,
                        table: shape.table,
                        is_promoted: field.promoted.is_some(),
                        name: column,
                        ty: *ty,
                        is_element: false,
                        path,
                        filters: [shape.filter, list_filter],
                        is_root_key: is_root && self.view.key.columns.names().contains(column),
                    });
                }
            }
            Source::Expr { expr, ty } => {
                if relation.is_some() {
                    self.fragment(path, "expr", expr, shape.table);
                    let question = Question::Expr {
                        text: expr,
                        table: shape.table,
                        ty: *ty,
                        is_promoted: field.promoted.is_some(),
                    };
                    self.ask(path, question);
                }
            }
            // Made of the key, whose fields are checked.
            Source::GlobalId { .. } => {}
            // Compared with the list, which names the join table.
            Source::Through { .. } => {}
            Source::One(one) => self.one(relation, shape, one, path),
            Source::Many(many) | Source::First(many) => self.many(relation, shape, many, path),
            Source::Values(values) => self.values(relation, shape, values, path),
            Source::OfGroup(aggregate) => self.of_group(relation, shape, aggregate, path),
            Source::Aggregate(aggregate) => self.aggregate(relation, shape, aggregate, path),
        }
    }
}
