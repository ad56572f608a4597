//! SQL expressions that encode a value as JSON, and that reject values without an encoding.
//!
//! SQL has values that JSON or the Rust type of the field cannot represent: `NaN`, `infinity`, a
//! year before Christ. Such a value must not be written as something else. Where a type has such
//! values, [`ScalarType::encode`] therefore yields an expression that raises an error for them,
//! at the price of one comparison for each other value. Only after such an error is the whole batch
//! queried for the reasons: by the same query, with [`ScalarType::reject_reason`] in place of
//! [`ScalarType::encode`].

use crate::schema::Data;
use crate::schema::scalar::{ElementNull, JsonEncoding, ScalarType};
use crate::sql::enums;
use crate::sql::json_value;
use crate::sql::text::literal;

/// The maximum number of arguments of a PostgreSQL function.
const MAX_FUNCTION_ARGUMENTS: usize = 100;

impl ScalarType {
    /// The value as it is stored in a document. Raises an error for a rejected value.
    pub(crate) fn encode(&self, value: &str, data: Data, levels: usize) -> String {
        let encoded = match (self.encoding, self.list) {
            (JsonEncoding::Decimal, None) => format!("{value}::text"),
            (JsonEncoding::Decimal, Some(_)) => format!("{value}::text[]"),
            // `json` would keep the sign of -0, which `jsonb` and serde do not: adding 0 drops it.
            (JsonEncoding::Float, None) if data == Data::Json => format!("{value} + '0'"),
            (JsonEncoding::Float, Some(_)) if data == Data::Json => format!(
                "CASE WHEN {value} IS NOT NULL THEN ARRAY(SELECT element + '0' \
                 FROM pg_catalog.unnest({value}) WITH ORDINALITY AS elements (element, place) \
                 ORDER BY place) END"
            ),
            // The CASE that finds the name raises the error for unknown labels by itself.
            (JsonEncoding::Enum(table), None) => {
                return enums::json_name(value, table, &self.complaint());
            }
            (JsonEncoding::Enum(table), Some(_)) => enums::json_names(value, table),
            _ => value.to_owned(),
        };
        let Some(rejected) = self.rejects(value, levels) else {
            return encoded;
        };
        // The cast raises the error, and gives both branches of the CASE one type.
        let failing_cast = match self.encoding {
            JsonEncoding::Decimal => format!(
                "::{}::text{}",
                self.sql_name(),
                if self.list.is_some() { "[]" } else { "" }
            ),
            _ => format!("::{}", self.sql_name()),
        };
        let message = if self.is_json() {
            // The text of the value may be long. A constant would raise the error when the statement
            // is planned.
            format!("pg_catalog.left({value}::text, 40) || ' .. cannot be represented'")
        } else {
            format!("{value}::text || {}", self.complaint())
        };
        self.raise_if(&rejected, &message, &failing_cast, &encoded)
    }

    /// The value of the type that a stored, encoded value has.
    pub(crate) fn decode(&self, value: String) -> String {
        match self.encoding {
            JsonEncoding::Decimal => format!("{value}::{}", self.sql_name()),
            _ => value,
        }
    }

    /// The value in JSON of a promoted column. Its values were checked when they were stored.
    pub(crate) fn encode_stored(&self, value: String) -> String {
        match (self.encoding, self.list) {
            (JsonEncoding::Decimal, None) => format!("{value}::text"),
            (JsonEncoding::Decimal, Some(_)) => format!("{value}::text[]"),
            // Enums are stored by their names in JSON.
            _ => value,
        }
    }

    /// Why a document with this value is invalid, as text; SQL null for a valid value. `None` if
    /// every value of the type is valid.
    pub(crate) fn reject_reason(&self, value: &str, levels: usize) -> Option<String> {
        let null = self
            .rejects_null()
            .then(|| format!("WHEN {value} IS NULL THEN 'is null'"));
        let rejected: Vec<String> = if self.is_json() && self.list.is_none() {
            json_value::rejected(value, levels)
                .into_iter()
                .map(|(rejected, reason)| format!("WHEN {rejected} THEN {}", literal(reason)))
                .collect()
        } else {
            let when =
                |rejected| format!("WHEN {rejected} THEN {value}::text || {}", self.complaint());
            self.rejects(value, levels).map(when).into_iter().collect()
        };
        let whens: Vec<String> = null.into_iter().chain(rejected).collect();
        (!whens.is_empty()).then(|| format!("CASE {} END", whens.join(" ")))
    }

    /// `encoded`, checked: raises an error if one of the values `not_null` is null.
    ///
    /// `key` goes into the message: a value before it was encoded, which is not null itself.
    pub(crate) fn raise_if_null(&self, encoded: &str, key: &str, not_null: &[String]) -> String {
        let to = match self.encoding {
            JsonEncoding::Decimal => String::new(),
            _ => format!("::{}", self.sql_name()),
        };
        let nulls: Vec<String> = not_null
            .chunks(MAX_FUNCTION_ARGUMENTS)
            .map(|values| format!("pg_catalog.num_nulls({}) > 0", values.join(", ")))
            .collect();
        self.raise_if(
            &nulls.join(" OR "),
            &format!("pg_catalog.concat({key}, ' has a null')"),
            &format!("::int4::text{to}"),
            encoded,
        )
    }

    /// Whether the encoded expression contains the value more than once.
    pub(crate) fn repeats_value(&self) -> bool {
        matches!(self.encoding, JsonEncoding::Decimal | JsonEncoding::Enum(_))
            || self.list.is_some()
            || self.is_json()
    }

