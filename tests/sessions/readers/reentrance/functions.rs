//! The functions in the statements: some check a value, others change the identity and call again.

/// The depth of functions in a parallel worker, where only a SET clause can change a setting.
pub const LEVELS: usize = 4;

/// `re.now` is the number of the identity, set and restored together with the identity. `re.trace` contains the numbers
/// at which values were read on the outermost level, in order.
pub const COMMON: &str = "
    create schema re;
    create table re.identity (n int primary key, claims text, token text);
    create table re.wanted (n int, reader text, value text, primary key (n, reader));
    create sequence re.serial;
    create sequence re.meddled;

    create function re.now() returns int stable parallel safe language sql as
        $$select current_setting('re.now')::int$$;
    create function re.want(of int) returns text stable parallel safe language sql as
        $$select value from re.wanted where n = of and reader = current_setting('re.reader')$$;

    -- Settings for one statement: which identity comes next is not taken back, jti must grow.
    create function re.start(reader text, program text, levels int, again text) returns void language plpgsql as $$
    begin
        perform set_config('re.reader', reader, false), set_config('re.program', program, false),
            set_config('re.levels', levels::text, false), set_config('re.again', again, false),
            set_config('re.depth', '0', false), set_config('re.level', '0', false), set_config('re.trace', '', false),
            set_config('re.last', (nextval('re.serial') + 30)::text, false),
            set_config('re.enough', (nextval('re.meddled') + 16)::text, false);
        perform re.become();
    end $$;

    create function re.assign(identity re.identity, is_local bool) returns void language plpgsql as $$
    begin
        if current_setting('re.mode') = 'claims' then
            perform set_config('request.jwt.claims', identity.claims, is_local);
        elsif identity.n % 3 > 0 then
            perform auth.jwt_session_init(identity.token, is_local);
        else
            perform set_config('pg_session_jwt.jwt', identity.token, is_local);
        end if;
        perform set_config('re.now', identity.n::text, is_local);
    end $$;

    create function re.become() returns void language plpgsql as $$
    declare
        next int := nextval('re.serial');
    begin
        if next < current_setting('re.last')::int then
            perform re.assign(i, next % 2 = 0) from re.identity i where n = next;
        end if;
    end $$;

    create function re.allocate() returns void language plpgsql as $$
    declare
        kept text[];
    begin
        select array_agg(repeat(chr(48 + i % 10), bytes) || i) into kept
            from generate_series(1, 5) i, unnest(array[0, 1, 8, 12, 28, 40, 200, 1000, 4000, 9000, 45000, 61000]) bytes;
    end $$;

    create function re.again() returns void language plpgsql as $$
    begin
        if current_setting('re.depth')::int < current_setting('re.levels')::int then
            execute current_setting('re.again');
        end if;
    end $$;

    create function re.act(step text) returns void language plpgsql as $$
    declare
        depth text := current_setting('re.depth');
    begin
        perform set_config('re.depth', (depth::int + 1)::text, false);
        case step
            when 'become' then
                perform re.become();
            when 'none' then
                perform set_config(case current_setting('re.mode') when 'claims' then 'request.jwt.claims'
                    else 'pg_session_jwt.jwt' end, '', false), set_config('re.now', '0', false);
            when 'role' then
                -- From PostgreSQL 18 on, a trigger at the end of a statement runs as the role of its row, and may not change it.
                begin
                    perform set_config('role', case current_role when 'authenticated' then 'anonymous'
                        when 'anonymous' then 'none' else 'authenticated' end, false);
                exception when insufficient_privilege then
                    null;
                end;
            when 'setting' then
                perform set_config('pg_session_jwt.optimize_policies', (depth::int % 2 = 0)::text, false),
                    set_config('work_mem', (64 + depth::int) || 'kB', false);
            when 'allocate' then
                perform re.allocate();
            when 'again' then
                perform re.again();
            when 'undone' then
                begin
                    perform re.become();
                    perform re.again();
                    raise 'undone' using errcode = 'RE000';
                exception when sqlstate 'RE000' then
                    perform re.allocate();
                end;
            when 'aside' then
                perform re.aside();
        end case;
        perform set_config('re.depth', depth, false);
    end $$;

    -- The user's code, wherever it stands.
    create function re.meddle() returns void language plpgsql as $$
    declare
        step text;
    begin
        if current_setting('re.depth')::int < current_setting('re.levels')::int
            and nextval('re.meddled') < current_setting('re.enough')::int
        then
            foreach step in array string_to_array(current_setting('re.program'), ' ') loop
                perform re.act(step);
            end loop;
        end if;
    end $$;

    -- The same where an index compares: PostgreSQL holds a lock on a page then, which an error that is caught releases.
    create function re.meddle_beside_index() returns void language plpgsql as $$
    declare
        step text;
    begin
        if current_setting('re.index', true) is distinct from 'on' then
            perform re.meddle();
        elsif nextval('re.meddled') < current_setting('re.enough')::int then
            foreach step in array string_to_array(current_setting('re.program'), ' ') loop
                if step in ('become', 'none', 'role', 'setting', 'allocate') then
                    perform re.act(step);
                end if;
            end loop;
        end if;
    end $$;

    -- One step of it, before a row.
    create function re.step(i int) returns bool language plpgsql as $$
    declare
        steps text[] := string_to_array(current_setting('re.program'), ' ');
    begin
        if nextval('re.meddled') < current_setting('re.enough')::int then
            perform re.act(steps[i % cardinality(steps) + 1]);
        end if;
        return true;
    end $$;

    create function re.note() returns void language plpgsql as $$
    begin
        if current_setting('re.depth') = '0' then
            perform set_config('re.trace', current_setting('re.trace') || ' ' || re.now(), false);
        end if;
    end $$;

    create function re.noted() returns text language plpgsql as $$
    begin
        perform re.note();
        perform re.meddle();
        return '';
    end $$;

    create domain re.noted as text check (re.noted() = '');

    create function re.traced(seen text[]) returns bool language plpgsql as $$
    declare
        wanted text[] := (select array_agg(re.want(n::int) order by place)
            from string_to_table(ltrim(current_setting('re.trace')), ' ') with ordinality t (n, place)
            where re.want(n::int) is not null);
    begin
        if nullif(array_remove(seen, null), '{}') is distinct from wanted then
            raise 'not what was read at the time of%', current_setting('re.trace')
                using errcode = 'RE001', detail = concat(left(seen::text, 300), ' instead of ', left(wanted::text, 300));
        end if;
        return true;
    end $$;

    create function re.newer(state int, n int) returns int language sql immutable as 'select n';
    create function re.keep(state int, n int) returns int language sql immutable as 'select state';
    create aggregate re.last(int) (sfunc = re.newer, stype = int, msfunc = re.newer, minvfunc = re.keep, mstype = int);
    create table re.many as select i from generate_series(1, 500) i;
    analyze re.many;
    grant usage on schema re to public;
    grant all on all tables in schema re to public;
    grant all on all sequences in schema re to public;
    alter default privileges in schema re grant all on tables to public;";

