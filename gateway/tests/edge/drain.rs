//! The end of the server.

use std::time::Instant;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::clients::{LIMIT, LONG, connect, get_over, response, start, until_closed};

#[tokio::test(flavor = "multi_thread")]
async fn running_requests_end_and_idle_clients_are_closed() {
    let server = start(10, None).await;
    let mut idle = connect(server.address).await;
    assert_eq!(get_over(&mut idle, "/").await, (200, "ok".to_owned()));
    let mut silent = connect(server.address).await;
    let mut running = connect(server.address).await;
    running
        .write_all(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    tokio::time::sleep(LIMIT / 5).await;

    let begin = Instant::now();
    server.drain.cancel();
    assert_eq!(until_closed(&mut idle).await, "");
    assert_eq!(until_closed(&mut silent).await, "");
    assert!(begin.elapsed() < LIMIT, "idle clients are not waited for");
    assert!(TcpStream::connect(server.address).await.is_err());
    assert_eq!(response(&mut running).await, (200, "slow".to_owned()));
    assert_eq!(until_closed(&mut running).await, "");
    tokio::time::timeout(LONG, server.end).await.unwrap().unwrap();
}
