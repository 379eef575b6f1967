do $$ begin raise exception 'plain'; end $$
do $$ begin raise exception 'with % and %', 1, 'two' using errcode = 'P0123', detail = 'd', hint = 'h'; end $$
do $$ begin raise exception using errcode = '45000', message = 'm', column = 'c', constraint = 'k', datatype = 't', table = 'r', schema = 's'; end $$
do $$ begin raise exception using errcode = 'PT403', message = 'Forbidden', hint = '{"code": 403}'; end $$
do $$ begin raise sqlstate '99001'; end $$
do $$ begin raise sqlstate 'no'; end $$
do $$ begin raise division_by_zero; end $$
do $$ begin raise unique_violation using message = 'twice', constraint = 'once'; end $$
do $$ begin raise nothing; end $$
do $$ begin raise; end $$
do $$ begin raise exception '%', 1, 2; end $$
do $$ begin raise exception 'a %'; end $$
do $$ begin raise exception using nothing = 1; end $$
do $$ begin raise exception 'twice' using message = 'x'; end $$
do $$ begin raise debug 'd'; raise log 'l'; raise info 'i'; raise notice 'n'; raise warning 'w'; end $$
do $$ begin assert false; end $$
do $$ begin assert 1 = 2, 'one is not two'; end $$
do $$ declare n int := 1 / 0; begin end $$
do $$ declare n int := s.raise_all('P0123'); begin end $$
do $$ declare n s.amount := -1; begin end $$
do $$ declare n s.amount; begin n := 13; end $$
do $$ declare n s.name; begin end $$
do $$ declare n int not null := null; begin end $$
do $$ declare n constant int := 1; begin n := 2; end $$
do $$ declare n int; begin n := 'x'; end $$
do $$ declare n nothing; begin end $$
do $$ declare n s.nothing%type; begin end $$
do $$ declare r record; begin perform r.x; end $$
do $$ declare r record; begin select 1 as a into r; perform r.b; end $$
do $$ declare n int; begin select id into strict n from s.parent; end $$
do $$ declare n int; begin select id into strict n from s.parent where id = 77; end $$
do $$ begin select 1; end $$
do $$ begin perform nothing(); end $$
do $$ begin perform 1 / 0; end $$
do $$ begin perform s.raise_at_run('P0123'); end $$
do $$ begin perform s.raise_in_body('PT403'); end $$
do $$ begin execute 'selec 1'; end $$
do $$ begin execute 'select 1 / 0'; end $$
do $$ begin execute null; end $$
do $$ begin execute 'select 1 / $1' using 0; end $$
do $$ begin execute format('select %I', 'nothing'); end $$
do $$ begin insert into s.parent values (1, 'x'); end $$
do $$ begin insert into s.child (id, parent) values (9, 77); end $$
do $$ begin if 1 / 0 = 1 then null; end if; end $$
do $$ begin case 1 when 2 then null; end case; end $$
do $$ begin for i in 1..3 by 0 loop null; end loop; end $$
do $$ begin for i in 1..null loop null; end loop; end $$
do $$ declare i int; begin foreach i in array null::int[] loop null; end loop; end $$
do $$ declare r record; begin for r in select 100 / (id - 2) from s.parent order by id loop raise notice '%', r; end loop; end $$
do $$ declare c cursor for select 1; begin open c; open c; end $$
do $$ declare c refcursor; r record; begin fetch c into r; end $$
do $$ declare a int[]; begin a[1:2] := 'x'; end $$
do $$ begin exit; end $$
do $$ begin return 1; end $$
do $$ begin return query select 1; end $$
do $$ begin goto x; end $$
do $$ begin commit; raise exception 'after commit' using errcode = 'P0123'; end $$
begin;; do $$ begin commit; end $$;; rollback
do $$ begin begin commit; exception when others then raise notice '% %', sqlstate, sqlerrm; end; end $$
call s.commits()
call s.commits_inside_exception()
call nothing()
call s.divide(1)
call s.commits(1)
select s.commits()
begin;; call s.commits();; rollback
do language nothing 'x'
do $$ begin perform s.divide_slowly(0); exception when division_by_zero then raise notice 'caught % %', sqlstate, sqlerrm; end $$
do $$ begin perform s.raise_all('P0123'); exception when sqlstate 'P0123' then raise notice 'caught % %', sqlstate, sqlerrm; end $$
do $$ begin perform s.raise_all('45000'); exception when sqlstate '45000' then raise notice 'caught % %', sqlstate, sqlerrm; end $$
do $$ begin perform s.raise_all('PT403'); exception when sqlstate 'PT403' then raise notice 'caught % %', sqlstate, sqlerrm; end $$
do $$ begin perform s.raise_all('PT403'); exception when sqlstate 'PT404' then raise notice 'not this one'; end $$
do $$ begin perform id from s.many where n = s.raise_all('P0123'); exception when sqlstate 'P0123' then raise notice 'caught at planning %', sqlstate; end $$
do $$ begin perform s.raise_all('P0123'); exception when raise_exception then raise notice 'not this one'; when others then raise notice 'others %', sqlstate; end $$
do $$ begin perform s.raise_all('P0123'); exception when others then raise; end $$
do $$ begin perform s.raise_all('PT403'); exception when others then raise exception 'again: %', sqlerrm using errcode = sqlstate; end $$
do $$ begin perform 1 / 0; exception when others then perform 'x'::text::int; end $$
do $$ begin begin perform 1 / 0; exception when others then raise; end; exception when others then raise notice 'outer %', sqlerrm; raise; end $$
do $$
    declare a text; b text; c text; d text; e text; f text; g text; h text; i text;
    begin
    perform s.raise_at_run('P0123');
    exception when others then
    get stacked diagnostics a = returned_sqlstate, b = message_text, c = pg_exception_detail, d = pg_exception_hint, e = pg_exception_context,
    f = schema_name, g = table_name, h = column_name, i = constraint_name;
    raise notice '%|%|%|%|%|%|%|%|%', a, b, c, d, e, f, g, h, i;
    get stacked diagnostics a = pg_datatype_name;
    raise notice '%', a;
    end $$
