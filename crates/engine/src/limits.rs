//! Every bound of the product: unit, default and reason, in one place.
//!
//! A bound that an operator may move is a field of [`Limits`]; one that nobody should need to move is a constant. Nothing
//! else in the tree may hold a number that decides how much is too much.

use std::time::Duration;

/// One kibibyte.
pub const KIB: usize = 1024;
/// One mebibyte.
pub const MIB: usize = 1024 * KIB;

/// Label sets of all metrics together: about 25 MiB when each is a 16-bucket histogram.
pub const SERIES: usize = 50_000;
/// Label sets of one metric: what the OpenTelemetry SDKs allow too, so a bot meets no lower limit here than at home.
pub const SERIES_PER_METRIC: usize = 2_000;
/// Bytes of a label value; longer ones are cut at a character. A longer one is content, not a dimension.
pub const LABEL_VALUE: usize = 256;
/// Series of one family that are copied or looked at under one lock: some 20 us, the longest that a change waits for a scrape.
pub const SERIES_AT_ONCE: usize = 64;
/// Times that a look at series gives way to changes before it waits for its turn: a millisecond or so.
pub const LOOKS_PATIENCE: usize = 1_000;
/// How long an undeclared series may be idle before it is forgotten: a day, so that daily jobs keep theirs.
pub const IDLE: Duration = Duration::from_secs(24 * 3600);
/// Bytes of the whole process without a container limit: over it nothing more is taken until there is room again.
pub const MEMORY: usize = 512 * MIB;
/// The part of the container's memory limit that the process may use, in per cent. The rest is for what the allocator keeps and the
/// kernel charges to the container.
pub const MEMORY_SHARE: usize = 80;
/// How often the process is measured against [`MEMORY`]: at the highest rate a request a time makes some MiB more.
pub const MEMORY_INTERVAL: Duration = Duration::from_millis(250);
/// Fingerprints kept to tell a resent span; two generations of this many, 8 bytes each.
pub const DEDUPE_ENTRIES: usize = 262_144;
/// Parts of a generation: at 262,144 fingerprints each has room for 3,584 in 36 KiB, and its last growth moves 1,792 of them, some
/// 20 us. With 64 parts half of them would have to be twice as large.
pub const DEDUPE_PARTS: usize = 80;
/// How long a resent span is told as such: longer than any exporter's retries.
pub const DEDUPE_WINDOW: Duration = Duration::from_secs(3_600);

/// Highest sampling weight that is accepted where the config sets no other: one span kept of a million. It comes in a header that
/// anybody may send; a double still counts single spans beside thousands of millions of such ones.
pub const SAMPLING_MOST: f64 = 1e6;
/// Time between two looks at what the engine counted and the log has to report: soon after an operator tries something.
pub const ENGINE_LOG_INTERVAL: Duration = Duration::from_secs(1);
/// Largest increment, value times weight, of a counter or of a histogram's sum: 9,000 of them and a double still counts by ones.
pub const INCREMENT: f64 = 1e12;
/// Longest duration of a span, an event or a conversation: a longer one comes of a wrong clock or unit.
pub const DURATION: Duration = Duration::from_secs(7 * 24 * 3600);
/// How far a record's time may be ahead of its arrival and still be shown: clocks in a data center differ by less.
pub const CLOCK_AHEAD: Duration = Duration::from_secs(60);
/// How far our own clock must go back to have been set: several threads write, each by the arrival of its request, and the requests
/// that are worked on at once arrived closer together.
pub const CLOCK_STEP: Duration = Duration::from_secs(5);

