//! The findings of `auth.check()` in a site that should have none.

use postgres::Client;
use testkit::session::rows;

/// Severity, finding and object of each row. A version of PostgreSQL that is outdated by now is no matter of the site.
pub fn findings(client: &mut Client) -> Vec<String> {
    let all = rows(
        client,
        "select concat_ws(' ', severity, finding, object) from auth.check() where finding <> 'postgres_outdated'",
    );
    all.into_iter().map(|row| row.into_iter().flatten().collect()).collect()
}
