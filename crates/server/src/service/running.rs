//! A server: sockets and the threads behind them.
//!
//! OTLP, the web port and forwarding have a thread and a runtime each, so that neither a scrape nor a slow target is ever felt by a
//! sender.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::time::MissedTickBehavior;

use crate::clock;
use crate::forwarders::Forwarders;
use crate::live::Live;
use crate::net::{self, Address, Bound, Deadlines, Door, Drain, Drained, ListenerEvents, Opening};
use crate::receivers::{Admission, Intake, Ports, RefusalLog, otlp_grpc, otlp_http};
use crate::scrape::{self, Readiness, Refusals, Reload, Scrapers, Slots, Web};
use crate::self_metrics::{self, Listener, Telemetry};
use engine::limits;
use engine::pipeline::Pipeline;

use super::descriptors;
use super::engine_log;
use super::options::ServeOptions;
use super::part::Part;
use super::state::Keeper;
use crate::exit::{Exit, Failure};

/// A server that serves.
pub struct Running {
    pipeline: Arc<Pipeline>,
    /// What listens where.
    pub addresses: Vec<(&'static str, SocketAddr)>,
    /// Where what was taken is passed on to; a reload may change it.
    pub forwarders: Arc<Forwarders>,
    keeper: Option<Keeper>,
    readiness: Readiness,
    scrapers: Arc<Scrapers>,
    live: Live,
    deadlines: Deadlines,
    otlp: Part,
    forward: Part,
    web: Part,
}

/// Binds everything, or nothing, and serves on threads of its own.
///
/// # Errors
///
/// [`Exit::Unavailable`] with the address that can't be had.
pub fn start(
    options: ServeOptions,
    (pipeline, telemetry): (Arc<Pipeline>, Arc<Telemetry>),
    reload: Reload,
) -> Result<Running, Failure> {
    keep_memory();
    let bind = |addresses: &[Address]| {
        net::bind(addresses).map_err(|error| Failure::new(Exit::Unavailable, error))
    };
    let grpc = bind(&options.grpc)?;
    let http = bind(&options.http)?;
    let web_bound = bind(&options.web)?;
    let addresses: Vec<_> = [("otlp_grpc", &grpc), ("otlp_http", &http), ("web", &web_bound)]
        .into_iter()
        .flat_map(|(what, bound)| bound.iter().map(move |bound| (what, bound.address)))
        .collect();
    for (what, address) in &addresses {
        tracing::info!(event = "listening", what, %address);
    }

    let ServeOptions { deadlines, live, access, telemetry_path, mark_scrape, .. } = options;
    let readiness = Readiness::default();
    let forward = Part::start("forward", |_| {})?;
    let place = (forward.runtime.clone(), forward.drain.clone());
    let forwarders = Arc::new(Forwarders::new(telemetry.clone(), deadlines, live.clone(), place));
    forwarders.retarget(&options.forward);
    let offered = forwarders.clone();
    let intake = Arc::new(Intake {
        pipeline: pipeline.clone(),
        events: [Listener::OtlpGrpc, Listener::OtlpHttp].map(|one| events(one, &telemetry)),
        refusals: RefusalLog::default(),
        admission: Admission::new(live.clone()),
        live: live.clone(),
        ports: Ports { grpc: first(&grpc), http: first(&http) },
        deadlines,
        taken: Arc::new(move |request| offered.offer(request)),
    });
    let scrapers = Arc::new(Scrapers::new(pipeline.scraped().clone()));
    let web = Arc::new(Web {
        pipeline: pipeline.clone(),
        telemetry: telemetry.clone(),
        access,
        telemetry_path,
        live: live.clone(),
        readiness: readiness.clone(),
        reload,
        addresses: addresses.clone(),
        deadlines,
        scrapers: scrapers.clone(),
        mark_scrape,
        slots: Slots::default(),
        refusals: Refusals::new(telemetry.clone()),
        lifecycle: options.lifecycle,
    });
    let admission = intake.admission.clone();
    let caps = descriptors::caps(options.connections, [grpc.len() + http.len(), web_bound.len()]);
    let otlp = otlp((grpc, http), intake, caps.otlp)?;
    let web = web_port(web_bound, web, caps.web)?;
    let (limited, watched) = (live.clone(), web.drain.clone());
    web.drain.spawn_on(async move { watch(&admission, &limited, &watched).await }, &web.runtime);
    let (expiring, ours) = (pipeline.clone(), forward.drain.clone());
    // Not on the threads of OTLP and scrapes: it may look at every series.
    forward.drain.spawn_on(async move { expire(&expiring, &ours).await }, &forward.runtime);
    let (counters, watched) = (pipeline.counters().clone(), web.drain.clone());
    web.drain.spawn_on(async move { engine_log::watch(&counters, &watched).await }, &web.runtime);
    readiness.set(true);
    let keeper = None;
    Ok(Running {
        pipeline,
        addresses,
        forwarders,
        keeper,
        readiness,
        scrapers,
        live,
        deadlines,
        otlp,
        forward,
        web,
    })
}

/// The port of the first address.
fn first(bound: &[Bound]) -> Option<u16> {
    bound.first().map(|bound| bound.address.port())
}

/// glibc gives what is free at the end of its heap back to the system, and each request's body then costs page faults. How much is
/// worth keeping it learns from the large pieces that are freed (mallopt(3), "dynamic mmap threshold"): here is one, never touched.
fn keep_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(limits::KEPT_MEMORY)));
}

