//! Key sets that the background worker fetches from a URL.

mod crash;
mod down;
mod faults;
mod hostile;
mod idle;
mod limits;
mod many;
mod oidc;
mod redirects;
mod restart;
mod rotation;
mod settings;
mod several;
mod slow;
mod standby;
mod statements;
mod store;
mod tls;
mod unpreloaded;
mod withdrawn;
