//! Names and passwords (RFC 7617, the "Basic" scheme; bcrypt hashes).
//!
//! bcrypt is slow so that stolen hashes are worth little. It runs beside the web port's thread and only so often at once, and a
//! password that was right once is known again by a keyed digest that only this process can make: no scrape pays twice. A name
//! that nobody has costs as much as a wrong password.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderMap};
use ring::hmac;
use ring::rand::SystemRandom;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use engine::limits;

/// Everybody who may look.
pub(super) struct Users {
    all: Vec<User>,
    /// A hash that no password has, for names that nobody has.
    decoy: String,
    /// The key of the digests; without one nothing is remembered.
    key: Option<hmac::Key>,
    turns: Semaphore,
}

struct User {
    name: String,
    hash: String,
    /// Of the password that was right.
    proven: Mutex<Option<hmac::Tag>>,
}

impl Users {
    /// None when there is nobody: then everybody may look.
    pub(super) fn new(users: &[(String, String)]) -> Option<Self> {
        let cost = |(_, hash): &(String, String)| Some(hash.split('$').nth(2)?.to_owned());
        let dearest = users.iter().filter_map(cost).max()?;
        let user = |(name, hash): &(String, String)| User {
            name: name.clone(),
            hash: hash.clone(),
            proven: Mutex::default(),
        };
        Some(Self {
            all: users.iter().map(user).collect(),
            decoy: format!("$2b${dearest}${}", ".".repeat(53)),
            key: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).ok(),
            turns: Semaphore::new(limits::BCRYPTS),
        })
    }

    /// Whether a request has a name and its password.
    pub(super) async fn admit(&self, headers: &HeaderMap) -> bool {
        let Some((name, password)) = credentials(headers) else { return false };
        let user = self.all.iter().find(|user| user.name.as_bytes() == name);
        if user.is_some_and(|user| self.is_proven(user, &password)) {
            return true;
        }
        let Ok(_turn) = self.turns.acquire().await else { return false };
        // Many may have waited for the same answer.
        if user.is_some_and(|user| self.is_proven(user, &password)) {
            return true;
        }
        let hash = user.map_or(&self.decoy, |user| &user.hash).clone();
        let password = Arc::new(password);
        let checked = password.clone();
        let right = spawn_blocking(move || bcrypt::verify(&*checked, &hash).unwrap_or(false)).await;
        match user {
            Some(user) if right.unwrap_or(false) => {
                let tag = self.key.as_ref().map(|key| hmac::sign(key, &password));
                *user.proven.lock().unwrap_or_else(PoisonError::into_inner) = tag;
                true
            }
            _ => false,
        }
    }

    fn is_proven(&self, user: &User, password: &[u8]) -> bool {
        let proven = user.proven.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*proven, &self.key) {
            // ring compares in constant time.
            (Some(tag), Some(key)) => hmac::verify(key, password, tag.as_ref()).is_ok(),
            _ => false,
        }
    }
}

/// The name and the password of an `Authorization` header.
fn credentials(headers: &HeaderMap) -> Option<(Vec<u8>, Vec<u8>)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let mut name = STANDARD.decode(encoded.trim()).ok()?;
    let colon = name.iter().position(|byte| *byte == b':')?;
    let password = name.split_off(colon + 1);
    name.pop();
    Some((name, password))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(text: &str) -> HeaderMap {
        let value = format!("Basic {}", STANDARD.encode(text));
        HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())])
    }

    #[test]
    fn credentials_end_at_the_first_colon() {
        let read = |headers| credentials(&headers);
        assert_eq!(read(basic("a:b:c")), Some((b"a".to_vec(), b"b:c".to_vec())));
        assert_eq!(read(basic(":")), Some((Vec::new(), Vec::new())));
        assert_eq!(read(basic("a")), None);
        for value in ["Bearer YTpi", "Basic", "Basic ???", "Basic  ", "basic"] {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
            assert_eq!(read(headers), None, "{value}");
        }
    }

    #[tokio::test]
    async fn only_the_right_password_comes_in_and_is_known_again() {
        assert!(Users::new(&[]).is_none());
        let hash = bcrypt::hash("secret", 4).unwrap();
        let other = bcrypt::hash("other", 5).unwrap().replacen("$2b$", "$2y$", 1);
        let users = Users::new(&[("ann".into(), hash), ("bob".into(), other)]).unwrap();
        assert!(users.decoy.starts_with("$2b$05$"));
        assert!(matches!(bcrypt::verify("", &users.decoy), Ok(false)), "it is a hash, and costs");
        let proven = || users.all[0].proven.lock().unwrap().is_some();
        for (wrong, _) in [("ann:Secret", 0), ("ann:", 0), ("bob:secret", 0), ("eve:secret", 0)] {
            assert!(!users.admit(&basic(wrong)).await, "{wrong}");
        }
        assert!(!users.admit(&HeaderMap::new()).await && !proven());
        assert!(users.admit(&basic("ann:secret")).await && proven());
        assert!(users.admit(&basic("ann:secret")).await && users.admit(&basic("bob:other")).await);
        assert!(!users.admit(&basic("ann:secret2")).await, "known is not open");
    }
}
