//! The session settings that documents depend on.

use crate::schema::scalar::{JsonEncoding, ScalarType};
use crate::schema::{Shape, Source, View};

/// The session settings that documents depend on: with other settings PostgreSQL writes other JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionNeeds {
    /// The documents have a `timestamptz`: the time zone must be UTC.
    pub utc: bool,
    /// The documents have a float: it must be printed with all digits.
    pub floats: bool,
}

impl SessionNeeds {
    /// Whether the documents depend on any setting.
    #[must_use]
    pub fn any(self) -> bool {
        self.utc || self.floats
    }

    /// The settings for documents of these shapes, with all their parts.
    pub(crate) fn of(shapes: impl IntoIterator<Item = &'static Shape>) -> Self {
        fn walk(shape: &Shape, needs: &mut SessionNeeds) {
            for field in shape.fields {
                match &field.source {
                    Source::Column { ty, .. } | Source::Expr { ty, .. } => needs.add(ty),
                    Source::Aggregate(aggregate) => needs.add(&aggregate.ty),
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

    /// The conditions that the session has these settings.
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

    fn add(&mut self, ty: &ScalarType) {
        match ty.encoding {
            JsonEncoding::Timestamptz { .. } => self.utc = true,
            JsonEncoding::Float => self.floats = true,
            _ => {}
        }
    }
}

/// Makes the settings for the rest of the transaction.
pub(crate) const SET_LOCAL: &str = "\
SELECT
  pg_catalog.set_config('TimeZone', 'UTC', true),
  pg_catalog.set_config('extra_float_digits', '1', true)";

/// Reads the present settings.
pub(crate) const SETTINGS: &str = "\
SELECT
  pg_catalog.current_setting('TimeZone'),
  pg_catalog.current_setting('extra_float_digits')";

/// Restores settings for the rest of the transaction.
pub(crate) const RESTORE: &str = "\
SELECT
  pg_catalog.set_config('TimeZone', $1, true),
  pg_catalog.set_config('extra_float_digits', $2, true)";

/// The settings for the documents of a view.
#[must_use]
pub fn session_needs(view: &View) -> SessionNeeds {
    SessionNeeds::of([view.shape])
}