/// Bytes of one OTLP request, before and after it is inflated, where memory allows: the limit that OTLP recommends. The SDKs send
/// 512 spans: under 1 MiB, and some 50 MiB when each has a long prompt.
pub const REQUEST: usize = 64 * MIB;
/// Requests in flight may use one part in so many of [`Limits::memory`]. Over it the answer is a retryable "overload" at once.
pub const IN_FLIGHT_PART: usize = 2;
/// One part in so many of [`Limits::in_flight`] is kept for small requests.
pub const SMALL_PART: usize = 8;
/// Bytes of a small request, for which there is room beside large ones: a usual batch of an SDK fits.
pub const SMALL_REQUEST: usize = 256 * KIB;
/// Bytes of the largest body whose memory the allocator keeps for the next one, and half of what glibc keeps in all. A larger body has
/// memory of its own, which goes back to the system at once.
pub const KEPT_MEMORY: usize = 2 * MIB;
/// Workspaces that requests leave to the next ones: as many as run at once on any machine this is for.
pub const WORKSPACES: usize = 16;
/// Bytes of a workspace that is kept; a larger one is given back. A chunk of usual spans fits.
pub const WORKSPACE: usize = 4 * MIB;
/// Spans, log records or data points that are evaluated and committed together: a request of no more is walked
/// once. A larger one is counted first and then committed in chunks of so many. The SDKs send 512 items.
pub const CHUNK_ITEMS: usize = 8_192;
/// Events of spans in one chunk: four for each.
pub const CHUNK_EVENTS: usize = 4 * CHUNK_ITEMS;
/// Attributes of data points in one chunk: eight for each.
pub const CHUNK_ATTRIBUTES: usize = 8 * CHUNK_ITEMS;
/// What rules made of the items of one chunk: updates, skips, guards and the like, up to 80 bytes each.
pub const CHUNK_UPDATES: usize = 16 * CHUNK_ITEMS;
/// Bytes of label values and other text that rules made of one chunk.
pub const CHUNK_TEXT: usize = 4 * MIB;
/// Bytes that one chunk holds while it is evaluated, attributes of a single resource or point apart: what a request that comes in
/// chunks holds of the budget beside its body.
pub const CHUNK: usize = 16 * MIB;
/// Bytes that a request is charged for a span; for all its items together it may be charged as much as it may be large. What it holds
/// is less, because it is evaluated in chunks: the charge bounds work, and an empty item is as much work as a small one.
pub const SPAN_CHARGE: usize = 512;
/// Bytes that a request is charged for an event of a span.
pub const EVENT_CHARGE: usize = 256;
/// Bytes that a request is charged for a log record.
pub const LOG_CHARGE: usize = 512;
/// Bytes that a request is charged for a metric, its resource and scope included.
pub const METRIC_CHARGE: usize = 512;
/// Bytes that a request is charged for a data point without its attributes.
pub const POINT_CHARGE: usize = 384;
/// Bytes that a request of data points is charged for an attribute.
pub const ATTRIBUTE_CHARGE: usize = 48;
/// Bytes that a request may be charged for its items when it may itself have so many: as many again, and always one chunk.
pub const fn charge(request: usize) -> usize {
    let chunk = CHUNK_ITEMS * SPAN_CHARGE;
    if request > chunk { request } else { chunk }
}
/// Buckets on each side of zero of an exponential histogram as it is sent, and quantiles of a summary: far more than any SDK has.
/// With more it is rejected as invalid before they are read.
pub const SENT_BUCKETS: usize = 16 * KIB;
/// Exemplars read of one data point: one for each of the most buckets there may be, and one more.
pub const SENT_EXEMPLARS: usize = BUCKETS + 1;
/// Histograms of data points whose memory is left to the next ones, each for points with its edges; a bot has a few kinds of edges.
pub const SPARE_HISTOGRAMS: usize = 64;
/// Resources whose targets are remembered; over it all are worked out again.
pub const TARGETS_KNOWN: usize = 1_024;
/// Bytes of a value that globs and regular expressions look at, from its start: a name or a class fits, and a megabyte under two hundred
/// expressions takes no second. Exact texts are compared whole.
pub const MATCHED: usize = 4 * KIB;
/// How deep an attribute value may nest lists and maps, in protobuf and in JSON; a deeper one is missing. OpenTelemetry's own
/// limit for SDKs is 64.
pub const VALUE_DEPTH: usize = 64;

