//! A selection, compiled against a struct.

use serde_json::Value;

use super::selection::{Selection, SelectionError};
use crate::schema::{Shape, Source};
use crate::view::Embed;

/// A selection, compiled against the table of a struct: writes documents with the fields that
/// were selected, in the order of the selection.
#[derive(Clone, Debug)]
pub struct Projection {
    shape: &'static Shape,
    fields: Vec<Field>,
}

#[derive(Clone, Debug)]
struct Field {
    response_key: String,
    json: &'static str,
    nullable: bool,
    list: bool,
    fields: Option<Projection>,
}

/// A document does not have what was selected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ProjectionError {
    pub(crate) message: String,
    pub(crate) path: Vec<Segment>,
}

/// A step of the way to a value in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// The name of a field in the answer.
    Name(String),
    /// The place in a list, from 0.
    Index(usize),
}

impl ProjectionError {
    /// Where in the answer it is.
    #[must_use]
    pub fn path(&self) -> &[Segment] {
        &self.path
    }
}

impl Projection {
    /// Compiles a selection of the fields of `T`.
    ///
    /// # Errors
    /// When `T` has no such field, an object is without a selection of its fields, a scalar is
    /// with one, or one name of the answer stands for two fields.
    pub fn of<T: Embed>(selection: &Selection) -> Result<Self, SelectionError> {
        Self::of_shape(T::SHAPE, selection)
    }

    /// [`of`](Self::of), for a struct that is known by its table.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn of_shape(shape: &'static Shape, selection: &Selection) -> Result<Self, SelectionError> {
        let mut fields = Vec::new();
        for selected in selection.fields() {
            let Some(field) = shape
                .fields
                .iter()
                .find(|field| field.json == selected.name)
            else {
                return Err(SelectionError {
                    message: format!("`{}` has no field `{}`", shape.type_name, selected.name),
                });
            };
            let (nullable, list, child) = match &field.source {
                Source::One(one) => (one.nullable, false, Some((one.shape)())),
                Source::Many(many) => (false, true, Some((many.shape)())),
                Source::Column { ty, .. } | Source::Expr { ty, .. } => (ty.nullable, false, None),
                Source::Aggregate(aggregate) => (aggregate.ty.nullable, false, None),
            };
            let nested = match (child, &selected.fields) {
                (Some(child), Some(nested)) => Some(Self::of_shape(child, nested)?),
                _ => None,
            };
            fields.push(Field {
                response_key: selected.response_key().to_owned(),
                json: field.json,
                nullable,
                list,
                fields: nested,
            });
        }
        Ok(Self { shape, fields })
    }

    /// The table of the struct that it was compiled against.
    #[must_use]
    pub fn shape(&self) -> &'static Shape {
        self.shape
    }

    /// Appends what was selected of `document` to `out`.
    ///
    /// # Errors
    /// When `document` is no JSON object, or a value is null that cannot be. Then nothing is
    /// appended.
    pub fn write(&self, document: &[u8], out: &mut Vec<u8>) -> Result<(), ProjectionError> {
        let mut errors = Vec::new();
        let start = out.len();
        if !self.write_with(document, out, &mut errors) || !errors.is_empty() {
            out.truncate(start);
            return Err(errors.swap_remove(0));
        }
        Ok(())
    }

    /// Appends what was selected of `document` to `out`, as GraphQL answers: where a value is
    /// null that cannot be, the nearest object around it that can be is null, and the error is
    /// told. `false`, with nothing appended, where the whole document would be null.
    pub fn write_with(
        &self,
        document: &[u8],
        out: &mut Vec<u8>,
        errors: &mut Vec<ProjectionError>,
    ) -> bool {
        let value: Value = match serde_json::from_slice(document) {
            Ok(value) => value,
            Err(error) => {
                errors.push(ProjectionError {
                    message: error.to_string(),
                    path: Vec::new(),
                });
                return false;
            }
        };
        let start = out.len();
        let written = self.object(&value, out, &mut Vec::new(), errors);
        if !written {
            out.truncate(start);
        }
        written
    }

    fn object(
        &self,
        value: &Value,
        out: &mut Vec<u8>,
        path: &mut Vec<Segment>,
        errors: &mut Vec<ProjectionError>,
    ) -> bool {
        out.push(b'{');
        for (index, field) in self.fields.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(format!("\"{}\":", field.response_key).as_bytes());
            path.push(Segment::Name(field.response_key.clone()));
            let written = field.value(value.get(field.json), out, path, errors);
            path.pop();
            if !written {
                return false;
            }
        }
        out.push(b'}');
        true
    }
}

impl Field {
    fn value(
        &self,
        value: Option<&Value>,
        out: &mut Vec<u8>,
        path: &mut Vec<Segment>,
        errors: &mut Vec<ProjectionError>,
    ) -> bool {
        let start = out.len();
        let written = match (value, &self.fields) {
            (None | Some(Value::Null), _) => {
                if !self.nullable {
                    errors.push(ProjectionError {
                        message: format!("{} is null and cannot be", self.json),
                        path: path.clone(),
                    });
                }
                false
            }
            (Some(Value::Array(items)), Some(fields)) if self.list => {
                out.push(b'[');
                let mut written = true;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    path.push(Segment::Index(index));
                    written &= fields.object(item, out, path, errors);
                    path.pop();
                }
                out.push(b']');
                written
            }
            (Some(value), Some(fields)) => fields.object(value, out, path, errors),
            (Some(value), None) => {
                out.extend_from_slice(value.to_string().as_bytes());
                true
            }
        };
        if !written {
            out.truncate(start);
            if self.nullable {
                out.extend_from_slice(b"null");
                return true;
            }
        }
        written
    }
}
