//! Compiling a part of this workspace to WebAssembly with a nested cargo. For build scripts.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs, io};

use thiserror::Error;

const TARGET: &str = "wasm32-unknown-unknown";

/// Why the engine could not be compiled.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum CompileError {
    #[error(
        "a part of Consentry is compiled to WebAssembly, and this Rust toolchain lacks the target \
         {TARGET}.\n`rustup target add {TARGET}` was tried and failed:\n{why}\n\
         Run it where the network can be reached, or install the target with the package manager \
         that Rust came from (Debian: apt-get install libstd-rust-dev-wasm32)."
    )]
    NoTarget { why: String },
    #[error("cargo could not compile {package} to WebAssembly:\n{why}")]
    Cargo { package: String, why: String },
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
}

/// What is compiled, and how.
pub struct Package {
    /// The package's name.
    pub name: &'static str,
    /// The profile it is compiled with.
    pub profile: &'static str,
    /// What else the compiler is told.
    pub flags: &'static [&'static str],
}

/// The engine that rules are baked into.
pub const ENGINE: Package = Package {
    name: "consentry-policy-component",
    profile: "component",
    // A small shadow stack keeps the memory that a fresh instance touches small.
    flags: &["-Clink-arg=-zstack-size=65536"],
};

/// Compiles a package, and gives the bytes of the core module.
///
/// `workspace` is the workspace's folder. `out` is a folder for this build alone: sharing the outer
/// build's target folder would wait for its lock for ever.
pub fn compile(workspace: &Path, out: &Path, package: &Package) -> Result<Vec<u8>, CompileError> {
    ensure_target()?;
    let target_dir = out.join("engine");
    let output = run(cargo(workspace, &target_dir, package))?;
    if !output.status.success() {
        return Err(CompileError::Cargo {
            package: package.name.to_owned(),
            why: text(&output.stderr),
        });
    }
    let module: PathBuf = [
        target_dir.as_path(),
        Path::new(TARGET),
        package.profile.as_ref(),
    ]
    .iter()
    .collect();
    let module = module.join(format!("{}.wasm", package.name.replace('-', "_")));
    fs::read(&module).map_err(|source| CompileError::Io {
        what: format!("reading what was compiled, {}", module.display()),
        source,
    })
}

fn cargo(workspace: &Path, target_dir: &Path, package: &Package) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(workspace)
        .args(["build", "--lib", "--quiet", "--locked"])
        .args(["--profile", package.profile, "--target", TARGET])
        .args(["--package", package.name])
        .env("CARGO_TARGET_DIR", target_dir)
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            rustflags(workspace, package).join("\u{1f}"),
        );
    // What the outer build set for itself: its wrapper (clippy), its target.
    for variable in [
        "RUSTFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CARGO_BUILD_TARGET",
    ] {
        command.env_remove(variable);
    }
    command
}

fn rustflags(workspace: &Path, package: &Package) -> Vec<String> {
    let mut flags: Vec<String> = package.flags.iter().map(ToString::to_string).collect();
    // The same sources give the same bytes wherever they are compiled.
    flags.push(format!(
        "--remap-path-prefix={}=/consentry",
        workspace.display()
    ));
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    if let Some(home) = home {
        flags.push(format!("--remap-path-prefix={}=/cargo", home.display()));
    }
    flags
}

fn ensure_target() -> Result<(), CompileError> {
    if has_target()? {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    let why = match rustup.output() {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => text(&output.stderr),
        Err(error) => format!("rustup could not be started: {error}"),
    };
    Err(CompileError::NoTarget { why })
}

/// Asks the compiler itself, so that a Rust without rustup is served too.
fn has_target() -> Result<bool, CompileError> {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    let output = run(rustc)?;
    Ok(output.status.success() && Path::new(text(&output.stdout).trim()).exists())
}

fn run(mut command: Command) -> Result<Output, CompileError> {
    command.output().map_err(|source| CompileError::Io {
        what: format!("starting {}", command.get_program().display()),
        source,
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