/// Bytes of a config file, of a table file, and of each pack.
pub const CONFIG: usize = 4 * MIB;
/// Files of a pack: one for each section, and room for some that are split.
pub const PACK_FILES: usize = 64;
/// Entries of a pack's folder that are looked at, other files included: what is beyond is not read.
pub const FOLDER_ENTRIES: usize = 1_000;
/// Queries read from one config, those that others build on counted each time: queries that each name three others would
/// otherwise grow threefold with every level of [`NAME_DEPTH`].
pub const QUERIES: usize = 20_000;
/// Entries of one map that is changed by name (alerts, panels of a row, ...): each is looked up among the others.
pub const ENTRIES: usize = 4_096;
/// How deep a config may nest lists and maps; the language itself needs seven.
pub const CONFIG_DEPTH: usize = 32;
/// Keys and values of one config text, what its aliases repeat included: room for a table of [`TABLE_ROWS`].
pub const CONFIG_NODES: usize = 300_000;
/// Characters of a key in a config.
pub const CONFIG_KEY: usize = 1024;
/// How far an alias may build on aliases, and a record class on classes: each level is a call at run time.
pub const NAME_DEPTH: usize = 16;
/// Bytes of all texts of one config, table files included.
pub const CONFIG_TOTAL: usize = 64 * MIB;
/// Parts of a metric, labels of a part, names in a `from`: far more than anyone can read.
pub const BLOCK: usize = 64;
/// Globs in one list of names.
pub const GLOBS: usize = 256;
/// Regular expressions of one config, each up to [`REGEX`] when compiled.
pub const REGEXES: usize = 256;
/// Faults kept; the others are counted.
pub const FAULTS: usize = 10_000;
/// Slips looked for, in so many words each: both bound what a suggestion costs.
pub const GUESSES: (usize, usize) = (1_000, 256);
/// Compiled size of one regular expression.
pub const REGEX: usize = MIB;
/// Buckets of one classic histogram.
pub const BUCKETS: usize = 512;
/// How far from 1 the index of a native histogram's bucket may be: a double's range at the finest resolution is half of it.
pub const NATIVE_INDEX: u32 = 1 << 19;
/// Signs that one rule waits for in the index of rules; one with more is asked for every record, which costs no more.
pub const SIGNS: usize = 64;
/// Aliases and classes looked through for what one rule needs; behind more than this it is asked for every record.
pub const NEED_LOOKS: usize = 1_000;
/// Texts for which a request remembers what a map of regular expressions made of them; a bot has a few models.
pub const MAPPED: usize = 32;
/// Rows of a lookup table.
pub const TABLE_ROWS: usize = 100_000;
/// HyperLogLog registers of one distinct count: 1.6 % error; each may become a series of its own.
pub const REGISTERS: usize = 4096;
/// Ids of one label set of a distinct count that are kept one by one; more become a sketch.
pub const DISTINCT_EXACT: usize = 65_536;
/// Registers of that sketch, each with a few ranks: about 350 KiB, 1.6 % error.
pub const DISTINCT_SKETCH: usize = 4096;
/// How long a half-window of shown registers lasts: any scrape interval below it sees everybody.
pub const REGISTER_WINDOW: Duration = Duration::from_secs(300);
/// Sliding windows of one distinct count.
pub const WINDOWS: usize = 16;
/// Open conversations kept at once.
pub const SESSIONS: usize = 100_000;
/// How long a conversation is quiet before it has ended.
pub const SESSION_IDLE: Duration = Duration::from_secs(30 * 60);
/// Conversations, sender streams, targets or writers copied under one lock: some 20 us, as [`SERIES_AT_ONCE`].
pub const KEPT_AT_ONCE: usize = 256;
/// Times that a cut of the state waits for [`BETWEEN_LOCKS`] until no request changes anything, before it makes them wait: a second or
/// so, and the busiest process has moments between two requests.
pub const CUT_PATIENCE: usize = 5_000;
/// Pause before a lock is taken again that requests need: longer than it takes to wake up who waits for it.
pub const BETWEEN_LOCKS: Duration = Duration::from_micros(100);
/// Sender streams of passed-through points kept at once: two writers for each series.
pub const SENDER_STREAMS: usize = 2 * SENDERS_SERIES;
/// Label sets of all metrics of senders' own: as many as the configured ones may have.
pub const SENDERS_SERIES: usize = SERIES;
/// Starts of one sender stream told apart: the workers of one machine that call themselves the same. The next one is refused.
pub const STREAM_LIVES: usize = 64;
/// Windows of one delta stream in which a resend is known: half an hour at the usual interval of a minute.
pub const STREAM_WINDOWS: usize = 32;
/// Fingerprints in one generation of those that remember which forgotten streams were counted: 8 bytes each, two generations.
pub const EVICTED_STREAMS: usize = 2 * SENDER_STREAMS;
/// After how long without any metrics a writer's gauges go, unless its own export interval is longer: what Prometheus takes for stale.
pub const STALE: Duration = Duration::from_secs(300);
/// Requests of a writer that come closer together than this are one export.
pub const ONE_EXPORT: Duration = Duration::from_millis(100);
/// How many of its own export intervals a writer may be late.
pub const STALE_INTERVALS: u32 = 3;
/// Writers known at once; the one silent for longest is forgotten first.
pub const WRITERS: usize = SENDER_STREAMS;
/// The longest and the shortest pause between two looks for what has expired.
pub const EXPIRY: (Duration, Duration) = (Duration::from_secs(15), Duration::from_millis(250));
/// How often the sets of silent writers are looked for when their budget is full, and what part of it is freed then.
pub const EVICTION: (Duration, usize) = (Duration::from_secs(1), 32);
/// Buckets on each side of zero of an exponential histogram: twice what the SDKs keep. Every double fits at scale -4.
pub const NATIVE_BUCKETS: usize = 320;
/// Exemplars of one native histogram: what client_golang keeps too.
pub const NATIVE_EXEMPLARS: usize = 10;
/// Bytes of a translated metric or label name; OpenTelemetry ends instrument names at 255.
pub const NAME: usize = KIB;
/// How often a request may have been forwarded by instances of this program: twice in a row is a chain that somebody wants, more is a loop.
pub const HOPS: u8 = 3;
/// All forward queues together may use one part in so many of [`Limits::memory`]; over it each is smaller in proportion.
pub const FORWARD_PART: usize = 8;
/// Bytes waiting for one forward target.
pub const FORWARD_QUEUE: usize = 64 * MIB;
/// Bytes a queued request counts for besides its body: empty ones are not free.
pub const FORWARD_ITEM: usize = 256;
/// Requests under way to one forward target, while it works. One round trip of 100 ms so carries 40 requests a second and more.
pub const FORWARD_AT_ONCE: usize = 4;
/// How long a forward target's task lets more come before it begins: traces are looked at seconds later.
pub const FORWARD_LINGER: Duration = Duration::from_millis(5);
/// For one attempt, the connection included: what OTLP exporters wait for.
pub const FORWARD_TIMEOUT: Duration = Duration::from_secs(10);
/// The wait after a first failed attempt, and the longest one.
pub const FORWARD_BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// The longest wait a forward target can ask for: an hour's `Retry-After` would only fill the queue.
pub const FORWARD_RETRY_AFTER: Duration = Duration::from_secs(300);
/// Attempts of one request that reached its target. After them it may be the request's fault, and others wait behind it.
pub const FORWARD_ATTEMPTS: u32 = 10;
/// How long a forward target that ends may empty its queue.
pub const FORWARD_FLUSH: Duration = Duration::from_secs(5);
/// Bytes of a forward target's answer that are read, so that its connection can be used again.
pub const FORWARD_ANSWER: usize = 64 * KIB;
/// Targets of one config.
pub const FORWARD_TARGETS: usize = 16;
/// Headers of one forward target.
pub const FORWARD_HEADERS: usize = 32;
/// Bytes of a certificate or key file; the roots of a whole system fit.
pub const PEM: usize = 4 * MIB;
/// How often state is written to disk.
pub const STATE_INTERVAL: Duration = Duration::from_secs(30);
/// The shortest interval that state is written at, whatever the config says: a disk takes milliseconds.
pub const STATE_INTERVAL_LEAST: Duration = Duration::from_millis(10);
/// Bytes of the state file: what all limits together can come to, several times over.
pub const SNAPSHOT: usize = 512 * MIB;
/// How long a young series is first shown at 0: two scrapes at the longest usual interval.
pub const ZERO_FIRST: Duration = Duration::from_secs(120);
/// Faults `check` shows before it says how many more there are.
pub const FAULTS_SHOWN: usize = 100;

