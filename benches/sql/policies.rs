//! B and C: common policies, over all rows and by an index.

use postgres::Client;
use testkit::issuer::{ME, claims, members, token};
use testkit::session::{init, one, rows, run};

use crate::databases::{PROVIDER_MODE, session, set_claims};
use crate::measure::{Plan, Processor, number, seconds, table};

pub const ROWS: i64 = 200_000;
pub const MINE: i64 = 200;

pub struct Form {
    pub label: &'static str,
    /// The role with only this policy.
    pub role: &'static str,
    condition: &'static str,
    /// `pg_session_jwt.optimize_policies`
    optimized: bool,
    /// The index of the form that it is compared with.
    against: usize,
}

const fn form(label: &'static str, role: &'static str, condition: &'static str, against: usize) -> Form {
    Form {
        label,
        role,
        condition,
        optimized: true,
        against,
    }
}

pub const CONSTANT: usize = 0;
pub const BARE: usize = 1;
const CONSTANT_UUID: usize = 6;
const DRIZZLE: &str = r#"(select auth.user_id() = "{table}"."user_id")"#;

pub const FORMS: [Form; 10] = [
    form("`user_id = 'constant'`", "constant", "user_id = '{me}'", CONSTANT),
    form(
        "`auth.user_id() = user_id`",
        "bare",
        "auth.user_id() = user_id",
        CONSTANT,
    ),
    form(
        "`(select auth.user_id()) = user_id`",
        "wrapped",
        "(select auth.user_id()) = user_id",
        CONSTANT,
    ),
    form("`(select auth.user_id() = user_id)`", "drizzle", DRIZZLE, CONSTANT),
    Form {
        label: "the same, `optimize_policies = off`",
        role: "drizzle_off",
        condition: DRIZZLE,
        optimized: false,
        against: CONSTANT,
    },
    // The least cost of a function call for each row.
    form(
        "C function, text made once per query, `= user_id`",
        "floor",
        "floor_per_query() = user_id",
        CONSTANT,
    ),
    form(
        "`owner = 'constant'::uuid`",
        "constant_uuid",
        "owner = '{me}'",
        CONSTANT_UUID,
    ),
    form("`auth.uid() = owner`", "uid", "auth.uid() = owner", CONSTANT_UUID),
    form(
        "claims as JSON, in SQL, `= owner`",
        "claim",
        "claim_uid() = owner",
        CONSTANT_UUID,
    ),
    form(
        "claims as JSON, in SQL, `(select …) = owner`",
        "claim_wrapped",
        "(select claim_uid()) = owner",
        CONSTANT_UUID,
    ),
];

/// The same rows without and with indexes, and a role for each form.
pub fn make_tables(client: &mut Client) {
    for form in &FORMS {
        run(client, &format!("create role {}", form.role));
    }
    make_table(client, "items", ROWS, MINE);
    make_table(client, "items_indexed", ROWS, MINE);
    run(
        client,
        "create index on items_indexed (user_id); create index on items_indexed (owner)",
    );
}

/// Makes a table of `count` rows with the policies; `mine` of them belong to the user.
pub fn make_table(client: &mut Client, name: &str, count: i64, mine: i64) {
    let every = count / mine;
    run(
        client,
        &format!(
            "create table {name} (id int primary key, user_id text not null, owner uuid not null);
             insert into {name} select n, u, u::uuid from generate_series(1, {count}) n,
                 lateral (select case n % {every} when 0 then '{ME}' else md5(n::text)::uuid::text end u) u;
             alter table {name} enable row level security"
        ),
    );
    for Form { role, condition, .. } in &FORMS {
        let condition = condition.replace("{me}", ME).replace("{table}", name);
        run(
            client,
            &format!("create policy {role} on {name} to {role} using ({condition}); grant select on {name} to {role}"),
        );
    }
    run(client, &format!("vacuum (freeze, analyze) {name}"));
}

impl Form {
    pub fn begin(&self, client: &mut Client) {
        let optimized = if self.optimized { "on" } else { "off" };
        let role = self.role;
        run(
            client,
            &format!("set role {role}; set pg_session_jwt.optimize_policies = {optimized}"),
        );
    }
}

