//! Putting the tables into the module: as a segment that is copied from piece by piece, by an
//! instruction that takes the place of a function's body.

use std::ops::Range;

use anyhow::{Context as _, Result};
use wasm_encoder::{CodeSection, DataCountSection, DataSection, Function, Module, RawSection};
use wasmparser::{ExternalKind, Parser, Payload};

/// The function that reads the tables; see `policy/component/src/tables.rs`.
const READ: &str = "consentry_read_tables";

/// The module with the tables in it.
pub(crate) fn attach(module: &[u8], tables: &[u8]) -> Result<Vec<u8>> {
    let (function, segments) = find(module)?;
    let mut attached = Module::new();
    let mut code = CodeSection::new();
    let mut functions = 0;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        match &payload {
            Payload::DataCountSection { .. } => {}
            Payload::CodeSectionStart { count, .. } => {
                functions = *count;
                attached.section(&DataCountSection {
                    count: segments + 1,
                });
            }
            Payload::CodeSectionEntry(body) => {
                if code.len() == function {
                    code.function(&read(segments));
                } else {
                    code.raw(part(module, body.range())?);
                }
                if code.len() == functions {
                    attached.section(&code);
                }
            }
            Payload::DataSection(section) => {
                let mut data = DataSection::new();
                for segment in section.clone() {
                    data.raw(part(module, segment?.range)?);
                }
                data.passive(tables.iter().copied());
                attached.section(&data);
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    let data = part(module, range)?;
                    attached.section(&RawSection { id, data });
                }
            }
        }
    }
    Ok(attached.finish())
}

fn part(module: &[u8], range: Range<u64>) -> Result<&[u8]> {
    let (start, end) = (range.start.try_into()?, range.end.try_into()?);
    module
        .get::<Range<usize>>(start..end)
        .context("a part lies outside of the module")
}

/// The number of the function among those with a body, and how many segments there are.
fn find(module: &[u8]) -> Result<(u32, u32)> {
    let (mut imported, mut exported, mut segments) = (0, None, None);
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += u32::from(matches!(import?.ty, wasmparser::TypeRef::Func(_)));
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    if export.kind == ExternalKind::Func && export.name == READ {
                        exported = Some(export.index);
                    }
                }
            }
            Payload::DataSection(section) => segments = Some(section.count()),
            _ => {}
        }
    }
    let function = exported.and_then(|index| index.checked_sub(imported));
    Ok((
        function.with_context(|| format!("the engine does not export {READ}"))?,
        segments.context("the engine has no data")?,
    ))
}

/// Copies from the segment: from where, to which address, how many bytes.
fn read(segment: u32) -> Function {
    let mut body = Function::new([]);
    let mut instructions = body.instructions();
    instructions
        .local_get(1)
        .local_get(0)
        .local_get(2)
        .memory_init(0, segment)
        .end();
    body
}