/// Bytes of an OTLP file that `explain` reads: about 100,000 spans, more than anybody reads about.
pub const OTLP_FILE: usize = 256 * MIB;
/// Bytes of a value or name that `explain` shows: enough to know it by.
pub const EXPLAINED_VALUE: usize = 80;
/// Columns of what `explain` says: a terminal beside an editor.
pub const EXPLAINED_WIDTH: usize = 100;
/// Reasons told of rules that nearly took a record, unless all are asked for.
pub const EXPLAINED_NEAR: usize = 5;

/// Records of one request that the inventory looks at, and as many events of its spans: a batch of the SDKs. Of more than that it
/// takes every so many.
pub const INVENTORY_RECORDS: usize = 512;
/// Pause for each record that the inventory looked at, for each signal: so it sees 250 a second, more than a bot sends, for about a
/// tenth of a per cent of a core.
pub const INVENTORY_PACE: Duration = Duration::from_millis(4);
/// Records of one signal that the inventory looks at without a pause: four batches, so that several senders may come at once.
pub const INVENTORY_BURST: u32 = 2_048;
/// Names of each kind of record in the inventory: a bot has a few dozen. What has another name is counted as `other`.
pub const INVENTORY_NAMES: usize = 256;
/// Keys in the inventory, of one name and of all: about 1.5 MiB at most. Others are counted and not told apart.
pub const INVENTORY_KEYS: (usize, usize) = (64, 4_096);
/// Attributes of one record that the inventory looks at: what the SDKs let a span have.
pub const INVENTORY_ATTRIBUTES: usize = 128;
/// Different values that the inventory tells apart, of one key and of all: 8 bytes each. More make no label anybody would want.
pub const INVENTORY_VALUES: (usize, usize) = (256, 65_536);
/// Bytes of a name or a key in the inventory, or of a label value when that is less.
pub const INVENTORY_TEXT: usize = 256;
/// Metrics the inventory tells the cost of, the largest first.
pub const INVENTORY_METRICS: usize = 512;
/// Labels of one metric that the inventory works the cost out of, those with the most values first.
pub const INVENTORY_LABELS: usize = 16;
/// Bytes of an answer that `explore` reads: all names and keys there can be, with room.
pub const INVENTORY_ANSWER: usize = 16 * MIB;

