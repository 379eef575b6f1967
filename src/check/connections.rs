//! The connections that are open in this database: logins that look like those of a pooler.

use crate::check::catalog_query::{Catalog, FindingRow};
use crate::check::finding::Finding;
use crate::check::roles::STORED;
use pgrx::spi;

/// A login of end users with at least five connections, which may keep identities. A caller without privileges sees no
/// `backend_type`. The gateway resets its connections itself.
const IDENTITY_SCOPE: &str = "SELECT quote_ident(l.rolname),
       format('It has %s connections to this database, like the login of a pooler. An identity that a client sets for the session \
               stays for the next client of the connection.', l.connections),
       format('ALTER ROLE %I SET pg_session_jwt.identity_scope = transaction; -- unless each client has its own connection', l.rolname)
  FROM (SELECT r.oid, r.rolname, count(*) AS connections
          FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
         WHERE a.datname = current_database() AND COALESCE(a.backend_type, 'client backend') = 'client backend'
           AND COALESCE(a.application_name, '') <> 'pg_session_jwt_gateway'
           AND NOT r.rolsuper AND (r.oid IN (SELECT oid FROM end_user) OR r.oid IN (SELECT oid FROM holder))
         GROUP BY r.oid, r.rolname HAVING count(*) >= 5) l
 WHERE COALESCE((SELECT lower(s.value) FROM stored s WHERE s.name = 'pg_session_jwt.identity_scope' AND s.role IN (0, l.oid)
                  ORDER BY s.role <> 0 DESC, s.database <> 0 DESC LIMIT 1),
                (SELECT reset_val FROM pg_settings WHERE name = 'pg_session_jwt.identity_scope')) <> 'transaction'
   AND EXISTS (SELECT FROM end_user e WHERE (e.oid = l.oid OR EXISTS (SELECT FROM holder h WHERE h.oid = l.oid AND h.who = e.oid)) AND NOT EXISTS (
           SELECT FROM stored s WHERE s.name = 'pg_session_jwt.identity_scope' AND s.role = e.oid AND lower(s.value) = 'transaction'))";

pub fn inspect(catalog: &Catalog<'_>, rows: &mut Vec<FindingRow>) -> spi::Result<()> {
    catalog.find(Finding::IdentityScope, &format!("{STORED}{IDENTITY_SCOPE}"), rows)
}
