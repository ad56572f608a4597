//! Comparisons as predicates of an SQL/JSON path. In a predicate, `@` is the object that it is about.
//!
//! A predicate is true, false or unknown, as a condition in SQL, and an object is found if it is true. There are two
//! differences to SQL. Values of different types are not unequal, but unknown. And null is compared as a value: everything
//! else is unequal to it. So the opposite of a comparison is written as: not null, and not found by the comparison.

use serde_json::Value;

use crate::read::list::encode::{self, ValueType};
use crate::read::list::error::ListError;
use crate::read::list::operator::Operator;
use crate::schema::scalar::ScalarType;

/// The predicate that is true of everything.
pub(super) const TRUE: &str = "(1 == 1)";
/// The predicate that is true of nothing.
pub(super) const FALSE: &str = "(1 == 0)";

/// A value of an object.
pub(super) struct Compared<'a> {
    /// The field, for messages.
    pub(super) field: &'static str,
    /// The path from the object to the value: `@."rating"`.
    pub(super) path: String,
    /// The type of the value; `None` for any JSON.
    pub(super) ty: Option<&'a ScalarType>,
}

impl Compared<'_> {
    /// The comparison, or its opposite.
    pub(super) fn predicate(
        &self,
        operator: Operator,
        value: &Value,
        negated: bool,
    ) -> Result<String, ListError> {
        let operators = self.ty.map_or(Operator::in_json(), Operator::within);
        if !operators.contains(&operator) {
            return Err(ListError::Operator {
                field: self.field,
                operator,
                operators,
            });
        }
        let (operator, is_opposite) = match operator {
            Operator::IsNull => {
                let is_null = encode::is_null_flag(self.field, value)?;
                return Ok(self.is_null(is_null != negated));
            }
            Operator::Ne => (Operator::Eq, !negated),
            Operator::NotIn => (Operator::In, !negated),
            operator => (operator, negated),
        };
        let predicate = match operator {
            Operator::Lt => self.ordered("<", value)?,
            Operator::Lte => self.ordered("<=", value)?,
            Operator::Gt => self.ordered(">", value)?,
            Operator::Gte => self.ordered(">=", value)?,
            Operator::In | Operator::HasAny => self.equal(&self.literals(value)?, " || "),
            // Every list that is not null contains the values of an empty list.
            Operator::Contains => match self.literals(value)?.as_slice() {
                [] => self.is_null(false),
                values => self.equal(values, " && "),
            },
            _ => self.equal(&[self.literal(value)?], " || "),
        };
        Ok(match (is_opposite, predicate.as_str()) {
            (false, _) => predicate,
            // As in SQL: `notIn []` is true of null as well.
            (true, FALSE) => TRUE.to_owned(),
            (true, _) => format!("({} && !exists(@ ? {predicate}))", self.is_null(false)),
        })
    }

    /// Whether the value is null or missing.
    fn is_null(&self, is_null: bool) -> String {
        let not_null = match self.ty {
            // A list without values is not null: `type()` is that of the list.
            Some(_) => format!("({}.type() != \"null\")", self.path),
            None => format!("(exists({} ? (@ != null)))", self.path),
        };
        match is_null {
            true => format!("(!{not_null})"),
            false => not_null,
        }
    }

    fn ordered(&self, operator: &str, value: &Value) -> Result<String, ListError> {
        let literal = self.literal(value)?;
        if self.ty.is_none() && !(value.is_number() || value.is_string()) {
            return Err(self.mismatch(value, "a number or a text"));
        }
        Ok(format!("({} {operator} {literal})", self.path))
    }

    /// Whether the value, or a value of the list, is equal to the values.
    fn equal(&self, values: &[String], joined_by: &str) -> String {
        let equal: Vec<String> = values
            .iter()
            .map(|value| format!("{} == {value}", self.elements()))
            .collect();
        match equal.as_slice() {
            [] => FALSE.to_owned(),
            equal => format!("({})", equal.join(joined_by)),
        }
    }

    /// The path to the values of a list, or to the value.
    fn elements(&self) -> String {
        match self.ty.and_then(|ty| ty.list) {
            Some(_) => format!("{}[*]", self.path),
            None => self.path.clone(),
        }
    }

    fn literals(&self, values: &Value) -> Result<Vec<String>, ListError> {
        let values = encode::list_of(self.field, values, || "a list of values".to_owned())?;
        values.iter().map(|value| self.literal(value)).collect()
    }

    /// The value as a literal of a path.
    fn literal(&self, value: &Value) -> Result<String, ListError> {
        let ty = self.ty.map(ValueType::of);
        let literal = match ty {
            Some(ty) => ty.in_document(value),
            None => is_comparable(value).then(|| value.clone()),
        };
        // The escapes of a text are those of JSON.
        literal.map(|it| it.to_string()).ok_or_else(|| {
            let of_json = || "a text without U+0000, a number, true or false".to_owned();
            encode::mismatch(
                self.field,
                value,
                ty.map_or_else(of_json, ValueType::expected),
            )
        })
    }

    fn mismatch(&self, value: &Value, expected: &str) -> ListError {
        encode::mismatch(self.field, value, expected.to_owned())
    }
}

/// Whether a value in JSON can be equal to this one.
fn is_comparable(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.contains('\0'),
        value => value.is_number() || value.is_boolean(),
    }
}
