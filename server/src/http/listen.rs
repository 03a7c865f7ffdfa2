//! Where operators connect: how many there may be, and how long one may be idle.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections of operators at a time; further ones wait in the kernel.
const OPERATORS_MAX: usize = 64;

/// How long a connection may be open without a whole request.
const REQUEST_WITHIN: Duration = Duration::from_secs(30);

/// When accepting fails (no descriptor left), there is no use in trying again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

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

async fn converse(stream: UnixStream, router: Router, place: OwnedSemaphorePermit) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(REQUEST_WITHIN);
    // However the conversation ends, the peer's side of it is the peer's affair.
    let _ = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await;
    drop(place);
}
