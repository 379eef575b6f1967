-- In the place of the extension on the server without the library: the names that policies.sql uses, for alice.
create role anonymous;
create role authenticated;
create schema auth;
create function auth.jwt_session_init(jwt text) returns void language plpgsql strict as 'begin end';
create function auth.user_id() returns text language plpgsql strict stable parallel safe as 'begin return ''alice''; end';
create function auth.session() returns jsonb language plpgsql strict stable parallel safe
    as 'begin return ''{"sub": "alice", "org": {"id": "x"}}''; end';
grant usage on schema auth to public;
