//! Connections: how many there may be, and how long one may be idle.

use super::Connection;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::{SockRef, TcpKeepalive};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections of machines at a time; further ones wait in the kernel. Twice a thousand nodes, each with a piece of a file in memory.
pub(super) const CONNECTIONS_MAX: usize = 2048;

/// Connections of operators at a time.
const OPERATORS_MAX: usize = 64;

/// How long a connection may be open without a whole request.
const REQUEST_WITHIN: Duration = Duration::from_secs(30);

/// How long a peer may leave what we send unacknowledged: as long as the most patient boot client waits (PXELINUX, 131 s).
const SILENT_MAX: Duration = Duration::from_secs(150);

/// When accepting fails (no descriptor left), there is no use in trying again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves machines, for ever.
pub(super) async fn machines(listener: TcpListener, router: Router, places: Arc<Semaphore>) {
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, SocketAddr::V4(peer))) => {
                let Some(local) = prepare(&stream) else { continue };
                let router = router.clone().layer(Extension(Connection { peer: *peer.ip(), local }));
                tokio::spawn(converse(stream, router, place));
            }
            Ok((_, SocketAddr::V6(_))) => {}
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Serves operators, for ever.
pub(super) async fn operators(listener: UnixListener, router: Router) {
    let places = Arc::new(Semaphore::new(OPERATORS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(converse(stream, router.clone(), place))),
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Sets what bounds a silent connection. Our address; None: the connection has gone already.
fn prepare(stream: &TcpStream) -> Option<std::net::Ipv4Addr> {
    let SocketAddr::V4(local) = stream.local_addr().ok()? else { return None };
    let socket = SockRef::from(stream);
    let _ = stream.set_nodelay(true);
    let _ = socket.set_tcp_user_timeout(Some(SILENT_MAX));
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(REQUEST_WITHIN));
    Some(*local.ip())
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(stream: S, router: Router, place: OwnedSemaphorePermit) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(REQUEST_WITHIN);
    // However the conversation ends, the peer's side of it is the peer's affair.
    let _ = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await;
    drop(place);
}