/// For each type of a function's result.
pub const OF_TYPE: &str = r#"
    create function re.same(v $T, of int) returns bool parallel safe language plpgsql as $$
    begin
        if v::text is distinct from re.want(of) then
            raise 'not what was read at the time of %, now %', of, re.now()
                using errcode = 'RE001', detail = concat(left(v::text, 100), ' instead of ', left(re.want(of), 100));
        end if;
        return true;
    end $$;
    create function re.touch(v $T, of int) returns bool language plpgsql as $$
    begin
        perform re.same(v, of);
        perform re.meddle();
        return re.same(v, of);
    end $$;
    -- PL/pgSQL gives a variable its first value, NULL, through the domain.
    create function re.chk(v $T) returns bool language plpgsql as $$
    begin
        if v is null then
            return true;
        end if;
        perform re.note();
        return re.touch(v, re.now());
    end $$;
    create function re.through(v $T) returns $T language plpgsql as 'begin perform re.chk(v); return v; end';
    create function re.both(a $T, b $T, of int) returns bool language plpgsql as
        'begin perform re.same(a, of); perform re.touch(b, of); return re.same(a, of); end';
    create domain re.d_$T as $T check (re.chk(value));
    create type re.holder_$T as (f re.d_$T);

    create function re.to_circle(v $T) returns circle language plpgsql as
        $$begin perform re.chk(v); return circle '<(0,0),1>'; end$$;
    create cast ($T as circle) with function re.to_circle($T) as assignment;

    create function re.order(a $T, b $T) returns int stable language plpgsql as $$
    declare
        x text collate "C" := a::text;
        y text collate "C" := b::text;
    begin
        perform re.meddle_beside_index();
        if a::text is distinct from x or b::text is distinct from y then
            raise 'changed while it was compared' using errcode = 'RE001';
        end if;
        return case when x < y then -1 when x > y then 1 else 0 end;
    end $$;
    create function re.lt(a $T, b $T) returns bool stable language plpgsql as 'begin return re.order(a, b) < 0; end';
    create function re.le(a $T, b $T) returns bool stable language plpgsql as 'begin return re.order(a, b) <= 0; end';
    create function re.eq(a $T, b $T) returns bool stable language plpgsql as 'begin return re.order(a, b) = 0; end';
    create function re.ge(a $T, b $T) returns bool stable language plpgsql as 'begin return re.order(a, b) >= 0; end';
    create function re.gt(a $T, b $T) returns bool stable language plpgsql as 'begin return re.order(a, b) > 0; end';
    create function re.hash(a $T) returns int stable language plpgsql as $$
    declare
        x text := a::text;
    begin
        perform re.meddle_beside_index();
        if a::text is distinct from x then
            raise 'changed while it was hashed' using errcode = 'RE001';
        end if;
        return hashtext(x);
    end $$;
    create function re.hash(a $T, bigint) returns bigint stable language plpgsql as 'begin return re.hash(a); end';
    create operator re.<<< (leftarg = $T, rightarg = $T, function = re.lt, commutator = operator(re.>>>));
    create operator re.<<= (leftarg = $T, rightarg = $T, function = re.le, commutator = operator(re.>>=));
    create operator re.=== (leftarg = $T, rightarg = $T, function = re.eq, commutator = operator(re.===), hashes, merges);
    create operator re.>>= (leftarg = $T, rightarg = $T, function = re.ge, commutator = operator(re.<<=));
    create operator re.>>> (leftarg = $T, rightarg = $T, function = re.gt, commutator = operator(re.<<<));
    create operator class re.tree_$T for type $T using btree as operator 1 re.<<<, operator 2 re.<<=, operator 3 re.===,
        operator 4 re.>>=, operator 5 re.>>>, function 1 re.order($T, $T);
    create operator class re.hash_$T for type $T using hash as operator 1 re.===, function 1 re.hash($T),
        function 2 re.hash($T, bigint);
    create type re.range_$T as range (subtype = $T, subtype_opclass = re.tree_$T);

    create function re.count_step(state int, v $T, n int) returns int language plpgsql as
        'begin perform re.touch(v, n); return state + 1; end';
    create aggregate re.touched($T, int) (sfunc = re.count_step, stype = int, initcond = 0);
    create function re.second(a $T, b $T) returns $T language plpgsql as 'begin perform re.meddle(); return b; end';
    create function re.first(a $T, b $T) returns $T language plpgsql as 'begin perform re.meddle(); return a; end';
    create function re.finish(a $T) returns $T language plpgsql as 'begin perform re.meddle(); return a; end';
    create aggregate re.last($T) (sfunc = re.second, stype = $T, finalfunc = re.finish,
        msfunc = re.second, minvfunc = re.first, mstype = $T, mfinalfunc = re.finish);

    create function re.twice(v $T, n int) returns setof $T language plpgsql as
        'begin perform re.touch(v, n); return next v; perform re.touch(v, n); return next v; end';
    create function re.twice_sql(v $T, n int) returns setof $T language sql volatile as
        'select v from generate_series(1, 2) where re.touch(v, n)';
    create procedure re.proc_$T(a re.d_$T, inout b text) language plpgsql as 'begin b := a; end';

    create table re.t_$T (i int, v $T, n int);
    create index on re.t_$T using btree (v re.tree_$T);
    create index on re.t_$T using hash (v re.hash_$T);
    create table re.unique_$T (i int unique, v $T, n int);
    create unique index on re.unique_$T (v re.tree_$T, i);
    create table re.parts_$T (v $T, n int) partition by hash (v re.hash_$T);
    create table re.part0_$T partition of re.parts_$T for values with (modulus 2, remainder 0);
    create table re.part1_$T partition of re.parts_$T for values with (modulus 2, remainder 1);
    create table re.ranges_$T (v $T, n int) partition by range (v re.tree_$T);
    create table re.ranges_default_$T partition of re.ranges_$T default;

    -- A worker may not set anything but by the SET clause of a function.
    create function re.deeper(v $T) returns bool parallel safe language plpgsql as $$
    declare
        n int := re.now();
    begin
        perform re.same(v, n);
        case current_setting('re.level')
            when '0' then perform re.elsewhere1();
            when '1' then perform re.elsewhere2();
            when '2' then perform re.elsewhere3();
            when '3' then perform re.elsewhere4();
            else null;
        end case;
        return re.same(v, n);
    end $$;
    create domain re.w_$T as $T check (re.deeper(value));"#;

/// For each level, and for calls from a session. `$SET` is a SET clause that sets another identity, `$N` its number.
pub const ELSEWHERE: &str = "
    create function re.elsewhere$L() returns void parallel safe language plpgsql
        $SET set re.now = '$N' set re.level = '$L' as $$
    begin
        execute 'select re.worker_' || current_setting('re.reader') || '()';
    end $$;";

pub const ASIDE: &str = "
    create function re.aside() returns void language plpgsql $SET set re.now = '$N' as $$
    begin
        perform re.again();
    end $$;";
