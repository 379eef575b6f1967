//! Cancel requests (PostgreSQL manual, "Canceling Requests in Progress").

use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::address::Address;
use super::target::Link;

/// The way on which a connection was made.
#[derive(Clone)]
pub struct Route {
    pub link: Arc<Link>,
    pub address: Address,
}

/// Cancels what a connection runs, by a separate connection.
#[derive(Clone)]
pub struct Canceller {
    route: Route,
    pid: i32,
    secret: i32,
}

impl Canceller {
    pub(super) fn new(route: Route, pid: i32, secret: i32) -> Canceller {
        Canceller { route, pid, secret }
    }

    /// Returns when PostgreSQL has sent its signal: it closes the connection after that.
    pub async fn cancel(&self) -> io::Result<()> {
        let mut stream = self.route.link.open(&self.route.address).await?;
        let mut bytes = BytesMut::new();
        frontend::cancel_request(self.pid, self.secret, &mut bytes);
        stream.write_all(&bytes).await?;
        stream.flush().await?;
        let mut rest = [0; 16];
        // A server that answers, or that ends the connection by a reset, has handled the request as well.
        let _ = stream.read(&mut rest).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::tls::Tls;
    use tokio::net::TcpListener;

    /// The name may have other addresses by now, or none.
    #[tokio::test]
    async fn a_cancel_request_goes_to_the_address_of_its_connection() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let route = Route {
            link: Arc::new(Link::new(Tls::disabled())),
            address: Address::Tcp {
                name: "name-without-address.invalid".to_owned(),
                address: server.local_addr().unwrap(),
            },
        };
        let received = tokio::spawn(async move {
            let (mut stream, _) = server.accept().await.unwrap();
            let mut request = [0; 16];
            stream.read_exact(&mut request).await.unwrap();
            request
        });
        Canceller::new(route, 1, 2).cancel().await.unwrap();
        let (length, code, pid, secret) = (16_i32, 80_877_102_i32, 1_i32, 2_i32);
        let expected = [length, code, pid, secret].map(i32::to_be_bytes).concat();
        assert_eq!(received.await.unwrap().as_slice(), expected);
    }
}
