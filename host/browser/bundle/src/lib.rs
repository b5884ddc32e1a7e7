//! The simulator, ready to be served or written to a folder.
//!
//! [`FILES`] are the same for every policy. Beside them stand the policy component itself, `policy.wasm`,
//! and `bindings.js`, with which JavaScript calls it: [`bindings`] makes that from the component.

use js_component_bindgen::{InstantiationMode, TranspileOpts, transpile};
use thiserror::Error;

/// Every file that is the same for every policy: its name and its bytes.
pub static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// What the bindings are called.
const NAME: &str = "policy";

/// Every call is synchronous, and the wrappers for those that are not take most of the time that an
/// instance needs. So the bindings see a `WebAssembly` that makes none.
const SYNCHRONOUS: &[u8] = b"const WebAssembly = Object.create(globalThis.WebAssembly, \
    { promising: { value: (exported) => exported } });\n";

/// JavaScript cannot call a component.
#[derive(Debug, Error)]
#[error("the policy cannot be called from JavaScript: {0}")]
pub struct BindingsError(String);

/// The JavaScript with which the core modules of a component are put together and called. It is the same
/// for all components that differ in their core modules alone.
pub fn bindings(component: &[u8]) -> Result<Vec<u8>, BindingsError> {
    let options = TranspileOpts::builder()
        .name(NAME.to_owned())
        .no_typescript(true)
        .instantiation_mode(InstantiationMode::Sync)
        .no_namespaced_exports(true)
        .nodejs_compat_disabled(true)
        .build();
    let made =
        transpile(component, options).map_err(|error| BindingsError(format!("{error:#}")))?;
    let script = format!("{NAME}.js");
    let mut files = made.files.into_iter();
    let file = files.find(|(name, _)| *name == script);
    file.map(|(_, script)| [SYNCHRONOUS, &script].concat())
        .ok_or_else(|| BindingsError("no script was made".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_and_the_bindings_of_the_default_policy() {
        for name in ["index.html", "engine.js", "engine_bg.wasm", "simulator.js"] {
            assert!(FILES.iter().any(|(known, _)| *known == name), "{name}");
        }
        let script = bindings(consentry_default_policy::POLICY).unwrap();
        assert!(
            String::from_utf8(script)
                .unwrap()
                .contains("export function instantiate")
        );
        assert!(bindings(b"nothing").is_err());
    }
}
