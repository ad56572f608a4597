//! The form that a value has in a document, and what has none.
//!
//! SQL can hold more than JSON or the field's Rust type: `NaN`, `infinity`, a year before
//! Christ. Such a value must not be written as something else. So where it can occur, the
//! expression fails for it, which costs a comparison of the others; only then are the
//! reasons asked for, of the whole batch, by the same query with [`flaw`] in place of
//! [`value`].

use crate::schema::Data;
use crate::schema::scalar::{ElementNull, Form, ScalarType};
use crate::sql::enums;
use crate::sql::text::literal;

/// The end of the sentence about such a value, as SQL.
fn complaint(ty: &ScalarType) -> String {
    match ty.form {
        Form::Enum(table) => literal(&format!(" is no {}", table.name)),
        _ => literal(" cannot be represented"),
    }
}

/// A value as it stands in a document. Fails for one that cannot.
pub(crate) fn value(value: &str, ty: &ScalarType, data: Data) -> String {
    let name = ty.sql_name();
    let formed = match (ty.form, ty.list) {
        (Form::Decimal, None) => format!("{value}::text"),
        (Form::Decimal, Some(_)) => format!("{value}::text[]"),
        // `json` would keep the sign of -0, which `jsonb` and serde do not.
        (Form::Float, None) if data == Data::Json => format!("{value} + '0'"),
        (Form::Float, Some(_)) if data == Data::Json => format!(
            "CASE WHEN {value} IS NOT NULL THEN ARRAY(SELECT element + '0' \
             FROM pg_catalog.unnest({value}) WITH ORDINALITY AS elements (element, place) \
             ORDER BY place) END"
        ),
        (Form::Enum(table), None) => return enums::name(value, table, &complaint(ty)),
        (Form::Enum(table), Some(_)) => enums::names(value, table),
        _ => value.to_owned(),
    };
    let Some(flawed) = flawed(value, ty) else {
        return formed;
    };
    let back = match ty.form {
        Form::Decimal => format!(
            "::{name}::text{}",
            if ty.list.is_some() { "[]" } else { "" }
        ),
        _ => format!("::{name}"),
    };
    failing(
        &flawed,
        &format!("{value}::text || {}", complaint(ty)),
        &back,
        &formed,
        ty,
    )
}

