//! Mistakes of users, and the compiler's messages: one folder for each kind of mistake.
//! `TRYBUILD=overwrite` rewrites the messages; review them as a user would read them.

/// One test for each folder, so that its name is shown. They are in `compiler::..`, because they
/// need no database: runs against another server skip them by this name.
macro_rules! folders {
    ($($folder:ident),*) => {
        mod compiler {
            $(#[test]
            fn $folder() {
                let cases = trybuild::TestCases::new();
                cases.compile_fail(concat!("compile-fail/", stringify!($folder), "/*.rs"));
            })*
        }
    };
}

folders!(
    attributes, structs, names, relations, keys, types, newtypes, enums, aggregates, sql, cycles,
    many, storage, proofs, targets, values, groups, tenants, global_id, filters, unions
);