do $$
    declare a text; b text; c text;
    begin
    perform s.raise_all('PT403') from s.many;
    exception when others then
    get stacked diagnostics a = returned_sqlstate, b = pg_exception_context, c = pg_datatype_name;
    raise notice '%|%|%', a, b, c;
    end $$
do $$
    declare a text; b text; c text; d text;
    begin
    insert into s.child (id, parent) values (9, 77);
    exception when foreign_key_violation then
    get stacked diagnostics a = schema_name, b = table_name, c = constraint_name, d = pg_exception_detail;
    raise notice '%|%|%|%', a, b, c, d;
    end $$
do $$
    declare a text; b text; c text;
    begin
    perform (-1)::s.amount;
    exception when check_violation then
    get stacked diagnostics a = pg_datatype_name, b = constraint_name, c = schema_name;
    raise notice '%|%|%', a, b, c;
    end $$
do $$ declare a text; begin get stacked diagnostics a = message_text; end $$
do $$ declare a text; begin get diagnostics a = pg_context; raise notice '%', a; perform 1 / 0; end $$
do $$ begin perform pg_sleep(0); raise exception '%', repeat('long ', 2000); end $$
do $$ begin raise exception E'several\nlines' using detail = E'of\ndetail', hint = ''; end $$
do $$ begin raise exception ''; end $$
do $$ begin raise exception 'ü € 𝄞' using hint = 'ß'; end $$
create function pg_temp.deep(n int) returns int language plpgsql as $$ begin if n = 0 then return 1 / n; end if; return pg_temp.deep(n - 1); end $$;; select pg_temp.deep(5)
create function pg_temp.endless(n int) returns int language plpgsql as $$ begin return pg_temp.endless(n + 1); end $$;;
    set max_stack_depth = '100kB';; do $$ begin perform pg_temp.endless(1); exception when statement_too_complex then raise notice '% %', sqlstate, sqlerrm; end $$
create function pg_temp.f() returns int language plpgsql as $$ begin end $$;; select pg_temp.f()
create function pg_temp.f() returns s.amount language plpgsql as $$ begin return -1; end $$;; select pg_temp.f()
create function pg_temp.f() returns s.amount language sql as 'select 13';; select pg_temp.f()
create function pg_temp.f() returns s.pair language plpgsql as $$ begin return row('x', 1); end $$;; select pg_temp.f()
create function pg_temp.f() returns table (a int) language plpgsql as $$ begin return query select 'x'; end $$;; select * from pg_temp.f()
create function pg_temp.f() returns record language plpgsql as $$ begin return row(1, 2); end $$;; select * from pg_temp.f();; select * from pg_temp.f() as x(a int)
create function pg_temp.f(n int) returns int language sql as 'select 1 / n';; select pg_temp.f(0);; select pg_temp.f(n) from s.many where id < 200
create function pg_temp.f() returns int language sql as 'select 1; select s.raise_at_run(''P0123''); select 2';; select pg_temp.f()
create function pg_temp.f() returns int language sql security definer set search_path = s as 'select 1 / id from parent where id - 1 = 0 and 1 / (id - 1) = 0';; select pg_temp.f()
create function pg_temp.f() returns int language sql set work_mem = '1MB' as 'select s.raise_all(''PT403'')';; select pg_temp.f()
create function pg_temp.f() returns int language plpgsql set statement_timeout = 'x' as 'begin return 1; end'
create function pg_temp.f() returns int language plpgsql strict parallel restricted as 'begin return s.raise_all(''45000''); end';; select pg_temp.f() from s.many
set check_function_bodies = off;; create function pg_temp.f() returns int language sql as 'select nothing';; select pg_temp.f()
set check_function_bodies = off;; create function pg_temp.f() returns int language plpgsql as 'begin retrun 1; end';; select pg_temp.f()
set plpgsql.extra_errors = 'all';; create function pg_temp.f(a int) returns int language plpgsql as 'declare a int; begin return a; end'
set plpgsql.extra_warnings = 'all';; do $$ declare a int; begin declare a int; begin null; end; select 1, 2 into a; end $$
set client_min_messages = debug1;; do $$ begin raise debug 'seen'; perform 1 / 0; end $$
set client_min_messages = error;; do $$ begin raise warning 'not seen'; perform 1 / 0; end $$
do $$ begin raise notice 'claims: %', current_setting('request.jwt.claims', true) is null; end $$
