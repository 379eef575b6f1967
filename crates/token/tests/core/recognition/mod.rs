//! Recognition: from the URLs of each provider to the exact entry, and to nothing from hostile texts.

mod fill_in;
mod forms;
mod hostile;
mod lists;
mod page;

use pg_session_jwt_token::provider;
use pg_session_jwt_token::recognition::{Problem, recognize};

/// The name of the provider, its entries, and the names of what is missing.
fn recognized(url: &str, fill_in: &str) -> (&'static str, Vec<String>, Vec<&'static str>) {
    let found = recognize(url, fill_in).unwrap_or_else(|problem| panic!("{url}: {problem:?}"));
    let entries = found.iter().map(|found| found.entry.clone()).collect();
    let missing = found[0].to_fill_in.iter().map(|fill_in| fill_in.name).collect();
    (found[0].known.name, entries, missing)
}

#[track_caller]
fn url_problem(url: &str) -> String {
    match recognize(url, "{}") {
        Err(Problem::Url(problem)) => problem,
        other => panic!("{url}: {other:?}"),
    }
}

/// Whether our own parser accepts an entry.
fn is_usable(entry: &str) -> bool {
    provider::parse_public(&format!("[{entry}]")).is_ok()
}
