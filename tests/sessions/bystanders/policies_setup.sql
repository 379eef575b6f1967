-- A deployment whose policies, defaults, checks and triggers use the extension's functions, and fail for their own reasons.
grant usage on schema s to authenticated;
create table s.notes (
    id int primary key,
    user_id text default auth.user_id() constraint notes_of_a_user check (length(user_id) < 8),
    part int,
    amount s.amount,
    reply_to int constraint notes_reply references s.notes deferrable initially deferred,
    note varchar(5));
alter table s.notes enable row level security;
create policy own on s.notes to authenticated using ((select auth.user_id() = user_id)) with check ((select auth.user_id() = user_id));
create index notes_user_id on s.notes (user_id);

create table s.parts (id int primary key, user_id text, part int);
alter table s.parts enable row level security;
create policy own on s.parts to authenticated using (auth.user_id() = user_id and 100 / part > 0);
create policy other on s.parts to authenticated using (user_id = auth.session() ->> 'sub' or s.raise_at_run('P0123') = 1);

create table s.guarded_notes (id int, user_id text);
create function s.guard_note() returns trigger language plpgsql as $$
begin
    if new.id = 0 then perform 1 / new.id; end if;
    perform s.raise_all('P0123') where auth.user_id() = new.user_id;
    return new;
end $$;
create trigger guard before insert on s.guarded_notes for each row when (auth.user_id() is not null) execute function s.guard_note();

create domain s.own_name as text constraint own check (value = auth.user_id() or s.divide_slowly(length(value) - 3) > 0);

insert into s.notes select i, case when i % 2 = 1 then 'alice' else 'bob' end, i - 3 from generate_series(1, 500) i;
insert into s.parts values (1, 'alice', 1), (2, 'alice', 0), (3, 'bob', 0);
grant select, insert, update, delete on s.notes, s.parts, s.guarded_notes to authenticated;
analyze s.notes;

create function s.opens(token text) returns int language plpgsql security definer set search_path = s as $$
begin
    perform auth.jwt_session_init(token);
    return 1 / 0;
end $$;
create function s.opens_and_raises(token text) returns int language plpgsql security definer as $$
begin
    perform auth.jwt_session_init(token), s.raise_at_run('PT403');
    return 1;
end $$;
create function s.opens_and_tells(token text) returns text language plpgsql security definer as $$
declare context text; state text;
begin
    perform auth.jwt_session_init(token);
    begin
        insert into s.notes (id) values (1);
    exception when unique_violation then
        get stacked diagnostics context = pg_exception_context, state = returned_sqlstate;
        raise warning '% %', state, context using constraint = 'a_constraint';
    end;
    raise exception 'told' using errcode = '45000', hint = auth.user_id();
end $$;
create function s.opens_in_sql(token text) returns int language sql security definer
    as 'select auth.jwt_session_init(token); select 1 / (length(auth.user_id()) - 5)';
