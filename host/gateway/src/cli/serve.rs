//! `consentry serve`.

use std::future::Future;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{BadArgument, ServeArgs};
use crate::delivery::{self, Target};
use crate::gateway::Gateway;
use crate::http::gate::Upstreams;
use crate::http::webhooks::Providers;
use crate::keys::KeyRing;
use crate::policies::Centre;
use crate::{alerts, decisions, evidence, http, policies, telemetry};

pub(super) async fn run(args: ServeArgs) -> anyhow::Result<()> {
    telemetry::start_logging(args.log_format);
    if args.migrate_only {
        args.store.open().await?;
        tracing::info!("the store's schema is up to date");
        return Ok(());
    }
    let keys = args
        .keys
        .as_deref()
        .map(KeyRing::load)
        .transpose()
        .map_err(|error| BadArgument(format!("{error:#}")))?
        .map(Arc::new);
    if keys.is_none() && !args.listen.ip().is_loopback() {
        let problem = format!(
            "without API keys only a loopback address is served, and {} is none; make a key with \
             \"consentry key NAME --scope write\" and name its file with --keys",
            args.listen
        );
        return Err(BadArgument(problem).into());
    }
    let alerts = args
        .alerts_to
        .map(|url| Target::new(url, args.alerts_secret.as_deref()))
        .transpose()
        .map_err(|error| BadArgument(format!("where alerts go: {error:#}")))?;
    let providers = args
        .webhooks
        .providers()
        .map_err(|error| BadArgument(format!("{error:#}")))?;
    let upstreams = args
        .gate
        .upstreams()
        .map_err(|error| BadArgument(format!("{error:#}")))?;
    let receipts = Arc::new(args.receipts.load(&args.store)?);
    let checkpoint_every = Duration::from_secs(args.checkpoint_every.get().into());
    let rollback_after = args.rollback_after.map(NonZeroU32::get);
    let mut policies = args
        .policy
        .start(Some(&args.store))?
        .roll_back_after(rollback_after);
    if let Some(url) = &args.policy_from {
        let file = args.store.beside(".policy.wasm");
        policies = policies.with_centre(Centre::new(url, args.policy_from_key, file)?);
    }
    let gateway = Gateway::new(policies, args.store.open().await?)
        .with_receipts(Arc::clone(&receipts))
        .with_decisions_kept(args.decisions_kept);
    let gateway = args.number.put_into(gateway)?;
    policies::take_up(&gateway).await;
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("listening on {}", args.listen))?;
    let address = listener.local_addr()?;
    tracing::info!(%address, policy = %gateway.policy().digest(), "serving");
    let told_to_stop = told_to_stop()?;
    let closing = gateway.clone();
    let told_to_stop = async move {
        told_to_stop.await;
        closing.close();
    };
    if let Some(target) = alerts {
        tokio::spawn(delivery::deliver(gateway.clone(), target));
    }
    tokio::spawn(policies::follow(gateway.clone()));
    tokio::spawn(alerts::keep(gateway.clone()));
    tokio::spawn(evidence::keep(
        gateway.clone(),
        Arc::clone(&receipts),
        checkpoint_every,
    ));
    tokio::spawn(decisions::keep(gateway.clone()));
    serve(
        listener,
        gateway.clone(),
        keys,
        providers,
        upstreams,
        told_to_stop,
    )
    .await?;
    alerts::write(&gateway).await;
    decisions::write(&gateway).await;
    if let Err(error) = evidence::seal(gateway.store(), &receipts).await {
        tracing::error!(%error, "no last checkpoint could be made");
    }
    tracing::info!("stopped");
    Ok(())
}

/// Serves until `stop` is done, then lets open requests end and what is waiting be written.
pub(super) async fn serve(
    listener: TcpListener,
    gateway: Gateway,
    keys: Option<Arc<KeyRing>>,
    providers: Providers,
    upstreams: Upstreams,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let metrics = PrometheusBuilder::new()
        .set_buckets(&[
            0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0,
        ])?
        .install_recorder()?;
    http::serve(
        listener,
        http::router(gateway, keys, providers, upstreams, metrics),
        stop,
    )
    .await;
    Ok(())
}

fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    })
}

/// The address that a listener on a free port of loopback got.
pub(super) async fn local() -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
