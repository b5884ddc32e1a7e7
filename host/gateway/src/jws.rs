//! What is signed: a JWS in compact form (RFC 7515) with Ed25519 (RFC 8037), so that any JOSE library
//! can verify it, offline and years later. The keys are a JSON Web Key Set in a file.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use thiserror::Error;

/// What is signed. One never passes for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The receipt of a decision.
    Receipt,
    /// The digest of a policy that may be used.
    Policy,
    /// A checkpoint over all events.
    Checkpoint,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Receipt => "consentry-receipt",
            Self::Policy => "consentry-policy",
            Self::Checkpoint => "consentry-checkpoint",
        }
    }
}

/// Keys that sign: the newest signs, all verify.
pub struct SigningKeys {
    signing: SigningKey,
    keys: Vec<Jwk>,
}

/// A key as a JSON Web Key (RFC 8037). `d` is the private half.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    kid: String,
    x: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct KeySet {
    keys: Vec<Jwk>,
}

/// What is wrong with a file of keys.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum KeysError {
    #[error("{0}")]
    File(#[from] std::io::Error),
    #[error("it is no JSON Web Key Set: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the key {0:?} is no Ed25519 key")]
    Key(String),
    #[error("it has no private key to sign with; the newest one must have its \"d\"")]
    NoPrivateKey,
    #[error("there is no randomness to make a key from: {0}")]
    Random(getrandom::Error),
}

/// Why a signature does not hold.
#[derive(Debug, Error, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BadSignature {
    #[error("it is not three parts of base64url with dots between")]
    Form,
    #[error("it says it was signed with the key {0:?}, which is not among those given")]
    UnknownKey(String),
    #[error("it signs something else than a {0}")]
    Kind(&'static str),
    #[error("its signature does not fit: it was changed, or signed by somebody else")]
    Signature,
}