/// A session with claims of this size, once by a token and once as a gateway sets them.
pub fn identified_session(bytes: usize) -> Client {
    let said = claims(&members(), bytes);
    let mut client = session(&PROVIDER_MODE);
    init(&mut client, &token("EdDSA", &said));
    set_claims(&mut client, &said);
    client
}

pub fn scan(plan: &Plan) {
    for bytes in [46, 1024] {
        let said = claims(&members(), bytes);
        let heading = format!("B. Policy over {ROWS} rows, no index, claims of {} bytes", said.len());
        let mut client = identified_session(bytes);
        let processor = Processor::of(&mut client);
        let measured = plan.rounds(&heading, FORMS.len(), |index| {
            FORMS[index].begin(&mut client);
            let mut seen = 0;
            let took = processor.seconds(|| seen = one::<i64>(&mut client, "select count(*) from items"));
            assert_eq!(seen, MINE, "{}", FORMS[index].label);
            took * 1e3
        });
        let row = |(index, form): (usize, &Form)| {
            vec![
                form.label.to_owned(),
                number(measured[index].min()),
                number(measured[index].median()),
                number(measured[index].ratio(&measured[form.against])),
                FORMS[form.against].label.to_owned(),
            ]
        };
        let shown: Vec<_> = FORMS.iter().enumerate().map(row).collect();
        table(
            &heading,
            &["policy", "ms, min", "ms, median", "ratio", "ratio to"],
            &shown,
        );
    }
}

const QUERY: &str = "select count(*) from items_indexed";

pub fn index(plan: &Plan) {
    let mut client = identified_session(1024);
    let mut statements = Vec::new();
    let mut times = Vec::new();
    for form in &FORMS {
        form.begin(&mut client);
        let statement = client.prepare(QUERY).unwrap();
        client.query(&statement, &[]).unwrap();
        let once = seconds(|| assert_eq!(one::<i64>(&mut client, QUERY), MINE));
        times.push(((0.02 / once) as usize).clamp(1, 50));
        statements.push(statement);
    }
    let heading = format!("C. Policy by an index, {MINE} of {ROWS} rows");
    let prepared = plan.rounds(&format!("{heading}, planned once"), FORMS.len(), |index| {
        FORMS[index].begin(&mut client);
        let execute = || {
            for _ in 0..times[index] {
                let row = client.query_one(&statements[index], &[]).unwrap();
                assert_eq!(row.get::<_, i64>(0), MINE);
            }
        };
        seconds(execute) / times[index] as f64 * 1e6
    });
    let planned = plan.rounds(&format!("{heading}, planned each time"), FORMS.len(), |index| {
        FORMS[index].begin(&mut client);
        let execute = || {
            for _ in 0..times[index] {
                client.simple_query(QUERY).unwrap();
            }
        };
        seconds(execute) / times[index] as f64 * 1e6
    });
    let row = |(index, form): (usize, &Form)| {
        vec![
            form.label.to_owned(),
            number(prepared[index].min()),
            number(prepared[index].median()),
            number(prepared[index].ratio(&prepared[BARE])),
            number(planned[index].median()),
            number(planned[index].ratio(&planned[BARE])),
        ]
    };
    let shown: Vec<_> = FORMS.iter().enumerate().map(row).collect();
    let columns = [
        "policy",
        "µs, min",
        "µs, median",
        "ratio to bare",
        "with planning, median",
        "ratio to bare",
    ];
    table(&heading, &columns, &shown);
    println!();
    for form in &FORMS {
        form.begin(&mut client);
        println!("- {}: {}", form.label, conditions(&mut client));
    }
}

/// The access path that EXPLAIN shows.
fn conditions(client: &mut Client) -> String {
    let lines = rows(client, &format!("explain (costs off) {QUERY}")).concat();
    let lines = lines.into_iter().flatten();
    let found = lines.filter(|line| line.contains("Scan") || line.contains("Cond:") || line.contains("Filter:"));
    let found: Vec<_> = found
        .map(|line| line.trim_start_matches([' ', '-', '>']).to_owned())
        .filter(|line| !line.starts_with("Bitmap Index Scan") && !line.starts_with("Recheck"))
        .collect();
    found.join("; ")
}
