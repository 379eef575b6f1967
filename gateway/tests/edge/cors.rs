//! Preflights, and the headers that let a page read a response.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::post;
use pg_session_jwt_gateway::{cors, request_id};
use rstest::rstest;
use tower::ServiceExt as _;

fn router(origins: &[&str]) -> Result<Router, String> {
    let origins: Vec<_> = origins.iter().map(|origin| (*origin).to_owned()).collect();
    let router = Router::new().route("/sql", post(async || (StatusCode::BAD_REQUEST, "failed")));
    Ok(cors::permit(router, cors::origins(&origins)?).layer(axum::middleware::from_fn(request_id::identify)))
}

async fn answer(origins: &[&str], method: &str, origin: &str) -> (u16, HeaderMap) {
    let request = Request::builder()
        .method(method)
        .uri("/sql")
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,neon-batch-deferrable,neon-connection-string",
        )
        .header("neon-request-id", "made by the client")
        .body(Body::empty())
        .unwrap();
    let response = router(origins).unwrap().oneshot(request).await.unwrap();
    (response.status().as_u16(), response.headers().clone())
}

#[tokio::test]
async fn a_preflight_permits_all_headers_of_the_driver() {
    let (status, mut headers) = answer(&["*"], "OPTIONS", "https://app.example.com").await;
    let id = headers.remove("neon-request-id").unwrap();
    assert_eq!(id.len(), 36);
    let mut headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    assert_eq!(status, 200);
    assert_eq!(
        headers,
        [
            "access-control-allow-headers: authorization,content-type,neon-connection-string,neon-raw-text-output,\
             neon-array-mode,neon-pool-opt-in,neon-batch-read-only,neon-batch-isolation-level,neon-batch-deferrable",
            "access-control-allow-methods: OPTIONS,POST",
            "access-control-allow-origin: *",
            "access-control-max-age: 86400",
            "allow: OPTIONS, POST",
            "content-length: 0",
        ]
    );
}

#[tokio::test]
async fn an_error_can_be_read_by_the_page_too() {
    let (status, headers) = answer(&["*"], "POST", "https://app.example.com").await;
    assert_eq!(status, 400);
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert_eq!(
        headers["access-control-expose-headers"],
        "neon-request-id,neon-batch-read-only,neon-batch-isolation-level,neon-batch-deferrable"
    );
}

#[tokio::test]
async fn only_listed_origins_are_permitted() {
    let list = ["https://app.example.com", "http://localhost:5173"];
    for method in ["OPTIONS", "POST"] {
        for origin in list {
            assert_eq!(
                answer(&list, method, origin).await.1["access-control-allow-origin"],
                origin
            );
        }
        let (_, headers) = answer(&list, method, "https://app.example.com.evil.test").await;
        assert_eq!(headers.get("access-control-allow-origin"), None);
    }
}

#[rstest]
#[case("app.example.com")]
#[case("https://app.example.com/")]
#[case("https://*.example.com")]
#[case("https://")]
#[case("")]
#[case("https://ä\n")]
fn an_origin_that_no_browser_sends_is_rejected(#[case] origin: &str) {
    assert_eq!(
        router(&[origin]).unwrap_err(),
        format!("origin \"{origin}\" must be \"*\" or a scheme and a host, such as https://app.example.com")
    );
}
