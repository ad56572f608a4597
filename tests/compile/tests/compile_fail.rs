//! What users get wrong, and what the compiler says: one folder for each kind of mistake.
//! `TRYBUILD=overwrite` writes the messages anew; read them as a user would.

/// One test for each folder, so that its name shows. They are `compiler::..`, because
/// they need no database: who tries another server skips them by this name.
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
    many, storage, proofs, targets
);
