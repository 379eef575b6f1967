-- A prepared transaction holds the locks for which these wait.
set lock_timeout = 100;; select * from held.t
set lock_timeout = 100;; lock table held.t in share mode;; begin;; lock table held.t in share mode;; select 1;; rollback
set lock_timeout = 100;; alter table held.t add x int
set lock_timeout = 100;; update held.rows set n = 2 where id = 1
set lock_timeout = 100;; delete from held.rows
set lock_timeout = 100;; insert into held.rows values (2, 1)
set lock_timeout = 100;; do $$ begin update held.rows set n = 2 where id = 1; exception when lock_not_available then raise notice '% %', sqlstate, sqlerrm; end $$
set lock_timeout = 100;; do $$ begin perform id from held.rows where id = 1 for update; end $$
begin;; lock table held.t nowait;; rollback
select * from held.rows for update nowait
select * from held.rows where id = 1 for share nowait
set statement_timeout = 400;; select pg_sleep(100)
set statement_timeout = 400;; do $$ begin perform pg_sleep(100); end $$
set statement_timeout = 400;; do $$ begin perform pg_sleep(100); exception when query_canceled then raise notice '% %', sqlstate, sqlerrm; raise; end $$
set statement_timeout = 400;; do $$ begin perform pg_sleep(100); exception when others then raise notice 'never'; end $$
set statement_timeout = 400;; insert into s.parent select 9, pg_sleep(100)::text
set statement_timeout = 400;; select count(*) from generate_series(1, 100000000) a, generate_series(1, 1000) b
set statement_timeout = 400;; select * from held.t
set statement_timeout = 400;; update held.rows set n = 2 where id = 1
set statement_timeout = 400;; copy (select pg_sleep(100)) to stdout
set statement_timeout = 400;; $ select pg_sleep($1) << 100
begin;; set local transaction_timeout = 400;; select pg_sleep(100);; rollback
begin;; declare c cursor for select pg_sleep(100);; set local statement_timeout = 400;; fetch c;; rollback
select pg_terminate_backend(pg_backend_pid())
select pg_cancel_backend(pg_backend_pid())
do $$ begin perform pg_cancel_backend(pg_backend_pid()); end $$
do $$ begin perform pg_terminate_backend(pg_backend_pid()); exception when others then null; end $$
