//! What a policy may ask of its host, by name.

use thiserror::Error;

/// The contract's package, without its version.
pub const PACKAGE: &str = "consentry:policy/";
/// The version that hosts speak. While the major version is 0, the minor one must be equal.
const VERSION: (u64, u64) = (0, 1);
const IMPORTS: [&str; 2] = ["consent-lookup", "types"];

/// An import that a policy may not have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadImport {
    /// It is something else than `consent-lookup`.
    #[error(
        "the policy imports {0:?}; a policy may import consentry:policy/consent-lookup and \
         nothing else"
    )]
    Forbidden(String),
    /// It is of another version of the contract.
    #[error(
        "the policy was made for version {found:?} of the contract consentry:policy; this host \
         speaks {spoken}"
    )]
    Version {
        /// The version it asks for.
        found: String,
        /// The version that hosts speak.
        spoken: String,
    },
}

/// Nothing but `consent-lookup` and its types may be imported, in the version that hosts speak.
pub fn check_import(name: &str) -> Result<(), BadImport> {
    let Some(own) = name.strip_prefix(PACKAGE) else {
        return Err(BadImport::Forbidden(name.to_owned()));
    };
    let (interface, version) = own.split_once('@').unwrap_or((own, ""));
    if !IMPORTS.contains(&interface) {
        return Err(BadImport::Forbidden(name.to_owned()));
    }
    if !speaks(version) {
        return Err(BadImport::Version {
            found: version.to_owned(),
            spoken: format!("{}.{}", VERSION.0, VERSION.1),
        });
    }
    Ok(())
}

fn speaks(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u64>().ok());
    (numbers.next().flatten(), numbers.next().flatten()) == (Some(VERSION.0), Some(VERSION.1))
}