impl SigningKeys {
    /// Reads the keys from a file, and makes the file with a new key when it is not there.
    pub fn load(path: &Path) -> Result<Self, KeysError> {
        match fs::read(path) {
            Ok(bytes) => Self::of(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let set = KeySet {
                    keys: vec![new_key()?],
                };
                // Another process may make it at the same time: then its key is the one.
                match written(path, &set)?.persist_noclobber(path) {
                    Ok(_) => Self::of(set),
                    Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                        Self::of(serde_json::from_slice(&fs::read(path)?)?)
                    }
                    Err(error) => Err(error.error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Keys that are kept nowhere.
    pub fn ephemeral() -> Result<Self, KeysError> {
        let key = new_key()?;
        Self::of(KeySet { keys: vec![key] })
    }

    /// Adds a new key to a file, which signs from then on. The private halves of the others are
    /// forgotten; receipts that they signed stay good.
    pub fn rotate(path: &Path) -> Result<String, KeysError> {
        let mut set: KeySet = serde_json::from_slice(&fs::read(path)?)?;
        let key = new_key()?;
        let kid = key.kid.clone();
        for old in &mut set.keys {
            old.d = None;
        }
        set.keys.push(key);
        written(path, &set)?
            .persist(path)
            .map_err(|error| error.error)?;
        Ok(kid)
    }

    fn of(set: KeySet) -> Result<Self, KeysError> {
        let newest = set.keys.last().ok_or(KeysError::NoPrivateKey)?;
        let secret = newest.d.as_deref().ok_or(KeysError::NoPrivateKey)?;
        let bytes = decoded(secret).ok_or_else(|| KeysError::Key(newest.kid.clone()))?;
        Ok(Self {
            signing: SigningKey::from_bytes(&bytes),
            keys: set.keys,
        })
    }

    /// The public keys, as a JSON Web Key Set.
    pub fn public(&self) -> Value {
        let public = self.keys.iter().map(|key| Jwk {
            d: None,
            ..key.clone()
        });
        json!({ "keys": public.collect::<Vec<_>>() })
    }

    /// Signs something, as what it is.
    pub fn sign(&self, kind: Kind, payload: &impl Serialize) -> String {
        let kid = self.keys.last().map_or("", |key| &key.kid);
        let header = json!({ "alg": "EdDSA", "kid": kid, "typ": kind.name() });
        let payload = serde_json::to_vec(payload).unwrap_or_default();
        let mut token = BASE64.encode(header.to_string());
        token.push('.');
        BASE64.encode_string(payload, &mut token);
        let signature = self.signing.sign(token.as_bytes());
        token.push('.');
        BASE64.encode_string(signature.to_bytes(), &mut token);
        token
    }
}

/// Public keys, to verify with.
#[derive(Clone, Debug, Deserialize)]
pub struct PublicKeys {
    keys: Vec<Jwk>,
}

impl PublicKeys {
    /// Reads a JSON Web Key Set.
    pub fn read(text: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(text)
    }

    /// What was signed, if one of the keys signed it as what it is.
    pub fn verify(&self, kind: Kind, token: &str) -> Result<Value, BadSignature> {
        let (header, payload) = verify_with(token.trim(), &self.keys)?;
        if header.get("typ").and_then(Value::as_str) != Some(kind.name()) {
            return Err(BadSignature::Kind(kind.name()));
        }
        Ok(payload)
    }
}

fn verify_with(token: &str, keys: &[Jwk]) -> Result<(Value, Value), BadSignature> {
    let (signed, signature) = token.rsplit_once('.').ok_or(BadSignature::Form)?;
    let (header, payload) = signed.split_once('.').ok_or(BadSignature::Form)?;
    let part = |text: &str| BASE64.decode(text).map_err(|_| BadSignature::Form);
    let json = |text: &str| -> Result<Value, BadSignature> {
        serde_json::from_slice(&part(text)?).map_err(|_| BadSignature::Form)
    };
    let header = json(header)?;
    let kid = header.get("kid").and_then(Value::as_str).unwrap_or("");
    let key = keys.iter().find(|key| key.kid == kid);
    let unknown = || BadSignature::UnknownKey(kid.to_owned());
    let bytes = decoded(&key.ok_or_else(unknown)?.x).ok_or_else(unknown)?;
    let key = VerifyingKey::from_bytes(&bytes).map_err(|_| unknown())?;
    let signature =
        Signature::from_slice(&part(signature)?).map_err(|_| BadSignature::Signature)?;
    if header.get("alg").and_then(Value::as_str) != Some("EdDSA") {
        return Err(BadSignature::Signature);
    }
    key.verify_strict(signed.as_bytes(), &signature)
        .map_err(|_| BadSignature::Signature)?;
    Ok((header, json(payload)?))
}

fn decoded(text: &str) -> Option<[u8; 32]> {
    BASE64.decode(text).ok()?.try_into().ok()
}

fn new_key() -> Result<Jwk, KeysError> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(KeysError::Random)?;
    let public = SigningKey::from_bytes(&secret).verifying_key();
    let x = BASE64.encode(public.as_bytes());
    // RFC 7638: the hash of the key's own members names it.
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    Ok(Jwk {
        kty: "OKP".to_owned(),
        crv: "Ed25519".to_owned(),
        kid: BASE64.encode(Sha256::digest(members)),
        x,
        d: Some(BASE64.encode(secret)),
    })
}

/// Keys in a file beside the one they are for, which nobody else can read, so that they appear there
/// whole or not at all.
fn written(path: &Path, set: &KeySet) -> Result<NamedTempFile, KeysError> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(&serde_json::to_vec_pretty(set)?)?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(keys: &SigningKeys) -> String {
        keys.sign(Kind::Receipt, &json!({ "reason": "opted_out" }))
    }

    fn verify(token: &str, keys: &[u8]) -> Result<Value, BadSignature> {
        PublicKeys::read(keys).unwrap().verify(Kind::Receipt, token)
    }

    #[test]
    fn a_receipt_holds_and_any_changed_byte_breaks_it() {
        let keys = SigningKeys::ephemeral().unwrap();
        let public = serde_json::to_vec(&keys.public()).unwrap();
        let token = receipt(&keys);
        assert_eq!(verify(&token, &public).unwrap()["reason"], "opted_out");
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(verify(&changed, &public).is_err(), "byte {at}");
        }
    }

    #[test]
    fn of_many_that_make_the_keys_at_once_all_have_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("receipts.json");
        let public = || SigningKeys::load(&path).unwrap().public();
        let all: Vec<Value> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(public)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(all.iter().all(|keys| *keys == all[0]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{mode:o}");
        }
    }

    #[test]
    fn keys_rotate_and_old_receipts_stay_good() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("receipts.json");
        let old = receipt(&SigningKeys::load(&path).unwrap());
        SigningKeys::rotate(&path).unwrap();
        let keys = SigningKeys::load(&path).unwrap();
        let public = serde_json::to_vec(&keys.public()).unwrap();
        assert!(!String::from_utf8(public.clone()).unwrap().contains("\"d\""));
        assert!(verify(&old, &public).is_ok());
        assert!(verify(&receipt(&keys), &public).is_ok());
        let stranger = SigningKeys::ephemeral().unwrap();
        let error = verify(&receipt(&stranger), &public)
            .unwrap_err()
            .to_string();
        assert!(error.contains("not among those given"), "{error}");
    }

    #[test]
    fn a_receipt_does_not_pass_for_a_policys_signature() {
        let keys = SigningKeys::ephemeral().unwrap();
        let public = serde_json::to_vec(&keys.public()).unwrap();
        let public = PublicKeys::read(&public).unwrap();
        let refused = public.verify(Kind::Policy, &receipt(&keys));
        assert_eq!(refused, Err(BadSignature::Kind("consentry-policy")));
    }
}
