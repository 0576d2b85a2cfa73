//! `serve` and `worker`: from options to a listening, working process, and back down cleanly on a signal.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cli::Options;
use crate::installation::Installation;
use crate::{connections, http, settings};

/// Where `serve` listens when nothing is said.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);

/// Serves pages and REST and works on operations, until a signal.
pub(crate) async fn serve(options: &Options) -> Result<()> {
    let listen = options.listen.unwrap_or(DEFAULT_LISTEN);
    // Before anything is started: in the sandbox everybody who reaches the port may be admin.
    if options.is_sandbox() {
        stays_on_this_machine(listen, options.public_url.as_ref())?;
    }
    options.limits.announce();
    let room = connections::room(&options.limits)?;
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}; choose another address with --listen")
    })?;
    let address = listener.local_addr()?;
    let public_url = match &options.public_url {
        Some(url) => url.clone(),
        None => {
            url::Url::parse(&format!("http://{address}")).context("the address makes no URL")?
        }
    };
    let installation = Installation::open(options, public_url.clone()).await?;
    installation.portal.warm_facts().await?;

    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    tasks.spawn(worker(installation.portal.clone(), stop.clone()));
    let router = http::router(
        &installation,
        address,
        &public_url,
        &options.limits,
        stop.clone(),
    )?;
    let asked_to_end = signal();
    println!("Slipway {} serves {public_url}", env!("CARGO_PKG_VERSION"));
    if installation.sandbox {
        println!("Sandbox: Azure is simulated, and you sign in by choosing a role.");
    }
    tokio::spawn({
        let stop = stop.clone();
        async move {
            asked_to_end.await;
            // Event streams end when this is cancelled; without it they would hold the shutdown open.
            stop.cancel();
        }
    });
    connections::serve(listener, router, room, &options.limits, stop.clone()).await;
    tasks.close();
    if tokio::time::timeout(std::time::Duration::from_secs(10), tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            "the worker did not stop in 10 s; what it was doing goes on at the next start"
        );
    }
    installation.shutdown().await;
    Ok(())
}

/// Refuses to show the sandbox to other machines, be it by an address or by a name that a proxy answers for.
fn stays_on_this_machine(listen: SocketAddr, public_url: Option<&url::Url>) -> Result<()> {
    if !listen.ip().is_loopback() {
        bail!(
            "the sandbox lets anybody sign in as anybody, so it listens on loopback only: use --listen 127.0.0.1:{}",
            listen.port()
        );
    }
    if let Some(url) = public_url.filter(|url| !settings::is_loopback(url)) {
        bail!(
            "the sandbox lets anybody sign in as anybody, so people reach it on this machine only: --public-url must name localhost or a loopback \
             address, not {}",
            url.host_str().unwrap_or("nothing")
        );
    }
    Ok(())
}

/// Works on operations only, until a signal.
pub(crate) async fn work(options: &Options) -> Result<()> {
    if !options
        .database_url
        .as_deref()
        .is_some_and(|url| url.starts_with("postgres"))
    {
        bail!(
            "`slipway worker` beside `slipway serve` needs PostgreSQL (--database-url postgres://…): SQLite is for one process, and `serve` works on operations by itself"
        );
    }
    let Some(_) = &options.azure else {
        bail!("`slipway worker` needs the same Azure settings as `slipway serve` (--azure FILE)");
    };
    let public_url = match &options.public_url {
        Some(url) => url.clone(),
        None => url::Url::parse("http://127.0.0.1:3000")?,
    };
    let installation = Installation::open(options, public_url).await?;
    let stop = CancellationToken::new();
    let work = tokio::spawn(worker(installation.portal.clone(), stop.clone()));
    let asked_to_end = signal();
    println!("Slipway {} works on operations", env!("CARGO_PKG_VERSION"));
    asked_to_end.await;
    stop.cancel();
    work.await?;
    installation.shutdown().await;
    Ok(())
}

/// Runs the worker again whenever it ends before it should: the database may have been away.
async fn worker(portal: portal::Portal, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = portal.run_worker(stop.clone()).await {
            tracing::error!(%error, "the worker ended; starting it again in 2 s");
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(std::time::Duration::from_secs(2)) => {}
            }
        }
    }
}

/// Hears SIGTERM and Ctrl-C from the call on; the future waits for one of them. Called before anybody is told that Slipway runs: whoever was told may end it at once.
pub(crate) fn signal() -> impl Future<Output = ()> + Send + 'static {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let both = signal(SignalKind::terminate()).and_then(|terminate| {
            let interrupt = signal(SignalKind::interrupt())?;
            Ok((terminate, interrupt))
        });
        async move {
            match both {
                Ok((mut terminate, mut interrupt)) => tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                },
                Err(error) => {
                    tracing::warn!(%error, "SIGTERM cannot be heard; Ctrl-C ends this process");
                    let _ = tokio::signal::ctrl_c().await;
                }
            }
        }
    }
    #[cfg(not(unix))]
    async {
        let _ = tokio::signal::ctrl_c().await;
    }
}
