//! Functions in PL/pgSQL and SQL with one call site each. User code runs between the site's value and its last use, and
//! calls the function again. In PL/pgSQL that is the same call site.

/// `$R` is the function under test and `$T` its type: the name, the result type, and the body.
pub const PLPGSQL: [(&str, &str, &str); 20] = [
    ("returned", "re.d_$T", "begin return auth.$R(); end"),
    ("cast", "circle", "begin return auth.$R(); end"),
    (
        "assigned",
        "text",
        "declare v re.d_$T; begin v := auth.$R(); return v; end",
    ),
    ("initial", "text", "declare v re.d_$T := auth.$R(); begin return v; end"),
    (
        "field",
        "text",
        "declare h re.holder_$T; begin h.f := auth.$R(); return h.f; end",
    ),
    (
        "elements",
        "setof text",
        "declare a re.d_$T[];
         begin a[1] := auth.$R(); a[2] := auth.$R(); return query select unnest(a)::text; end",
    ),
    (
        "next",
        "setof re.d_$T",
        "begin return next auth.$R(); return next auth.$R(); end",
    ),
    (
        "row",
        "table (v re.d_$T)",
        "begin v := auth.$R(); return next; v := auth.$R(); return next; end",
    ),
    (
        "query",
        "setof re.d_$T",
        "begin return query select auth.$R()::re.d_$T from generate_series(1, 3); end",
    ),
    (
        "caught",
        "re.d_$T",
        "begin begin return auth.$R(); exception when division_by_zero then return null; end; end",
    ),
    (
        "handler",
        "re.d_$T",
        "begin perform 1 / 0; exception when division_by_zero then return auth.$R(); end",
    ),
    (
        "using",
        "text",
        "declare v text; begin execute 'select ($1::re.d_$T)::text' into v using auth.$R(); return v; end",
    ),
    (
        "argument",
        "text",
        "declare c cursor (a re.d_$T) for select a as v; v text; begin c := null; open c(auth.$R()); fetch c into v; return v; end",
    ),
    (
        "fetched",
        "setof text",
        "declare c cursor for select auth.$R()::re.d_$T from generate_series(1, 3); v text;
         begin c := null; open c; loop fetch c into v; exit when not found; return next v; perform re.meddle(); end loop; end",
    ),
    (
        "looped",
        "setof text",
        "declare v re.d_$T; begin for v in select auth.$R() loop return next v; end loop; end",
    ),
    (
        "each",
        "setof text",
        "declare v re.d_$T;
         begin foreach v in array array[auth.$R(), auth.$R()] loop return next v; exit; end loop; end",
    ),
    (
        "called",
        "text",
        "declare v text; begin call re.proc_$T(auth.$R(), v); return v; end",
    ),
    (
        "passed",
        "text",
        "declare v text; begin v := re.through(auth.$R()); return v; end",
    ),
    ("joined", "text", "begin return auth.$R()::text || re.noted(); end"),
    (
        "array",
        "setof text",
        "begin return query select unnest((array[row(1)::re.el_$R, row(2)::re.el_$R, row(3)::re.el_$R,
             row(4)::re.el_$R, row(5)::re.el_$R])::$T[])::text; end",
    ),
];

pub const SQL: [(&str, &str); 3] = [
    ("sql", "as 'select auth.$R()::re.d_$T'"),
    ("standard", "return auth.$R()::re.d_$T"),
    ("implicit", "as 'select auth.$R()'"),
];

/// Objects that they and the statements need, for each function. The cast is inlined where an array is cast, so that
/// one call site makes the values of all elements before the first is used.
pub const BEFORE: &str = "
    create type re.el_$R as (i int);
    create function re.stepped(el re.el_$R) returns bool language plpgsql as
        'begin perform re.step(el.i); perform re.note(); return true; end';
    create function re.to_$T(el re.el_$R) returns $T volatile language sql as
        'select case when re.stepped(el) then auth.$R() end';
    create cast (re.el_$R as $T) with function re.to_$T(re.el_$R);
    create function re.worker_$R() returns re.w_$T parallel safe language plpgsql as 'begin return auth.$R(); end';
    create function re.lie_$R(int) returns $T immutable language plpgsql as 'begin return auth.$R(); end';

    create table re.defaults_$R (i int, v $T default auth.$R(), n int default re.now(), d re.d_$T default auth.$R());
    create table re.copied_$R (v $T default auth.$R(), n int default re.now(), a re.noted, b re.noted);
    create table re.generated_$R (i int, n int default re.now(), v $T generated always as (re.lie_$R(i)) stored);
    create table re.checked_$R (i int, check (re.both(auth.$R(), auth.$R(), re.now())));
    create table re.policed_$R (i int, v $T, n int);
    alter table re.policed_$R enable row level security;
    create policy p on re.policed_$R using (re.both(v, v, n) and re.chk(auth.$R())) with check (re.both(v, v, n) and re.chk(auth.$R()));
    create table re.triggers_$R (i int, v $T, n int);
    create function re.fill_$R() returns trigger language plpgsql as
        'begin new.n := re.now(); new.v := auth.$R(); perform re.meddle(); return new; end';
    create function re.seen_$R() returns trigger language plpgsql as
        'begin perform re.touch(new.v, new.n); return null; end';
    create function re.all_$R() returns trigger language plpgsql as
        'begin perform re.touch(v, n) from fresh; return null; end';
    create trigger fill before insert or update on re.triggers_$R for each row when (re.chk(auth.$R()))
        execute function re.fill_$R();
    create trigger seen after insert or update on re.triggers_$R for each row when (re.touch(new.v, new.n))
        execute function re.seen_$R();
    create trigger whole after insert on re.triggers_$R referencing new table as fresh execute function re.all_$R();
    create view re.viewed_$R with (security_barrier) as
        select i, auth.$R() as v, re.now() as n from re.many where i < 6 and re.step(i) offset 0;
    create materialized view re.near_$R as
        select n, value::$T as v from re.wanted where reader = '$R' and n between 1 and 30 and value is not null;
    create unique index on re.near_$R (n);
    grant select on re.near_$R to public;";