    /// A condition that is true for one rejected value, or one element of a list.
    fn rejects_one(&self, value: &str, levels: usize) -> Option<String> {
        if self.is_json() {
            let rejected = json_value::rejected(value, levels);
            return Some(
                rejected
                    .map(|(rejected, _)| format!("({rejected})"))
                    .join("\n    OR "),
            );
        }
        self.encoding.rejects(value)
    }

    /// Whether a promoted column stores the encoded value instead of that of the base table.
    pub(crate) fn promotes_encoded(&self) -> bool {
        matches!(self.encoding, JsonEncoding::Enum(_))
    }

    /// Whether a null makes the document invalid.
    pub(crate) fn rejects_null(&self) -> bool {
        // A `serde_json::Value` can be null itself.
        !self.nullable && (self.list.is_some() || self.sql != "jsonb")
    }

    /// The end of the message about a rejected value, as an SQL literal.
    fn complaint(&self) -> String {
        match self.encoding {
            JsonEncoding::Enum(table) => literal(&format!(" is no {}", table.name)),
            _ => literal(" cannot be represented"),
        }
    }

    /// `otherwise`, or an error with `message` if `when` is true; all are SQL.
    ///
    /// SQL has no expression that raises an error. A cast of a text that is not a value of the
    /// target type does: its error message contains the text. `failing_cast` is that cast; it
    /// ends with the type of `otherwise`.
    fn raise_if(&self, when: &str, message: &str, failing_cast: &str, otherwise: &str) -> String {
        // A `String` field may read a column of another type, such as inet, and a `Value` one of
        // type json. Then a cast to the type in the table would give the CASE a wrong type. A
        // null gives it that of `otherwise`, and the error is raised inside of the condition.
        if self.encoding == JsonEncoding::Native && matches!(self.sql, "text" | "jsonb") {
            return case(
                &format!("CASE\n    WHEN {when}\n    THEN ({message})::int4 IS NULL\n  END"),
                "NULL",
                otherwise,
            );
        }
        let message = if message.contains("||") {
            format!("({message})")
        } else {
            message.to_owned()
        };
        case(when, &format!("{message}{failing_cast}"), otherwise)
    }

    /// A condition that is true for rejected values, and not true for null. `None` if there are
    /// no rejected values.
    fn rejects(&self, value: &str, levels: usize) -> Option<String> {
        let Some(nulls) = self.list else {
            return self.rejects_one(value, levels);
        };
        // An array of several dimensions would become a list of lists. This condition comes
        // first, because `array_position` raises an error for such an array.
        let mut conditions = vec![format!("pg_catalog.array_ndims({value}) > 1")];
        match self.rejects_one("element", levels + 1) {
            Some(rejected) => {
                let null = match nulls {
                    ElementNull::No if self.is_json() => "",
                    ElementNull::No => " OR element IS NULL",
                    ElementNull::Yes => "",
                };
                conditions.push(format!(
                    "EXISTS (SELECT FROM pg_catalog.unnest({value}) AS element WHERE {rejected}{null})"
                ));
            }
            None if nulls == ElementNull::No => {
                conditions.push(format!(
                    "pg_catalog.array_position({value}, NULL) IS NOT NULL"
                ));
            }
            None => {}
        }
        Some(conditions.join(" OR "))
    }
}

impl JsonEncoding {
    /// A condition that is true for rejected values, and not true for null. `None` if there are
    /// no rejected values.
    fn rejects(self, value: &str) -> Option<String> {
        Some(match self {
            Self::Native => return None,
            // PostgreSQL sorts NaN above infinity.
            Self::Float => format!("pg_catalog.abs({value}::float8) >= 'Infinity'"),
            // A `Decimal` has 96 bits, and at most 28 digits after the point. The first line is
            // cheap and lets ordinary amounts pass. The casts are needed because the smallest
            // integer has no absolute value in its own type.
            Self::Decimal => format!(
                "(pg_catalog.abs({value}::numeric) >= 1e14 OR pg_catalog.scale({value}) > 14)\n    \
                 AND (pg_catalog.abs({value}::numeric) >= 'Infinity' OR pg_catalog.scale({value}) > 28\n      \
                 OR pg_catalog.abs({value}::numeric) * 10::numeric ^ pg_catalog.scale({value}) >= 79228162514264337593543950336)"
            ),
            // ISO 8601 has four digits for the year.
            Self::Timestamptz { last } => {
                format!("{value} NOT BETWEEN '0001-01-01T00:00:00Z' AND '{last}'")
            }
            Self::Timestamp => {
                format!(
                    "{value} NOT BETWEEN '0001-01-01T00:00:00' AND '9999-12-31T23:59:59.999999'"
                )
            }
            Self::Date => format!("{value} NOT BETWEEN '0001-01-01' AND '9999-12-31'"),
            Self::Time => format!("{value} = '24:00:00'"),
            Self::Enum(table) => enums::is_unknown(value, table),
        })
    }
}

/// A CASE expression, on several lines if one line would be too long.
fn case(when: &str, then: &str, otherwise: &str) -> String {
    let line = format!("CASE WHEN {when} THEN {then} ELSE {otherwise} END");
    if line.len() <= 120 && !line.contains('\n') {
        return line;
    }
    format!("CASE\n  WHEN {when}\n  THEN {then}\n  ELSE {otherwise}\nEND")
}
