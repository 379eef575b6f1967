//! Pools of connections to PostgreSQL: one for each database, and with `--password-logins` one for each login too.

use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{self, Metrics, PoolError, QueueMode, RecycleError, RecycleResult, Timeouts};
use sql_over_http::failure::{Failure, sqlstate};

use crate::upstream::{Connection, Login, Target};

/// A connection in a pool.
pub struct Slot {
    pub connection: Connection,
    /// Whether nothing of an earlier request is left on it. Cleared when a request begins, and set when its clean-up has
    /// answered, so that a request that ends in any other way leaves a connection that is never used again.
    pub is_new: bool,
}

pub struct Manager {
    target: Arc<Target>,
    login: Login,
}

pub type Pool = managed::Pool<Manager>;
pub type Pooled = managed::Object<Manager>;

impl managed::Manager for Manager {
    type Type = Slot;
    type Error = Failure;

    async fn create(&self) -> Result<Slot, Failure> {
        let connection = self.target.connect(&self.login).await?;
        Ok(Slot {
            connection,
            is_new: true,
        })
    }

    /// A connection that PostgreSQL has closed, or on which it has sent something, is not used again.
    async fn recycle(&self, slot: &mut Slot, _: &Metrics) -> RecycleResult<Failure> {
        if slot.is_new && slot.connection.is_quiet() {
            Ok(())
        } else {
            Err(RecycleError::message("not as new"))
        }
    }
}

/// A pool of at most so many connections. The one that was used last is used first, so that the others can be closed.
pub fn new(target: Arc<Target>, login: Login, size: usize) -> Pool {
    managed::Pool::builder(Manager { target, login })
        .max_size(size)
        .queue_mode(QueueMode::Lifo)
        .runtime(deadpool::Runtime::Tokio1)
        .build()
        .expect("a pool with a runtime")
}

/// Waits at most so long for a connection. The attempt to connect has its own time limit.
pub async fn get(pool: &Pool, wait: Duration) -> Result<Pooled, Failure> {
    let timeouts = Timeouts {
        wait: Some(wait),
        create: Some(wait),
        recycle: None,
    };
    pool.timeout_get(&timeouts).await.map_err(|error| match error {
        PoolError::Backend(failure) => failure,
        PoolError::Timeout(_) => Failure::with_status(
            503,
            sqlstate::TOO_MANY_CONNECTIONS,
            "no connection to PostgreSQL became free in time",
        ),
        _ => Failure::with_status(503, sqlstate::CANNOT_CONNECT_NOW, "gateway is shutting down"),
    })
}

/// Closes the connections that have been idle for so long.
pub fn close_idle(pool: &Pool, idle: Duration) {
    pool.retain(|_, metrics| metrics.last_used() < idle);
}
