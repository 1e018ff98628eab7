//! Secrets that nobody gave us.

use ring::rand::{SecureRandom, SystemRandom};

use crate::exit::{Exit, Failure};

/// 32 bytes that nobody can guess.
///
/// # Errors
/// [`Exit::Internal`] when the operating system has none.
pub fn random() -> Result<[u8; 32], Failure> {
    let mut secret = [0; 32];
    let filled = SystemRandom::new().fill(&mut secret);
    filled.map_err(|_| Failure::new(Exit::Internal, "the system gives no random bytes"))?;
    Ok(secret)
}
