-- What the statements of statements/*.sql work on. Nothing here knows the extension.
create schema s;
grant usage, create on schema s to bystander;

create type s.colour as enum ('red', 'green');
create type s.pair as (a int, b text);

create function s.raise_all(code text) returns int language plpgsql immutable as $$
begin
    raise exception using errcode = code, message = 'raised ' || code, detail = 'the detail', hint = 'the hint',
        schema = 's', table = 'a_table', column = 'a_column', datatype = 'a_type', constraint = 'a_constraint';
end $$;
create function s.raise_at_run(code text) returns int language plpgsql as $$
begin
    return s.raise_all(code);
end $$;
create function s.raise_in_body(code text) returns int language sql as 'select s.raise_at_run(code) + 1';
create function s.divide(n int) returns int language sql immutable as 'select 100 / n';
create function s.divide_slowly(n int) returns int language plpgsql as 'begin return 100 / n; end';
create function s.divide_atomic(n int) returns int language sql begin atomic select 100 / s.divide_slowly(n); end;
create function s.tell(level text) returns text language plpgsql as $$
begin
    raise notice 'told %', level using errcode = '01ABC', detail = 'a notice''s detail', hint = 'its hint', column = 'its column';
    raise warning 'warned %', level using errcode = '01ABD', table = 'its table', schema = 'its schema';
    raise info 'informed %', level;
    return level;
end $$;
create function s.positive(n int) returns bool language plpgsql immutable as $$
begin
    if n = 13 then perform s.raise_all('P0123'); end if;
    return n > 0;
end $$;
create function s.colour_number(c s.colour) returns int language plpgsql immutable as $$
begin
    if c = 'green' then raise exception 'green has no number' using errcode = '45000'; end if;
    return 1;
end $$;
create cast (s.colour as int) with function s.colour_number(s.colour) as assignment;
create function s.step(state int, n int) returns int language plpgsql immutable as 'begin return state + 100 / n; end';
create aggregate s.total(int) (sfunc = s.step, stype = int, initcond = '0');
create function s.less(a s.pair, b s.pair) returns bool language plpgsql immutable as $$
begin
    raise exception 'pairs have no order' using errcode = 'PT403', datatype = 'pair';
end $$;
create operator s.<<< (leftarg = s.pair, rightarg = s.pair, function = s.less);
create function s.several(n int) returns setof int language plpgsql as $$
begin
    for i in reverse n..-1 loop return next 100 / i; end loop;
end $$;

create domain s.amount as int constraint amount_positive check (s.positive(value));
create domain s.name as text constraint name_given not null constraint name_short check (length(value) < 8);
create domain s.amounts as s.amount[] check (array_length(value, 1) < 3);

create table s.parent (id int primary key, name text not null constraint parent_name unique);
create table s.child (
    id int primary key,
    parent int constraint child_parent references s.parent,
    amount s.amount,
    colour s.colour,
    name s.name default 'x',
    note varchar(5),
    constraint amount_small check (amount < 1000));
create table s.later (
    id int constraint later_once unique deferrable initially deferred,
    parent int constraint later_parent references s.parent deferrable initially deferred);
create table s.booking (room int, during int4range, constraint booking_free exclude using gist (during with &&));
create table s.divided (id int, part int) partition by range (part);
create table s.divided_1 partition of s.divided for values from (0) to (10);
create table s.made (id int generated always as identity, n int, tenth int generated always as (100 / n) stored);
create table s.indexed (id int, n int);
create index indexed_share on s.indexed (s.divide(n));
create table s.owned (id int, owner text, part int);
create table s.many (id int primary key, n int);
insert into s.parent values (1, 'one'), (2, 'two'), (3, 'three');
insert into s.child values (1, 1, 10, 'red', 'child', 'n');
insert into s.later values (1, 1);
insert into s.booking values (1, '[1,5)');
insert into s.divided values (1, 1);
insert into s.indexed values (1, 1);
insert into s.owned values (1, 'bystander', 1), (2, 'bystander', 0), (3, 'other', 1);
insert into s.many select i, i % 100 from generate_series(1, 5000) i;
analyze s.many;
grant select, insert, update on s.owned to bystander;
alter table s.owned enable row level security;
create policy own on s.owned to bystander using (owner = current_user) with check (owner = current_user and id < 100);

create view s.names as select distinct name from s.parent;
create view s.small as select * from s.parent where id < 100 with check option;
create view s.shares as select id, 100 / (id - 3) as share from s.parent;
create materialized view s.stored as select id from s.parent;

create table s.guarded (id int, note text);
create function s.guard() returns trigger language plpgsql as $$
begin
    if tg_argv[0] = 'raise' then perform s.raise_all(new.note); end if;
    if tg_argv[0] = 'divide' then new.id := 100 / new.id; end if;
    if tg_argv[0] = 'notice' then raise notice '% % %', tg_op, tg_when, tg_level using hint = tg_name; end if;
    return new;
end $$;
create trigger a_divides before insert on s.guarded for each row when (new.note is null) execute function s.guard('divide');
create trigger b_raises before insert on s.guarded for each row when (new.note ~ '^[0-9A-Z]{5}$') execute function s.guard('raise');
create trigger c_tells after update on s.guarded for each statement execute function s.guard('notice');
create constraint trigger d_raises_late after insert on s.guarded deferrable initially deferred
    for each row when (new.note = 'late') execute function s.guard('raise');
create function s.instead() returns trigger language plpgsql as 'begin raise check_violation using table = tg_table_name; end';
create trigger instead instead of insert on s.names for each row execute function s.instead();
create function s.no_collations() returns event_trigger language plpgsql as $$
begin
    raise exception 'no %', tg_tag using errcode = 'P0999', hint = tg_event;
end $$;
create event trigger no_collations on ddl_command_start when tag in ('CREATE COLLATION') execute function s.no_collations();

create procedure s.commits() language plpgsql as $$
begin
    insert into s.guarded values (1, 'ok');
    commit;
    perform s.raise_all('P0123');
end $$;
create procedure s.commits_inside_exception() language plpgsql as $$
begin
    begin
        commit;
    exception when division_by_zero then null;
    end;
end $$;

create schema held;
create table held.t (id int);
create table held.rows (id int primary key, n int);
insert into held.rows values (1, 1);
