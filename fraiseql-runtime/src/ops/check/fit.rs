//! Which columns fit which fields: what `to_jsonb` prints of the column must be what serde
//! reads as the field's type, for every value, in every session.
//!
//! | field | columns that fit, and domains over them |
//! |---|---|
//! | `bool` | `boolean` |
//! | `i16`; `i32`; `i64` | `int2`; and `int4`; and `int8` |
//! | `f32`; `f64` | `float4`, `int2`; and `float8`, `int4` |
//! | `Decimal` | `numeric`, `int2`, `int4`, `int8` |
//! | `String` | text, enums, and what is printed alike in every session: [`AS_TEXT`] |
//! | `Uuid` | `uuid` |
//! | `DateTime<Utc>`, `NaiveDateTime`, `NaiveDate`, `NaiveTime` | `timestamptz`, `timestamp`, `date`, `time` |
//! | `serde_json::Value` | `json`, `jsonb` |
//! | `Vec<T>` | an array of what fits `T` |
//! | any other type | the type that it names, alone |

use crate::ops::check::catalog::{Catalog, Type};
use crate::schema::scalar::ScalarType;

/// Types other than text whose text is the same in every session.
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

/// Why a type does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// There is a type that does; this says why this one does not.
    Because(&'static str),
    /// The field's own type is not there.
    Missing,
}

use Misfit::Because;

/// One name for each type that has several.
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

/// Whether this file knows the type by name, or must ask the server.
pub(crate) fn is_known(sql: &str) -> bool {
    rust_of(canonical(sql)).is_some()
}

/// Whether a column of the type `oid` can be read as `ty`.
pub(crate) fn column(catalog: &Catalog, ty: &ScalarType, oid: i64) -> Result<(), Misfit> {
    column_among(catalog, catalog, ty, oid)
}

/// The same for a type that stands in a catalog of its own.
pub(crate) fn column_among(
    catalog: &Catalog,
    types: &Catalog,
    ty: &ScalarType,
    oid: i64,
) -> Result<(), Misfit> {
    let Some(base) = types.base(oid) else {
        return Ok(());
    };
    let is_array = base.element != 0;
    match (ty.list.is_some(), is_array) {
        (false, false) => element(catalog, ty.sql, base),
        (false, true) => Err(Because("an array is a list in JSON")),
        (true, false) => Err(Because("only an array is a list in JSON")),
        (true, true) => match types.base(base.element) {
            Some(inner) => element(catalog, ty.sql, inner),
            None => Ok(()),
        },
    }
}

fn element(catalog: &Catalog, sql: &str, base: &Type) -> Result<(), Misfit> {
    let sql = canonical(sql);
    if !is_known(sql) {
        return match catalog.named(sql).and_then(|ty| catalog.base(ty.oid)) {
            None => Err(Misfit::Missing),
            Some(named) if named.oid == base.oid => Ok(()),
            Some(_) => Err(Because("they are different types")),
        };
    }
    let name = if base.built_in {
        base.name.as_str()
    } else {
        ""
    };
    let fits = |names: &[&str]| names.contains(&name);
    let why = match sql {
        "boolean" if fits(&["bool"]) => return Ok(()),
        "int2" if fits(&["int2"]) => return Ok(()),
        "int4" if fits(&["int2", "int4"]) => return Ok(()),
        "int8" if fits(&["int2", "int4", "int8"]) => return Ok(()),
        "int2" | "int4" if fits(&["int2", "int4", "int8"]) => "larger values could not be read",
        "int2" | "int4" | "int8" if fits(&["numeric", "float4", "float8"]) => {
            "values that are not whole could not be read"
        }
        "float4" if fits(&["float4", "int2"]) => return Ok(()),
        "float8" if fits(&["float4", "float8", "int2", "int4"]) => return Ok(()),
        "float4" | "float8" if fits(&["int4", "int8", "numeric", "float8"]) => {
            "digits would be lost"
        }
        "numeric" if fits(&["numeric", "int2", "int4", "int8"]) => return Ok(()),
        "numeric" if fits(&["float4", "float8"]) => {
            "its text can have an exponent, be Infinity or NaN"
        }
        "uuid" if fits(&["uuid"]) => return Ok(()),
        "uuid" => "not every value is a UUID",
        "timestamptz" if fits(&["timestamptz"]) => return Ok(()),
        "timestamptz" if fits(&["timestamp"]) => "its values have no time zone",
        "timestamp" if fits(&["timestamp"]) => return Ok(()),
        "timestamp" if fits(&["timestamptz"]) => "its values have a time zone",
        "date" if fits(&["date"]) => return Ok(()),
        "time" if fits(&["time"]) => return Ok(()),
        "json" | "jsonb" if fits(&["json", "jsonb"]) => return Ok(()),
        "json" | "jsonb" => "it is not JSON",
        "text" => match text(base) {
            None => return Ok(()),
            Some(why) => why,
        },
        _ => "its JSON is another one",
    };
    Err(Because(why))
}

