-- psql: what the other clients do in scenario.mjs, scenario.py and lib.rs, and the same lines.
\getenv alice ALICE_TOKEN
\getenv bob BOB_TOKEN
\getenv expired EXPIRED_TOKEN
\getenv alice_id ALICE_ID

\set token :alice
\ir begin_as.sql
insert into todos (task) values ('water the plants') returning id as of_alice, task, user_id \gset
commit;
\echo alice created: :task of :user_id
\set token :bob
\ir begin_as.sql
insert into todos (task) values ('feed the cat') returning id as of_bob, task, user_id \gset
commit;
\echo bob created: :task of :user_id

\set token :alice
\ir begin_as.sql
select 'alice reads: ' || string_agg(task, ', ' order by id) from todos;
commit;
\set token :bob
\ir begin_as.sql
select 'bob reads: ' || string_agg(task, ', ' order by id) from todos;
commit;
\set token :alice
\ir begin_as.sql
update todos set task = 'water the roses' where id = :of_alice;
\echo alice updated: :ROW_COUNT
commit;

\set token :bob
\ir begin_as.sql
update todos set task = 'mine' where id = :of_alice;
\set updated :ROW_COUNT
delete from todos where id = :of_alice;
\echo 'bob on alice''s: updated' :updated', deleted' :ROW_COUNT
commit;
\ir begin_as.sql
insert into todos (task, user_id) values ('a gift', :'alice_id');
\echo bob for alice: :SQLSTATE :LAST_ERROR_MESSAGE
rollback;
\set token :expired
\ir begin_as.sql
\echo expired: :SQLSTATE :LAST_ERROR_MESSAGE
rollback;
begin;
set local role authenticated;
select 'no identity sees: ' || count(*) from todos;
commit;

\set token :alice
\ir begin_as.sql
select 'alice reads: ' || string_agg(task, ', ' order by id) from todos;
delete from todos where id = :of_alice;
\echo alice deleted: :ROW_COUNT
commit;
\set token :bob
\ir begin_as.sql
delete from todos where id = :of_bob;
\echo bob deleted: :ROW_COUNT
commit;
