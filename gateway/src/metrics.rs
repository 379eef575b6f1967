//! Counts and times for Prometheus.
//!
//! Users choose SQLSTATEs (`RAISE … USING ERRCODE`) but must not choose how many time series there are. So each label has
//! a fixed set of values. Without `--status-listen` there is no recorder, and these functions do nothing.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

/// Finished requests over HTTP. `status`: the HTTP status.
pub const REQUESTS: &str = "pg_session_jwt_gateway_requests_total";
/// Requests that failed. `class`: the first two characters of the SQLSTATE, or `other`.
pub const ERRORS: &str = "pg_session_jwt_gateway_errors_total";
/// Requests and WebSockets whose token or password was rejected. `sqlstate`: of class 28, or `other`.
pub const REJECTED_LOGINS: &str = "pg_session_jwt_gateway_rejected_logins_total";
/// Seconds that requests waited for a connection to PostgreSQL.
pub const WAITING_SECONDS: &str = "pg_session_jwt_gateway_waiting_seconds";
/// Seconds between the first byte to PostgreSQL and the end of the transaction.
pub const DATABASE_SECONDS: &str = "pg_session_jwt_gateway_database_seconds";
/// Bytes of the bodies of requests.
pub const REQUEST_BYTES: &str = "pg_session_jwt_gateway_request_bytes_total";
/// Bytes of the bodies of responses.
pub const RESPONSE_BYTES: &str = "pg_session_jwt_gateway_response_bytes_total";
/// Connections to PostgreSQL for requests over HTTP. `database`; `state`: `used` or `idle`.
pub const POOL_CONNECTIONS: &str = "pg_session_jwt_gateway_pool_connections";
/// Requests that wait for a connection to PostgreSQL. `database`.
pub const POOL_WAITING: &str = "pg_session_jwt_gateway_pool_waiting_requests";
/// Bytes that remain of `--max-memory-bytes`.
pub const FREE_MEMORY: &str = "pg_session_jwt_gateway_free_memory_bytes";
/// Open WebSockets.
pub const WEBSOCKETS: &str = "pg_session_jwt_gateway_websockets";
/// Connections of clients.
pub const CLIENTS: &str = "pg_session_jwt_gateway_clients";
/// Connections of clients that were rejected because there were `--max-clients`.
pub const REJECTED_CLIENTS: &str = "pg_session_jwt_gateway_rejected_clients_total";
/// Connections that were made to PostgreSQL.
pub const CONNECTS: &str = "pg_session_jwt_gateway_connects_total";
/// Attempts to connect to PostgreSQL that failed.
pub const CONNECT_FAILURES: &str = "pg_session_jwt_gateway_connect_failures_total";

/// Upper bounds of the buckets of both histograms, in seconds.
const BUCKETS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
];

/// The classes of PostgreSQL's manual, appendix A.
const CLASSES: [&str; 43] = [
    "00", "01", "02", "03", "08", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "20", "21", "22", "23", "24", "25", "26",
    "27", "28", "2B", "2D", "2F", "34", "38", "39", "3B", "3D", "3F", "40", "42", "44", "53", "54", "55", "57", "58",
    "72", "F0", "HV", "P0", "XX",
];

/// The SQLSTATEs of class 28 that PostgreSQL, the extension and the gateway raise.
const LOGIN_STATES: [&str; 2] = ["28000", "28P01"];

/// Counts a finished request, with its HTTP status and, if it failed, its SQLSTATE.
///
/// `waited` is the time until it had a connection to PostgreSQL, `in_database` that of its transaction. Zero means that the
/// request did not come so far.
pub fn request(
    status: u16,
    code: Option<&str>,
    waited: Duration,
    in_database: Duration,
    bytes_in: usize,
    bytes_out: usize,
) {
    counter!(REQUESTS, "status" => status.to_string()).increment(1);
    if let Some(code) = code {
        counter!(ERRORS, "class" => class(code)).increment(1);
        if code.starts_with("28") {
            login_rejected(code);
        }
    }
    if !waited.is_zero() {
        histogram!(WAITING_SECONDS).record(waited);
    }
    if !in_database.is_zero() {
        histogram!(DATABASE_SECONDS).record(in_database);
    }
    counter!(REQUEST_BYTES).increment(bytes_in as u64);
    counter!(RESPONSE_BYTES).increment(bytes_out as u64);
}

/// Counts a rejected token or password; [`request`] does so for requests over HTTP.
pub fn login_rejected(code: &str) {
    let code = LOGIN_STATES.into_iter().find(|known| *known == code).unwrap_or("other");
    counter!(REJECTED_LOGINS, "sqlstate" => code).increment(1);
}

/// Sets the gauges of the pool of a database.
pub fn pool(database: &str, used: usize, idle: usize, waiting: usize) {
    let database = database.to_owned();
    gauge!(POOL_CONNECTIONS, "database" => database.clone(), "state" => "used").set(used as f64);
    gauge!(POOL_CONNECTIONS, "database" => database.clone(), "state" => "idle").set(idle as f64);
    gauge!(POOL_WAITING, "database" => database).set(waiting as f64);
}

/// Sets the gauge of the memory that is free for bodies.
pub fn free_memory(bytes: usize) {
    gauge!(FREE_MEMORY).set(bytes as f64);
}

/// Counts something that is open until the returned value is dropped.
#[derive(Debug)]
#[must_use]
pub struct Open(&'static str);

impl Open {
    /// An open WebSocket.
    pub fn websocket() -> Open {
        Open::new(WEBSOCKETS)
    }

    /// A connection of a client.
    pub fn client() -> Open {
        Open::new(CLIENTS)
    }

    fn new(name: &'static str) -> Open {
        gauge!(name).increment(1.0);
        Open(name)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1.0);
    }
}

