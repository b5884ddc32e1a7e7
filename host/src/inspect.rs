//! What a component asks for and offers, checked before anything of it runs.

use wasmtime::component::Component;

use crate::runtime::LoadError;

/// The contract's package, without its version.
const PACKAGE: &str = "consentry:policy/";
/// The version this host speaks. While the major version is 0, the minor one must be equal.
const VERSION: (u64, u64) = (0, 1);
const IMPORTS: [&str; 2] = ["consent-lookup", "types"];

/// The names of a component's imports, sorted.
pub(crate) fn imports(component: &Component) -> Vec<String> {
    let ty = component.component_type();
    let mut names: Vec<String> = ty
        .imports(component.engine())
        .map(|(name, _)| name.to_owned())
        .collect();
    names.sort();
    names
}

/// The names of a component's exports, sorted.
pub(crate) fn exports(component: &Component) -> Vec<String> {
    let ty = component.component_type();
    let mut names: Vec<String> = ty
        .exports(component.engine())
        .map(|(name, _)| name.to_owned())
        .collect();
    names.sort();
    names
}

/// The version of the contract that a component was made for.
pub(crate) fn contract_version(component: &Component) -> Option<String> {
    let imports = imports(component);
    let version = imports
        .iter()
        .find_map(|name| name.strip_prefix(PACKAGE)?.split_once('@'));
    version.map(|(_, version)| version.to_owned())
}

/// Nothing but `consent-lookup` and its types may be imported, in the version this host speaks.
pub(crate) fn check(component: &Component) -> Result<(), LoadError> {
    for import in imports(component) {
        let Some(own) = import.strip_prefix(PACKAGE) else {
            return Err(LoadError::ForbiddenImport(import));
        };
        let (interface, version) = own.split_once('@').unwrap_or((own, ""));
        if !IMPORTS.contains(&interface) {
            return Err(LoadError::ForbiddenImport(import));
        }
        if !speaks(version) {
            return Err(LoadError::ContractVersion {
                found: version.to_owned(),
                spoken: format!("{}.{}", VERSION.0, VERSION.1),
            });
        }
    }
    Ok(())
}

fn speaks(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u64>().ok());
    (numbers.next().flatten(), numbers.next().flatten()) == (Some(VERSION.0), Some(VERSION.1))
}