/// `otherwise`, unless `when`: then a cast of `message`, which is SQL, to what it is not. `cast`
/// ends with the type of `otherwise`.
fn failing(when: &str, message: &str, cast: &str, otherwise: &str, ty: &ScalarType) -> String {
    // A String may be a column of another type, such as inet, and a Value one of type json. The
    // CASE has the type of `otherwise` then, whatever it is.
    if ty.form == Form::Native && matches!(ty.sql, "text" | "jsonb") {
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
    case(when, &format!("{message}{cast}"), otherwise)
}

/// A CASE, on lines of its own where it would be a long one.
fn case(when: &str, then: &str, otherwise: &str) -> String {
    let line = format!("CASE WHEN {when} THEN {then} ELSE {otherwise} END");
    if line.len() <= 120 && !line.contains('\n') {
        return line;
    }
    format!("CASE\n  WHEN {when}\n  THEN {then}\n  ELSE {otherwise}\nEND")
}

/// Whether a value stands many times in its form.
pub(crate) fn repeats(ty: &ScalarType) -> bool {
    matches!(ty.form, Form::Decimal | Form::Enum(_)) || ty.list.is_some()
}

/// Whether a promoted column holds the value as the document has it, not as the base table.
pub(crate) fn is_renamed(ty: &ScalarType) -> bool {
    matches!(ty.form, Form::Enum(_))
}

/// Why a value cannot stand in a document, as text; null where it can. `None` where every
/// value of the type can.
pub(crate) fn flaw(value: &str, ty: &ScalarType) -> Option<String> {
    let flawed = flawed(value, ty);
    let null = never_null(ty).then(|| format!("WHEN {value} IS NULL THEN 'is null'"));
    let flawed =
        flawed.map(|flawed| format!("WHEN {flawed} THEN {value}::text || {}", complaint(ty)));
    let whens: Vec<String> = null.into_iter().chain(flawed).collect();
    (!whens.is_empty()).then(|| format!("CASE {} END", whens.join(" ")))
}

/// A value of the document, with a check of all that must not be null. Fails if one is.
///
/// `checked` is the value before it got its form, and not null: a key.
pub(crate) fn unless_null(
    formed: &str,
    checked: &str,
    ty: &ScalarType,
    never_null: &[String],
) -> String {
    let to = match ty.form {
        Form::Decimal => String::new(),
        _ => format!("::{}", ty.sql_name()),
    };
    // A function has at most so many arguments.
    const ARGUMENTS: usize = 100;
    let nulls: Vec<String> = never_null
        .chunks(ARGUMENTS)
        .map(|values| format!("pg_catalog.num_nulls({}) > 0", values.join(", ")))
        .collect();
    failing(
        &nulls.join(" OR "),
        &format!("pg_catalog.concat({checked}, ' has a null')"),
        &format!("::int4::text{to}"),
        formed,
        ty,
    )
}

/// Whether the field cannot hold a null.
pub(crate) fn never_null(ty: &ScalarType) -> bool {
    // A JSON value can be null itself.
    !ty.nullable && (ty.list.is_some() || ty.sql != "jsonb")
}

/// The value in the form of its type, from its form in a document.
pub(crate) fn back(value: String, ty: &ScalarType) -> String {
    match ty.form {
        Form::Decimal => format!("{value}::{}", ty.sql_name()),
        _ => value,
    }
}

/// A condition that is true for the values that cannot stand in a document, and not true for
/// null.
fn flawed(value: &str, ty: &ScalarType) -> Option<String> {
    let Some(nulls) = ty.list else {
        return flawed_one(value, ty.form);
    };
    // More than one dimension would be a list of lists. The order of the conditions counts:
    // the second fails for such an array.
    let mut conditions = vec![format!("pg_catalog.array_ndims({value}) > 1")];
    match flawed_one("element", ty.form) {
        Some(flawed) => {
            let null = match nulls {
                ElementNull::No => " OR element IS NULL",
                ElementNull::Yes => "",
            };
            conditions.push(format!(
                "EXISTS (SELECT FROM pg_catalog.unnest({value}) AS element WHERE {flawed}{null})"
            ));
        }
        None if nulls == ElementNull::No && ty.sql != "jsonb" => {
            conditions.push(format!(
                "pg_catalog.array_position({value}, NULL) IS NOT NULL"
            ));
        }
        None => {}
    }
    Some(conditions.join(" OR "))
}

/// The same of one value.
fn flawed_one(value: &str, form: Form) -> Option<String> {
    Some(match form {
        Form::Native => return None,
        // NaN is greater than infinity.
        Form::Float => format!("pg_catalog.abs({value}::float8) >= 'Infinity'"),
        // 96 bits, of which at most 28 digits behind the point. The first line lets ordinary
        // amounts pass. Cast, because the smallest integer has no `abs` of its own type.
        Form::Decimal => format!(
            "(pg_catalog.abs({value}::numeric) >= 1e14 OR pg_catalog.scale({value}) > 14)\n    \
             AND (pg_catalog.abs({value}::numeric) >= 'Infinity' OR pg_catalog.scale({value}) > 28\n      \
             OR pg_catalog.abs({value}::numeric) * 10::numeric ^ pg_catalog.scale({value}) >= 79228162514264337593543950336)"
        ),
        // ISO 8601 has four digits for the year.
        Form::Timestamptz { last } => {
            format!("{value} NOT BETWEEN '0001-01-01T00:00:00Z' AND '{last}'")
        }
        Form::Timestamp => {
            format!("{value} NOT BETWEEN '0001-01-01T00:00:00' AND '9999-12-31T23:59:59.999999'")
        }
        Form::Date => format!("{value} NOT BETWEEN '0001-01-01' AND '9999-12-31'"),
        Form::Time => format!("{value} = '24:00:00'"),
        Form::Enum(table) => enums::unknown(value, table),
    })
}
