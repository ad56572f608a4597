//! What the documents of a view need of the session that builds them.

use crate::schema::scalar::{Form, ScalarType};
use crate::schema::{Shape, Source, View};

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

    /// What these shapes need, with all that they are made of.
    pub(crate) fn of(shapes: impl IntoIterator<Item = &'static Shape>) -> Self {
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
        let mut needs = Self::default();
        for shape in shapes {
            walk(shape, &mut needs);
        }
        needs
    }

    /// What must be true of the session.
    pub(crate) fn conditions(self) -> Vec<&'static str> {
        let mut conditions = Vec::new();
        if self.utc {
            conditions.push("pg_catalog.current_setting('TimeZone') = 'UTC'");
        }
        if self.floats {
            conditions.push("pg_catalog.current_setting('extra_float_digits')::int4 >= 1");
        }
        conditions
    }

    fn note(&mut self, ty: &ScalarType) {
        match ty.form {
            Form::Timestamptz { .. } => self.utc = true,
            Form::Float => self.floats = true,
            _ => {}
        }
    }
}

/// Sets it for the transaction.
pub(crate) const SET_LOCAL: &str = "\
SELECT
  pg_catalog.set_config('TimeZone', 'UTC', true),
  pg_catalog.set_config('extra_float_digits', '1', true)";

/// What it is set to.
pub(crate) const SETTINGS: &str = "\
SELECT
  pg_catalog.current_setting('TimeZone'),
  pg_catalog.current_setting('extra_float_digits')";

/// Sets it for the transaction to what it was.
pub(crate) const RESTORE: &str = "\
SELECT
  pg_catalog.set_config('TimeZone', $1, true),
  pg_catalog.set_config('extra_float_digits', $2, true)";

/// What the documents of a view need of the session.
#[must_use]
pub fn session_needs(view: &View) -> SessionNeeds {
    SessionNeeds::of([view.shape])
}
