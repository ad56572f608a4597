//! Generates the tests of the guides: a file for each, and `guides.rs`, which includes them.

#[allow(dead_code, unreachable_pub)]
#[path = "src/sample.rs"]
mod sample;

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    if let Err(error) = generate() {
        panic!("{error}");
    }
}

fn generate() -> Result<(), Box<dyn std::error::Error>> {
    let docs = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../fraiseql-runtime/docs");
    println!("cargo::rerun-if-changed={}", docs.display());
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut modules = String::new();
    let mut files = fs::read_dir(docs)?.collect::<Result<Vec<_>, _>>()?;
    files.sort_by_key(fs::DirEntry::file_name);
    for file in files {
        let path = file.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if path.extension().is_none_or(|extension| extension != "md") || name == "links" {
            continue;
        }
        let guide = sample::Guide::parse(&name, &fs::read_to_string(&path)?)?;
        let target = out.join(format!("{name}.rs"));
        fs::write(&target, guide.tests()?)?;
        modules += &format!("#[path = {target:?}]\nmod {name};\n");
    }
    fs::write(out.join("guides.rs"), modules)?;
    Ok(())
}
