//! Compiles the host for browsers, makes its JavaScript bindings, and lists every file of the simulator for
//! `src/lib.rs` to include.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use consentry_policy_build::wasm;
use wasm_bindgen_cli_support::Bindgen;

const BROWSER: wasm::Package = wasm::Package {
    name: "consentry-browser",
    profile: "page",
    flags: &[],
};

/// What it is compiled from, as seen from the workspace's folder.
const SOURCES: [&str; 9] = [
    "host/browser/src",
    "host/browser/Cargo.toml",
    "host/browser/js",
    "host/browser/page",
    "host/scenario",
    "host/model",
    "host/places",
    "Cargo.lock",
    "Cargo.toml",
];

/// The folders whose files are taken as they are.
const FOLDERS: [&str; 2] = ["host/browser/page", "host/browser/js"];

fn main() {
    if let Err(error) = build() {
        println!(
            "cargo::error={}",
            error.to_string().replace('\n', "\ncargo::error=")
        );
        std::process::exit(1);
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../..")
        .canonicalize()?;
    for source in SOURCES {
        println!(
            "cargo::rerun-if-changed={}",
            workspace.join(source).display()
        );
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let module = wasm::compile(&workspace, &out, &BROWSER)?;
    bind(module, &out)?;
    let mut files = vec![out.join("engine.js"), out.join("engine_bg.wasm")];
    for folder in FOLDERS {
        for entry in fs::read_dir(workspace.join(folder))? {
            files.push(entry?.path());
        }
    }
    files.sort();
    fs::write(out.join("files.rs"), list(&files)?)?;
    Ok(())
}

/// Writes `engine.js` and `engine_bg.wasm`.
fn bind(module: Vec<u8>, out: &Path) -> Result<(), Box<dyn Error>> {
    Bindgen::new()
        .input_bytes("engine", module)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()?
        .emit(out)?;
    Ok(())
}

fn list(files: &[PathBuf]) -> Result<String, Box<dyn Error>> {
    let mut listed = "&[".to_owned();
    for file in files {
        let name = file.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| format!("a file without a name: {}", file.display()))?;
        let path = file.to_str().ok_or("a path that is not UTF-8")?;
        writeln!(listed, "({name:?}, include_bytes!({path:?}) as &[u8]),")?;
    }
    listed.push(']');
    Ok(listed)
}
