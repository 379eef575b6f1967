//! What all requests share, and the way of a request from its admission to its response.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use sql_over_http::connection_string::Address;
use sql_over_http::failure::{Failure, sqlstate};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::budget::{Budget, Share};
use crate::config::{ANONYMOUS, Config};
use crate::log::Subject;
use crate::password_pools::PasswordPools;
use crate::pool::{self, Pool, Pooled};
use crate::upstream::{Connection, Login, Target};
use crate::websocket::cancel_keys::CancelKeys;

pub struct Service {
    pub config: Config,
    pub target: Arc<Target>,
    pub budget: Budget,
    /// Cancelled when the gateway stops: nothing new begins.
    pub drain: CancellationToken,
    /// Cancelled when `--drain-timeout` is over: what still runs is cancelled.
    pub end: CancellationToken,
    /// The transactions that are under way, which outlive their clients.
    pub tasks: TaskTracker,
    /// One pool for each database.
    pools: HashMap<String, Pool>,
    password_pools: PasswordPools,
    /// What each role may use at the same time.
    roles: HashMap<String, Arc<Semaphore>>,
    /// The requests that have been admitted and are not finished.
    admitted: Arc<Semaphore>,
    /// The open WebSockets.
    websockets: Arc<Semaphore>,
    pub cancel_keys: CancelKeys,
    random: SystemRandom,
}

/// Who a client says that it is. PostgreSQL decides whether that is true.
pub enum Client {
    /// One of the gateway's roles, with a token unless it is `anonymous`.
    Role {
        role: String,
        token: Option<String>,
        database: String,
    },
    /// A login of PostgreSQL.
    Login {
        user: String,
        password: String,
        database: String,
    },
}

/// A connection for one request, with the places that the request takes.
pub struct Lease {
    pub slot: Pooled,
    _places: (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>),
}

impl Client {
    /// What the log may tell of the client.
    pub fn subject(&self) -> Subject {
        let (Client::Role {
            role: name, database, ..
        }
        | Client::Login {
            user: name, database, ..
        }) = self;
        Subject {
            role: name.clone(),
            database: database.clone(),
        }
    }
}

impl Service {
    pub fn new(config: Config, target: Target) -> Result<Arc<Service>, Failure> {
        let target = Arc::new(target);
        let pools = config.database.iter().map(|database| {
            let login = Login::own(&config, database);
            (
                database.clone(),
                pool::new(target.clone(), login, config.max_connections),
            )
        });
        let per_role = config.max_connections_per_role.unwrap_or(Semaphore::MAX_PERMITS);
        let roles = config
            .role
            .iter()
            .map(|role| (role.clone(), Arc::new(Semaphore::new(per_role))));
        Ok(Arc::new(Service {
            budget: Budget::new(config.max_memory_bytes),
            drain: CancellationToken::new(),
            end: CancellationToken::new(),
            tasks: TaskTracker::new(),
            pools: pools.collect(),
            password_pools: PasswordPools::new(&config, target.clone())?,
            roles: roles.collect(),
            admitted: Arc::new(Semaphore::new(
                config.max_connections.saturating_add(config.max_waiting),
            )),
            websockets: Arc::new(Semaphore::new(config.max_websockets)),
            cancel_keys: CancelKeys::default(),
            random: SystemRandom::new(),
            target,
            config,
        }))
    }

    /// Tells from its address and its token who the client is. Nothing else of the address is used.
    pub fn client(&self, address: Address, token: Option<&str>) -> Result<Client, Failure> {
        let database = match address.database {
            Some(database) => database,
            None => match self.config.database.as_slice() {
                [only] => only.clone(),
                _ => {
                    return Err(Failure::new(
                        sqlstate::INVALID_CATALOG_NAME,
                        "connection string does not name a database",
                    ));
                }
            },
        };
        if !self.pools.contains_key(&database) {
            return Err(Failure::new(
                sqlstate::INVALID_CATALOG_NAME,
                "database is not served by this gateway",
            ));
        }
        if self.roles.contains_key(&address.user) {
            if token.is_none() && address.user != ANONYMOUS {
                return Err(Failure::new(sqlstate::INVALID_AUTHORIZATION, "role requires a token")
                    .hint("Set authToken, which the driver sends as the Authorization header."));
            }
            return Ok(Client::Role {
                role: address.user,
                token: token.map(str::to_owned),
                database,
            });
        }
        match address.password {
            Some(password) if self.config.password_logins && token.is_none() => Ok(Client::Login {
                user: address.user,
                password,
                database,
            }),
            _ => Err(Failure::new(
                sqlstate::INVALID_AUTHORIZATION,
                "user of the connection string is not a role of this gateway",
            )
            .hint(format!("Use one of: {}.", self.config.role.join(", ")))),
        }
    }

