//! The simulator alone, without the rest of Slipway: quick to build while one works on it. `slipway sim` is what people run.
//! The secret to sign in with is in `identity.json` of the data directory, the authority to trust in `ca.pem`.
//!
//! `cargo run -p azure-sim --example sim -- DATA PORT [SPEED]`

use std::net::{Ipv4Addr, SocketAddr};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let data = arguments.next().ok_or("the data directory is missing")?;
    let port = arguments.next().map_or(Ok(0), |port| port.parse())?;
    let speed = arguments.next().map_or(Ok(20.0), |speed| speed.parse())?;
    let running = azure_sim::start(azure_sim::Config {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        data: Some(data.into()),
        speed,
        ..azure_sim::Config::default()
    })
    .await?;
    println!("Simulated Azure on {}", running.endpoint);
    std::future::pending::<()>().await;
    Ok(())
}
