//! A returned value lives as long as any function's result. User code between the call and the last use may change the
//! identity and call the same site again, to any depth.

use testkit::server::SHARED;
use testkit::session::{one, rows, run};

/// The functions, the expected value of each for a user, and its type.
const READERS: [(&str, &str, &str); 6] = [
    ("auth.user_id()", "text", "USER"),
    ("auth.uid()", "uuid", "USER"),
    ("auth.session()", "jsonb", "CLAIMS"),
    ("auth.jwt()", "jsonb", "CLAIMS"),
    ("auth.email()", "text", "USER@example.com"),
    ("auth.organization()", "jsonb", r#"{"id": "USER"}"#),
];

/// A function whose result is checked by a domain. The domain's check calls the function again, with another user each
/// time.
fn nested(reader: &str, kind: &str) -> String {
    format!(
        "create sequence pg_temp.depth;
         create function pg_temp.become(n bigint) returns text language sql as $$
             select set_config('request.jwt.claims', format('{{\"sub\":\"%1$s\",\"email\":\"%1$s@example.com\",\"o\":{{\"id\":\"%1$s\"}},\"x\":\"%2$s\"}}',
                 '00000000-0000-4000-8000-' || lpad(n::text, 12, '0'), repeat('x', 40 * n::int)), false) $$;
         create function pg_temp.chk(v {kind}) returns bool language plpgsql as $$
             declare n bigint; before text := v::text; noise text;
             begin
                 n := nextval('pg_temp.depth');
                 if n < 12 then
                     perform pg_temp.become(n);
                     perform pg_temp.f();
                     noise := string_agg(repeat('#', i), '') from generate_series(1, 300) i;
                     raise notice '%', length(noise);
                 end if;
                 insert into pg_temp.seen values (before, v::text);
                 return true;
             end $$;
         create temp table seen (before text, after text);
         create domain pg_temp.d as {kind} check (pg_temp.chk(value));
         create function pg_temp.f() returns pg_temp.d language plpgsql as 'begin return {reader}; end';"
    )
}

/// attack: 136
#[test]
fn value_survives_further_calls_of_its_site() {
    for (reader, kind, expected) in READERS {
        let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
        run(&mut client, &nested(reader, kind));
        let first = "00000000-0000-4000-8000-000000000000";
        run(&mut client, "select pg_temp.become(0)");
        let result = one::<String>(&mut client, "select pg_temp.f()::text");
        if expected != "CLAIMS" {
            assert_eq!(result, expected.replace("USER", first), "{reader}");
        }
        assert!(result.contains(first), "{reader}: {result}");
        let changed = rows(&mut client, "select * from pg_temp.seen where before <> after");
        assert_eq!(changed, Vec::<Vec<Option<String>>>::new(), "{reader}");
        let users = "select count(*), count(distinct before) from pg_temp.seen";
        assert_eq!(
            rows(&mut client, users),
            vec![vec![Some("12".to_owned()), Some("12".to_owned())]]
        );
    }
}

#[test]
fn changing_values_are_correct_and_steady_ones_cached() {
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    let sql = "select count(*) filter (where was = now_is), count(*) from (
                   select set_config('request.jwt.claims', json_build_object('sub', (i % m)::text)::text, false)::json ->> 'sub' as was,
                          auth.user_id() as now_is
                   from generate_series(1, 1000) i) x";
    for m in ["1", "2", "7", "1000"] {
        let sql = sql.replace("% m", &format!("% {m}"));
        assert_eq!(rows(&mut client, &sql), vec![vec![Some("1000".to_owned()); 2]]);
    }
}

/// attack: 143
#[test]
fn large_value_leaves_no_garbage_until_the_end_of_the_row() {
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    let claims = format!(
        r#"{{"sub":"alice","list":[{}]}}"#,
        (0..8000).map(|n| n.to_string()).collect::<Vec<_>>().join(",")
    );
    run(
        &mut client,
        &format!("set request.jwt.claims = '{claims}'; select auth.user_id()"),
    );
    // Two hundred call sites in one row.
    let sites = vec!["pg_column_size(auth.session())"; 200].join(" + ");
    let sql = format!("select {sites}, (select sum(total_bytes)::bigint / 1024 from pg_backend_memory_contexts)");
    let kibibytes = |client: &mut postgres::Client, sql: &str| {
        let row = rows(client, sql).remove(0);
        row.last().unwrap().as_deref().unwrap().parse::<i64>().unwrap()
    };
    let before = kibibytes(
        &mut client,
        "select 1, (select sum(total_bytes)::bigint / 1024 from pg_backend_memory_contexts)",
    );
    let size = one::<i32>(&mut client, "select pg_column_size(auth.session())");
    let grown = kibibytes(&mut client, &sql) - before;
    // The memory of each, rounded up to a power of two, and as much again for the plan; it was 2 MB for each.
    assert!(
        grown < 200 * i64::from(size) / 1024 * 4 + 4096,
        "{grown} KiB for 200 answers of {size} bytes"
    );
}

#[test]
fn replanned_expressions_use_bounded_memory() {
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    run(
        &mut client,
        "create schema a; create schema b;
         select set_config('request.jwt.claims', json_build_object('sub', 'x', 'p', repeat('y', 60000))::text, false);
         create function ours() returns int language plpgsql stable as
             $$ begin return length(auth.jwt() ->> 'p'); end $$;
         create function others() returns int language plpgsql stable as
             $$ begin return length(current_setting('request.jwt.claims')); end $$;
         create procedure again(call text, n int) language plpgsql as $$
             declare x int;
             begin
                 for i in 1 .. n loop
                     perform set_config('search_path', case when i % 2 = 0 then 'a, public' else 'b, public' end, false);
                     if call = 'ours' then x := public.ours(); else x := public.others(); end if;
                 end loop;
             end $$;",
    );
    let kibibytes = "select sum(total_bytes)::bigint / 1024 from pg_backend_memory_contexts";
    run(
        &mut client,
        "begin; call public.again('ours', 3); call public.again('others', 3)",
    );
    let mut grown = |call: &str| {
        let before = one::<i64>(&mut client, kibibytes);
        run(&mut client, &format!("call public.again('{call}', 500)"));
        one::<i64>(&mut client, kibibytes) - before
    };
    let (others, ours) = (grown("others"), grown("ours"));
    // Five hundred values would be 30 MB; at most 4 MB are cached.
    assert!(
        ours < others + 8 * 1024,
        "{ours} KiB, and {others} KiB without a reader"
    );
}

#[test]
fn value_is_cached_again_once_memory_is_free() {
    let mut client = SHARED.connect(&SHARED.database(), "postgres", "");
    run(
        &mut client,
        "select set_config('request.jwt.claims', json_build_object('sub', 'x', 'p', repeat('y', 60000))::text, false)",
    );
    // More than four megabytes of values in one query.
    let sites = vec!["length(auth.jwt() ->> 'p')"; 100].join(" + ");
    for _ in 0..3 {
        let sql = format!("select distinct {sites} from generate_series(1, 3)");
        assert_eq!(rows(&mut client, &sql), vec![vec![Some("6000000".to_owned())]]);
    }
}