/// Connections of one listener for OTLP, unless the config sets it: more than a host has bots. At it the longest idle one makes room.
pub const CONNECTIONS: usize = 512;
/// The most that the config may set it to; each idle connection takes some kilobytes.
pub const CONNECTIONS_MOST: usize = 65_536;
/// Connections of the web port.
pub const WEB_CONNECTIONS: usize = 512;
/// One part in so many of few descriptors is kept for the web port.
pub const WEB_PART: usize = 4;
/// Descriptors that are kept for other than accepted connections: listeners, files, forward targets, runtimes.
pub const DESCRIPTORS: usize = 64;
/// One peer on another machine may have one part in so many of a listener's connections once it has no more.
pub const PEER_PART: usize = 4;
/// For how long a connection that was of use must be idle before it makes room for another one.
pub const EVICTION_IDLE: Duration = Duration::from_secs(1);
/// From accept to the first byte, and on the gRPC port to the whole HTTP/2 preface.
pub const FIRST_BYTE: Duration = Duration::from_secs(10);
/// For a request's head, and between two requests of a kept connection: above the 60 s flush interval of OTLP exporters.
pub const HEAD: Duration = Duration::from_secs(75);
/// For a whole request body.
pub const BODY: Duration = Duration::from_secs(30);
/// The least that a body must grow: so many bytes in so long, a slow modem's rate. One that stalls holds bytes in flight for nothing.
pub const BODY_PACE: (Duration, usize) = (Duration::from_secs(10), 16 * KIB);
/// Age at which a connection is asked to end, so that load spreads again after a deploy.
pub const CONNECTION_AGE: Duration = Duration::from_secs(30 * 60);
/// Requests at once on one HTTP/2 connection.
pub const STREAMS: u32 = 128;
/// Bytes a connection may have read and not yet handed on: an SDK's 512 spans fit, and so come in one piece or two.
pub const READ_BUFFER: usize = 256 * KIB;
/// Bytes of one HTTP/2 frame: the usual 16 KiB cut a batch of an SDK into a dozen pieces, each read and joined by itself.
pub const FRAME: u32 = READ_BUFFER as u32;
/// Bytes of a refused body that are read and thrown away, so that its sender reads the answer and not a reset.
pub const DISCARD: usize = 2 * REQUEST;
/// How long a connection with the wrong protocol stays open after its answer, and how many bytes of it are read meanwhile.
pub const FAREWELL: (Duration, u64) = (Duration::from_secs(1), 16 * KIB as u64);
/// Pause after an accept that failed for want of descriptors or memory.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Addresses of scrapers whose scrapes are remembered for zero-first: more than anybody has Prometheus servers.
pub const SCRAPERS: usize = 64;
/// After how long without a scrape the end of the process no longer waits for a scraper: Prometheus takes a series for stale after it.
pub const SCRAPER_GONE: Duration = Duration::from_secs(300);
/// How long the web port stays after the drain until the last increments were scraped, unless the config sets it.
pub const LINGER: Duration = Duration::ZERO;
/// For how much longer than the longest scrape interval seen (a fraction of it) zero-first waits for a connection: one scrape may be
/// late by half an interval. A connection that lies idle in a pool must not hold a series at 0 for long.
pub const LATE_SCRAPE: (u32, u32) = (3, 2);
/// Scrapes under way at once, each with a piece, a compressor and a family in protobuf. Over it the answer is 503.
pub const SCRAPES: usize = 8;
/// Scrapes of those that are kept for connections, and for addresses, from which a scrape was completed before.
pub const SCRAPES_KEPT: (usize, usize) = (1, 1);
/// How long a scrape may take when its scraper says no timeout, and the longest timeout that is believed.
pub const SCRAPE_TIME: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(120));
/// Users of the web port: for more, a proxy in front knows better how to tell them apart.
pub const WEB_USERS: usize = 64;
/// The cost of a password's hash, as a power of two of rounds: this one takes seconds, which is as long as a scrape may wait.
pub const BCRYPT_COST: u32 = 16;
/// Passwords that are checked at once: each takes a core.
pub const BCRYPTS: usize = 2;
/// Numbers of one piece of a scrape: what is copied under one lock, then written without a pause. About 300 lines.
pub const SCRAPE_VALUES: usize = 256;
/// Bytes of a scrape's body, coded, that are worth sending.
pub const SCRAPE_CHUNK: usize = 32 * KIB;
/// Bytes of a request's header list.
pub const HEADERS: u32 = 16 * 1024;
/// HTTP/2 ping interval, and how long its answer may take.
pub const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));
/// How often a thread that is about to end is looked at.
pub const THREAD_END: Duration = Duration::from_millis(2);
/// From SIGTERM to the end: under the 30 s that Kubernetes gives.
pub const DRAIN: Duration = Duration::from_secs(25);
/// What a sender is told to wait after an overload.
pub const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Time between two log lines of one kind about peers: often enough to find them, and no flood.
pub const LOG_INTERVAL: Duration = Duration::from_secs(60);
/// Characters of a sender's metric name in a log line: longer than any that is meant for people.
pub const LOG_NAME: usize = 200;

