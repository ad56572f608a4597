//! Tests the arrows of small crates.

use structure::graph;
use structure::imports::{self, Arrow};
use structure::modules::{ModuleTree, Sources};
use structure::rooms::Direction;

fn tree(files: &[(&str, &str)]) -> ModuleTree {
    let sources: Sources = files
        .iter()
        .map(|&(path, text)| (path.to_owned(), text.to_owned()))
        .collect();
    ModuleTree::read(&sources).expect("the crate can be read")
}

fn arrows(files: &[(&str, &str)]) -> Vec<Arrow> {
    imports::arrows(&tree(files))
}

/// The arrows, one text each.
fn shown(files: &[(&str, &str)]) -> Vec<String> {
    arrows(files).iter().map(Arrow::to_string).collect()
}

#[test]
fn each_leaf_of_a_use_is_an_arrow() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        (
            "a.rs",
            "use crate::{b::{X, Y as Z}, c::{self, W}}; use super::b::V;",
        ),
        ("b.rs", ""),
        ("c/mod.rs", ""),
    ];
    assert_eq!(
        shown(&files),
        ["a.rs -> b.rs: V, X, Y", "a.rs -> c/mod.rs: W, c"]
    );
}

#[test]
fn declaring_a_child_is_no_arrow() {
    assert!(shown(&[("lib.rs", "mod a;"), ("a.rs", "")]).is_empty());
}

#[test]
fn a_reexport_leads_to_the_definition() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use b::X;"),
        ("a.rs", "use crate::X; use crate::b::Renamed;"),
        (
            "b/mod.rs",
            "mod c; mod d; pub use c::*; pub(crate) use d::Y as Renamed;",
        ),
        ("b/c.rs", "pub struct X;"),
        ("b/d.rs", "pub struct Y;"),
    ];
    assert_eq!(
        shown(&files),
        [
            "a.rs -> b/c.rs: X",
            "a.rs -> b/d.rs: Y",
            "b/mod.rs -> b/c.rs: *",
            "b/mod.rs -> b/d.rs: Y",
            "lib.rs -> b/c.rs: X",
        ]
    );
}

#[test]
fn a_parents_import_leads_to_the_definition() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", "mod c; use crate::b::X;"),
        ("a/c.rs", "use super::X;"),
        ("b.rs", "pub struct X;"),
    ];
    assert_eq!(shown(&files), ["a/c.rs -> b.rs: X", "a/mod.rs -> b.rs: X"]);
}

#[test]
fn what_another_crate_defines_belongs_to_the_module_that_exports_it() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        (
            "a.rs",
            "use crate::b::{Value, serde}; use serde::Other; use ::b::X;",
        ),
        ("b.rs", "pub use serde; pub use serde_json::Value;"),
    ];
    assert_eq!(shown(&files), ["a.rs -> b.rs: Value, serde"]);
}

#[test]
fn paths_in_code_are_arrows() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        (
            "a.rs",
            "use crate::b; fn f(x: super::c::T) { b::g::<crate::c::U>(); x.b::<u8>() }",
        ),
        ("b.rs", "pub fn g<T>() {}"),
        ("c.rs", ""),
    ];
    assert_eq!(shown(&files), ["a.rs -> b.rs: b, g", "a.rs -> c.rs: T, U"]);
}

#[test]
fn a_function_is_not_the_module_of_its_name() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        (
            "a.rs",
            "use crate::b::c; fn f() { crate::b::c(); crate::b::c::d(); }",
        ),
        ("b/mod.rs", "mod c; pub fn c() {}"),
        ("b/c.rs", "pub fn d() {}"),
        ("c.rs", ""),
    ];
    assert_eq!(shown(&files), ["a.rs -> b/c.rs: d", "a.rs -> b/mod.rs: c"]);
}

#[test]
fn bodies_of_macros_count() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c; mod d; mod e;"),
        (
            "a.rs",
            "use crate::e; macro_rules! m { ($x:ident) => {
                use $crate::b::{self, X, Y::Z}; impl crate::c::T for $x {} $x::e::f();
             } }
             fn f() { println!(\"{}\", super::d::g(a.e::f, ::e::h, [e::i])); }",
        ),
        ("b.rs", ""),
        ("c.rs", ""),
        ("d.rs", ""),
        ("e.rs", ""),
    ];
    assert_eq!(
        shown(&files),
        [
            "a.rs -> b.rs: X, Y, b",
            "a.rs -> c.rs: T",
            "a.rs -> d.rs: g",
            "a.rs -> e.rs: e, i",
        ]
    );
}

