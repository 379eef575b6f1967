//! The task of one request: its transaction, its answer, and the clean-up after it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool::managed::Object;
use sql_over_http::failure::{Failure, sqlstate};
use sql_over_http::flight::{self, Actor, Flight};
use sql_over_http::reply::ReplyBuilder;
use sql_over_http::request::{Body, Options, Statement};
use sql_over_http::statement;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::budget::Share;
use crate::exchange::{Exchange, Stop};
use crate::service::{Client, Lease, Service};

/// How long a cancelled transaction has to end, and a clean-up to answer, before the connection is closed.
const PATIENCE: Duration = Duration::from_secs(2);

/// A connection of this age has the settings that are stored for it. A client that causes an error again and again costs one
/// connection in this time, not one for each request.
const YOUNG: Duration = Duration::from_secs(1);

/// A request with everything that its transaction needs.
pub struct Work {
    pub service: Arc<Service>,
    pub lease: Lease,
    pub client: Client,
    pub options: Options,
    pub body: Body,
    pub share: Share,
    pub deadline: Instant,
}

/// The body of the response, with its part of the budget.
pub type Answer = Result<(Vec<u8>, Share), Failure>;

/// Runs to the end of the clean-up, and answers before it. A connection that is not as new afterwards is closed.
pub async fn run(work: Work, gone: CancellationToken, answer: oneshot::Sender<Answer>) {
    // No client waits for an answer if it is gone.
    let send = |result: Answer| drop(answer.send(result));
    let Work {
        service,
        mut lease,
        client,
        options,
        body,
        share,
        deadline,
    } = work;
    let flight = match flight(&service, &client, &options, &body) {
        Ok(flight) => flight,
        Err(failure) => return send(Err(failure)),
    };
    let (batch, array_modes) = shape(body);
    let reply = ReplyBuilder::new(&options, batch, service.config.max_response_bytes, array_modes);
    // A request that has waited until now does not begin what would be cancelled at once.
    let late = if service.end.is_cancelled() {
        Some(shutting_down())
    } else if gone.is_cancelled() {
        Some(client_is_gone())
    } else if Instant::now() >= deadline {
        Some(timed_out(service.config.request_timeout))
    } else {
        None
    };
    if let Some(failure) = late {
        return send(Err(failure));
    }
    let canceller = lease.slot.connection.canceller();
    let age = Object::metrics(&lease.slot).created.elapsed();
    lease.slot.is_new = false;
    let mut exchange = Exchange::begin(&mut lease.slot.connection, flight, batch, reply, share);

    let mut interruption = None;
    let mut stop = tokio::select! {
        // The transaction first: a cancel request before its first byte would cancel nothing.
        biased;
        stop = exchange.transaction() => stop,
        () = tokio::time::sleep_until(deadline.into()) => {
            interruption = Some(timed_out(service.config.request_timeout));
            Ok(Stop::MustCancel)
        }
        () = gone.cancelled() => {
            interruption = Some(client_is_gone());
            Ok(Stop::MustCancel)
        }
        () = service.end.cancelled() => {
            interruption = Some(shutting_down());
            Ok(Stop::MustCancel)
        }
    };
    if stop == Ok(Stop::MustCancel) {
        // The request to cancel must have arrived before the connection serves anybody else.
        let cancelled = timeout(PATIENCE, canceller.cancel()).await;
        stop = match timeout(PATIENCE, exchange.transaction()).await {
            Ok(stop) if matches!(cancelled, Ok(Ok(()))) => stop,
            _ => Err(interruption
                .clone()
                .unwrap_or_else(|| timed_out(service.config.request_timeout))),
        };
    }
    let ended = stop.is_ok();
    send(match (stop, interruption) {
        (_, Some(failure)) | (Err(failure), None) => Err(exchange.with_outcome(failure)),
        (Ok(_), None) => exchange.result(),
    });

    let is_outdated = exchange.may_be_outdated() && age > YOUNG;
    let cleaned = ended && !is_outdated && matches!(timeout(PATIENCE, exchange.clean_up()).await, Ok(Ok(())));
    lease.slot.is_new = cleaned;
    if !cleaned {
        let slot = Object::take(lease.slot);
        let _ = timeout(PATIENCE, slot.connection.close()).await;
    }
}

fn flight(service: &Service, client: &Client, options: &Options, body: &Body) -> Result<Flight, Failure> {
    let statements = match body {
        Body::Single(statement) => std::slice::from_ref(statement),
        Body::Batch(statements) => statements.as_slice(),
    };
    for (index, statement) in statements.iter().enumerate() {
        if let Some(mut failure) = statement::rejection(&statement.sql) {
            failure.fields.query_index = matches!(body, Body::Batch(_)).then_some(index);
            return Err(failure);
        }
    }
    match (client, body) {
        (Client::Role { role, token, .. }, _) => {
            let actor = Actor {
                role,
                token: token.as_deref(),
                seed: service.seed()?,
            };
            flight::transaction(options, Some(&actor), statements)
        }
        (Client::Login { .. }, Body::Single(statement)) => flight::autocommit(statement),
        (Client::Login { .. }, Body::Batch(statements)) => flight::transaction(options, None, statements),
    }
}

/// Whether it is a batch, and what the response still needs to know of each statement.
fn shape(body: Body) -> (bool, Vec<Option<bool>>) {
    let array_mode = |statement: Statement| statement.array_mode;
    match body {
        Body::Single(statement) => (false, vec![array_mode(statement)]),
        Body::Batch(statements) => (true, statements.into_iter().map(array_mode).collect()),
    }
}

fn client_is_gone() -> Failure {
    Failure::new(sqlstate::CONNECTION_FAILURE, "client is gone")
}

fn shutting_down() -> Failure {
    Failure::new(sqlstate::ADMIN_SHUTDOWN, "gateway is shutting down")
}

fn timed_out(after: Duration) -> Failure {
    let message = format!("canceling request after {} seconds", after.as_secs_f64());
    Failure::new(sqlstate::QUERY_CANCELED, message)
}
