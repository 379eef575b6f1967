//! The keys with which clients cancel their queries.
//!
//! The gateway makes them up. A client cannot send PostgreSQL a key that it has learned or guessed in another way.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::error::Unspecified;

use crate::upstream::Canceller;

/// A process id and a secret, as PostgreSQL's BackendKeyData has them.
pub type Key = (i32, i32);

#[derive(Clone, Default)]
pub struct CancelKeys(Arc<Mutex<HashMap<Key, Canceller>>>);

/// The key of one WebSocket, which is valid until this is dropped.
pub struct Issued {
    keys: CancelKeys,
    pub key: Key,
}

impl CancelKeys {
    pub fn issue(&self, canceller: Canceller) -> Result<Issued, Unspecified> {
        loop {
            let mut bytes = [0; 8];
            aws_lc_rs::rand::fill(&mut bytes)?;
            let [a, b, c, d, e, f, g, h] = bytes;
            let key = (
                i32::from_be_bytes([a & 0x7f, b, c, d]),
                i32::from_be_bytes([e, f, g, h]),
            );
            if let Entry::Vacant(free) = self.lock().entry(key) {
                free.insert(canceller);
                return Ok(Issued {
                    keys: self.clone(),
                    key,
                });
            }
        }
    }

    pub fn find(&self, key: Key) -> Option<Canceller> {
        self.lock().get(&key).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Canceller>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Issued {
    fn drop(&mut self) {
        self.keys.lock().remove(&self.key);
    }
}
