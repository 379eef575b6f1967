-- One transaction as the user of :token. Bound as a parameter where psql can do that.
begin;
set local role authenticated;
select :SERVER_VERSION_NUM >= 160000 as binds \gset
\if :binds
select auth.jwt_session_init($1, true) \bind :token \g /dev/null
\else
select auth.jwt_session_init(:'token', true) \g /dev/null
\endif
