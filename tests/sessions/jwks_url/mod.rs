//! Key sets that the background worker fetches from a URL.

pub mod crash;
pub mod down;
pub mod faults;
pub mod hostile;
pub mod idle;
pub mod limits;
pub mod many;
pub mod oidc;
pub mod redirects;
pub mod restart;
pub mod rotation;
pub mod settings;
pub mod several;
pub mod slow;
pub mod standby;
pub mod statements;
pub mod store;
pub mod tls;
pub mod unpreloaded;
pub mod withdrawn;
