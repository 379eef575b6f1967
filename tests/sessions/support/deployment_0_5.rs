//! A deployment of version 0.5.0.
//!
//! A proxy has a separate key for each connection, logs in as `authenticated`, and signs the claims of each request.
//! Without a proxy, PostgREST sets the claims.

use postgres::Client;

use testkit::cluster::{PLAIN, Turn};
use testkit::session::{Proxy, one, run};

/// The pool reset of a proxy.
pub const BACK_TO_THE_POOL: &str = "ROLLBACK; CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DEALLOCATE ALL; \
                                UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES;";

/// The database of an application of that time, with roles that its administrator created.
pub fn deployment() -> Turn<'static> {
    let cluster = PLAIN.turn();
    deploy(&cluster);
    cluster
}

/// The same on another cluster.
pub fn deploy(cluster: &Turn<'_>) {
    cluster
        .run("create role authenticated login; create role anonymous login; create role authenticator login noinherit");
    cluster.run("grant authenticated, anonymous to authenticator");
    let mut admin = cluster.empty_database("app");
    run(
        &mut admin,
        r#"CREATE EXTENSION IF NOT EXISTS pg_session_jwt WITH SCHEMA public;
           GRANT USAGE ON SCHEMA auth TO authenticated;
           GRANT USAGE ON SCHEMA auth TO anonymous;
           GRANT USAGE ON SCHEMA public TO authenticated, anonymous;
           ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, UPDATE, INSERT, DELETE ON TABLES TO authenticated;
           ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO anonymous;
           CREATE TABLE "todos" ("id" bigint GENERATED ALWAYS AS IDENTITY, "task" text NOT NULL,
               "user_id" text DEFAULT (auth.user_id()) NOT NULL);
           ALTER TABLE "todos" ENABLE ROW LEVEL SECURITY;
           CREATE POLICY "crud-authenticated-policy-select" ON "todos" AS PERMISSIVE FOR SELECT TO "authenticated"
               USING ((select auth.user_id() = "todos"."user_id"));
           CREATE POLICY "crud-authenticated-policy-insert" ON "todos" AS PERMISSIVE FOR INSERT TO "authenticated"
               WITH CHECK ((select auth.user_id() = "todos"."user_id"));
           CREATE POLICY "crud-authenticated-policy-update" ON "todos" AS PERMISSIVE FOR UPDATE TO "authenticated"
               USING ((select auth.user_id() = "todos"."user_id"))
               WITH CHECK ((select auth.user_id() = "todos"."user_id"));
           CREATE POLICY "crud-authenticated-policy-delete" ON "todos" AS PERMISSIVE FOR DELETE TO "authenticated"
               USING ((select auth.user_id() = "todos"."user_id"));
           INSERT INTO "todos" ("task", "user_id") VALUES ('a1', 'alice'), ('a2', 'alice'), ('b1', 'bob')"#,
    );
}

/// A connection of the proxy, which has verified that its key is in force.
pub fn proxy_connection(cluster: &Turn, proxy: &Proxy) -> Client {
    let mut client = cluster.connect("app", "authenticated", &proxy.options());
    run(&mut client, "select auth.init();");
    client
}

pub fn tasks(client: &mut Client) -> String {
    one(
        client,
        "select coalesce(string_agg(task, ' ' order by task), '') from todos",
    )
}
