selec 1
select 1 +
select 'not closed
select "not closed
select 1 from
select $1
select 1;; select 2 from from
create table s.t (id int,)
insert into s.parent valeus (1)
select * from s.parent where
select '\xzz'::bytea
select E'\u12'
select U&'\00zz'
select 0x
select 1_
select 123abc
select 99999999999999999999999999999999::int
select /* not closed
do $$ not closed
begin; select 1 frm x; commit
select nothing
select nothing from s.parent
select p.nothing from s.parent p
select q.id from s.parent p
select id from s.parent, s.child
select * from s.nothing
select * from nowhere.nothing
select * from other_database.s.parent
select nothing(1)
select s.divide('x', 'y')
select s.divide()
select s.divide(n => 1, m => 2)
select s.divide(1, n => 2)
select upper(1, 2)
select 1 + 'x'
select 1 + true
select 1 || 2
select 'x'::nothing
select 'x'::s.nothing
select array[1, 'x']
select case when true then 1 else 'x' end
select coalesce(1, 'x')
select 1 union select 'x'
select 1, 2 union select 1
select 1 in ('x')
select (select 1, 2)
select 1 = (select 1, 2)
select row(1, 2) = row(1)
select id, count(*) from s.parent
select count(*) from s.parent where count(*) > 1
select sum(count(*)) from s.parent
select count(*) over (partition by count(*)) from s.parent where row_number() over () = 1
select row_number() from s.parent
select rank() over w from s.parent
select distinct on (id) name from s.parent order by name
select name from s.parent group by 2
select 1 order by 5
select 1 limit 'x'
select 1 from s.parent for update of nothing
select count(*) from s.parent for update
select * from s.parent a join s.parent b using (nothing)
select * from s.parent a natural join s.parent a
select * from s.parent cross join lateral (select nothing) x
with a as (select 1), a as (select 2) select 1
with recursive a as (select 1 union all select 'x' from a) select * from a
with recursive a as (select * from a) select * from a
insert into s.parent (id, id) values (1, 2)
insert into s.parent (nothing) values (1)
insert into s.parent values (1, 'x', 3)
insert into s.parent (id, name) values (1)
insert into s.parent values ('x', 1)
insert into s.child (colour) values (1)
insert into s.made (id, n) values (1, 1)
insert into s.made (tenth) values (1)
insert into s.parent values (1, 'x') on conflict (name, id) do nothing
insert into s.parent values (1, 'x') on conflict on constraint nothing do nothing
update s.parent set nothing = 1
update s.parent set id = 1, id = 2
update s.parent set id = 'x'
update s.nothing set id = 1
delete from s.parent where nothing
delete from s.parent using s.parent
delete from s.parent where id
merge into s.parent p using s.child c on true when matched then update set nothing = 1
merge into s.parent p using s.parent p on true when matched then delete
select s.raise_all(code => 1)
select 'blue'::s.colour
select '(1'::s.pair
select '{1,2'::int[]
select '{"a":}'::json
select '{"a":}'::jsonb
select '[1,]'::jsonb
select '{"a": "\u0000"}'::jsonb
select 'not a date'::date
select '2000-13-45'::timestamp
select '25:00'::time
select 'x'::interval
select 'x'::uuid
select 'x'::inet
select '300.1.1.1'::inet
select 'maybe'::boolean
select b'12'
select '2'::bit
select '(1,2'::point
select '[5,1]'::int4range
select '<a>'::xml
select '$.['::jsonpath
select 'a &'::tsquery
select 'x'::regclass
select 's.nothing'::regclass
select 'nothing()'::regprocedure
select 'nothing'::regrole
select 'nothing'::regtype
select '1e400'::float8
select '99999'::smallint
select 'NaN'::int
select 'x'::oid
select '1'::money / '0'::money
select 'x' collate nothing
select 'x' collate "C" < 'y' collate "POSIX"
create table s.parent (id int)
create table s.t (id int, id int)
create table s.t (id nothing)
create table s.t (id int default 'x')
create table s.t (id int references s.nothing)
create table s.t (id int references s.child (parent))
create table s.t (id int primary key, n int primary key)
create table s.t (id int check (nothing > 1))
create table s.t (id int check ((select true)))
create table s.t (id int generated always as (random()) stored)
create table s.t partition of s.parent for values in (1)
create table s.t partition of s.divided for values from (5) to (15)
create view s.v as select * from s.nothing
create view s.parent as select 1
create function s.f() returns int language nothing as ''
create function s.f() returns int language sql as 'select nothing'
create function s.f() returns int language sql as 'selec 1'
create function s.f() returns int language sql as 'select ''x'''
create function s.f() returns int language plpgsql as 'begin retrun 1; end'
create function s.f() returns int language plpgsql as 'begin return 1; end loop'
create function s.f() returns int language plpgsql as 'declare a int; a text; begin return 1; end'
create function s.f() returns trigger language plpgsql as 'begin new.x = := 1; return new; end'
create function s.f() returns nothing language sql as 'select 1'
create function s.f(out a int, out b int) returns int language sql as 'select 1, 2'
create function s.f() returns int language c as 'nothing', 'nothing'
create function s.f() returns int language internal as 'nothing'
create function s.f() returns int language sql begin atomic select nothing; end
create procedure s.commits() language sql as ''
create index on s.parent (nothing)
create index on s.parent (random())
create index on s.parent using nothing (id)
create unique index on s.many (n)
create index concurrently indexed_twice on s.indexed (s.divide(n - 1))
create type s.colour as enum ('x')
create domain s.amount as int
create trigger t before insert on s.parent for each row execute function s.divide()
create trigger t before insert on s.nothing for each row execute function s.guard()
create policy p on s.parent using (nothing)
create policy own on s.owned using (true)
create policy p on s.owned using (1)
create rule r as on select to s.parent do instead select 1
create collation s.c from "C"
create sequence s.q increment 0
create sequence s.q minvalue 5 maxvalue 1
create extension nothing
create server x foreign data wrapper nothing
create publication p for table s.nothing
create aggregate s.a(int) (sfunc = nothing, stype = int)
create operator s.+++ (leftarg = int, function = nothing)
create cast (int as text) with function s.divide(int)
create role bystander
create database postgres
create tablespace x location 'relative'
create statistics s.st on id from s.parent
alter table s.parent add column id int
alter table s.parent drop column nothing
alter table s.parent alter column name type int using name::int
alter table s.parent add constraint parent_id check (id > 1)
alter table s.child add constraint child_id foreign key (id) references s.booking
alter table s.indexed add constraint all_divide check (100 / (n - 1) > 0)
alter table s.indexed add column share int not null
alter table s.indexed alter column n set not null, add column x int default s.raise_at_run('P0123')
alter table s.nothing rename to x
alter table s.parent rename id to name
alter type s.colour add value 'red'
alter type s.colour rename value 'blue' to 'x'
alter domain s.amount add check (value > 50)
alter domain s.amount drop constraint nothing
alter role nothing superuser
alter system set nothing = 1
alter function s.divide(int) rename to divide_slowly
alter extension nothing update
alter sequence s.nothing restart
drop table s.nothing
drop table s.parent
drop schema s
drop type s.colour
drop function s.divide(int)
drop role bystander
drop view s.parent
drop table if exists s.nothing
drop database nothing
grant select on s.nothing to bystander
grant select on s.parent to nothing
grant nothing on s.parent to bystander
revoke nothing from bystander
comment on column s.parent.nothing is 'x'
security label on table s.parent is 'x'
truncate s.parent
truncate s.nothing
lock table s.parent
vacuum s.nothing
vacuum (nothing) s.parent
analyze s.parent (nothing)
cluster s.parent
reindex index s.nothing
begin; vacuum s.parent
refresh materialized view concurrently s.stored
refresh materialized view s.parent
set nothing = 1
show nothing.nothing
set work_mem = 'x'
set work_mem = 1
set timezone = 'nowhere'
set datestyle = 'nothing'
set client_encoding = 'nothing'
set search_path = nowhere;; select * from parent
set max_connections = 5
set role nothing
set session authorization nothing
set transaction isolation level serializable
begin;; select 1;; set transaction isolation level serializable
show nothing
load 'nothing'
notify nothing, 'x';; unlisten nothing;; notify
listen
discard nothing
checkpoint nothing
import foreign schema x from server nothing into s
select pg_read_file('nothing')
select pg_ls_dir('nothing')
select current_setting('nothing.nothing')
select set_config('work_mem', 'x', false)
select set_config('nothing', 'x', false)
select pg_terminate_backend(0)
select lo_get(1)
select nextval('s.nothing')
select currval(pg_get_serial_sequence('s.made', 'id'))
select lastval()
select setval(pg_get_serial_sequence('s.made', 'id'), -1)
select pg_get_serial_sequence('s.made', 'nothing')
select has_table_privilege('nothing', 's.parent', 'select')
select has_table_privilege('s.parent', 'nothing')
select pg_advisory_unlock(7)
select obj_description(1, 'nothing'), to_regclass('a.b.c.d')
