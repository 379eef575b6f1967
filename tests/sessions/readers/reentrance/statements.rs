//! Positions of a value while user code runs. Each statement is `true` in all rows, or has a value beside the number of
//! the identity at which it was read.

/// `$S` are rows with a value `v` and the identity `n` at which it was read, another one in each row.
pub const ROWS: &str =
    "(select i, auth.$R() as v, re.now() as n from generate_series(1, $K) i where re.step(i) offset 0)";

pub const STATEMENTS: [&str; 73] = [
    // Plain.
    "select n, v from $S s",
    "select n, v from re.viewed_$R",
    "select re.touch(v, n) from $S s",
    "select re.both(v, v, n) from $S s where re.touch(v, n)",
    "select re.chk(auth.$R()) from $S s",
    "select re.both(auth.$R(), auth.$R(), re.now()), re.both(auth.$R(), auth.$R(), re.now()) from generate_series(1, $K) i",
    "select re.traced(array_agg(a::text)) from (select auth.$R()::re.d_$T a from generate_series(1, $K) offset 0) x",
    "select re.traced(array_agg((h).f::text)) from (select row(auth.$R())::re.holder_$T h from generate_series(1, $K)
         offset 0) x",
    "select re.traced(array_agg(a::text)) from (select re.through(auth.$R()) a from generate_series(1, $K) offset 0) x",
    "select re.touch((array[v, v])[2], n) from $S s",
    "select re.touch(coalesce(nullif(v, null), v), n) from $S s",
    "select re.touch(case when re.touch(v, n) then v end, n) from $S s",
    "select case auth.$R() when v then re.touch(v, n) else re.touch(v, n) end from $S s",
    "select re.touch((r).v, (r).n) from (select s as r from $S s offset 0) x",
    "select re.touch(greatest(v, v), n) and re.touch(least(v, v), n) from $S s",
    "select true from $S s where auth.$R() operator(re.===) any (array[v, auth.$R(), v]) or i > 0",
    "select re.traced(array_agg((h).f::text)) from (select jsonb_populate_record(null::re.holder_$T,
         jsonb_build_object('f', auth.$R())) h from generate_series(1, $K) offset 0) x",
    // Sorts, hashes and index classes.
    "select re.touch(v, n) from (select v, n from $S s order by v using operator(re.<<<) offset 0) x",
    "select re.touch(v, n) from (select v, n from $S s order by v using operator(re.>>>), n limit 3 offset 0) x",
    "select re.touch(v, n) from (select distinct on (n, re.range_$T(v, v, '[]')) v, n from $S s
         order by n, re.range_$T(v, v, '[]')) x",
    "select re.touch(v, n) from (select v, n from $S s order by n, v using operator(re.<<<)) x",
    "select re.touch(lower(r), min(n)) from (select re.range_$T(v, v, '[]') r, n from $S s where v is not null) x
         group by r, n",
    "select re.touch(lower(r), n) from (select re.range_$T(v, v, '[]') r, n from $S s where v is not null
         union select re.range_$T(v, v, '[]'), n from $S s where v is not null) x",
    "select re.touch(lower(r), n) from (select re.range_$T(v, v, '[]') r, n from $S s where v is not null
         except select re.range_$T(v, v, '[]'), 0 from $S s where v is not null) x",
    "select re.touch(a.v, a.n) and re.touch(b.v, b.n) from $S a join $S b on a.v operator(re.===) b.v",
    "set local enable_hashjoin = off; set local enable_nestloop = off;
     select re.touch(a.v, a.n) and re.touch(b.v, b.n) from $S a left join $S b on a.v operator(re.===) b.v",
    "set local enable_hashjoin = off; set local enable_mergejoin = off;
     select re.touch(a.v, a.n) and re.touch(b.v, b.n) from $S a join $S b on a.v operator(re.<<=) b.v",
    "select re.touch(a.v, a.n) from $S a where a.v operator(re.===) any (select v from $S b) or a.i > 0",
    "select re.touch(a.v, a.n) from $S a where auth.$R() operator(re.===) any (select v from $S b offset 0) or a.i > 0",
    "select re.touch(a.v, a.n) from $S a where exists (select from $S b where a.v operator(re.===) b.v)",
    "set local re.index = on; insert into re.t_$T select * from $S s; set local enable_seqscan = off; set local enable_bitmapscan = off;
     select re.touch(v, n) from re.t_$T where v operator(re.===) auth.$R()",
    "set local re.index = on; insert into re.t_$T select * from $S s; set local enable_seqscan = off; set local enable_indexscan = off;
     select re.touch(v, n) from re.t_$T where v operator(re.<<=) auth.$R() and v operator(re.>>=) auth.$R()",
    "set local re.index = on; insert into re.t_$T select * from $S s; set local enable_seqscan = off;
     select re.touch(t.v, t.n) from $S s join re.t_$T t on t.v operator(re.===) s.v",
    "set local re.index = on; insert into re.t_$T select * from $S s; set local enable_seqscan = off;
     select re.touch(v, n) from re.t_$T where v operator(re.===) any (array[auth.$R(), auth.$R()])",
    "set local re.index = on; insert into re.t_$T select * from $S s; update re.t_$T set v = auth.$R(), n = re.now() returning re.touch(v, n)",
    "set local re.index = on; insert into re.unique_$T select * from $S s on conflict do nothing returning re.touch(v, n)",
    "set local re.index = on; insert into re.unique_$T select * from $S s on conflict (i) do nothing; insert into re.unique_$T as t
         select * from $S s on conflict (i) do update set v = auth.$R(), n = re.now()
         where re.touch(excluded.v, excluded.n) and re.touch(t.v, t.n) returning re.touch(v, n)",
    "set local re.index = on; insert into re.parts_$T select v, n from $S s; insert into re.ranges_$T select v, n from $S s;
     select re.touch(v, n) from re.parts_$T where v operator(re.===) auth.$R()
         union all select re.touch(v, n) from re.ranges_$T where v operator(re.>>=) auth.$R()",
    "set local re.index = on; insert into re.parts_$T select v, n from $S s;
     update re.parts_$T set v = auth.$R(), n = re.now() returning re.touch(v, n)",
    // Aggregates and windows.
    "select re.touched(v, n) > 0 from $S s",
    "select re.touched(auth.$R(), re.now()) > 0 from $S s",
    "select re.touched(auth.$R(), re.now() order by i) filter (where re.step(i)) >= 0 from generate_series(1, $K) i",
    "select re.touch(re.last(v), re.last(n)) from $S s",
    "select re.touch(re.last(v order by i desc), re.last(n order by i desc)) from $S s",
    "select re.touch(re.last(v), re.last(n)) from $S s group by rollup (i)",
    "select re.touch((re.last(v order by v using operator(re.<<<), n)), re.last(n order by v using operator(re.<<<), n))
         from $S s",
    "select re.touched(e.v, n) > 0 from (select array_agg(v order by i) a, array_agg(n order by i) b from $S s) x,
         unnest(a, b) e (v, n)",
    "select (a is null or re.touch(a, m)) and re.touch(v, n) from (select v, n, lag(v) over w a, lag(n) over w m from $S s
         window w as (order by i)) x",
    "select re.touch(a, m) from (select re.last(v) over w a, re.last(n) over w m from $S s where v is not null
         window w as (order by i rows between 1 preceding and current row)) x",
    "select re.touch(a, m) from (select re.last(v) over w a, re.last(n) over w m from $S s where v is not null
         window w as (order by i rows between current row and unbounded following)) x",
    "select re.touch(a, m) from (select first_value(v) over w a, first_value(n) over w m from $S s
         window w as (order by v using operator(re.<<<), n groups between 1 preceding and 1 following)) x",
    // Functions that return sets.
    "select re.touch(v, n) from (select re.now() n offset 0) x, lateral re.twice(auth.$R(), n) v",
    "select re.touch(w, n) from $S s, lateral re.twice(v, n) w",
    "select re.touch(w, n) from $S s, lateral re.twice_sql(v, n) w",
    "select re.touch(w, n) from (select re.twice(v, n) w, n, generate_series(1, 3) from $S s) x where w is not null",
    "select re.touch(w, n) from (select re.twice_sql(v, n) w, n, re.twice(v, n) from $S s) x",
    "select re.touch(a, n) and re.touch(b, n) from $S s, lateral rows from (re.twice(v, n), re.twice_sql(v, n)) x (a, b)",
    // Defaults, generated columns, triggers, policies, CHECK.
    "insert into re.defaults_$R (i) select i from generate_series(1, $K) i where re.step(i) returning re.touch(v, n)",
    "insert into re.defaults_$R values (1), (2), (3); select re.touch(v, n) from re.defaults_$R",
    "insert into re.generated_$R (i) select i from generate_series(1, $K) i where re.step(i) returning re.touch(v, n)",
    "insert into re.checked_$R select i from generate_series(1, $K) i where re.step(i) returning true",
    "insert into re.triggers_$R (i) select i from generate_series(1, $K) i where re.step(i) returning re.touch(v, n)",
    "insert into re.triggers_$R (i) values (1), (2); update re.triggers_$R set i = 3 returning re.touch(v, n)",
    "insert into re.policed_$R select * from $S s; select re.touch(v, n) from re.policed_$R",
    "insert into re.policed_$R select * from $S s; update re.policed_$R set i = i where re.touch(v, n)
         returning re.touch(v, n)",
    "set local re.index = on; merge into re.t_$T t using $S s on t.i = s.i when not matched and re.touch(s.v, s.n) then insert values (s.i, s.v, s.n);
     merge into re.t_$T t using $S s on t.i = s.i when matched and re.both(t.v, t.v, t.n) then
         update set v = s.v, n = s.n;
     select re.touch(v, n) from re.t_$T",
    // WITH, cursors, prepared statements.
    "with recursive r (i, v, n) as (select 0, auth.$R(), re.now() union all select r.i + 1, auth.$R(), re.now() from r
         where r.i < $K and re.touch(r.v, r.n) and re.step(r.i)) select n, v from r",
    "with w as materialized (select * from $S s) select re.touch(a.v, a.n) and re.touch(b.v, b.n) from w a, w b",
    "declare c cursor for select n, v from $S s; fetch 2 from c; select re.meddle(); fetch 9 from c",
    "declare c scroll cursor for select n, v from $S s; fetch 3 from c; select re.meddle(); fetch backward 2 from c",
    "declare c cursor for select n, v from $S s where re.touch(v, n); fetch 1 from c; select re.again(); fetch 9 from c",
    "prepare p ($T, int) as select re.both($1, $1, $2), re.touch($1, $2); execute p (auth.$R(), re.now());
     select re.meddle(); execute p (auth.$R(), re.now()); execute p (auth.$R(), re.now()); deallocate p",
    "prepare p as select n, v from $S s where re.touch(v, n); execute p; execute p; deallocate p",
];

/// In workers, which may change a setting only by the SET clause of a function.
pub const PARALLEL: [&str; 3] = [
    "select count(*) > 0 from re.many where re.same(auth.$R(), re.now()) and i < 20",
    "select count(re.worker_$R()) >= 0 from re.many where i < 9",
    "select bool_and(re.deeper(auth.$R())) from re.many where i < 9",
];

/// Where the server has postgres_fdw.
pub const FOREIGN: [&str; 3] = [
    "select re.touch(v, n) from re.far_$R where v = auth.$R()",
    "select re.touch(x.v, x.n) and re.touch(s.v, s.n) from $S s join re.far_$R x on x.v = s.v",
    "select re.touch(x.v, x.n) from $S s, lateral (select * from re.far_$R y where y.v = s.v and y.n = s.n offset 0) x",
];
