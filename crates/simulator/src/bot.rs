//! The simulated bot at work: happenings become spans and log records on the real OpenTelemetry SDK, sent over gRPC.
//!
//! The simulated clock, `speed` times as fast as the wall's, says *when* something is over; what takes 20 seconds takes 20
//! seconds in its spans at every speed. So nothing is ever told from the future, and turns of one conversation may overlap
//! on the wall clock when time is compressed.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::SpanContext;
use tokio::time::MissedTickBehavior;

use super::TrafficError;
use super::day;
use super::incident::{Incident, Script, VERSIONS};
use super::model::{Model, Moment, opening};
use super::story;
use super::truth::{self, Truth};
use crate::clock;
use engine::limits;
use engine::timestamp::Timestamp;

mod export;
mod sdk;

use sdk::{Sdk, Tallies};

/// How often the bot looks what is due.
const TICK: Duration = Duration::from_millis(100);
/// How often the truth is written.
const TRUTH_EVERY: Duration = Duration::from_secs(1);

/// What to simulate.
#[derive(Clone, Debug)]
pub struct BotOptions {
    /// OTLP/gRPC endpoint, `http://host:port`.
    pub endpoint: String,
    /// Simulated seconds a second; 60 is a day in 24 minutes.
    pub speed: f64,
    /// The same seed is the same bot.
    pub seed: u64,
    /// Where to write what was really done.
    pub truth: Option<PathBuf>,
    /// When to stop by itself.
    pub duration: Option<Duration>,
    /// What goes wrong, and when.
    pub incident: Option<Script>,
}

/// Runs the bot until `stop` comes or its time is over, and tells what it did.
///
/// # Errors
///
/// When the endpoint is no address, the SDK cannot be set up, or the truth file cannot be written. An endpoint that is
/// merely away is no error: what could not be sent is counted.
pub async fn run(
    options: BotOptions,
    stop: impl Future<Output = ()>,
) -> Result<Truth, TrafficError> {
    if !(options.speed.is_finite() && options.speed > 0.0) {
        return Err(TrafficError::Sdk(format!("speed {} is not above 0", options.speed)));
    }
    let mut bot = Bot::new(options)?;
    let over = bot.options.duration;
    let limit = async move {
        match over {
            Some(after) => tokio::time::sleep(after).await,
            None => std::future::pending().await,
        }
    };
    let worked = tokio::select! {
        worked = bot.work() => worked,
        () = stop => Ok(()),
        () = limit => Ok(()),
    };
    let finished = bot.finish().await;
    worked.and(finished)
}

struct Bot {
    options: BotOptions,
    model: Model,
    sdk: Sdk,
    /// The version that an incident deploys.
    deployed: Option<Sdk>,
    tallies: Tallies,
    truth: Truth,
    started: Timestamp,
    /// What the model has begun, by the microsecond of its end.
    going_on: BTreeMap<(u64, u64), Moment>,
    begun: u64,
    /// The next that the model will begin.
    next: Option<Moment>,
    /// The last span of a conversation, for links; forgotten all together when there are too many.
    conversations: HashMap<u64, SpanContext>,
}

impl Bot {
    fn new(options: BotOptions) -> Result<Self, TrafficError> {
        let tallies = Tallies::default();
        let sdk = |version| Sdk::new(&options.endpoint, version, &tallies);
        let deploys = |script: &Script| script.incident == Incident::BadDeploy;
        let deployed = options.incident.filter(deploys).map(|_| sdk(VERSIONS.1)).transpose()?;
        let sdk = sdk(VERSIONS.0)?;
        let (mut model, opening) = sdk.load_config(|| {
            let from = day::FIRST_MOMENT - opening::SPAN;
            let mut model = Model::with(options.seed, from, options.incident);
            let opening = model.opening(day::FIRST_MOMENT);
            (model, opening)
        });
        let started = clock::now();
        let mut truth = Truth::new(options.seed, options.speed);
        truth.spans.made = 1; // the one that loaded the config
        truth.started_unix_seconds = started.seconds();
        truth.incident =
            options.incident.map(|script| truth::Incident::new(script, day::FIRST_MOMENT));
        let mut bot = Self {
            next: model.next(),
            options,
            model,
            sdk,
            deployed,
            tallies,
            truth,
            started,
            going_on: BTreeMap::new(),
            begun: 0,
            conversations: HashMap::new(),
        };
        opening.into_iter().for_each(|moment| bot.begin(moment));
        Ok(bot)
    }