/// Bytes read of a file under `/proc`: the interrupt counts of the largest machines fit.
pub const PROC_FILE: usize = MIB;
/// Spans of the simulated bot that may wait for the SDK, and happenings it may have going on at once.
pub const BOT_PENDING: usize = 16_384;
/// Scrapes of a simulated history: a year of every ten minutes. Each holds 8 bytes a sample until the end.
pub const HISTORY_SCRAPES: u32 = 53_000;

/// Bytes of a receiver's answer that the load generator reads; an answer is a few bytes and perhaps a message.
pub const LOAD_ANSWER: usize = 64 * KIB;

/// A message that comes so soon after an answer asks again: five minutes, as those count who measure bots.
pub const REASK: Duration = Duration::from_secs(300);

/// Bytes of one answer of a Prometheus that `report` reads: ten thousand series are far less.
pub const REPORT_ANSWER: usize = 16 * MIB;

/// Characters of an exemplar's labels (OpenMetrics 1.0, "Exemplars").
pub const EXEMPLAR_CHARACTERS: usize = 128;

/// The bounds an operator may move (`limits` and `server.otlp.max_request` in the config).
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of the whole process, over which nothing more is taken.
    pub memory: usize,
    /// Bytes of requests in flight.
    pub in_flight: usize,
    /// Label sets of all metrics.
    pub series: usize,
    /// Label sets of all metrics of senders' own.
    pub senders_series: usize,
    /// Label sets of one metric; of senders' own of one metric and writer.
    pub series_per_metric: usize,
    /// Idle time after which an undeclared series is forgotten.
    pub idle: Duration,
    /// Records older than this are rejected `late`; none: late data counts.
    pub late: Option<Duration>,
    /// How long a resent span is told as such.
    pub dedupe_window: Duration,
    /// Fingerprints in one generation; 0 turns deduplication off.
    pub dedupe_entries: usize,
    /// Bytes of a label value.
    pub label_value: usize,
    /// Bytes of one OTLP request, before and after inflating.
    pub request: usize,
}

