//! Compatibility of PostgreSQL types with fields: serde must be able to deserialize what `to_jsonb`
//! prints of a column, for every value and in every session.
//!
//! | field | columns that fit, also as domains |
//! |---|---|
//! | `bool` | `boolean` |
//! | `i16` | `int2` |
//! | `i32` | `int2`, `int4` |
//! | `i64` | `int2`, `int4`, `int8` |
//! | `f32` | `float4`, `int2` |
//! | `f64` | `float4`, `float8`, `int2`, `int4` |
//! | `Decimal` | `numeric`, `int2`, `int4`, `int8` |
//! | `String` | text, enums, and types whose text is the same in every session: [`AS_TEXT`] |
//! | `Uuid` | `uuid` |
//! | `DateTime<Utc>`, `NaiveDateTime`, `NaiveDate`, `NaiveTime` | `timestamptz`, `timestamp`, `date`, `time` |
//! | `serde_json::Value` | `json`, `jsonb` |
//! | `Vec<T>` | an array of a type that fits `T` |
//! | any other type | only the type that it names |

use crate::ops::check::catalog::{Catalog, PgType};
use crate::schema::scalar::ScalarType;

/// Built-in types whose text is the same in every session, with any settings.
const AS_TEXT: &[&str] = &[
    "text",
    "varchar",
    "bpchar",
    "name",
    "char",
    "uuid",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "date",
    "time",
    "timetz",
    "timestamp",
    "bit",
    "varbit",
    "xml",
    "oid",
    "pg_lsn",
    "int4range",
    "int8range",
    "numrange",
    "tsvector",
    "tsquery",
];

/// Whether values of a PostgreSQL type can be read as a field's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compatibility {
    Fits,
    /// They cannot, with the reason.
    Differs(&'static str),
    /// The type that the field names does not exist.
    UnknownType,
}

use Compatibility::{Differs, Fits, UnknownType};

/// The name of a type that has several names, as this file uses it.
pub(crate) fn canonical(sql: &str) -> &str {
    match sql {
        "bool" => "boolean",
        "smallint" => "int2",
        "integer" | "int" => "int4",
        "bigint" => "int8",
        "real" => "float4",
        "double precision" => "float8",
        "decimal" => "numeric",
        "varchar" | "character varying" => "text",
        "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" => "timestamp",
        "time without time zone" => "time",
        other => other,
    }
}

/// Whether this file has rules for the type. Any other type is compared by its identifier.
fn is_known(sql: &str) -> bool {
    rust_name(canonical(sql)).is_some()
}

/// Whether a column of the type `oid` can be read as `ty`.
pub(crate) fn column(catalog: &Catalog, ty: &ScalarType, oid: i64) -> Compatibility {
    value(catalog, catalog, ty, oid)
}

/// Whether a value of the type `oid`, which is in the catalog `types`, can be read as `ty`, which
/// `catalog` has.
pub(crate) fn value(
    catalog: &Catalog,
    types: &Catalog,
    ty: &ScalarType,
    oid: i64,
) -> Compatibility {
    let Some(base) = types.base(oid) else {
        return Fits;
    };
    let is_array = base.element != 0;
    match (ty.list.is_some(), is_array) {
        (false, false) => element(catalog, ty.sql, base),
        (false, true) => Differs("an array is a list in JSON"),
        (true, false) => Differs("only an array is a list in JSON"),
        (true, true) => match types.base(base.element) {
            Some(inner) => element(catalog, ty.sql, inner),
            None => Fits,
        },
    }
}