    async fn work(&mut self) -> Result<(), TrafficError> {
        let began = clock::monotonic();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut written = began;
        loop {
            tick.tick().await;
            let simulated = day::FIRST_MOMENT + began.elapsed().as_secs_f64() * self.options.speed;
            self.announce(simulated);
            self.advance(simulated);
            if written.elapsed() >= TRUTH_EVERY {
                written = clock::monotonic();
                self.write_truth().await?;
            }
        }
    }

    /// Logs the begin and the end of an incident, each once.
    fn announce(&mut self, simulated: f64) {
        let Some((script, books)) = self.options.incident.zip(self.truth.incident.as_mut()) else {
            return;
        };
        let incident = script.incident.name();
        if simulated >= script.from && books.began_unix_seconds.is_none() {
            books.began_unix_seconds = Some(clock::now().seconds());
            let lasts_seconds = (script.until - script.from) / self.options.speed;
            tracing::info!(event = "incident_began", incident, lasts_seconds);
        }
        if simulated >= script.until && books.ended_unix_seconds.is_none() {
            books.ended_unix_seconds = Some(clock::now().seconds());
            let (turns, changed) = (books.turns, books.changed);
            tracing::info!(event = "incident_ended", incident, turns, changed);
        }
    }

    /// Lets everything happen that is over by now, as far as the SDK keeps up.
    fn advance(&mut self, simulated: f64) {
        while let Some(next) = self.next.take_if(|next| next.at <= simulated) {
            self.begin(next);
            self.next = self.model.next();
            if self.going_on.len() >= limits::BOT_PENDING {
                break;
            }
        }
        let now = (simulated * 1e6) as u64;
        while let Some(entry) = self.going_on.first_entry() {
            self.truth.spans = self.tallies.spans(self.truth.spans.made);
            if entry.key().0 > now || self.truth.spans.pending() > limits::BOT_PENDING as u64 {
                break;
            }
            let moment = entry.remove();
            self.tell(&moment);
        }
    }

    fn begin(&mut self, moment: Moment) {
        self.begun += 1;
        let end = moment.at + moment.what.duration();
        self.going_on.insert(((end * 1e6) as u64, self.begun), moment);
    }

    fn tell(&mut self, moment: &Moment) {
        if !self.truth.happened(moment) {
            return;
        }
        let version = self.options.incident.map(|script| script.version(moment.at));
        let deployed = self.deployed.as_ref().filter(|_| version == Some(VERSIONS.1));
        let sdk = deployed.unwrap_or(&self.sdk);
        let duration = moment.what.duration();
        let since = (moment.at + duration - day::FIRST_MOMENT) / self.options.speed - duration;
        let begin = shift(system_time(self.started), (since * 1e9) as i64);
        for trace in story::tell(&moment.what) {
            let follows = trace.follows.and_then(|id| self.conversations.get(&id)).cloned();
            self.truth.told(&trace);
            let context = sdk.send(&trace, begin, follows);
            if let (Some(conversation), Some(context)) = (trace.conversation, context) {
                if self.conversations.len() >= limits::BOT_PENDING {
                    self.conversations.clear();
                }
                self.conversations.insert(conversation, context);
            }
        }
    }

    async fn write_truth(&mut self) -> Result<(), TrafficError> {
        self.truth.spans = self.tallies.spans(self.truth.spans.made);
        self.truth.log_records = self.tallies.log_records(self.truth.log_records.made);
        let Some(path) = self.options.truth.clone() else { return Ok(()) };
        let truth = self.truth.clone();
        let written = tokio::task::spawn_blocking(move || {
            let path_text = path.display().to_string();
            truth.write(&path).map_err(|why| TrafficError::Truth { path: path_text, why })
        });
        written.await.map_err(|why| TrafficError::Sdk(why.to_string()))?
    }

    /// Flushes the SDK and closes the books.
    async fn finish(mut self) -> Result<Truth, TrafficError> {
        for sdk in [Some(&self.sdk), self.deployed.as_ref()].into_iter().flatten() {
            sdk.shutdown().await?;
        }
        self.truth.finished = true;
        self.write_truth().await?;
        Ok(self.truth)
    }
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(at.0)
}

/// A time so many nanoseconds later, or earlier.
fn shift(at: SystemTime, nanos: i64) -> SystemTime {
    let by = Duration::from_nanos(nanos.unsigned_abs());
    let shifted = if nanos < 0 { at.checked_sub(by) } else { at.checked_add(by) };
    shifted.unwrap_or(at)
}