/// Counts a client that was rejected because there were too many.
pub fn client_rejected() {
    counter!(REJECTED_CLIENTS).increment(1);
}

/// Counts a connection that was made to PostgreSQL.
pub fn connected() {
    counter!(CONNECTS).increment(1);
}

/// Counts a failed attempt to connect to PostgreSQL.
pub fn connect_failed() {
    counter!(CONNECT_FAILURES).increment(1);
}

/// The recorder of the process.
#[derive(Clone)]
pub struct Recorder(PrometheusHandle);

impl Recorder {
    /// Records from now on. Fails if the process records already.
    pub fn install() -> Result<Recorder, BuildError> {
        let handle = PrometheusBuilder::new().set_buckets(&BUCKETS)?.install_recorder()?;
        describe();
        Ok(Recorder(handle))
    }

    /// The metrics in Prometheus' text format.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Adds recorded times to their buckets. Unless this is called they are all stored until the next [`Recorder::render`].
    pub fn upkeep(&self) {
        self.0.run_upkeep();
    }
}

fn describe() {
    describe_counter!(REQUESTS, Unit::Count, "Finished requests over HTTP by HTTP status");
    describe_counter!(
        ERRORS,
        Unit::Count,
        "Failed requests over HTTP by class of the SQLSTATE"
    );
    describe_counter!(
        REJECTED_LOGINS,
        Unit::Count,
        "Rejected tokens and passwords by SQLSTATE"
    );
    describe_histogram!(
        WAITING_SECONDS,
        Unit::Seconds,
        "Time that requests waited for a connection to PostgreSQL"
    );
    describe_histogram!(DATABASE_SECONDS, Unit::Seconds, "Time of the transactions of requests");
    describe_counter!(REQUEST_BYTES, Unit::Bytes, "Bytes of the bodies of requests");
    describe_counter!(RESPONSE_BYTES, Unit::Bytes, "Bytes of the bodies of responses");
    describe_gauge!(
        POOL_CONNECTIONS,
        Unit::Count,
        "Connections to PostgreSQL for requests over HTTP"
    );
    describe_gauge!(
        POOL_WAITING,
        Unit::Count,
        "Requests that wait for a connection to PostgreSQL"
    );
    describe_gauge!(FREE_MEMORY, Unit::Bytes, "Memory for bodies that no request has taken");
    describe_gauge!(WEBSOCKETS, Unit::Count, "Open WebSockets");
    describe_gauge!(CLIENTS, Unit::Count, "Connections of clients");
    describe_counter!(
        REJECTED_CLIENTS,
        Unit::Count,
        "Connections of clients that were rejected as too many"
    );
    describe_counter!(CONNECTS, Unit::Count, "Connections that were made to PostgreSQL");
    describe_counter!(
        CONNECT_FAILURES,
        Unit::Count,
        "Failed attempts to connect to PostgreSQL"
    );
}

fn class(code: &str) -> &'static str {
    CLASSES
        .into_iter()
        .find(|known| code.get(..2) == Some(known))
        .unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use metrics::with_local_recorder;

    use super::*;

    fn recorded(record: impl FnOnce()) -> Vec<String> {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&[0.1, 1.0])
            .unwrap()
            .build_recorder();
        with_local_recorder(&recorder, record);
        let text = recorder.handle().render();
        let mut lines: Vec<_> = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with("# "))
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn a_request_is_counted_by_status_class_and_rejection() {
        let lines = recorded(|| request(400, Some("28000"), Duration::from_millis(500), Duration::ZERO, 10, 20));
        assert_eq!(
            lines,
            [
                "pg_session_jwt_gateway_errors_total{class=\"28\"} 1",
                "pg_session_jwt_gateway_rejected_logins_total{sqlstate=\"28000\"} 1",
                "pg_session_jwt_gateway_request_bytes_total 10",
                "pg_session_jwt_gateway_requests_total{status=\"400\"} 1",
                "pg_session_jwt_gateway_response_bytes_total 20",
                "pg_session_jwt_gateway_waiting_seconds_bucket{le=\"+Inf\"} 1",
                "pg_session_jwt_gateway_waiting_seconds_bucket{le=\"0.1\"} 0",
                "pg_session_jwt_gateway_waiting_seconds_bucket{le=\"1\"} 1",
                "pg_session_jwt_gateway_waiting_seconds_count 1",
                "pg_session_jwt_gateway_waiting_seconds_sum 0.5",
            ]
        );
    }

    #[test]
    fn users_cannot_make_labels() {
        for code in ["ZZ001", "28ABC", "", "é", "2"] {
            let lines = recorded(|| request(400, Some(code), Duration::ZERO, Duration::ZERO, 0, 0));
            let labels: Vec<_> = lines
                .iter()
                .filter(|line| line.contains("class") || line.contains("sqlstate"))
                .collect();
            match code {
                "28ABC" => assert_eq!(
                    labels,
                    [
                        "pg_session_jwt_gateway_errors_total{class=\"28\"} 1",
                        "pg_session_jwt_gateway_rejected_logins_total{sqlstate=\"other\"} 1"
                    ]
                ),
                _ => assert_eq!(labels, ["pg_session_jwt_gateway_errors_total{class=\"other\"} 1"]),
            }
        }
    }

    #[test]
    fn open_things_are_counted_until_they_are_dropped() {
        let lines = recorded(|| {
            let _first = Open::websocket();
            drop(Open::websocket());
            drop(Open::client());
            let second = Open::websocket();
            std::mem::forget(second);
        });
        assert_eq!(
            lines,
            [
                "pg_session_jwt_gateway_clients 0",
                "pg_session_jwt_gateway_websockets 1"
            ]
        );
    }
}
