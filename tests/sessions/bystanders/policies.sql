select 1 / 0 from s.notes
select 1 / part from s.notes
select id from s.notes where 1 / part > 0
select id from s.notes where id = s.raise_all('P0123')
select s.raise_at_run('PT403') from s.notes
select s.tell(user_id) from s.notes where id < 4
select * from s.parts
select count(*) from s.parts
select id from s.parts where id = 1 and 1 / (id - 1) = 0
select sum(1 / s.part) from s.notes n join s.parts s using (user_id)
select (select id from s.notes) from s.parts where id = 1
select string_agg(note, ',' order by 1 / part) from s.notes
select 1 / (count(*) - 250) from s.notes
explain select 1 / 0 from s.notes
explain analyze select 1 / part from s.notes
insert into s.notes (id) values (1)
insert into s.notes (id, user_id) values (1000, 'bob')
insert into s.notes (id, user_id) values (1000, 'much too long')
insert into s.notes (id, amount) values (1000, -1)
insert into s.notes (id, amount) values (1000, 13)
insert into s.notes (id, note) values (1000, 'much too long')
insert into s.notes (id, reply_to) values (1000, 7777)
insert into s.notes (id, part) values (1000, 1 / 0)
insert into s.notes (id) values (1) on conflict (id) do update set user_id = 'bob'
insert into s.notes (id) values (1) on conflict (id) do update set part = 1 / 0
insert into s.notes (id) select id - 1 from s.notes
insert into s.notes (nothing) values (1)
update s.notes set user_id = 'bob'
update s.notes set id = 1
update s.notes set part = 1 / part
update s.notes set amount = -1 returning id
update s.notes set part = s.raise_all('45000')
delete from s.notes where 1 / part > 0
delete from s.notes using s.parts
merge into s.notes n using s.parts s on n.id = s.id when matched then update set user_id = 'bob'
merge into s.notes n using (values (1), (1)) v(id) on n.id = v.id when matched then update set part = 5
truncate s.notes
copy s.notes to stdout (nothing)
copy (select 1 / part from s.notes) to stdout
copy s.notes (id) from stdin << 1
copy s.notes (id, user_id) from stdin << 1000	bob
copy s.notes (id, part) from stdin << 1000	x
insert into s.guarded_notes values (0, 'bob')
insert into s.guarded_notes values (1, 'alice')
begin;; insert into s.notes (id, reply_to) values (1000, 7777);; set constraints all immediate;; rollback
begin;; declare c cursor for select 1 / part from s.notes order by id;; fetch c;; fetch c;; fetch c;; rollback
prepare p (int) as select 1 / (part - $1) from s.notes where user_id = auth.user_id();; execute p(0);; set plan_cache_mode = force_generic_plan;; execute p(0)
$ select 1 / (part - $1) from s.notes << 0
$ select id from s.notes where user_id = auth.user_id() and id = s.raise_all($1) << P0123
select 'alice'::s.own_name;; select 'bob'::s.own_name
select auth.user_id()::s.own_name::int
select auth.user_id()::int
select auth.user_id()::uuid from s.notes
select (auth.session() ->> 'sub')::numeric
select (auth.session() -> 'org')::int
select 1 / (length(auth.user_id()) - 5)
select auth.user_id() / 2
select auth.user_id(1)
select auth.nothing()
select auth.user_id() from s.nothing
select auth.user_id(), 1 / 0
select 1 / part, auth.user_id() from s.notes order by auth.user_id()
select auth.session() -> 'org' -> 'id' -> 1, jsonb_set(auth.session(), '{sub,x}', '1'), 1 / 0
select jsonb_array_elements(auth.session())
do $$ begin perform 1 / length(auth.user_id()) - 5; perform 1 / (length(auth.user_id()) - 5); end $$
do $$ begin perform auth.user_id()::int; exception when others then raise notice '% %', sqlstate, sqlerrm; raise; end $$
do $$ begin perform 1 / part from s.notes; exception when division_by_zero then raise notice 'caught % for %', sqlerrm, auth.user_id(); end $$
do $$ begin update s.notes set user_id = 'bob'; exception when insufficient_privilege then raise exception '%', sqlerrm using errcode = 'PT403'; end $$
select s.opens(current_setting('test.token'))
select s.opens_and_raises(current_setting('test.token'))
select s.opens_and_tells(current_setting('test.token'))
select s.opens_in_sql(current_setting('test.token'))
select auth.jwt_session_init(current_setting('test.token')), 1 / 0
select auth.jwt_session_init(current_setting('test.token')), 1 / (length(auth.user_id()) - 5)
select auth.jwt_session_init(current_setting('test.nothing'))
begin;; select auth.jwt_session_init(current_setting('test.token'));; select 1 / part from s.notes;; select auth.user_id();; rollback;; select 1 / part from s.notes
do $$ begin perform auth.jwt_session_init(current_setting('test.token')); perform 1 / 0; end $$
do $$ begin perform auth.jwt_session_init(current_setting('test.token')); perform 1 / 0; exception when division_by_zero then raise notice '% %', sqlstate, sqlerrm; end $$
set statement_timeout = 400;; select pg_sleep(100) from s.notes
set statement_timeout = 400;; select s.opens(pg_sleep(100)::text)
set statement_timeout = 400;; select count(*) from generate_series(1, 100000000) g where auth.user_id() || g = 'bob'
select pg_cancel_backend(pg_backend_pid()), auth.user_id()
