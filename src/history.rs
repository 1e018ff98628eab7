//! `demo --history`: the simulated bot's past through the exporter's own pipeline, scrape by scrape.
//!
//! The pipeline is the one that serves; only its clock is simulated. Nothing listens, and nothing is slower than it must be.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use config::Settings;
use engine::counters::{Counters, Protocol};
use engine::limits;
use engine::model::HashKey;
use engine::pipeline::{Encoding, Pipeline};
use engine::timestamp::Timestamp;
use server::clock;
use server::scrape::Scrapers;
use server::self_metrics::Telemetry;
use simulator::past::{Calendar, Past};

use super::args::{DemoArgs, HistoryArgs};
use server::service::source::{self, Location};

use super::{Exit, Failure, log};

mod tape;

use tape::Tape;

/// Who scrapes.
const SCRAPER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SECOND: u64 = 1_000_000_000;

/// The times of the scrapes: whole seconds, the last one at the end.
#[derive(Clone, Copy, Debug)]
struct Times {
    begin: Timestamp,
    step: Duration,
    count: u32,
}

/// Writes the past of these arguments.
///
/// # Errors
///
/// [`Exit::Usage`] when the times make no sense, [`Exit::Data`] when the config has faults or a file can't be written.
pub fn run(args: &DemoArgs, length: Duration) -> Result<(), Failure> {
    let flags = &args.history;
    let times = Times::new(flags, length)?;
    let Some(out) = &flags.out else {
        return Err(Failure::new(Exit::Usage, "--history needs --out"));
    };
    let mut tape = Tape::new(flags)?;
    log::start(args.serve.log_format, args.serve.log_level);
    let file = args.serve.config_file.as_deref();
    let settings = &source::settings(Location::new(file, args.serve.packs.as_deref()))?;
    // The same seed is the same history, its registers too.
    let own = HashKey::from_secret(&args.seed.to_le_bytes());
    let key = source::hash_key(file, settings)?.unwrap_or(own);
    let began = clock::monotonic();
    let cannot = |path: &std::path::Path, why: io::Error| {
        Failure::new(Exit::Data, format!("cannot write {}: {why}", path.display()))
    };
    let mut file = BufWriter::new(File::create(out).map_err(|why| cannot(out, why))?);
    let past = play(args, settings, &key, times, &mut tape)?;
    let at = |scrape: u32| times.at(scrape).0 / SECOND;
    let written = tape.write(&at, &mut file).and_then(|bytes| file.flush().map(|()| bytes));
    let bytes = written.map_err(|why| cannot(out, why))?;
    if let Some(path) = &args.truth {
        let mut truth = past.truth().clone();
        truth.finished = true;
        truth.write(path).map_err(|why| cannot(path, why))?;
    }
    let (series, samples) = (tape.series(), tape.samples());
    let seconds = began.elapsed().as_secs_f64();
    let scrapes = times.count + 1;
    tracing::info!(event = "history_written", scrapes, series, samples, bytes, seconds);
    Ok(())
}

/// Lets it happen, and scrapes it.
fn play(
    args: &DemoArgs,
    settings: &Settings,
    key: &HashKey,
    times: Times,
    tape: &mut Tape,
) -> Result<Past, Failure> {
    let begin = times.begin;
    let counters = Arc::new(Counters::default());
    let telemetry = Arc::new(Telemetry::new(env!("CARGO_PKG_VERSION"), counters.clone(), begin));
    telemetry.reloaded(true, begin);
    let pipeline = Arc::new(Pipeline::new(settings.plan(key), counters, begin));
    let scraper = Arc::new(Scrapers::new(pipeline.scraped().clone())).connect(SCRAPER);
    // As if it were scraped as often as others are: a birth is never older than a step.
    let zero_first =
        if settings.server.zero_first.is_zero() { Duration::ZERO } else { 2 * times.step };
    let before_end = args.history.incident_before_end;
    let incident = times.at(times.count).before(before_end);
    let script = args.script(Calendar::of(begin).seconds(incident));
    let mut past = Past::new(args.seed, begin, script);
    let visible = io::stderr().is_terminal();
    for scrape in 0..=times.count {
        let now = times.at(scrape);
        for moment in times.between(scrape) {
            ingest(&mut past, &pipeline, moment)?;
            pipeline.tick(moment);
            let families = pipeline.gather(moment, false, |_| {});
            families
                .chain(telemetry.families_of(&pipeline, moment))
                .for_each(|piece| tape.glance(&piece));
        }
        ingest(&mut past, &pipeline, now)?;
        pipeline.tick(now);
        // The last one shows what is there: no other comes after it.
        let window = if scrape == times.count { Duration::ZERO } else { zero_first };
        let zero_first = scraper.zero_first(window, now);
        let show = |piece: &mut _| {
            zero_first(piece);
        };
        let families =
            pipeline.gather(now, false, show).chain(telemetry.families_of(&pipeline, now));
        families.for_each(|piece| tape.keep(&piece, scrape));
        tape.end(scrape);
        scraper.completed(now, None);
        telemetry.scraped(&Default::default());
        if visible && scrape % 100 == 0 {
            // Progress that cannot be shown is no reason to stop.
            let _ = write!(io::stderr().lock(), "\r{scrape:>7} of {} scrapes", times.count + 1);
        }
    }
    if visible {
        let _ = writeln!(io::stderr().lock());
    }
    Ok(past)
}

/// Everything that was sent by then goes in, each request at its time.
fn ingest(past: &mut Past, pipeline: &Pipeline, until: Timestamp) -> Result<(), Failure> {
    while let Some(sent) = past.next_until(until) {
        let (door, form) = (Protocol::Grpc, Encoding::Protobuf);
        let taken = pipeline.ingest(door, sent.signal, form, &sent.bytes, sent.at);
        taken.map_err(|refused| Failure::new(Exit::Internal, refused.message))?;
    }
    Ok(())
}

impl Times {
    fn new(flags: &HistoryArgs, length: Duration) -> Result<Self, Failure> {
        let step = flags.step.as_secs();
        let count = length.as_secs().checked_div(step).unwrap_or_default();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if step == 0 || flags.step.subsec_nanos() != 0 {
            return Err(Failure::new(Exit::Usage, "--step is whole seconds"));
        }
        if count == 0 || count > limits::HISTORY_SCRAPES {
            let most = limits::HISTORY_SCRAPES;
            let fault = format!("--history has {count} steps: 1 to {most} are possible");
            return Err(Failure::new(Exit::Usage, fault));
        }
        let end = flags.end.unwrap_or(clock::now().0 / SECOND);
        let Some(begin) = end.checked_sub(step * u64::from(count)).filter(|begin| *begin > 0)
        else {
            return Err(Failure::new(Exit::Usage, "--history begins before 1970"));
        };
        let begin = Timestamp(begin.saturating_mul(SECOND));
        Ok(Self { begin, step: flags.step, count })
    }

    /// The times between the scrape before and this one, as far apart as registers are shown.
    fn between(self, scrape: u32) -> impl Iterator<Item = Timestamp> {
        let window = u64::try_from(limits::REGISTER_WINDOW.as_nanos()).unwrap_or(u64::MAX);
        let (before, now) = (self.at(scrape.saturating_sub(1)).0, self.at(scrape).0);
        let step = usize::try_from(window.max(1)).unwrap_or(usize::MAX);
        (before..now).step_by(step).skip(1).map(Timestamp)
    }

    fn at(&self, scrape: u32) -> Timestamp {
        let since = u64::try_from((self.step * scrape).as_nanos()).unwrap_or(u64::MAX);
        Timestamp(self.begin.0.saturating_add(since))
    }
}
