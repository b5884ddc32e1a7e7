//! What a policy may ask of its host, by name.

use thiserror::Error;

/// The contract's package, without its version.
pub const PACKAGE: &str = "consentry:policy/";
/// The version that hosts speak: that of `wit/policy.wit`.
const VERSION: Version = Version(0, 1, 0);
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

/// Nothing but `consent-lookup` and its types may be imported, in a version that hosts speak.
pub fn check_import(name: &str) -> Result<(), BadImport> {
    let Some(own) = name.strip_prefix(PACKAGE) else {
        return Err(BadImport::Forbidden(name.to_owned()));
    };
    let (interface, version) = own.split_once('@').unwrap_or((own, ""));
    if !IMPORTS.contains(&interface) {
        return Err(BadImport::Forbidden(name.to_owned()));
    }
    if !Version::read(version).is_some_and(|found| VERSION.speaks(found)) {
        return Err(BadImport::Version {
            found: version.to_owned(),
            spoken: VERSION.to_string(),
        });
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
        let contract = include_str!("../../../wit/policy.wit");
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
