-- What is constant fails while the statement is planned.
select 1/0
select 1/0 from s.parent
select id from s.parent where 1/0 = 1
select id from s.parent where id = 100 / (id - id)
explain select 1/0
explain select id from s.parent where id = 1/0
explain (analyze, costs off, timing off, summary off) select 100 / (id - 1) from s.parent
explain (nothing) select 1
explain analyze select s.raise_at_run('P0123')
explain execute nothing
select s.raise_all('P0123')
select s.raise_all('45000')
select s.raise_all('PT403')
select s.raise_all('22012')
select s.raise_all('XX000')
select s.raise_all('ZZZZZ')
select s.raise_all('57014')
select s.raise_all('40001')
select s.raise_all('0A000')
select s.raise_all('58030')
select s.raise_all('no')
select s.raise_all('P0123') from s.many
select id from s.many where n = s.raise_all('PT403')
select id from s.many where id = s.raise_all('45000') order by n limit 1
select * from s.many, lateral (select s.raise_all('P0123')) x
insert into s.parent values (s.raise_all('P0123'), 'x')
update s.parent set name = s.raise_all('PT403')::text
delete from s.parent where id = s.raise_all('45000')
merge into s.parent p using s.child c on p.id = s.raise_all('P0123') when matched then delete
values (1), (s.raise_all('P0123'))
select s.divide(0)
select s.divide(n) from (values (1), (0)) v(n)
select s.divide_slowly(0)
select s.divide_atomic(0)
select s.raise_in_body('P0123')
select 100::s.amount, (-1)::s.amount
select 13::s.amount
select (-1)::s.amount from s.many
select ('{1,2,3}'::int[])::s.amounts
select '{1,-2}'::s.amounts
select 'much too long'::s.name
select null::s.name
select 'green'::s.colour::int
select cast(c as int) from unnest(array['red', 'green']::s.colour[]) c
select row(1, 'x')::s.pair operator(s.<<<) row(2, 'y')::s.pair
select 2147483647 + 1
select -(-2147483648)::int
select 9223372036854775807 * 2::bigint
select 70000::smallint
select 1e308 * 10::float8
select sqrt(-1)
select ln(0)
select power(0, -1)
select log(0::numeric)
select factorial(-1)
select 1 % 0
select gcd(-2147483648, 0) , lcm(2147483647, 2147483646)
select 10 ^ 1000000
select numeric '1' / 0
select 'x'::text::int
select ('x' || id)::int from s.parent
select id::text::date from s.parent
select chr(0)
select chr(-1)
select repeat('x', 2000000000)
select lpad('x', 2000000000)
select substring('x' from 1 for -1)
select 'x' ~ '('
select 'xy' like 'x\'
select regexp_replace('x', '[', 'y')
select regexp_split_to_array('x', '(')
select decode('zz', 'hex')
select decode('!', 'base64')
select encode('x', 'nothing')
select convert('x', 'nothing', 'utf8')
select convert_from('\xff', 'utf8')
select to_date('99', 'MM')
select to_timestamp('x', 'YYYY')
select to_number('x', '9')
select to_char(1, 'EEEE9.9EEEE')
select make_date(2000, 13, 1)
select make_time(25, 0, 0)
select extract(nothing from now())
select date_trunc('nothing', now())
select now() at time zone 'nowhere'
select '2000-01-01'::date + 2147483647
select interval '1 day' * 1e300
select array[1, 2][1:0], ('{1,2}'::int[])['x']
select array_fill(1, array[-1])
select array_cat('{{1,2}}', '{{1}}'::int[])
select '{1,2}'::int[] || '{{1},{2}}'::int[]
select array_position('{{1,2}}'::int[], 1)
select unnest('{1}'::int[]), generate_series(1, 2, 0)
select generate_series(1, 3, 0)
select width_bucket(1, 1, 1, 1)
select percentile_cont(2) within group (order by id) from s.parent
select ntile(0) over () from s.parent
select nth_value(id, 0) over () from s.parent
select lag(id, 1, 'x') over () from s.parent
select sum(id) over (order by id rows between -1 preceding and current row) from s.parent
select s.total(id - 1) from s.parent
select s.total(id - 1) over (order by id) from s.parent
select string_agg(name, ',' order by 100 / (id - 1)) from s.parent
select count(*) filter (where 1 / (id - 1) > 0) from s.parent
select 100 / (id - 2) as share from s.parent order by share
select n, count(*) from s.many group by n having 1 / (n - 50) > 0
select share from s.shares
select share from s.shares where id = 3
select (select id from s.parent)
select (select id from s.many where n = m.n) from s.many m
select id = any (select 100 / (id - 1) from s.parent) from s.parent
select exists (select 1 / (p.id - 1) from s.child c where 1 / (p.id - 1) = 1) from s.parent p
select * from s.several(3)
select s.several(3)
select * from generate_series(1, 3) g, s.several(g)
with x as materialized (select 1 / (id - 1) as y from s.parent) select * from x
with recursive x as (select 5 as n union all select n - 1 from x where 100 / n > 0) select * from x
with gone as (delete from s.parent returning 1 / (id - 1)) select * from gone
select case when id > 0 then 1 / 0 end from s.parent
select coalesce(null, id / 0) from s.parent
select nullif(1 / (id - 1), 0) from s.parent
select id from s.parent limit -1
select id from s.parent offset -1
select id from s.parent limit (select 1 / 0)
select id from s.parent fetch first 'x' rows only
select * from s.many tablesample nothing (10)
select * from s.many tablesample system (200)
select * from rows from (s.several(2), generate_series(1, 2))
select '{"a": 1}'::json -> 1 -> 'x', '[1]'::jsonb ->> 'x', '"x"'::jsonb::int
select '{"a": "x"}'::jsonb::numeric
select jsonb_set('1', '{a}', '2')
select jsonb_set('[1]', '{x}', '2')
select jsonb_insert('{"a": 1}', '{a}', '2')
select json_object('{a}')
select jsonb_object_agg(null, 1)
select json_each('[1]')
select jsonb_array_elements('{"a": 1}')
select * from jsonb_to_recordset('{"a": 1}') as x(a int)
select * from json_populate_record(null::s.pair, '{"a": "x"}')
select jsonb_path_query('[1]', 'strict $.a')
select jsonb_path_query('{"a": "x"}', '$.a.double()')
select jsonb_path_exists('1', '$ ? (@ > $x)', '1')
select '[1]'::jsonb - 'x'::text, '1'::jsonb - 'x'
select jsonb_build_object('x')
select json_value('{"a": "x"}', '$.a' returning int error on error)
select * from json_table('[{"a": "x"}]', '$[*]' columns (a int path '$.a' error on error)) t
select json_query('{"a": [1, 2]}', '$.a[*]' error on error)
select xmlparse(document '<a')
select to_tsquery('a &')
select ts_rank('a', 'b', 'x')
select ts_headline('nothing', 'x', 'x')
select set_bit('\x00', 8, 1), get_byte('\x', 0)
select '1'::bit(1) & '10'::bit(2)
select int4range(2, 1)
select int4range(1, 2, 'x')
select '[1,2)'::int4range - '[0,5)'::int4range, '[1,10)'::int4range - '[3,5)'::int4range
select lower('[1,2)'::int4range) / 0
select host('x')
select '::1'::inet - '127.0.0.1'::inet
select nextval('s.made_id_seq') / 0
select pg_size_bytes('x')
select pg_get_constraintdef(0), 1 / 0
select format('%s')
select format('%q', 1)
select quote_ident(null), 1 / 0
select random() / 0
select pg_input_is_valid('x', 'nothing')
select row_to_json(x) from (select 1 / 0 as y) x
select pg_typeof(1 / 0)
select crypt
select s.tell('a')
select s.tell(name) from s.parent
select s.tell('b'), s.divide_slowly(0)
create table s.made_here as select 1 / (id - 1) from s.parent
select 1 / (id - 1) into s.made_here from s.parent
create materialized view s.made_here as select s.raise_at_run('P0123')
create index on s.many ((100 / n))
create view s.made_here as select s.raise_all('P0123') as x;; select * from s.made_here
create table s.made_here (id int default s.raise_all('PT403'));; insert into s.made_here default values;; drop table s.made_here
alter table s.many add constraint n_divides check (100 / n > 0)
alter table s.parent alter column id type text using (1 / (id - 1))::text
alter table s.parent add share int generated always as (100 / (id - 1)) stored
set enable_seqscan = off;; select id from s.indexed where s.divide(n) = s.raise_all('P0123')
set plan_cache_mode = force_generic_plan;; prepare p(int) as select 1 / $1;; execute p(0)
set jit = on;; set jit_above_cost = 0;; select 1 / (n - n) from s.many
set max_parallel_workers_per_gather = 2;; set parallel_setup_cost = 0;; set parallel_tuple_cost = 0;; set min_parallel_table_scan_size = 0;;
    set parallel_leader_participation = off;; select count(*) from s.many where 100 / (n - n) > 0
