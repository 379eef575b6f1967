//! `pg_session_jwt.shared_cache`: a token that one session has verified is found by the others, and only where they would
//! have verified it themselves.

mod hits;
mod kills;
mod misses;
mod server;
mod support;
mod times;
mod twins;
