//! What the documents of a view need of the session that builds them.

use crate::scalar::{Form, ScalarType};
use crate::schema::{Shape, Source, View};

/// Makes a transaction print times and floats as documents need them.
pub(crate) const SET_LOCAL: &str = "SELECT pg_catalog.set_config('TimeZone', 'UTC', true), \
    pg_catalog.set_config('extra_float_digits', '1', true)";

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
