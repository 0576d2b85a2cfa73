//! The key that signs tokens, RSA of 2048 bits as Entra's: made once per data directory, published as JWKS. What stands in a token is decided in `auth.rs`.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use graviola::signing::rsa;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Error;

/// Length of the public half of a 2048-bit key in DER, and where its modulus stands in it. The encoding of a key of this size has no other form.
const PUBLIC_LENGTH: usize = 294;
const MODULUS: std::ops::Range<usize> = 33..289;
/// 65537, the exponent of every key that is generated here.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// The library ends the process on a processor without these (graviola's `cpu.rs`); here it is an error that says so.
#[cfg(target_arch = "x86_64")]
fn able() -> Result<(), Error> {
    let missing: Vec<&str> = [
        ("aes", std::arch::is_x86_feature_detected!("aes")),
        (
            "pclmulqdq",
            std::arch::is_x86_feature_detected!("pclmulqdq"),
        ),
        ("bmi1", std::arch::is_x86_feature_detected!("bmi1")),
        ("adx", std::arch::is_x86_feature_detected!("adx")),
        ("avx", std::arch::is_x86_feature_detected!("avx")),
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
    ]
    .into_iter()
    .filter_map(|(name, there)| (!there).then_some(name))
    .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::Certificate(format!(
        "this processor lacks {}, which the key of the simulator's tokens needs; use a newer machine, or Slipway with Azure settings",
        missing.join(", ")
    )))
}

#[cfg(not(target_arch = "x86_64"))]
#[expect(clippy::unnecessary_wraps, reason = "the other half can fail")]
fn able() -> Result<(), Error> {
    Ok(())
}

/// Why a token says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotSigned {
    /// It is not three parts of base64, the first two of them JSON.
    NoToken,
    /// It names another algorithm than RS256, this one.
    OtherAlgorithm(String),
    /// It names another key, this one.
    OtherKey(String),
    /// It names this key, which did not sign it.
    Forged,
}

pub(crate) struct SigningKey {
    private: rsa::SigningKey,
    public: rsa::VerifyingKey,
    /// `kid`, derived from the public half.
    pub(crate) id: String,
    modulus: String,
}

impl SigningKey {
    /// A new key as text (PKCS #8, base64), to be kept and read by [`SigningKey::read`].
    pub(crate) fn generate() -> Result<String, Error> {
        able()?;
        let key = rsa::SigningKey::generate(rsa::KeySize::Rsa2048).map_err(unusable)?;
        let mut buffer = [0; 4096];
        let der = key.to_pkcs8_der(&mut buffer).map_err(unusable)?;
        Ok(BASE64.encode(der))
    }

    pub(crate) fn read(text: &str) -> Result<SigningKey, Error> {
        able()?;
        let der = BASE64
            .decode(text.trim())
            .map_err(|error| Error::Certificate(format!("the token key is damaged: {error}")))?;
        let private = rsa::SigningKey::from_pkcs8_der(&der).map_err(unusable)?;
        let public = private.public_key();
        let mut buffer = [0; 1024];
        let spki = public.to_spki_der(&mut buffer).map_err(unusable)?;
        if spki.len() != PUBLIC_LENGTH {
            return Err(Error::Certificate(
                "the token key is not RSA of 2048 bits".to_owned(),
            ));
        }
        Ok(SigningKey {
            id: BASE64.encode(&Sha256::digest(spki)[..20]),
            modulus: BASE64.encode(&spki[MODULUS]),
            public,
            private,
        })
    }

    /// A signed token that says this; `None` when the key does not work.
    pub(crate) fn seal(&self, claims: &Value) -> Option<String> {
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": self.id, "x5t": self.id });
        let [header, claims] = [&header, claims].map(|part| BASE64.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = self.sign(&signed)?;
        Some(format!("{signed}.{signature}"))
    }

    /// What a token says, if this key signed it.
    pub(crate) fn open(&self, token: &str) -> Result<Value, NotSigned> {
        let (signed, signature) = token.rsplit_once('.').ok_or(NotSigned::NoToken)?;
        let (header, claims) = signed.split_once('.').ok_or(NotSigned::NoToken)?;
        let [header, claims] = [header, claims].map(|part| {
            let part = BASE64.decode(part).ok()?;
            serde_json::from_slice::<Value>(&part).ok()
        });
        let (header, claims) = header.zip(claims).ok_or(NotSigned::NoToken)?;
        let text = |name: &str| header[name].as_str().unwrap_or_default().to_owned();
        // The algorithm is ours to choose, never the token's.
        if header["alg"] != "RS256" {
            return Err(NotSigned::OtherAlgorithm(text("alg")));
        }
        if header["kid"] != self.id {
            return Err(NotSigned::OtherKey(text("kid")));
        }
        if !self.verify(signed, signature) {
            return Err(NotSigned::Forged);
        }
        Ok(claims)
    }

    /// The signature of a token's first two parts, encoded as its third.
    fn sign(&self, text: &str) -> Option<String> {
        let mut buffer = [0; 512];
        let signature = self
            .private
            .sign_pkcs1_sha256(&mut buffer, text.as_bytes())
            .ok()?;
        Some(BASE64.encode(signature))
    }

    fn verify(&self, text: &str, signature: &str) -> bool {
        BASE64.decode(signature).is_ok_and(|signature| {
            self.public
                .verify_pkcs1_sha256(&signature, text.as_bytes())
                .is_ok()
        })
    }

    /// The document behind `jwks_uri`.
    pub(crate) fn published(&self, issuer: &str) -> Value {
        json!({ "keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id, "x5t": self.id,
            "n": self.modulus, "e": BASE64.encode(EXPONENT), "issuer": issuer,
        }] })
    }
}

fn unusable(error: graviola::Error) -> Error {
    Error::Certificate(format!("the token key cannot be used: {error:?}"))
}