set constraint_exclusion = on;; select id from s.divided where part = 1 / 0
set default_transaction_read_only = on;; insert into s.parent values (4, 'four')
begin read only;; update s.parent set id = id;; select 1;; commit
begin isolation level serializable;; savepoint a;; select 1 / 0;; rollback to a;; select 1;; rollback to nothing;; commit
begin;; begin;; commit;; commit
rollback
savepoint a
release nothing
begin;; release nothing;; rollback
begin;; prepare transaction 'one';; rollback prepared 'one';; rollback prepared 'one'
set role bystander;; select * from s.parent
set role bystander;; insert into s.parent values (1, 'x')
set role bystander;; update s.owned set owner = 'other' where id = 1
set role bystander;; insert into s.owned values (200, 'bystander', 1)
set role bystander;; insert into s.owned values (5, 'other', 1) returning id
set role bystander;; select 100 / part from s.owned
set role bystander;; delete from s.owned
set role bystander;; truncate s.owned
set role bystander;; create table public.x (id int);; create schema x;; create role x;; create database x
set role bystander;; alter table s.owned disable row level security
set role bystander;; set row_security = off;; select * from s.owned
set role bystander;; set session authorization postgres;; set role postgres;; alter system set work_mem = 1
set role bystander;; copy s.owned to '/nowhere/x';; copy s.owned to program 'true'
set role bystander;; select pg_read_file('x');; select pg_reload_conf();; load 'x'
set role bystander;; select * from pg_authid;; select rolpassword from pg_authid
set role bystander;; create function s.f() returns int language c as 'x', 'y'
set role bystander;; create table s.own (id int);; drop table s.parent;; grant select on s.parent to bystander;; drop table s.own
set role bystander;; vacuum s.parent;; analyze s.parent;; lock table s.parent
copy s.parent to '/nowhere/x'
copy s.parent from '/nowhere/x'
copy s.nothing to stdout
copy (select 1 / (id - 2) from s.parent) to stdout
copy (select s.raise_all('P0123')) to stdout
copy s.parent (id, id) from stdin
copy s.parent (nothing) from stdin
copy s.parent from stdin (format nothing)
copy s.parent from stdin (delimiter 'xx')
copy s.parent from program 'exit 3'
copy s.names from stdin << one
copy s.parent from stdin << 4
copy s.parent from stdin << 4	four	more
copy s.parent from stdin << x	four
copy s.parent from stdin << 1	again
copy s.parent from stdin << 4	\N
copy s.parent from stdin (format csv) << 4,"not closed
copy s.parent from stdin (format binary) << no signature
copy s.parent from stdin (format csv, header match) << id,nothing
copy s.child (id, amount) from stdin << 20	-5
copy s.child (id, amount) from stdin << 20	13
copy s.child (id, amount) from stdin << 20	5000
copy s.child (id, colour) from stdin << 20	blue
copy s.child (id, name) from stdin << 20	much too long
copy s.child (id, note) from stdin << 20	much too long
copy s.child (id, parent) from stdin << 20	77
copy s.divided from stdin << 1	50
copy s.guarded from stdin << 1	P0123
copy s.guarded from stdin << 0	\N
copy s.guarded from stdin << 1	late
copy s.owned from stdin (where 1 / (id - 5) > 0) << 5	x	1
copy s.owned from stdin where 1 / (id - 5) > 0 << 5	x	1
-- The extended protocol; what stands after << is its parameter.
$ select 1 / 0
$ select 1 / $1::int << 0
$ select $1::int << x
$ select $1::s.amount << -1
$ select $1::s.colour::int << green
$ select s.raise_all($1) << P0123
$ select id from s.many where n = s.raise_all($1) << PT403
$ select $1::date << x
$ selec 1
$ select nothing
$ select 1; select 2
$ select $2::int << 1
$ insert into s.parent values (1, $1) << one
$ update s.parent set name = $1 where 1 / (id - 1) > 0 << x
$ select id from s.parent where name = $1 and 1 / (id - 3) < 1 << three
prepare p as select 1;; prepare p as select 2
prepare p as select nothing
prepare p (int) as select 1 / $1;; execute p(0);; execute p;; execute p(1, 2);; execute p('x');; execute p(1 / 0)
prepare p (s.amount) as select $1;; execute p(-1);; execute p(13)
prepare p as select * from s.later;; alter table s.later add x int;; execute p;; alter table s.later drop x
prepare p as select s.raise_all('P0123');; execute p
execute nothing
deallocate nothing
declare c cursor for select 1
begin;; declare c cursor for select 100 / (id - 2) from s.parent order by id;; fetch c;; fetch c;; fetch c;; rollback
begin;; declare c cursor for select s.raise_all('P0123');; rollback
begin;; declare c cursor with hold for select 100 / (id - 2) from s.parent;; commit
begin;; declare c no scroll cursor for select id from s.parent;; fetch 2 from c;; fetch backward from c;; rollback
begin;; declare c cursor for select id from s.parent;; delete from s.child where current of c;; rollback
begin;; declare c cursor for select id from s.parent;; delete from s.parent where current of c;; rollback
begin;; declare c cursor for select 1;; declare c cursor for select 2;; rollback
fetch nothing
close nothing
move nothing