/// The same for a type that is neither a domain nor an array.
fn element(catalog: &Catalog, sql: &str, base: &PgType) -> Compatibility {
    let sql = canonical(sql);
    if !is_known(sql) {
        return match catalog.named(sql).and_then(|ty| catalog.base(ty.oid)) {
            None => UnknownType,
            Some(named) if named.oid == base.oid => Fits,
            Some(_) => Differs("they are different types"),
        };
    }
    // A type of a user can have the name of a built-in one.
    let name = if base.built_in {
        base.name.as_str()
    } else {
        ""
    };
    let is_one_of = |names: &[&str]| names.contains(&name);
    let why = match sql {
        "boolean" if is_one_of(&["bool"]) => return Fits,
        "int2" if is_one_of(&["int2"]) => return Fits,
        "int4" if is_one_of(&["int2", "int4"]) => return Fits,
        "int8" if is_one_of(&["int2", "int4", "int8"]) => return Fits,
        "int2" | "int4" if is_one_of(&["int2", "int4", "int8"]) => {
            "larger values could not be read"
        }
        "int2" | "int4" | "int8" if is_one_of(&["numeric", "float4", "float8"]) => {
            "values that are not whole could not be read"
        }
        "float4" if is_one_of(&["float4", "int2"]) => return Fits,
        "float8" if is_one_of(&["float4", "float8", "int2", "int4"]) => return Fits,
        "float4" | "float8" if is_one_of(&["int4", "int8", "numeric", "float8"]) => {
            "digits would be lost"
        }
        "numeric" if is_one_of(&["numeric", "int2", "int4", "int8"]) => return Fits,
        "numeric" if is_one_of(&["float4", "float8"]) => {
            "its text can have an exponent, be Infinity or NaN"
        }
        "uuid" if is_one_of(&["uuid"]) => return Fits,
        "uuid" => "not every value is a UUID",
        "timestamptz" if is_one_of(&["timestamptz"]) => return Fits,
        "timestamptz" if is_one_of(&["timestamp"]) => "its values have no time zone",
        "timestamp" if is_one_of(&["timestamp"]) => return Fits,
        "timestamp" if is_one_of(&["timestamptz"]) => "its values have a time zone",
        "date" if is_one_of(&["date"]) => return Fits,
        "time" if is_one_of(&["time"]) => return Fits,
        "json" | "jsonb" if is_one_of(&["json", "jsonb"]) => return Fits,
        "json" | "jsonb" => "it is not JSON",
        "text" => match text_mismatch(base) {
            None => return Fits,
            Some(why) => why,
        },
        _ => "its JSON is different",
    };
    Differs(why)
}

/// Why a type cannot be read as a string. `None` if it can.
fn text_mismatch(base: &PgType) -> Option<&'static str> {
    const SESSION: &str = "its text depends on the session's settings";
    match base.typtype {
        'e' => return None,
        'c' => return Some("it is an object in JSON"),
        _ => {}
    }
    if !base.built_in {
        // A range or multirange can be over a type whose text depends on the session.
        let is_unstable = base.as_json || matches!(base.typtype, 'r' | 'm');
        return is_unstable.then_some("its JSON is not its text in every session");
    }
    let name = base.name.as_str();
    if AS_TEXT.contains(&name) {
        return None;
    }
    Some(match name {
        "bool" => "true and false are not strings in JSON",
        "int2" | "int4" | "int8" | "float4" | "float8" | "numeric" => {
            "a number in JSON is not a string"
        }
        "json" | "jsonb" => "it is JSON, not a string in it",
        "bytea" => "bytes have no JSON form, and their text depends on the session's settings",
        _ => SESSION,
    })
}

/// Whether a column is read as text, and its text depends on the session, although its JSON does
/// not: dates and timestamps.
pub(crate) fn has_session_text(catalog: &Catalog, ty: &ScalarType, oid: i64) -> bool {
    let element = |base: &PgType| match base.element {
        0 => None,
        element => catalog.base(element).map(is_date_or_timestamp),
    };
    canonical(ty.sql) == "text"
        && catalog
            .base(oid)
            .is_some_and(|base| element(base).unwrap_or_else(|| is_date_or_timestamp(base)))
}

/// Whether the values of a type are bytes.
pub(crate) fn is_bytes(catalog: &Catalog, oid: i64) -> bool {
    catalog
        .base(oid)
        .is_some_and(|base| base.built_in && base.name == "bytea")
}

fn is_date_or_timestamp(base: &PgType) -> bool {
    base.built_in && matches!(base.name.as_str(), "date" | "timestamp")
}

/// Whether a column of the type `oid` can be the key `ty`: every value is preserved, an index on
/// the column finds it, and keys have the same order as values of the column.
pub(crate) fn key(catalog: &Catalog, ty: &ScalarType, oid: i64) -> Compatibility {
    let Some(base) = catalog.base(oid) else {
        return Fits;
    };
    if canonical(ty.sql) != "text" {
        return column(catalog, ty, oid);
    }
    match (base.built_in, base.name.as_str()) {
        (true, "text" | "varchar" | "name") => Fits,
        (true, "bpchar") => Differs("comparisons ignore its padding"),
        (false, "citext") => Differs("the two differ in which keys are equal, and in their order"),
        _ => Differs("it cannot be compared with text"),
    }
}