    /// Admits the request, or rejects it at once when too many are waiting.
    pub fn admit(&self) -> Result<OwnedSemaphorePermit, Failure> {
        if self.drain.is_cancelled() {
            return Err(shutting_down());
        }
        self.admitted.clone().try_acquire_owned().map_err(|_| {
            Failure::with_status(
                503,
                sqlstate::TOO_MANY_CONNECTIONS,
                "too many requests are waiting for PostgreSQL",
            )
        })
    }

    /// Admits a WebSocket, or rejects it at once when too many are open.
    pub fn admit_websocket(&self) -> Result<OwnedSemaphorePermit, Failure> {
        if self.drain.is_cancelled() {
            return Err(shutting_down());
        }
        self.websockets
            .clone()
            .try_acquire_owned()
            .map_err(|_| Failure::with_status(503, sqlstate::TOO_MANY_CONNECTIONS, "too many WebSockets are open"))
    }

    pub fn has_role(&self, name: &str) -> bool {
        self.roles.contains_key(name)
    }

    /// A connection of a client's own login, for one session.
    pub async fn connect_with_password(
        &self,
        user: &str,
        password: &str,
        database: &str,
    ) -> Result<Connection, Failure> {
        let login = Login::of_client(user, database, password, &self.config.set);
        self.password_pools.try_login(self.target.connect(&login)).await
    }

    /// Waits for a connection of this client's pool.
    pub async fn lease(
        &self,
        client: &Client,
        place: OwnedSemaphorePermit,
        deadline: Instant,
    ) -> Result<Lease, Failure> {
        let left = || deadline.saturating_duration_since(Instant::now());
        match client {
            Client::Role { role, database, .. } => {
                let (Some(role), Some(pool)) = (self.roles.get(role), self.pools.get(database)) else {
                    return Err(Failure::new(
                        sqlstate::INVALID_CATALOG_NAME,
                        "database is not served by this gateway",
                    ));
                };
                let of_role = tokio::time::timeout(left(), role.clone().acquire_owned()).await;
                let Ok(Ok(of_role)) = of_role else {
                    return Err(too_late());
                };
                let slot = pool::get(pool, left()).await?;
                Ok(Lease {
                    slot,
                    _places: (place, Some(of_role)),
                })
            }
            Client::Login {
                user,
                password,
                database,
            } => {
                let slot = self.password_pools.get(user, password, database, left()).await?;
                Ok(Lease {
                    slot,
                    _places: (place, None),
                })
            }
        }
    }

    /// A random number for setseed(), at least -1 and less than 1.
    pub fn seed(&self) -> Result<f64, Failure> {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes).map_err(|_| {
            Failure::with_status(503, sqlstate::INSUFFICIENT_RESOURCES, "could not get a random number")
        })?;
        // The 53 bits that a float8 holds exactly.
        let whole = u64::from_le_bytes(bytes) >> 11;
        Ok(whole as f64 / (1_u64 << 52) as f64 - 1.0)
    }

    pub fn share(&self) -> Share {
        self.budget.share()
    }

    /// The pools of the gateway's own login, with their databases.
    pub fn pools(&self) -> impl Iterator<Item = (&str, &Pool)> {
        self.pools.iter().map(|(database, pool)| (database.as_str(), pool))
    }

    /// Closes idle connections, until the gateway stops.
    pub async fn close_idle_connections(self: Arc<Service>) {
        let idle = self.config.idle_timeout;
        let pause = (idle / 4).clamp(Duration::from_millis(100), Duration::from_secs(30));
        while !self.drain.is_cancelled() {
            tokio::time::sleep(pause).await;
            for pool in self.pools.values() {
                pool::close_idle(pool, idle);
            }
            self.password_pools.close_idle(idle);
        }
    }
}

fn shutting_down() -> Failure {
    Failure::with_status(503, sqlstate::ADMIN_SHUTDOWN, "gateway is shutting down")
}

pub fn too_late() -> Failure {
    Failure::with_status(
        503,
        sqlstate::TOO_MANY_CONNECTIONS,
        "no connection to PostgreSQL became free in time",
    )
}
