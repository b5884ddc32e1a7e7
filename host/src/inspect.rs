//! What a component asks for and offers, checked before anything of it runs.

use consentry_model::contract::{self, PACKAGE};
use wasmtime::component::Component;

use crate::runtime::LoadError;

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

/// Nothing but `consent-lookup` and its types may be imported, in a version that is spoken here.
pub(crate) fn check(component: &Component) -> Result<(), LoadError> {
    let imports = imports(component);
    let checked = imports
        .iter()
        .try_for_each(|name| contract::check_import(name));
    checked.map_err(LoadError::Import)
}
