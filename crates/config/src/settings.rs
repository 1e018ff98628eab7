//! What a config says once names are resolved, units read and defaults filled in.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use engine::limits::{Limits, Sizes};
use engine::model::HashKey;
use engine::plan::{Datapoints, Plan, Privacy, Sessions};
use engine::rules::definition::{Definitions, Test};
use engine::view::Signal;

use super::content::Content;

/// Everything a config decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Addresses, and how the web port shows series.
    pub server: Server,
    /// The bounds an operator may move. Automatic ones assume no container limit until [`Settings::fit`].
    pub limits: Limits,
    /// The configured memory sizes.
    pub sizes: Sizes,
    /// What survives a restart.
    pub state: State,
    /// Where the bot's own bytes are passed on to.
    pub forward: Vec<Forward>,
    /// What must never be seen.
    pub privacy: Privacy,
    /// What becomes of the bot's own metrics.
    pub datapoints: Datapoints,
    /// Conversations; none: not followed.
    pub sessions: Option<Sessions>,
    /// What the bot promises its users.
    pub objectives: Vec<Objective>,
    /// What alerts and boards need to know that no metric says.
    pub alerting: Alerting,
    /// What people look at.
    pub content: Content,
    /// Names of the labels that every metric has which does not take them away (`labels`).
    pub common: Vec<String>,
    /// The rules.
    pub definitions: Definitions,
    /// How each of `definitions.metrics` is shown, in their order.
    pub presentations: Vec<Presentation>,
}

impl Settings {
    /// Sets the automatic sizes for a container limit of so many bytes; none: no limit.
    pub fn fit(&mut self, container: Option<usize>) {
        self.sizes.apply(container, &mut self.limits);
    }

    /// What of it the engine runs.
    pub fn plan<'s>(&'s self, key: &'s HashKey) -> Plan<'s> {
        Plan {
            key,
            definitions: &self.definitions,
            limits: &self.limits,
            datapoints: &self.datapoints,
            privacy: &self.privacy,
            sessions: self.sessions.as_ref(),
        }
    }
}

/// `server`.
#[derive(Clone, Debug, PartialEq)]
pub struct Server {
    /// Addresses of OTLP/gRPC.
    pub grpc: Vec<SocketAddr>,
    /// Addresses of OTLP/HTTP.
    pub http: Vec<SocketAddr>,
    /// Connections at once on each address of OTLP; none: `auto`.
    pub connections: Option<usize>,
    /// Origins that browsers may send from.
    pub cors: Vec<String>,
    /// Address of the web port.
    pub web: SocketAddr,
    /// Names of hosts that the web port is served as, beside addresses and `localhost`; none: every one.
    pub hosts: Vec<String>,
    /// How long a young series is first shown at 0; zero: never.
    pub zero_first: Duration,
    /// Whether OpenMetrics text has `_created` lines.
    pub created_lines: bool,
    /// At a stop: how long the web port waits until the last increments were scraped; zero: it does not wait.
    pub linger: Duration,
}

/// `state`.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Where; none: nothing is kept on disk.
    pub dir: Option<String>,
    /// How often it is written.
    pub interval: Duration,
}

/// One of `forward`.
#[derive(Clone, Debug, PartialEq)]
pub struct Forward {
    /// `http://` or `https://`, host and port, and a path in front of the paths of OTLP/HTTP; no slash at the end.
    pub endpoint: String,
    /// How it is spoken to.
    pub protocol: ForwardProtocol,
    /// What goes there.
    pub signals: Vec<Signal>,
    /// Bytes that may wait for it.
    pub queue: usize,
    /// For one attempt, the connection included.
    pub timeout: Duration,
    /// Headers of every request. The values may be secrets, and are marked so that nobody shows them.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Whom it has to be, and who we are; of use with `https://` alone.
    pub tls: ForwardTls,
}

/// How a forward target is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardProtocol {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP.
    Http,
}

/// Files in PEM; where a name is no whole path it begins beside the config.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ForwardTls {
    /// CA certificates; none: those of the system.
    pub ca_file: Option<PathBuf>,
    /// Our certificate and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl Forward {
    /// Host and port: what it is called in logs and labels.
    pub fn label(&self) -> String {
        let after = self.endpoint.split_once("://").map_or("", |(_, after)| after);
        after.split('/').next().unwrap_or_default().to_owned()
    }

    /// Makes the names of files whole: they begin in this folder.
    pub fn beside(&mut self, folder: &Path) {
        let pair = self.tls.identity.iter_mut().flat_map(|(one, other)| [one, other]);
        pair.chain(&mut self.tls.ca_file).for_each(|file| *file = folder.join(&*file));
    }
}

/// How a metric is shown to people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Presentation {
    /// Heading of its panel; empty: made from the name.
    pub title: String,
    /// Which row it belongs to; empty: none said.
    pub role: String,
    /// What its numbers are: `seconds`, `bytes`, `ratio`, `usd` or another word; empty: bare.
    pub unit: String,
}

/// One of `objectives`.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    /// Its name.
    pub name: String,
    /// What counts as good.
    pub indicator: Indicator,
    /// The share that must be good, above 0 and below 1.
    pub target: f64,
    /// Over how long.
    pub window: Duration,
    /// Events in a window on which alert thresholds are founded.
    pub expected: Option<f64>,
    /// How busy the bot is.
    pub traffic: Traffic,
}

/// How an objective tells good from bad.
#[derive(Clone, Debug, PartialEq)]
pub enum Indicator {
    /// All of a counter is good but this.
    Bad {
        /// Index of the metric.
        metric: usize,
        /// What is bad.
        bad: Vec<Match>,
        /// What doesn't count.
        ignore: Vec<Match>,
    },
    /// Observations of a histogram that don't exceed one of its edges are good.
    Under {
        /// Index of the metric.
        metric: usize,
        /// The edge.
        under: f64,
        /// What doesn't count.
        ignore: Vec<Match>,
    },
    /// One count over another.
    Ratio {
        /// What is good.
        good: Selection,
        /// Of what.
        total: Selection,
    },
}

/// Series of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// Index of the metric.
    pub metric: usize,
    /// Which of its series: all of these hold.
    pub matches: Vec<Match>,
}

/// A condition on a label of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The label.
    pub label: String,
    /// What its value must be: [`Test::AnyOf`], or that under [`Test::Not`].
    pub test: Test,
}

/// How busy the bot is, which decides what an alert may be founded on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the config's own words
pub enum Traffic {
    Low,
    #[default]
    Normal,
}

/// `alerting`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alerting {
    /// Address of the page of runbooks; the alert's name in small letters is the heading in it.
    pub runbooks: String,
    /// Address of the Grafana that has the boards, without a slash at the end; none: links begin at its root.
    pub grafana: Option<String>,
    /// Labels of every alert, such as the team it is for.
    pub labels: Vec<(String, String)>,
    /// How many messages the bot can work on at once.
    pub slots: Option<usize>,
    /// US dollars that a day may cost.
    pub cost_per_day: Option<f64>,
}
