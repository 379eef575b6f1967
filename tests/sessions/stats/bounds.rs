//! The number of rows is limited, and no text is longer than its row.

use testkit::provider::{Provider, database_on};
use testkit::server::Server;
use testkit::session::{init, one, run};

use super::support::{CONF, SERVER, counted};

fn names(issuers: std::ops::Range<usize>) -> Vec<String> {
    issuers.map(|number| format!("issuer-{number:03}")).collect()
}

#[test]
fn issuers_without_a_row_share_one() {
    let server = Server::start(CONF);
    let database = server.database();
    let mut client = server.connect(&database, "postgres", "");
    let provider = Provider::new("");
    for issuers in [names(0..80), names(80..140)] {
        let entries: Vec<String> = issuers
            .iter()
            .map(|issuer| format!(r#"{{"issuer":"{issuer}","jwks":{}}}"#, provider.key_set()))
            .collect();
        // The last token would be rejected, and count for no issuer.
        run(&mut client, "reset pg_session_jwt.jwt");
        let set = format!("set pg_session_jwt.providers = '[{}]'", entries.join(","));
        run(&mut client, &set);
        for issuer in &issuers {
            let exp = testkit::session::now() + 60;
            init(
                &mut client,
                &provider.signed(&format!(r#"{{"iss":"{issuer}","exp":{exp}}}"#)),
            );
        }
    }
    let rows = "select count(distinct issuer) from auth.stats() where database is not null";
    assert_eq!(one::<i64>(&mut client, rows), 128);
    let counted = "select string_agg(concat_ws(' ', value, number), ',' order by value) from (
                       select value, count(*) from auth.stats() where detail = 'new' group by value) n (value, number)";
    assert_eq!(one::<String>(&mut client, counted), "1 128,12 1");
    let others = "select value from auth.stats() where database is null and issuer = 'others' and detail = 'new'";
    assert_eq!(one::<f64>(&mut client, others), 12.0);
    // Tokens that name no configured issuer have no row either.
    client.batch_execute("set pg_session_jwt.jwt = 'x'").unwrap_err();
    let others = "select value from auth.stats() where database is null and issuer = 'others' and detail = 'form'";
    assert_eq!(one::<f64>(&mut client, others), 1.0);
}

#[test]
fn long_issuers_are_truncated_and_stay_apart() {
    let long = "i".repeat(256);
    let [longer, other] = ["a", "b"].map(|end| format!("{long}{end}"));
    let wide = "\u{20ac}".repeat(90);
    let providers = [&long, &longer, &other, &wide].map(|issuer| Provider::new(issuer));
    let entries = providers.each_ref().map(|provider| provider.entry(""));
    let database = database_on(&SERVER, &entries, "");
    let mut client = SERVER.connect(&database, "postgres", "");
    for provider in &providers {
        init(&mut client, &provider.token("alice"));
    }
    let truncated = format!("{}... accepted new 1", "i".repeat(253));
    let mut expected = [
        truncated.clone(),
        truncated,
        format!("{long} accepted new 1"),
        format!("{}... accepted new 1", "\u{20ac}".repeat(84)),
    ];
    let mut found = counted(&SERVER, &database);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn an_issuer_that_the_reader_cannot_represent_is_escaped() {
    let provider = Provider::new("https://日.example/");
    let database = database_on(&SERVER, &[provider.entry("")], "");
    init(&mut SERVER.connect(&database, "postgres", ""), &provider.token("alice"));
    let options = "encoding 'LATIN1' template template0 locale 'C'";
    let mut reader = SERVER.connect(&SERVER.database_with(options), "postgres", "");
    let issuer = format!("select issuer from auth.stats() where database = '{database}' and detail = 'new'");
    assert_eq!(one::<String>(&mut reader, &issuer), "https://\\u{65e5}.example/");
}
