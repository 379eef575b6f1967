//! Clients that are slow, large, or too many.

use std::time::{Duration, Instant};

use axum::http::Request;
use tokio::io::AsyncWriteExt as _;

use crate::clients::{LARGE, LIMIT, LONG, connect, get_over, head, response, start, start_with, until_closed};

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_nothing_is_closed() {
    let server = start(10, None).await;
    let begin = Instant::now();
    assert_eq!(until_closed(&mut connect(server.address).await).await, "");
    assert!(begin.elapsed() >= LIMIT);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_comes_byte_by_byte_is_closed() {
    let server = start(10, None).await;
    for text in ["GET / HTTP/1.1\r\nhost: localhost\r\nx: ", "PRI * HTTP/2.0\r\n"] {
        let mut stream = connect(server.address).await;
        let begin = Instant::now();
        let bytes = text.bytes().chain(std::iter::repeat(b'x'));
        for byte in bytes {
            if stream.write_all(&[byte]).await.is_err() {
                break;
            }
            assert!(begin.elapsed() < LONG);
            tokio::time::sleep(LIMIT / 10).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_client_has_more_time_than_a_slow_head() {
    let server = start(10, None).await;
    let mut stream = connect(server.address).await;
    assert_eq!(get_over(&mut stream, "/").await, (200, "ok".to_owned()));
    tokio::time::sleep(2 * LIMIT).await;
    assert_eq!(get_over(&mut stream, "/").await, (200, "ok".to_owned()));
    // A request that takes longer than a head may.
    assert_eq!(get_over(&mut stream, "/slow").await, (200, "slow".to_owned()));
    tokio::time::sleep(2 * LIMIT).await;
    stream.write_all(b"GET / HT").await.unwrap();
    let begin = Instant::now();
    assert_eq!(until_closed(&mut stream).await, "");
    assert!(begin.elapsed() >= LIMIT / 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_comes_in_two_parts_is_served() {
    let server = start(10, None).await;
    let mut stream = connect(server.address).await;
    for text in [
        "PO",
        "ST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nhel",
        "lo",
    ] {
        stream.write_all(text.as_bytes()).await.unwrap();
        tokio::time::sleep(LIMIT / 5).await;
    }
    assert_eq!(response(&mut stream).await, (200, "hello".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_has_64_kib() {
    let server = start(10, None).await;
    let head = |token: &str| format!("GET / HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n");
    let room = 64 * 1024 - head("").len();
    for (length, status) in [(room, 200), (room + 1, 431)] {
        let mut stream = connect(server.address).await;
        let request = head(&"x".repeat(length));
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(response(&mut stream).await.0, status, "{length} bytes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_beyond_the_limit_receive_an_answer() {
    let server = start(1, None).await;
    let mut first = connect(server.address).await;
    assert_eq!(get_over(&mut first, "/").await, (200, "ok".to_owned()));
    for _ in 0..3 {
        let mut other = connect(server.address).await;
        assert_eq!(get_over(&mut other, "/").await, (503, "too many clients\n".to_owned()));
        assert_eq!(until_closed(&mut other).await, "");
    }
    assert_eq!(get_over(&mut first, "/").await, (200, "ok".to_owned()));
    drop(first);
    let begin = Instant::now();
    loop {
        let mut next = connect(server.address).await;
        if get_over(&mut next, "/").await.0 == 200 {
            break;
        }
        assert!(begin.elapsed() < LONG);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_http_1_that_does_not_read_is_closed() {
    let mut server = start(10, None).await;
    let mut stream = connect(server.address).await;
    stream
        .write_all(b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    tokio::time::timeout(LONG, server.freed.recv()).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_http_2_that_opens_no_window_is_closed() {
    let mut server = start(10, None).await;
    let (mut requests, connection) = h2::client::handshake(connect(server.address).await).await.unwrap();
    let connection = tokio::spawn(connection);
    let (response, _) = requests.send_request(get("/large"), true).unwrap();
    let unread = response.await.unwrap();
    assert_eq!(unread.headers()["content-length"], LARGE.to_string());
    tokio::time::timeout(LONG, server.freed.recv()).await.unwrap().unwrap();
    drop(
        tokio::time::timeout(LONG, connection)
            .await
            .expect("the connection stays open"),
    );
    drop(unread);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_http_2_gets_a_large_response() {
    let server = start(10, None).await;
    let (mut requests, connection) = h2::client::handshake(connect(server.address).await).await.unwrap();
    tokio::spawn(connection);
    let (response, _) = requests.send_request(get("/large"), true).unwrap();
    let mut body = response.await.unwrap().into_body();
    let mut length = 0;
    while let Some(part) = body.data().await {
        let part = part.unwrap();
        assert!(part.iter().all(|byte| *byte == b'x'));
        body.flow_control().release_capacity(part.len()).unwrap();
        length += part.len();
    }
    assert_eq!(length, LARGE);
    // Idle clients of HTTP/2 answer pings.
    tokio::time::sleep(3 * LIMIT).await;
    let (response, _) = requests.send_request(get("/"), true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
}

fn get(path: &str) -> Request<()> {
    Request::get(format!("http://localhost{path}")).body(()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_keeps_its_place_and_has_no_such_limits() {
    let server = start(1, None).await;
    let mut stream = connect(server.address).await;
    let request = "GET /v2 HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    assert_eq!(
        head(&mut stream).await.lines().next(),
        Some("HTTP/1.1 101 Switching Protocols")
    );
    for _ in 0..2 {
        // A binary frame of one byte with the mask 0, in two parts.
        stream.write_all(&[0x82, 0x81, 0, 0]).await.unwrap();
        tokio::time::sleep(2 * LIMIT).await;
        stream.write_all(&[0, 0, b'x']).await.unwrap();
        let mut frame = [0; 3];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut frame)
            .await
            .unwrap();
        assert_eq!(frame, [0x82, 1, b'x']);
    }
    assert_eq!(get_over(&mut connect(server.address).await, "/").await.0, 503);
}

/// Pings do not count as requests.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_http_2_that_asks_nothing_is_closed() {
    let server = start_with(1, None, 2 * LIMIT).await;
    let (mut requests, connection) = h2::client::handshake(connect(server.address).await).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = || Request::get("http://localhost/").body(()).unwrap();
    for _ in 0..3 {
        tokio::time::sleep(LIMIT).await;
        let (response, _) = requests.send_request(request(), true).unwrap();
        assert_eq!(response.await.unwrap().status(), 200);
    }
    let begin = Instant::now();
    drop(tokio::time::timeout(LONG, connection).await.unwrap());
    assert!(begin.elapsed() >= LIMIT);
    // Its place becomes free.
    while get_over(&mut connect(server.address).await, "/").await.0 != 200 {
        assert!(begin.elapsed() < LONG);
        tokio::time::sleep(LIMIT / 10).await;
    }
}

/// A client that does not know it would send its next request on a connection that is closed.
#[tokio::test(flavor = "multi_thread")]
async fn a_response_before_the_end_of_the_body_announces_the_close() {
    let server = start(10, None).await;
    for (path, body, closes) in [("/", "", true), ("/", "he", true), ("/echo", "hello", false)] {
        let mut stream = connect(server.address).await;
        let request = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let head = head(&mut stream).await;
        assert_eq!(head.contains("connection: close\r\n"), closes, "{path} {body}: {head}");
    }
}
