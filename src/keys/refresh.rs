//! Fetching all key sets now, for an administrator who knows that a provider has changed its keys.

use std::time::Duration;

use crate::jwks::shared_table;
use crate::keys::providers;
use crate::keys::wait_for_fetch::wait_at_most;

/// The longest time of a discovery: three attempts of two addresses for the document, and three for the key set, with the
/// pauses between them.
const MAX_WAIT: Duration = Duration::from_secs(48);

/// Has the worker fetch the key set of each URL that this server uses, and waits for it. Returns whether all were received.
pub fn refresh_all() -> bool {
    // The URLs of this session may be new. Without usable providers it has none.
    if let Ok(Some(providers)) = providers::current() {
        providers.need_urls();
    }
    let requests = shared_table::request_all();
    let state = |url: &str, number: u64| match shared_table::find(url) {
        // Forgotten meanwhile, because nothing needs it.
        None => Some(true),
        Some(entry) if entry.served >= number => Some(entry.error().is_empty()),
        Some(_) => None,
    };
    wait_at_most(MAX_WAIT, || {
        requests.iter().all(|(url, number)| state(url, *number).is_some())
    });
    requests.iter().all(|(url, number)| state(url, *number) == Some(true))
}