/// The configured sizes that default to a part of the memory there is (`auto`).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sizes {
    /// `limits.memory`, in bytes; none: `auto`.
    pub memory: Option<usize>,
    /// `limits.in_flight`, in bytes; none: `auto`.
    pub in_flight: Option<usize>,
    /// `server.otlp.max_request`, in bytes; none: `auto`.
    pub request: Option<usize>,
}

impl Sizes {
    /// Sets the sizes in `limits` for a container limit of so many bytes; none: no limit.
    ///
    /// The largest request fits beside small ones, also in JSON, which is in memory in both encodings for a moment. A configured size
    /// is never changed: a default for requests in flight has room for a configured request.
    pub fn apply(self, container: Option<usize>, limits: &mut Limits) {
        let share = |bytes: usize| bytes / 100 * MEMORY_SHARE;
        limits.memory = self.memory.unwrap_or_else(|| container.map_or(MEMORY, share));
        let part = limits.memory / IN_FLIGHT_PART;
        limits.in_flight = self.in_flight.unwrap_or(part.max(self.request.unwrap_or(0)));
        let large = limits.in_flight - limits.in_flight / SMALL_PART;
        limits.request = self.request.unwrap_or(REQUEST.min(large / 2));
    }
}

impl Default for Limits {
    fn default() -> Self {
        let mut limits = Self {
            memory: 0,
            in_flight: 0,
            series: SERIES,
            senders_series: SENDERS_SERIES,
            series_per_metric: SERIES_PER_METRIC,
            idle: IDLE,
            late: None,
            dedupe_window: DEDUPE_WINDOW,
            dedupe_entries: DEDUPE_ENTRIES,
            label_value: LABEL_VALUE,
            request: 0,
        };
        Sizes::default().apply(None, &mut limits);
        limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(sizes: Sizes, container: Option<usize>) -> [f64; 3] {
        let mut limits = Limits::default();
        sizes.apply(container, &mut limits);
        [limits.memory, limits.in_flight, limits.request].map(|bytes| bytes as f64 / MIB as f64)
    }

    #[test]
    fn sizes_default_to_parts_of_the_memory_limit() {
        let auto = Sizes::default();
        assert_eq!(sizes(auto, None), [512.0, 256.0, 64.0]);
        assert_eq!(sizes(auto, Some(1024 * MIB)).map(f64::round), [819.0, 410.0, 64.0]);
        assert_eq!(sizes(auto, Some(256 * MIB)).map(f64::round), [205.0, 102.0, 45.0]);
        assert_eq!(sizes(auto, Some(64 * MIB)).map(f64::round), [51.0, 26.0, 11.0]);
        assert_eq!(sizes(auto, Some(0)), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn configured_sizes_are_not_changed() {
        let configured = |memory: usize, in_flight: usize, request: usize| {
            let size = |mib: usize| (mib > 0).then_some(mib * MIB);
            sizes(
                Sizes { memory: size(memory), in_flight: size(in_flight), request: size(request) },
                Some(256 * MIB),
            )
        };
        assert_eq!(configured(64, 0, 0), [64.0, 32.0, 14.0]);
        assert_eq!(configured(400, 64, 0), [400.0, 64.0, 28.0]);
        assert_eq!(configured(400, 64, 16), [400.0, 64.0, 16.0]);
        assert_eq!(configured(64, 0, 60), [64.0, 60.0, 60.0], "one request has to fit");
        assert_eq!(configured(64, 64, 64), [64.0, 64.0, 64.0]);
    }
}
