//! What a component asks for and offers, checked before anything of it runs.

use wasmtime::component::Component;

use crate::runtime::LoadError;

/// The contract's package, without its version.
const PACKAGE: &str = "consentry:policy/";
/// The version this host speaks: that of `wit/policy.wit`.
const VERSION: Version = Version(0, 1, 0);
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

/// Nothing but `consent-lookup` and its types may be imported, in a version that is spoken here.
pub(crate) fn check(component: &Component) -> Result<(), LoadError> {
    for import in imports(component) {
        let Some(own) = import.strip_prefix(PACKAGE) else {
            return Err(LoadError::ForbiddenImport(import));
        };
        let (interface, version) = own.split_once('@').unwrap_or((own, ""));
        if !IMPORTS.contains(&interface) {
            return Err(LoadError::ForbiddenImport(import));
        }
        if !Version::read(version).is_some_and(|found| VERSION.speaks(found)) {
            return Err(LoadError::ContractVersion {
                found: version.to_owned(),
                spoken: VERSION.to_string(),
            });
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version(u64, u64, u64);

impl Version {
    fn read(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(|number| number.parse().ok());
        let version = Self(numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(version)
    }

    /// Whether a host of this version can run what was made for another: for the same one, or an older
    /// one of the same major version. While that is 0, the minor version counts as the major one, and
    /// the third number as the minor one. A newer one may ask for what is not there.
    fn speaks(self, older: Self) -> bool {
        let same_major = self.0 == older.0;
        let grown = (older.1, older.2) <= (self.1, self.2);
        same_major && grown && (self.0 != 0 || self.1 == older.1)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_contract() {
        let contract = include_str!("../../wit/policy.wit");
        assert!(contract.contains(&format!("package consentry:policy@{VERSION};")));
    }

    #[test]
    fn an_older_minor_version_is_spoken_and_no_newer_or_major_one() {
        for (host, policy, is_spoken) in [
            ("0.1.0", "0.1.0", true),
            ("0.1.2", "0.1.0", true),
            ("0.1.0", "0.1.1", false),
            ("0.2.0", "0.1.0", false),
            ("0.1.0", "1.0.0", false),
            ("1.0.0", "0.1.0", false),
            ("1.2.0", "1.0.3", true),
            ("1.2.0", "1.2.1", false),
            ("1.2.0", "1.3.0", false),
            ("2.0.0", "1.2.0", false),
        ] {
            let [host, policy] = [host, policy].map(|text| Version::read(text).unwrap());
            assert_eq!(host.speaks(policy), is_spoken, "{host} {policy}");
        }
        for text in ["", "1", "1.0", "1.0.0.0", "0.1.0-next", "a.b.c"] {
            assert_eq!(Version::read(text), None, "{text}");
        }
    }
}