fn otlp(
    (grpc, http): (Vec<Bound>, Vec<Bound>),
    intake: Arc<Intake>,
    connections: usize,
) -> Result<Part, Failure> {
    Part::start("otlp", move |drain| {
        let [grpc_events, http_events] = intake.events.clone();
        let deadlines = intake.deadlines;
        for bound in grpc {
            let (intake, ours) = (intake.clone(), drain.clone());
            let (opening, events) = (Opening::Preface, grpc_events.clone());
            let door = Door { connections, opening, deadlines, drain: drain.clone(), events };
            let serve = move |accepted| otlp_grpc::serve(accepted, intake.clone(), ours.clone());
            drain.spawn(async move { tell(door.accept(bound, serve).await) });
        }
        for bound in http {
            let (intake, ours) = (intake.clone(), drain.clone());
            let (opening, events) = (Opening::FirstByte, http_events.clone());
            let door = Door { connections, opening, deadlines, drain: drain.clone(), events };
            let serve = move |accepted| otlp_http::serve(accepted, intake.clone(), ours.clone());
            drain.spawn(async move { tell(door.accept(bound, serve).await) });
        }
    })
}

fn web_port(bound: Vec<Bound>, web: Arc<Web>, connections: usize) -> Result<Part, Failure> {
    let events = events(Listener::Web, &web.telemetry);
    Part::start("web", move |drain| {
        for bound in bound {
            let (web, ours) = (web.clone(), drain.clone());
            let (opening, deadlines) = (Opening::FirstByte, web.deadlines);
            let (drain_of_door, events) = (drain.clone(), events.clone());
            let door = Door { connections, opening, deadlines, drain: drain_of_door, events };
            let serve = move |accepted| scrape::serve(accepted, web.clone(), ours.clone());
            drain.spawn(async move { tell(door.accept(bound, serve).await) });
        }
    })
}

fn events(listener: Listener, telemetry: &Telemetry) -> Arc<ListenerEvents> {
    Arc::new(ListenerEvents::new(listener, telemetry.listener(listener)))
}

/// Measures the process against what it may have, until the end begins. The doors can't do it: who asks the kernel waits.
async fn watch(admission: &Admission, live: &Live, drain: &Drain) {
    let mut tick = tokio::time::interval(limits::MEMORY_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = drain.begun() => return,
            _ = tick.tick() => {}
        }
        let Some(resident) = self_metrics::resident() else { return };
        let most = live.get().memory;
        match admission.measure(resident) {
            Some(true) => {
                let help = "raise `limits.memory`, or make less series: see oscar_metrics_series";
                tracing::error!(event = "memory_limit_reached", resident, most, help);
            }
            Some(false) => tracing::info!(event = "memory_limit_left", resident, most),
            None => {}
        }
    }
}

/// What time alone does to series and senders, until the drain begins.
async fn expire(pipeline: &Pipeline, drain: &Drain) {
    let mut tick = tokio::time::interval(limits::EXPIRY.1);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = drain.begun() => return,
            _ = tick.tick() => pipeline.tick(clock::now()),
        }
    }
}

fn tell(accepted: std::io::Result<()>) {
    if let Err(error) = accepted {
        tracing::error!(event = "listener_failed", %error);
    }
}

impl Running {
    /// Where this listens, the first address of it.
    pub fn address(&self, what: &str) -> Option<SocketAddr> {
        self.addresses.iter().find(|(name, _)| *name == what).map(|(_, address)| *address)
    }

    /// From now on it has state to keep when it ends.
    pub fn keep(&mut self, keeper: Keeper) {
        self.keeper = Some(keeper);
    }

    /// Ends in phases: no traffic is wanted any more; then OTLP is drained and the state is kept; then what waits for forward targets
    /// is sent, while scrapers get the last numbers; then the web port ends.
    pub async fn stop(&self) -> Drained {
        self.readiness.set(false);
        let end = clock::monotonic() + self.deadlines.drain;
        let left = || end.saturating_duration_since(clock::monotonic());
        let otlp = self.otlp.drain.finish(left().mul_f64(0.7)).await;
        match &self.keeper {
            None => self.pipeline.end_conversations(clock::now()),
            Some(keeper) => {
                let is_quiet = self.otlp.ended(left().mul_f64(0.3)).await;
                keeper.finish(is_quiet, left().mul_f64(0.7), &self.pipeline).await;
            }
        }
        let (forwarding, closing) = (left().mul_f64(0.9), left().mul_f64(0.1));
        let (forward, ()) = tokio::join!(self.forward.drain.finish(forwarding), self.linger());
        let web = self.web.drain.finish(left().max(closing)).await;
        let cut = [otlp, forward, web].map(|drained| match drained {
            Drained::Clean => 0,
            Drained::Cut(tasks) => tasks,
        });
        match cut.iter().sum() {
            0 => Drained::Clean,
            tasks => Drained::Cut(tasks),
        }
    }

    /// Waits until every scraper has been shown all there is, for as long as the config lets it.
    async fn linger(&self) {
        let were_shown = || self.scrapers.were_shown(self.pipeline.changes(), clock::now());
        let linger = self.live.get().linger;
        if linger.is_zero() || were_shown() {
            return;
        }
        tracing::info!(event = "waiting_for_scrapes", at_most = ?linger);
        let shown = async {
            while !were_shown() {
                self.scrapers.news().await;
            }
        };
        if tokio::time::timeout(linger, shown).await.is_err() {
            let help = "raise `server.web.linger` to two scrape intervals and a margin";
            tracing::warn!(event = "last_increments_not_scraped", help);
        }
    }

    /// Waits for the threads of a server that was stopped.
    pub fn join(self) {
        self.otlp.join();
        self.forward.join();
        self.web.join();
    }
}
