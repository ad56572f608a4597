//! Checks `hidden` and `index = false`: how a field is promoted.

use darling::error::Accumulator;

use super::error::error_at;
use crate::attr::{FieldAttr, FieldFlag, NoIndex};
use crate::model::DeriveKind;

/// Checks that a field which is hidden or has no index is promoted, and can be so.
pub(super) fn check(attr: &FieldAttr, kind: DeriveKind, errors: &mut Accumulator) {
    let is_promoted = attr.filter.is_some()
        || attr.sort.is_some()
        || attr.unique.is_some()
        || attr.tenant.is_some();
    if let Some(FieldFlag(span)) = attr.hidden {
        let problem = if kind == DeriveKind::Part {
            "`hidden` leaves a column of the view table out of the document, and a part has no \
             view table; mark a field of the view"
        } else if attr.key.is_some() {
            "the key of a view must be in its documents: remove `hidden`"
        } else if attr.skip.is_some() {
            "`skip` leaves the field out of the document already, and out of the view table: \
             remove `skip` or `hidden`"
        } else if !is_promoted {
            "`hidden` leaves a promoted field out of the document: add `filter`, `sort` or \
             `tenant`; `skip` is for a field that is not read at all"
        } else {
            ""
        };
        if !problem.is_empty() {
            errors.push(error_at(span, problem));
        }
    }
    if let Some(NoIndex(span)) = attr.index
        && kind == DeriveKind::View
    {
        if let Some(FieldFlag(unique)) = attr.unique {
            errors.push(error_at(
                unique,
                "`unique` is an index: it cannot be combined with `index = false`",
            ));
        } else if !is_promoted {
            errors.push(error_at(
                span,
                "`index = false` promotes a field without an index: add `filter` or `sort`",
            ));
        }
    } else if let Some(NoIndex(span)) = attr.index {
        errors.push(error_at(
            span,
            "`index = false` is about a column of the view table, and a part has no view table; \
             mark a field of the view",
        ));
    }
}