#[test]
fn an_exported_macro_is_where_it_is_written() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "crate::m!(); use crate::b::n;"),
        ("b.rs", "macro_rules! n { () => {} } pub(crate) use n;"),
        ("c.rs", "#[macro_export] macro_rules! m { () => {} }"),
    ];
    assert_eq!(shown(&files), ["a.rs -> b.rs: n", "a.rs -> c.rs: m"]);
}

#[test]
fn what_is_no_code_of_this_crate_does_not_count() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        (
            "a.rs",
            "/// [`crate::b::X`]\npub(in crate::a) struct A;
             fn f() { quote! { crate::b::X } }",
        ),
        ("b.rs", "pub struct X;"),
    ];
    assert!(shown(&files).is_empty());
}

#[test]
fn what_is_for_tests_does_not_count() {
    let files = [
        ("lib.rs", "mod a; mod b; #[cfg(all(test, unix))] mod c;"),
        (
            "a.rs",
            "#[cfg(test)] mod tests; #[cfg(test)] use crate::b::X; #[cfg(test)] mod more {
                 use crate::b::Y;
             }
             #[cfg(not(test))] use crate::b::Z;",
        ),
        ("a/tests.rs", "use crate::b::X;"),
        ("b.rs", ""),
        ("c.rs", "use crate::b::X;"),
    ];
    assert_eq!(shown(&files), ["a.rs -> b.rs: Z"]);
    assert_eq!(tree(&files).files(), ["lib.rs", "a.rs", "b.rs"]);
}

#[test]
fn inline_modules_belong_to_their_file() {
    let files = [
        (
            "lib.rs",
            "mod a { mod b { use super::super::c::X; mod d; } } mod c;",
        ),
        ("a/b/d.rs", "use super::super::b; use crate::c::X;"),
        ("c.rs", "pub struct X;"),
    ];
    assert_eq!(
        shown(&files),
        [
            "a/b/d.rs -> c.rs: X",
            "a/b/d.rs -> lib.rs: b",
            "lib.rs -> c.rs: X"
        ]
    );
}

#[test]
fn uses_that_refer_to_each_other_end() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "pub use crate::b::X; pub use crate::b::*;"),
        ("b.rs", "pub use crate::a::X; pub use crate::a::*;"),
    ];
    assert_eq!(shown(&files), ["a.rs -> b.rs: *, X", "b.rs -> a.rs: *, X"]);
}

#[test]
fn a_module_without_a_file_is_an_error() {
    let sources = Sources::from([("lib.rs".to_owned(), "mod a;".to_owned())]);
    let error = ModuleTree::read(&sources).expect_err("there is no a.rs");
    assert_eq!(error.to_string(), "lib.rs: `mod a;` has no file");
}

#[test]
fn a_circle_is_found_with_its_ties() {
    let arrows = arrows(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::X;"),
        ("b.rs", "use crate::c::X;"),
        ("c.rs", "use crate::a::X; use crate::d::X;"),
        ("d.rs", ""),
    ]);
    let circles = graph::circles(&arrows);
    assert_eq!(circles, [["a.rs", "b.rs", "c.rs"]]);
    assert_eq!(graph::ties(&circles[0], &arrows).len(), 3);
}

#[test]
fn a_planted_import_against_the_direction_is_found() {
    let direction = Direction {
        package: "small",
        lines: &[&["low"], &["left", "right"], &["lib"]],
    };
    let files = [
        ("lib.rs", "mod low; mod left; mod right; mod new;"),
        ("low/mod.rs", "mod inner;"),
        ("low/inner.rs", "use super::Y; fn f() { crate::left::X; }"),
        ("left.rs", "use crate::low::Y;"),
        ("right.rs", "use crate::low::Y; vec![crate::left::X];"),
        ("new.rs", ""),
    ];
    let arrows = arrows(&files);
    let offending = direction.offending(&arrows);
    let offending: Vec<String> = offending.iter().map(ToString::to_string).collect();
    assert_eq!(
        offending,
        ["low/inner.rs -> left.rs: X", "right.rs -> left.rs: X"]
    );
    let unplaced = direction.unplaced(tree(&files).files()).len();
    assert_eq!(unplaced, 1);
}