/// Why a type cannot be read as a string, if it cannot.
fn text(base: &Type) -> Option<&'static str> {
    const SESSION: &str = "its text depends on the session's settings";
    match base.kind {
        'e' => return None,
        'c' => return Some("it is an object in JSON"),
        _ => {}
    }
    if !base.built_in {
        let by_content = base.as_json || matches!(base.kind, 'r' | 'm');
        return by_content.then_some("its JSON is not its text in every session");
    }
    let name = base.name.as_str();
    if AS_TEXT.contains(&name) {
        return None;
    }
    Some(match name {
        "bool" => "true and false are no strings in JSON",
        "int2" | "int4" | "int8" | "float4" | "float8" | "numeric" => {
            "a number in JSON is not a string"
        }
        "json" | "jsonb" => "it is JSON, not a string in it",
        "bytea" => "bytes have no JSON, and their text depends on the session's settings",
        _ => SESSION,
    })
}

/// Whether a column is read as text, and has another text in each session, though its JSON is
/// always the same.
pub(crate) fn text_of_session(catalog: &Catalog, ty: &ScalarType, oid: i64) -> bool {
    let element = |base: &Type| match base.element {
        0 => None,
        element => catalog.base(element).map(is_dated),
    };
    canonical(ty.sql) == "text"
        && catalog
            .base(oid)
            .is_some_and(|base| element(base).unwrap_or_else(|| is_dated(base)))
}

fn is_dated(base: &Type) -> bool {
    base.built_in && matches!(base.name.as_str(), "date" | "timestamp")
}

/// Whether a key column of the type `oid` can be the key `ty`: every value survives, is found
/// by its index, and stands in the same order as a key and as a column.
pub(crate) fn key(catalog: &Catalog, ty: &ScalarType, oid: i64) -> Result<(), Misfit> {
    let Some(base) = catalog.base(oid) else {
        return Ok(());
    };
    if canonical(ty.sql) != "text" {
        return column(catalog, ty, oid);
    }
    match (base.built_in, base.name.as_str()) {
        (true, "text" | "varchar" | "name") => Ok(()),
        (true, "bpchar") => Err(Because("its padding gets lost in comparisons")),
        (false, "citext") => Err(Because(
            "the two differ in which keys are equal, and in their order",
        )),
        _ => Err(Because("it cannot be compared with text")),
    }
}

/// The Rust type that a type of PostgreSQL is usually read as.
fn rust_of(sql: &str) -> Option<&'static str> {
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

/// The field's type as a person would write it: `Option<Vec<String>>`.
pub(crate) fn rust(ty: &ScalarType) -> String {
    let name = rust_of(canonical(ty.sql)).unwrap_or(ty.graphql).to_owned();
    let name = match ty.list {
        None => name,
        Some(crate::schema::scalar::ElementNull::No) => format!("Vec<{name}>"),
        Some(crate::schema::scalar::ElementNull::Yes) => format!("Vec<Option<{name}>>"),
    };
    optional(name, ty.nullable)
}

pub(crate) fn optional(name: String, nullable: bool) -> String {
    if nullable {
        format!("Option<{name}>")
    } else {
        name
    }
}

/// The Rust type that reads a column of the type `oid`.
pub(crate) fn rust_for(catalog: &Catalog, oid: i64, nullable: bool) -> Option<String> {
    let base = catalog.base(oid)?;
    let inner = if base.element == 0 {
        base
    } else {
        catalog.base(base.element)?
    };
    let name = match (inner.kind, inner.built_in, inner.name.as_str()) {
        ('e', ..) => "String",
        (_, true, "bool") => "bool",
        (_, true, name) if AS_TEXT.contains(&name) => rust_of(name).unwrap_or("String"),
        (_, true, name) => rust_of(name)?,
        _ if text(inner).is_none() => "String",
        _ => return None,
    };
    let name = if base.element == 0 {
        name.to_owned()
    } else {
        format!("Vec<{name}>")
    };
    Some(optional(name, nullable))
}

/// How the values of a column become those of another type, where that cannot lose anything
/// unseen: it keeps every value, or fails.
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
    let to_text = WHOLE.contains(&name) || matches!(name, "numeric" | "uuid") || base.kind == 'e';
    let plain = match target {
        "text" => to_text,
        "int2" | "int4" | "int8" => WHOLE.contains(&name),
        "numeric" => WHOLE.contains(&name),
        "json" | "jsonb" => matches!(name, "json" | "jsonb"),
        _ => false,
    };
    // Text is parsed, and what is no value of the type is refused.
    if plain || matches!(name, "text" | "varchar" | "bpchar") && parses_alike(target) {
        return Some(Conversion::Cast);
    }
    let zone = matches!(
        (name, target),
        ("timestamp", "timestamptz") | ("timestamptz", "timestamp")
    );
    zone.then_some(Conversion::InUtc)
}

/// Whether text is read as the type without regard to the session.
fn parses_alike(target: &str) -> bool {
    !matches!(
        target,
        "timestamptz" | "timestamp" | "date" | "time" | "interval" | "money"
    )
}

/// How values change with their type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// By a cast.
    Cast,
    /// What has no zone is in UTC.
    InUtc,
}