/// The Rust type of a PostgreSQL type.
fn rust_name(sql: &str) -> Option<&'static str> {
    Some(match sql {
        "boolean" => "bool",
        "int2" => "i16",
        "int4" => "i32",
        "int8" => "i64",
        "float4" => "f32",
        "float8" => "f64",
        "numeric" => "Decimal",
        "text" => "String",
        "uuid" => "Uuid",
        "timestamptz" => "DateTime<Utc>",
        "timestamp" => "NaiveDateTime",
        "date" => "NaiveDate",
        "time" => "NaiveTime",
        "json" | "jsonb" => "serde_json::Value",
        _ => return None,
    })
}

/// The field's type as it is written in Rust: `Option<Vec<String>>`.
pub(crate) fn rust_type(ty: &ScalarType) -> String {
    let name = rust_name(canonical(ty.sql))
        .unwrap_or(ty.graphql)
        .to_owned();
    let name = match ty.list {
        None => name,
        Some(crate::schema::scalar::ElementNull::No) => format!("Vec<{name}>"),
        Some(crate::schema::scalar::ElementNull::Yes) => format!("Vec<Option<{name}>>"),
    };
    optional(name, ty.nullable)
}

/// `name`, in an `Option` if it is nullable.
pub(crate) fn optional(name: String, nullable: bool) -> String {
    if nullable {
        format!("Option<{name}>")
    } else {
        name
    }
}

/// The Rust type that can read a column of the type `oid`, if there is one.
pub(crate) fn rust_type_for(catalog: &Catalog, oid: i64, nullable: bool) -> Option<String> {
    let base = catalog.base(oid)?;
    let inner = if base.element == 0 {
        base
    } else {
        catalog.base(base.element)?
    };
    let name = match (inner.typtype, inner.built_in, inner.name.as_str()) {
        ('e', ..) => "String",
        (_, true, "bool") => "bool",
        (_, true, name) if AS_TEXT.contains(&name) => rust_name(name).unwrap_or("String"),
        (_, true, name) => rust_name(name)?,
        _ if text_mismatch(inner).is_none() => "String",
        _ => return None,
    };
    let name = if base.element == 0 {
        name.to_owned()
    } else {
        format!("Vec<{name}>")
    };
    Some(optional(name, nullable))
}

/// How to convert the values of a column to another type without silent loss: the conversion keeps
/// every value or fails. `None` if there is no such conversion.
pub(crate) fn conversion(catalog: &Catalog, from: i64, to: &str) -> Option<Conversion> {
    const WHOLE: &[&str] = &["int2", "int4", "int8"];
    let base = catalog.base(from)?;
    let target = canonical(to);
    if base.element != 0 {
        return None;
    }
    let name = if base.built_in {
        base.name.as_str()
    } else {
        ""
    };
    let to_text =
        WHOLE.contains(&name) || matches!(name, "numeric" | "uuid") || base.typtype == 'e';
    let plain = match target {
        "text" => to_text,
        "int2" | "int4" | "int8" => WHOLE.contains(&name),
        "numeric" => WHOLE.contains(&name),
        "json" | "jsonb" => matches!(name, "json" | "jsonb"),
        _ => false,
    };
    // Text is parsed: a text that is not a value of the type fails.
    if plain || matches!(name, "text" | "varchar" | "bpchar") && parses_in_any_session(target) {
        return Some(Conversion::Cast);
    }
    let zone = matches!(
        (name, target),
        ("timestamp", "timestamptz") | ("timestamptz", "timestamp")
    );
    zone.then_some(Conversion::InUtc)
}

/// Whether parsing text as the type is independent of the session's settings.
fn parses_in_any_session(target: &str) -> bool {
    !matches!(
        target,
        "timestamptz" | "timestamp" | "date" | "time" | "interval" | "money"
    )
}

/// A conversion between types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// A cast.
    Cast,
    /// `AT TIME ZONE 'UTC'`: times without a zone are in UTC.
    InUtc,
}
