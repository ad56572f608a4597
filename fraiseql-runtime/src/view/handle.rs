//! A view without its type, in the schema that it was declared in or in another one.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, OnceLock};

use crate::mutex::lock;
use crate::schema::default_schema::DefaultSchema;
use crate::schema::key::Keys;
use crate::schema::shape_copies::ShapeCopies;
use crate::schema::{Table, View};
use crate::sql::Statements;

/// A view without its type.
#[derive(Clone, Copy, Debug)]
pub struct Handle {
    /// The constant table of the view.
    pub view: &'static View,
    statements: StatementsOf,
    no_keys: fn() -> Keys,
}

#[derive(Clone, Copy, Debug)]
enum StatementsOf {
    /// A view as it was declared.
    Type(fn() -> &'static Statements),
    /// A copy of it in another schema.
    Copy(&'static ViewCopy),
}

/// A view in another schema.
#[derive(Debug)]
struct ViewCopy {
    declared: Handle,
    view: View,
    /// Composed on first use.
    statements: OnceLock<Statements>,
}

/// The copies in one schema.
#[derive(Debug)]
struct SchemaCopies {
    shapes: ShapeCopies,
    /// By the address of the declared view.
    views: HashMap<usize, &'static ViewCopy>,
}

impl Handle {
    pub(super) const fn declared(
        view: &'static View,
        statements: fn() -> &'static Statements,
        no_keys: fn() -> Keys,
    ) -> Self {
        Self {
            view,
            statements: StatementsOf::Type(statements),
            no_keys,
        }
    }

    /// The statements of the view.
    #[must_use]
    pub fn statements(self) -> &'static Statements {
        match self.statements {
            StatementsOf::Type(statements) => statements(),
            StatementsOf::Copy(copy) => {
                let compose = || Statements::compose(&copy.view);
                copy.statements.get_or_init(compose)
            }
        }
    }

    /// Whether this is its table, in the schema that it was declared in or in another one.
    #[must_use]
    pub fn is_of(self, table: Table) -> bool {
        table.is_declared_as(self.view.table)
    }

    /// An empty list of keys of the view.
    pub(crate) fn no_keys(self) -> Keys {
        (self.no_keys)()
    }

    /// The same view in a schema. There is one copy for each, which lives as long as the program.
    pub(crate) fn in_schema(self, schema: DefaultSchema) -> Self {
        static COPIES: LazyLock<Mutex<HashMap<DefaultSchema, SchemaCopies>>> =
            LazyLock::new(Mutex::default);
        let declared = match self.statements {
            StatementsOf::Type(_) => self,
            StatementsOf::Copy(copy) => copy.declared,
        };
        if schema == DefaultSchema::DECLARED {
            return declared;
        }
        let mut copies = lock(&COPIES);
        let SchemaCopies { shapes, views } = copies.entry(schema).or_insert_with(|| SchemaCopies {
            shapes: ShapeCopies::new(schema),
            views: HashMap::new(),
        });
        let address = std::ptr::from_ref(declared.view).addr();
        let copy = *views.entry(address).or_insert_with(|| {
            Box::leak(Box::new(ViewCopy {
                declared,
                view: shapes.view(declared.view),
                statements: OnceLock::new(),
            }))
        });
        Self {
            view: &copy.view,
            statements: StatementsOf::Copy(copy),
            no_keys: declared.no_keys,
        }
    }
}
