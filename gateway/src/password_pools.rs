//! The pools of `--password-logins`: one for each user, password and database.
//!
//! A pool is found by a keyed hash of the three. So a connection never serves a request with another password. A pool
//! keeps its password, with which it connects again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use sql_over_http::failure::{Failure, sqlstate};
use tokio::sync::Semaphore;

use crate::config::Config;
use crate::pool::{self, Pool, Pooled};
use crate::service::too_late;
use crate::upstream::{Login, Target};

/// Logins that are tried at the same time, for all users. A rejected one keeps its place for [`PAUSE`], so only this many
/// passwords can be guessed in a second.
const TRIES: usize = 4;
const PAUSE: Duration = Duration::from_secs(1);
/// Pools that exist at the same time.
const POOLS: usize = 100;

type Fingerprint = [u8; 32];

pub struct PasswordPools {
    target: Arc<Target>,
    settings: Vec<(String, String)>,
    size: usize,
    key: hmac::Key,
    pools: Mutex<HashMap<Fingerprint, Entry>>,
    tries: Semaphore,
}

struct Entry {
    pool: Pool,
    used: Instant,
}

impl PasswordPools {
    pub fn new(config: &Config, target: Arc<Target>) -> Result<PasswordPools, Failure> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).map_err(|_| {
            Failure::with_status(503, sqlstate::INSUFFICIENT_RESOURCES, "could not get a random number")
        })?;
        Ok(PasswordPools {
            target,
            settings: config.set.clone(),
            size: config.max_connections,
            key,
            pools: Mutex::new(HashMap::new()),
            tries: Semaphore::new(TRIES),
        })
    }

    /// Waits at most so long for a connection of this login.
    pub async fn get(&self, user: &str, password: &str, database: &str, wait: Duration) -> Result<Pooled, Failure> {
        let fingerprint = self.fingerprint(&[user, password, database]);
        let known = self.pools().get_mut(&fingerprint).map(|entry| {
            entry.used = Instant::now();
            entry.pool.clone()
        });
        if let Some(pool) = known {
            return pool::get(&pool, wait).await;
        }
        let login = Login::of_client(user, database, password, &self.settings);
        let pool = pool::new(self.target.clone(), login, self.size);
        let connection = tokio::time::timeout(wait, self.try_login(pool::get(&pool, wait))).await;
        let connection = connection.unwrap_or_else(|_| Err(too_late()))?;
        self.keep(fingerprint, pool);
        Ok(connection)
    }

    /// Runs one of the few logins that may be tried at the same time. A failed one takes its time.
    pub async fn try_login<T>(&self, login: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        // The semaphore is never closed.
        let _place = self.tries.acquire().await.map_err(|_| too_late())?;
        let result = login.await;
        if result.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
        result
    }

    /// Closes the connections that have been idle for so long, and forgets pools without connections.
    pub fn close_idle(&self, idle: Duration) {
        self.pools().retain(|_, entry| {
            pool::close_idle(&entry.pool, idle);
            entry.pool.status().size > 0 || entry.used.elapsed() < idle
        });
    }

    fn keep(&self, fingerprint: Fingerprint, pool: Pool) {
        let mut pools = self.pools();
        if pools.len() >= POOLS && !pools.contains_key(&fingerprint) {
            let oldest = pools
                .iter()
                .min_by_key(|(_, entry)| entry.used)
                .map(|(fingerprint, _)| *fingerprint);
            if let Some(entry) = oldest.and_then(|oldest| pools.remove(&oldest)) {
                entry.pool.close();
            }
        }
        pools.insert(
            fingerprint,
            Entry {
                pool,
                used: Instant::now(),
            },
        );
    }

    /// Each part with its length, so that no two triples are the same text.
    fn fingerprint(&self, parts: &[&str]) -> Fingerprint {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(&part.len().to_le_bytes());
            context.update(part.as_bytes());
        }
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(context.sign().as_ref());
        fingerprint
    }

    fn pools(&self) -> std::sync::MutexGuard<'_, HashMap<Fingerprint, Entry>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
