//! Tests numbers and booleans in every position of a document.

use proptest::num::{f32 as any_f32, f64 as any_f64};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::types::row::{Row, check, thing};

/// The promoted column has the column's value.
const SAME: &str = "v.value IS NOT DISTINCT FROM t.value";

thing!(boolean: bool, promoted);
thing!(int2: i16, ordered);
thing!(int4: i32, ordered);
thing!(int8: i64, ordered);
thing!(float4: f32, ordered);
thing!(float8: f64, ordered);
thing!(numeric: Decimal, ordered);

fn row<T: Clone + std::fmt::Debug + 'static>(
    sql: &'static str,
    text: fn(&T) -> String,
    edges: &[T],
    any: impl Strategy<Value = T> + 'static,
) -> Row<T> {
    Row {
        sql,
        before: "",
        text,
        promoted: SAME,
        same: |_, _| false,
        cases: 10,
        edges: edges.to_vec(),
        any: any.boxed(),
    }
}

#[test]
fn bool_is_boolean() {
    let row = row("boolean", bool::to_string, &[true, false], any::<bool>());
    check::<_, boolean::Jsonb, boolean::Json>(row);
}

#[test]
fn i16_is_int2() {
    let edges = [i16::MIN, -1, 0, 1, i16::MAX];
    check::<_, int2::Jsonb, int2::Json>(row("int2", i16::to_string, &edges, any::<i16>()));
}

#[test]
fn i32_is_int4() {
    let edges = [i32::MIN, -1, 0, 1, i32::MAX];
    check::<_, int4::Jsonb, int4::Json>(row("int4", i32::to_string, &edges, any::<i32>()));
}

#[test]
fn i64_is_int8() {
    const EXACT: i64 = 1 << 53;
    let edges = [
        i64::MIN,
        i64::MIN + 1,
        -EXACT - 1,
        -EXACT,
        -EXACT + 1,
        0,
        EXACT - 1,
        EXACT,
        EXACT + 1,
        i64::MAX - 1,
        i64::MAX,
    ];
    check::<_, int8::Jsonb, int8::Json>(row("int8", i64::to_string, &edges, any::<i64>()));
}

#[test]
fn f32_is_float4() {
    let edges = [
        f32::MIN,
        f32::MAX,
        std::f32::consts::PI,
        -0.0,
        0.0,
        0.1,
        1.0,
        16_777_215.0,
        16_777_216.0,
        -16_777_218.0,
        123_456_790_000.0,
        1e10,
        1e15,
        1e16,
        f32::MIN_POSITIVE,
        f32::from_bits(1),
        f32::EPSILON,
    ];
    let any = any_f32::NORMAL
        | any_f32::SUBNORMAL
        | any_f32::ZERO
        | any_f32::POSITIVE
        | any_f32::NEGATIVE;
    check::<_, float4::Jsonb, float4::Json>(Row {
        same: |a, b| a as f32 == b as f32,
        ..row("float4", |f| format!("{f:?}"), &edges, any)
    });
}

#[test]
fn f64_is_float8() {
    let edges = [
        f64::MIN,
        f64::MAX,
        std::f64::consts::PI,
        -0.0,
        0.0,
        0.1,
        0.300_000_000_000_000_04,
        1.0,
        9_007_199_254_740_991.0,
        9_007_199_254_740_992.0,
        9_007_199_254_740_994.0,
        -9_007_199_254_740_994.0,
        1e15,
        1e16,
        1e22,
        1e23,
        f64::MIN_POSITIVE,
        f64::from_bits(1),
        f64::EPSILON,
    ];
    let any = any_f64::NORMAL
        | any_f64::SUBNORMAL
        | any_f64::ZERO
        | any_f64::POSITIVE
        | any_f64::NEGATIVE;
    check::<_, float8::Jsonb, float8::Json>(Row {
        same: |a, b| a == b,
        ..row("float8", |f| format!("{f:?}"), &edges, any)
    });
}

#[test]
fn decimal_is_numeric() {
    let edges = [
        "0",
        "0.00",
        "1.50",
        "-1.50",
        "100",
        "1000000",
        "79228162514264337593543950335",
        "-79228162514264337593543950335",
        "7.9228162514264337593543950335",
        "0.0000000000000000000000000001",
        "-0.0000000000000000000000000000",
        "99999999999999.99999999999999",
    ]
    .map(|text| Decimal::from_str_exact(text).unwrap());
    let any = (any::<(u32, u32, u32, bool)>(), 0..=28_u32).prop_map(
        |((lo, mid, hi, negative), scale)| Decimal::from_parts(lo, mid, hi, negative, scale),
    );
    check::<_, numeric::Jsonb, numeric::Json>(row("numeric", Decimal::to_string, &edges, any));
}

#[test]
fn decimal_keeps_the_digits_of_a_declared_scale() {
    let cents = (any::<i32>(), Just(2_u32)).prop_map(|(n, scale)| Decimal::new(n.into(), scale));
    let edges = [Decimal::new(100, 2), Decimal::new(-5, 2)];
    let row = row("numeric(12, 2)", Decimal::to_string, &edges, cents);
    check::<_, numeric::Jsonb, numeric::Json>(row);
}
