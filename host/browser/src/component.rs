//! Looking into a component: what it is, what it asks for, the core modules in it, and how they are put
//! together.

use consentry_model::contract;
use sha2::{Digest as _, Sha256};
use wasm_bindgen::prelude::*;
use wasmparser::{ComponentTypeRef, Encoding, Parser, Payload};

/// The largest component that is taken, in bytes.
const MAX_SIZE: usize = 16 << 20;
/// The functions that a policy is.
const EXPORTS: [&str; 3] = ["classify", "describe", "preflight"];

/// A policy component that has been looked into.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Component {
    digest: String,
    shape: String,
    modules: Vec<Vec<u8>>,
}

#[wasm_bindgen]
impl Component {
    /// Looks into the bytes of a component. The error says why they are no policy.
    pub fn read(bytes: &[u8]) -> Result<Self, JsError> {
        read(bytes).map_err(|error| JsError::new(&error))
    }

    /// The SHA-256 of its bytes, written as a gateway writes it.
    #[wasm_bindgen(getter)]
    pub fn digest(&self) -> String {
        self.digest.clone()
    }

    /// A digest of all but its core modules: of how they are put together.
    #[wasm_bindgen(getter)]
    pub fn shape(&self) -> String {
        self.shape.clone()
    }

    /// How many core modules there are.
    #[wasm_bindgen(getter)]
    pub fn modules(&self) -> usize {
        self.modules.len()
    }

    /// One of its core modules.
    pub fn module(&self, index: usize) -> Option<Vec<u8>> {
        self.modules.get(index).cloned()
    }
}

fn read(bytes: &[u8]) -> Result<Component, String> {
    if bytes.len() > MAX_SIZE {
        let size = bytes.len();
        return Err(format!(
            "the policy has {size} bytes; at most {MAX_SIZE} are allowed"
        ));
    }
    let (mut modules, mut imports, mut exports) = (Vec::new(), Vec::new(), Vec::new());
    let mut shape = Sha256::new();
    // Inside of a module or component that is a part of this one.
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(|error| {
            format!("this is no WebAssembly component, or a damaged one: {error}")
        })?;
        match &payload {
            Payload::Version { encoding, .. } if depth == 0 && *encoding != Encoding::Component => {
                return Err(
                    "this is a WebAssembly module and no component; \"consentry policy build\" \
                     makes components"
                        .to_owned(),
                );
            }
            Payload::ModuleSection {
                unchecked_range, ..
            } => {
                if depth == 0 {
                    modules.push(part(bytes, unchecked_range)?.to_vec());
                    shape.update(b"module");
                }
                depth += 1;
            }
            Payload::ComponentSection {
                unchecked_range, ..
            } => {
                if depth == 0 {
                    shape.update(part(bytes, unchecked_range)?);
                }
                depth += 1;
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(_) => {}
            other if depth == 0 => {
                if let Payload::ComponentImportSection(section) = other {
                    for import in section.clone() {
                        let import = import.map_err(|error| error.to_string())?;
                        // A type is only a name for what others speak of.
                        if !matches!(import.ty, ComponentTypeRef::Type(_)) {
                            imports.push(import.name.name.to_owned());
                        }
                    }
                }
                if let Payload::ComponentExportSection(section) = other {
                    for export in section.clone() {
                        let export = export.map_err(|error| error.to_string())?;
                        exports.push(export.name.name.to_owned());
                    }
                }
                if let Some((id, range)) = other.as_section() {
                    shape.update([id]);
                    shape.update(range.end.saturating_sub(range.start).to_le_bytes());
                    shape.update(part(bytes, &range)?);
                }
            }
            _ => {}
        }
    }
    for import in &imports {
        contract::check_import(import).map_err(|error| error.to_string())?;
    }
    let lacks = |name: &&&str| !exports.iter().any(|export| export == **name);
    if let Some(name) = EXPORTS.iter().find(lacks) {
        return Err(format!("the policy does not export the function {name:?}"));
    }
    Ok(Component {
        digest: format!("sha256:{}", hexadecimal(&Sha256::digest(bytes))),
        shape: hexadecimal(&shape.finalize()),
        modules,
    })
}

fn part<'b>(bytes: &'b [u8], range: &std::ops::Range<u64>) -> Result<&'b [u8], String> {
    let end = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    bytes
        .get(end(range.start)..end(range.end))
        .ok_or_else(|| "this component is damaged: a part of it is missing".to_owned())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use consentry_default_policy::POLICY;

    #[test]
    fn the_default_policy_is_one_and_its_custom_sections_do_not_count() {
        let found = read(POLICY).unwrap();
        assert!(!found.modules.is_empty());
        // A custom section named "x" at the end.
        let with_note = [POLICY, &[0, 2, 1, b'x']].concat();
        let other = read(&with_note).unwrap();
        assert_ne!(found.digest, other.digest);
        assert_eq!(found.shape, other.shape);
    }

    #[test]
    fn what_is_no_policy_is_told_apart() {
        assert!(read(b"").unwrap_err().contains("no WebAssembly component"));
        assert!(
            read(b"hello there")
                .unwrap_err()
                .contains("no WebAssembly component")
        );
        let half = &POLICY[..POLICY.len() / 2];
        assert!(read(half).unwrap_err().contains("damaged"));
        assert!(
            read(b"\0asm\x01\0\0\0")
                .unwrap_err()
                .contains("module and no component")
        );
        assert!(
            read(b"\0asm\x0d\0\x01\0")
                .unwrap_err()
                .contains("does not export")
        );
    }
}
