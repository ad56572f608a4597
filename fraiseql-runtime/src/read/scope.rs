//! `Scope`: whose documents a read returns.

use crate::schema::View;
use crate::schema::key::{Key, Keys};

/// Whose documents a read of a view returns.
///
/// It fails closed: a read of a view with a tenant whose scope names none returns no documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All documents of a view without a tenant.
    Whole,
    /// The documents of one tenant: a list of one key.
    Tenant(Keys),
    /// The documents of all tenants.
    AcrossTenants,
}

impl Scope {
    /// The documents of a tenant.
    pub fn of<K: Key>(tenant: &K) -> Self {
        Self::Tenant(K::collect(std::iter::once(tenant)))
    }

    /// The tenant that the statement compares with, as an array of one, or of none if no document
    /// is to be found. `None` if the statement does not compare the tenant.
    pub(crate) fn tenant(&self, view: &View) -> Option<Keys> {
        let tenant = view.tenant?;
        match self {
            Self::AcrossTenants => None,
            Self::Tenant(keys) if keys.sql_type() == tenant.ty.sql => Some(keys.first(1)),
            // The types do not admit these two. `(array)[1]` of an empty array is null, which no
            // tenant is equal to.
            Self::Tenant(_) | Self::Whole => {
                Some(Keys::of_type(tenant.ty.sql).unwrap_or(Keys::Text(Vec::new())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;
    use crate as fraiseql_runtime;
    use crate::schema::key::Keys;
    use crate::{Embed, TView};

    #[derive(TView)]
    #[tview(crate = fraiseql_runtime)]
    #[allow(dead_code)]
    struct Ticket {
        id: i64,
        #[tview(tenant)]
        org_id: i32,
    }

    #[derive(TView)]
    #[tview(crate = fraiseql_runtime)]
    #[allow(dead_code)]
    struct Country {
        id: i64,
    }

    #[test]
    fn a_scope_without_the_tenant_of_the_view_finds_nothing() {
        let tenant = |scope: Scope| scope.tenant(Ticket::VIEW);
        assert_eq!(tenant(Scope::of(&7_i32)), Some(Keys::I32(vec![7])));
        assert_eq!(tenant(Scope::AcrossTenants), None);
        assert_eq!(tenant(Scope::Whole), Some(Keys::I32(vec![])));
        assert_eq!(tenant(Scope::of(&7_i64)), Some(Keys::I32(vec![])));
        assert_eq!(Scope::Whole.tenant(Country::VIEW), None);
        assert_eq!(Scope::of(&7_i64).tenant(Country::VIEW), None);
        assert_eq!(Country::SHAPE.fields.len(), 1);
    }
}
