//! The shape of a change: `PostChange`, of `postChanged`.
//!
//! The fields are in the order of keys in `jsonb`, as those of a connection.

use std::any::type_name;

use crate::resolve::made_shape::{field, interned, nullable_one, value};
use crate::resolve::views::key::key_fields;
use fraiseql_runtime::__graphql::Document;
use fraiseql_runtime::TView;
use fraiseql_runtime::scalar::{Enum, ScalarType, Variant};
use fraiseql_runtime::schema::{Data, Field, Shape, Source, View};
use serde_json::Value;

const KIND: &str = "kind";
const DOCUMENT: &str = "document";

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChangeKind {
    Reset,
    Changed,
    Deleted,
}

impl ChangeKind {
    const fn json(self) -> &'static str {
        match self {
            Self::Reset => "RESET",
            Self::Changed => "CHANGED",
            Self::Deleted => "DELETED",
        }
    }
}

const fn variant(name: &'static str, kind: ChangeKind) -> Variant {
    Variant {
        name,
        json: kind.json(),
        labels: &[],
    }
}

static KINDS: Enum = Enum {
    name: "ChangeKind",
    path: || type_name::<ChangeKind>(),
    type_name: "ChangeKind",
    variants: &[
        variant("Reset", ChangeKind::Reset),
        variant("Changed", ChangeKind::Changed),
        variant("Deleted", ChangeKind::Deleted),
    ],
};

/// The shape of a change of a document of `T`.
///
/// # Panics
/// If a field of the key has the name of another field of the change.
pub(crate) fn shape<T: TView>() -> &'static Shape {
    interned(T::SHAPE, "Change", Some(T::VIEW.key), || {
        let mut fields = vec![
            documented(
                value(KIND, ScalarType::of_enum(&KINDS)),
                "`CHANGED` or `DELETED`. `RESET` is the first one, and comes again if changes may have been missed: read \
                 again what you show.",
            ),
            documented(
                nullable_one(DOCUMENT, T::shape),
                "The document as it is now; null if there is none, and with `RESET`.",
            ),
        ];
        let view = T::VIEW;
        let columns = view.key.columns.names().iter().zip(view.key.types);
        for (key, (column, ty)) in key_fields(view).zip(columns) {
            assert!(
                ![KIND, DOCUMENT].contains(&key.name),
                "`{}` cannot be in a subscription: `{}` of its key has the name of a field of `{}Change`; give it \
                 another one with #[tview(json = \"..\")]",
                view.shape.name,
                key.name,
                view.shape.type_name,
            );
            let ty = ScalarType {
                nullable: true,
                ..*ty
            };
            let source = Source::Column { column, ty };
            fields.push(documented(
                field(key.name, source),
                "Of the key; null with `RESET`.",
            ));
        }
        fields.sort_by_key(|field| (field.json.len(), field.json));
        fields
    })
}

const fn documented(field: Field, docs: &'static str) -> Field {
    Field {
        docs: Some(docs),
        ..field
    }
}

/// A change as JSON, as PostgreSQL would print it.
pub(super) fn json(
    view: &View,
    change: &Shape,
    kind: ChangeKind,
    key: &[Value],
    document: Option<&Document>,
) -> Vec<u8> {
    let (colon, comma) = match view.data {
        Data::Jsonb => (": ", ", "),
        Data::Json => (":", ","),
    };
    let names: Vec<&str> = key_fields(view).map(|field| field.name).collect();
    let mut json = b"{".to_vec();
    for (index, field) in change.fields.iter().enumerate() {
        let comma = if index == 0 { "" } else { comma };
        json.extend_from_slice(format!("{comma}\"{}\"{colon}", field.json).as_bytes());
        match field.json {
            KIND => json.extend_from_slice(format!("\"{}\"", kind.json()).as_bytes()),
            DOCUMENT => json.extend_from_slice(document.map_or(b"null", Document::json)),
            name => {
                let place = names.iter().position(|it| *it == name);
                let value = place
                    .and_then(|place| key.get(place))
                    .unwrap_or(&Value::Null);
                json.extend_from_slice(value.to_string().as_bytes());
            }
        }
    }
    json.push(b'}');
    json
}
