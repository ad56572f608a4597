//! The fields of a filter: what documents, or parts in them, are filtered by.

use fraiseql_runtime::list;
use fraiseql_runtime::list::Operator;
use fraiseql_runtime::scalar::ScalarType;
use fraiseql_runtime::schema::{Field, Shape, View};

/// What a filter is about.
#[derive(Clone, Copy)]
pub(super) enum Filtered {
    /// The documents of a view.
    Documents(&'static View),
    /// The parts in a field of documents.
    Parts(&'static Shape),
}

/// A field of a filter.
#[derive(Clone, Copy)]
pub(super) enum FilterField {
    /// A value, with the operators that compare it.
    Value {
        ty: ScalarType,
        is_key: bool,
        operators: &'static [Operator],
    },
    /// Any JSON.
    Json,
    /// A part.
    Part(&'static Shape),
    /// A list of parts.
    Parts(&'static Shape),
    /// A full-text search.
    Search,
}

impl Filtered {
    /// The name of its input type.
    pub(super) fn type_name(self) -> String {
        match self {
            Self::Documents(view) => format!("{}Where", view.shape.type_name),
            // A view may be a part of another view.
            Self::Parts(shape) => format!("{}PartWhere", shape.type_name),
        }
    }

    /// Identifies the struct.
    pub(super) fn id(self) -> &'static str {
        self.shape().id
    }

    fn shape(self) -> &'static Shape {
        match self {
            Self::Documents(view) => view.shape,
            Self::Parts(shape) => shape,
        }
    }

    /// The fields, in the order of the struct; searches are last.
    pub(super) fn fields(self) -> Vec<(&'static str, FilterField)> {
        let of = |field: &&'static Field| (field.json, self.of_field(field));
        match self {
            Self::Parts(shape) => list::filterable_in(shape).iter().map(of).collect(),
            Self::Documents(view) => {
                let columns = list::filterable(view);
                let embedded = list::embedded(view);
                let is_either = |field: &&Field| {
                    let is = |other: &&Field| std::ptr::eq(*other, *field);
                    columns.iter().any(is) || embedded.iter().any(is)
                };
                let fields = view.shape.fields.iter().filter(is_either);
                let searches = list::searches(view).into_iter();
                let searches = searches.map(|name| (name, FilterField::Search));
                fields.map(|field| of(&field)).chain(searches).collect()
            }
        }
    }

    /// The field with this name, of a value whose type was checked: it is called for each field of each request.
    pub(super) fn field(self, name: &str) -> Option<FilterField> {
        if let Self::Documents(view) = self
            && list::searches(view).contains(&name)
        {
            return Some(FilterField::Search);
        }
        let mut fields = self.shape().fields.iter();
        let field = fields.find(|field| field.json == name)?;
        Some(self.of_field(field))
    }

    fn of_field(self, field: &'static Field) -> FilterField {
        let scalar = field.source.scalar();
        match (scalar, field.source.part()) {
            (Some(ty), _) if ty.is_json() && ty.list.is_none() => FilterField::Json,
            (Some(ty), _) => FilterField::Value {
                ty: *ty,
                is_key: crate::schema::types::is_key(self.shape(), field),
                operators: match self {
                    Self::Documents(_) => Operator::of(ty),
                    Self::Parts(_) => Operator::within(ty),
                },
            },
            (None, Some(part)) if field.source.is_list_of_parts() => FilterField::Parts(part),
            (None, Some(part)) => FilterField::Part(part),
            (None, None) => unreachable!("a field has a value or parts"),
        }
    }
}
