//! Compiles the engine, bakes `policy/rules/` into it and leaves both for `src/lib.rs` to include.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use consentry_policy_build::{policy, rules, wasm};

/// What the two files are made from, as seen from the workspace's folder.
const SOURCES: [&str; 7] = [
    "policy/src",
    "policy/Cargo.toml",
    "policy/component",
    "policy/rules",
    "wit/policy.wit",
    "Cargo.lock",
    "Cargo.toml",
];

fn main() {
    if let Err(error) = build() {
        // A plain message: a panic would bury what to do in a backtrace.
        println!(
            "cargo::error={}",
            error.to_string().replace('\n', "\ncargo::error=")
        );
        std::process::exit(1);
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()?;
    for source in SOURCES {
        println!(
            "cargo::rerun-if-changed={}",
            workspace.join(source).display()
        );
    }
    println!("cargo::rerun-if-env-changed=CONSENTRY_ENGINE");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let module = match env::var_os("CONSENTRY_ENGINE") {
        Some(ready_made) => fs::read(ready_made)?,
        None => wasm::compile(&workspace, &out, &wasm::ENGINE)?,
    };
    let folder = workspace.join("policy/rules");
    fs::write(out.join("rules.rs"), texts(&folder)?)?;
    let rules = rules::load(&folder)?;
    fs::write(out.join("policy.wasm"), policy(&module, &rules)?)?;
    fs::write(out.join("engine.wasm"), module)?;
    Ok(())
}

/// An array of the rules' files, each with its name and its text.
fn texts(folder: &Path) -> Result<String, Box<dyn Error>> {
    let mut files = Vec::new();
    for part in ["", "languages"] {
        for entry in fs::read_dir(folder.join(part))? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "toml") {
                files.push(path);
            }
        }
    }
    files.sort();
    let mut array = String::from("&[\n");
    for path in files {
        let name = path.strip_prefix(folder)?;
        array += &format!("({name:?}, include_str!({path:?})),\n");
    }
    Ok(array + "]")
}
