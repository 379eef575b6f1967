//! The routes for operators.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use pg_session_jwt_gateway::metrics::{self, Recorder};
use pg_session_jwt_gateway::status;
use sql_over_http::failure::{Failure, sqlstate};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

async fn get(router: &Router, path: &str) -> (u16, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

// One test, since a process has one recorder.
#[tokio::test]
async fn operators_see_life_readiness_and_metrics() {
    let drain = CancellationToken::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let is_up = Arc::new(AtomicBool::new(true));
    let ready = {
        let (asked, is_up) = (asked.clone(), is_up.clone());
        move || {
            asked.fetch_add(1, Ordering::Relaxed);
            let is_up = is_up.load(Ordering::Relaxed);
            async move {
                if is_up {
                    Ok(())
                } else {
                    Err(Failure::new(sqlstate::CONNECTION_FAILURE, "could not connect"))
                }
            }
        }
    };
    let recorder = Recorder::install().unwrap();
    let router = status::router(recorder, drain.clone(), ready, || metrics::pool("app", 1, 2, 3));

    assert_eq!(get(&router, "/healthz").await, (200, "ok\n".to_owned()));
    for _ in 0..10 {
        assert_eq!(get(&router, "/readyz").await, (200, "ok\n".to_owned()));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1, "the answer serves for a second");
    is_up.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(get(&router, "/readyz").await, (503, "could not connect\n".to_owned()));
    assert_eq!(get(&router, "/healthz").await, (200, "ok\n".to_owned()));

    metrics::request(200, None, Duration::ZERO, Duration::from_millis(3), 10, 20);
    let (code, text) = get(&router, "/metrics").await;
    assert_eq!(code, 200);
    for line in [
        "# HELP pg_session_jwt_gateway_requests_total Finished requests over HTTP by HTTP status",
        "# TYPE pg_session_jwt_gateway_requests_total counter",
        "pg_session_jwt_gateway_requests_total{status=\"200\"} 1",
        "# TYPE pg_session_jwt_gateway_database_seconds histogram",
        "pg_session_jwt_gateway_database_seconds_bucket{le=\"0.005\"} 1",
        "pg_session_jwt_gateway_database_seconds_bucket{le=\"0.0025\"} 0",
        "pg_session_jwt_gateway_pool_connections{database=\"app\",state=\"used\"} 1",
        "pg_session_jwt_gateway_pool_connections{database=\"app\",state=\"idle\"} 2",
        "pg_session_jwt_gateway_pool_waiting_requests{database=\"app\"} 3",
    ] {
        assert!(text.lines().any(|is| is == line), "{line}\nis not in\n{text}");
    }

    drain.cancel();
    assert_eq!(
        get(&router, "/readyz").await,
        (503, "gateway is shutting down\n".to_owned())
    );
    assert_eq!(get(&router, "/sql").await.0, 404);
}
