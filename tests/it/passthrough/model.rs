//! The contract of passed-through points against a naive model: random writers, restarts, silences, returns, resends, ended streams
//! and clocks that are wrong. The model keeps every stream by itself and adds up when it is asked; nothing of it is shared with the
//! engine. `OSCAR_METRICS_OPERATIONS=1000000` makes it as long as one wants.

use std::collections::{BTreeMap, HashMap};

use engine::model::RowValue;
use engine::pipeline::Pipeline;
use engine::timestamp::Timestamp;
use engine::view::Signal;
use opentelemetry_proto::tonic::metrics::v1 as otlp;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use simulator::draw::Dice;
use testkit::SECOND;
use testkit::protobuf::{self, text};

const BEGAN: u64 = 1_795_608_000 * SECOND;
const STALE: u64 = 300 * SECOND;
const IDLE: u64 = 7_200 * SECOND;
/// Writers with an identity of their own, and processes that share the last one.
const WRITERS: usize = 6;
const TWINS: usize = 3;

/// A process that sends metrics.
#[derive(Clone)]
struct Process {
    identity: usize,
    start: u64,
    /// How far its clock is ahead of ours, in seconds.
    ahead: i64,
    total: f64,
    level: f64,
    /// Its last export of each kind, for resends.
    last: Option<Export>,
    exported: u64,
}

#[derive(Clone)]
struct Export {
    start: u64,
    since: u64,
    time: u64,
    total: f64,
    delta: f64,
    level: f64,
    level_delta: f64,
    gauge: f64,
}

/// What a naive reader of the contract remembers.
#[derive(Default)]
struct Model {
    /// By identity: when metrics came last, and the latest pauses between exports.
    writers: HashMap<usize, (u64, Vec<u64>)>,
    /// Last total of each start, when it was counted, by identity and start.
    totals: HashMap<(usize, u64), (f64, u64)>,
    /// Those that were forgotten.
    forgotten: Vec<(usize, u64)>,
    /// Arrival of each identity's stream of totals.
    streams: HashMap<usize, u64>,
    /// Series: value and last arrival, by identity or 0.
    counters: HashMap<usize, (f64, u64)>,
    deltas: HashMap<usize, (f64, u64)>,
    /// Windows counted, by identity.
    windows: HashMap<usize, Vec<(u64, u64, u64)>>,
    /// Levels by identity and start: value, order, arrival.
    levels: HashMap<(usize, u64), (f64, u64, u64)>,
    /// Levels of deltas by identity, and whether they are shown: from the next window that counts on.
    delta_levels: HashMap<usize, (f64, bool)>,
    /// Gauges by identity: value, order, and the turn in which it was written.
    gauges: HashMap<usize, (f64, u64, u64)>,
    turn: u64,
}

impl Model {
    fn silence(&self, identity: usize) -> u64 {
        let Some((_, pauses)) = self.writers.get(&identity) else { return STALE };
        let mut pauses = pauses.clone();
        pauses.sort_unstable();
        STALE.max(3 * pauses.get(pauses.len() / 2).copied().unwrap_or_default())
    }

    fn is_silent(&self, identity: usize, now: u64) -> bool {
        self.writers.get(&identity).is_none_or(|(last, _)| now - last > self.silence(identity))
    }

    /// What time alone does.
    fn pass(&mut self, now: u64) {
        let silent: Vec<usize> =
            (0..WRITERS).filter(|identity| self.is_silent(*identity, now)).collect();
        self.gauges.retain(|identity, _| !silent.contains(identity));
        let levels = self.delta_levels.iter_mut();
        levels.filter(|(one, _)| silent.contains(one)).for_each(|(_, level)| level.1 = false);
        let silences: Vec<u64> = (0..WRITERS).map(|identity| self.silence(identity)).collect();
        let latest = |levels: &HashMap<(usize, u64), (f64, u64, u64)>, identity| {
            let own = levels.iter().filter(|((one, _), _)| *one == identity);
            own.map(|(_, (_, _, arrived))| *arrived).max().unwrap_or_default()
        };
        let latest: Vec<u64> = (0..WRITERS).map(|one| latest(&self.levels, one)).collect();
        self.levels.retain(|(identity, _), (_, _, arrived)| {
            latest[*identity] - *arrived <= silences[*identity]
        });
        let gone: Vec<usize> = self
            .streams
            .iter()
            .filter(|(_, arrived)| now - **arrived >= IDLE)
            .map(|(identity, _)| *identity)
            .collect();
        for identity in gone {
            self.streams.remove(&identity);
            let starts: Vec<(usize, u64)> =
                self.totals.keys().filter(|(one, _)| *one == identity).copied().collect();
            for key in starts {
                self.totals.remove(&key);
                self.forgotten.push(key);
            }
            self.windows.remove(&identity);
            self.levels.retain(|(one, _), _| *one != identity);
            self.delta_levels.remove(&identity);
        }
        self.counters.retain(|_, (_, arrived)| now - *arrived <= IDLE);
        self.deltas.retain(|_, (_, arrived)| now - *arrived <= IDLE);
        self.writers.retain(|_, (last, _)| now - *last < IDLE);
    }

    fn export(&mut self, identity: usize, series: usize, export: &Export, now: u64) {
        self.turn += 1;
        let entry = self.writers.entry(identity).or_insert((now, Vec::new()));
        if now - entry.0 >= SECOND / 10 {
            entry.1.push(now - entry.0);
            let extra = entry.1.len().saturating_sub(5);
            entry.1.drain(..extra);
        }
        entry.0 = now;
        let order = export.time.min(now);
        // Totals.
        let known = self.streams.insert(identity, now).is_some();
        let key = (identity, export.start);
        let added = match self.totals.get_mut(&key) {
            Some((total, last)) if export.total > *total => {
                let rise = export.total - *total;
                (*total, *last) = (export.total, order.max(*last));
                Some(rise)
            }
            // The same again is news when it is newer, and a duplicate when it is not; either adds nothing.
            Some((_, last)) if order > *last => {
                *last = order;
                Some(0.0)
            }
            Some(_) => None,
            None => {
                let joins = self.forgotten.iter().position(|one| *one == key);
                self.totals.insert(key, (export.total, order));
                match joins {
                    Some(at) => {
                        self.forgotten.swap_remove(at);
                        Some(0.0)
                    }
                    None => Some(export.total),
                }
            }
        };
        let _ = known;
        if let Some(added) = added {
            let series = self.counters.entry(series).or_insert((0.0, now));
            *series = (series.0 + added, now);
        }
        // Delta windows.
        let windows = self.windows.entry(identity).or_default();
        let window = (export.since, export.time, export.delta.to_bits());
        if !windows.contains(&window) {
            windows.push(window);
            let extra = windows.len().saturating_sub(32);
            windows.drain(..extra);
            let series = self.deltas.entry(series).or_insert((0.0, now));
            *series = (series.0 + export.delta, now);
            let level = self.delta_levels.entry(identity).or_insert((0.0, true));
            *level = (level.0 + export.level_delta, true);
        }
        // Levels.
        match self.levels.get_mut(&key) {
            Some(level) => {
                level.2 = now;
                if order >= level.1 {
                    (level.0, level.1) = (export.level, order);
                }
            }
            None => {
                let ended = |(one, start): &(usize, u64), level: &(f64, u64, u64)| {
                    *one == identity && *start < export.start && level.1 < export.start
                };
                let stale = self.levels.keys().any(|(one, start)| {
                    *one == identity && export.start < *start && order < *start
                });
                if !stale {
                    self.levels.retain(|key, level| !ended(key, level));
                    self.levels.insert(key, (export.level, order, now));
                }
            }
        }
        let (latest, silence) = (now, self.silence(identity));
        self.levels
            .retain(|(one, _), (_, _, arrived)| *one != identity || latest - *arrived <= silence);
        // The gauge.
        let turn = self.turn;
        let part = self.gauges.entry(identity).or_insert((export.gauge, order, turn));
        if order >= part.1 {
            *part = (export.gauge, order, turn);
        }
    }

    /// What is shown of the writers that are folded into each series.
    fn shown(&self, folded: bool, now: u64) -> BTreeMap<String, f64> {
        let mut shown = BTreeMap::new();
        let series_of = |identity: usize| if folded { 0 } else { identity };
        for (name, all) in [("c_total", &self.counters), ("d_total", &self.deltas)] {
            for (series, (value, _)) in all {
                shown.insert(format!("{name} {series}"), *value);
            }
        }
        let living = |identity: &usize| !self.is_silent(*identity, now);
        for ((identity, _), (value, ..)) in self.levels.iter().filter(|((one, _), _)| living(one)) {
            *shown.entry(format!("u {}", series_of(*identity))).or_default() += value;
        }
        for (identity, (value, _)) in self.delta_levels.iter().filter(|(_, (_, shown))| *shown) {
            *shown.entry(format!("w {}", series_of(*identity))).or_default() += value;
        }
        let mut newest: HashMap<usize, (u64, u64, f64)> = HashMap::new();
        for (identity, (value, order, turn)) in &self.gauges {
            let one = (*order, *turn, *value);
            let held = newest.entry(series_of(*identity)).or_insert(one);
            if (one.0, one.1) > (held.0, held.1) {
                *held = one;
            }
        }
        shown.extend(
            newest.into_iter().map(|(series, (_, _, value))| (format!("g {series}"), value)),
        );
        shown
    }
}

fn body(identity: usize, export: &Export) -> Vec<u8> {
    let point = |start, value| otlp::NumberDataPoint {
        start_time_unix_nano: start,
        time_unix_nano: export.time,
        value: Some(otlp::number_data_point::Value::AsDouble(value)),
        ..Default::default()
    };
    let sum = |aggregation_temporality, is_monotonic, start, value| {
        let data_points = vec![point(start, value)];
        Data::Sum(otlp::Sum { data_points, aggregation_temporality, is_monotonic })
    };
    let all = vec![
        ("c", sum(2, true, export.start, export.total)),
        ("d", sum(1, true, export.since, export.delta)),
        ("u", sum(2, false, export.start, export.level)),
        ("w", sum(1, false, export.since, export.level_delta)),
        ("g", Data::Gauge(otlp::Gauge { data_points: vec![point(0, export.gauge)] })),
    ];
    let instance = text("service.instance.id", identity.to_string());
    protobuf::metrics(vec![text("service.name", "bot"), instance], all)
}

/// What the engine shows, named as the model names it.
fn shown(pipeline: &Pipeline, now: u64) -> BTreeMap<String, f64> {
    let mut all = BTreeMap::new();
    for family in pipeline.gather(Timestamp(now), false, |_| {}) {
        let name = family.family.name.as_str();
        for row in family.rows.iter().filter(|_| name != "target_info") {
            let found = row.labels.0.iter().find(|(label, _)| label.as_str() == "instance");
            let series = found.map_or("0", |(_, value)| value);
            let value = match row.value {
                RowValue::Counter(value, _) | RowValue::Gauge(value) => value,
                ref other => panic!("{other:?}"),
            };
            assert!(all.insert(format!("{name} {series}"), value).is_none());
        }
    }
    all
}

fn run(seed: u64, folded: bool, operations: usize) {
    let config =
        format!("{{datapoints: {{stale: 5m, instance_label: {}}}, limits: {{idle: 2h}}}}", !folded);
    let pipeline = testkit::pipeline(&config, Timestamp(BEGAN));
    let (mut dice, mut now, mut model) = (Dice::new(seed), BEGAN + SECOND, Model::default());
    let mut processes: Vec<Process> = (0..WRITERS - 1 + TWINS)
        .map(|nth| Process {
            identity: nth.min(WRITERS - 1),
            start: now + nth as u64,
            ahead: 0,
            total: 0.0,
            level: 0.0,
            last: None,
            exported: now,
        })
        .collect();
    let mut pick = move |below: u64| dice.bits() % below;
    for operation in 0..operations {
        // Mostly seconds, sometimes a silence, seldom long enough to forget; never near a bound, where a tick more or less decides.
        now += match pick(400) {
            0 => IDLE + 600 * SECOND,
            1..=6 => 2_000 * SECOND,
            _ => (pick(9) + 1) * SECOND + pick(1_000_000),
        };
        // Expiry is looked for every 15 s at most, unless the clock was put back: let it be looked for now.
        pipeline.tick(Timestamp(1)); // a clock that was put back
        pipeline.tick(Timestamp(now));
        model.pass(now);
        let at = pick(processes.len() as u64) as usize;
        let process = &mut processes[at];
        match pick(100) {
            0..=3 => {
                process.start = now;
                (process.total, process.level, process.exported) = (0.0, 0.0, now);
                process.last = None;
            }
            4..=5 => process.ahead = [0, 0, 3_600, 365 * 86_400][pick(4) as usize],
            _ => {}
        }
        let resends = pick(10) == 0 && process.last.is_some();
        if !resends {
            let (more, change) = (pick(5) as f64, pick(7) as f64 - 3.0);
            process.total += more;
            process.level += change;
            let time = now.saturating_add_signed(process.ahead * SECOND as i64);
            process.last = Some(Export {
                start: process.start,
                since: process.exported,
                time,
                total: process.total,
                delta: more,
                level: process.level,
                level_delta: change,
                gauge: pick(1_000) as f64,
            });
            process.exported = time;
        }
        let export = process.last.clone().unwrap();
        let (identity, series) = (process.identity, if folded { 0 } else { process.identity });
        let body = body(identity, &export);
        protobuf::ingest(&pipeline, Signal::Metrics, &body, Timestamp(now));
        model.export(identity, series, &export, now);
        if operation % 7 == 0 || operation + 1 == operations {
            let expected = model.shown(folded, now);
            let found = shown(&pipeline, now);
            assert_eq!(found, expected, "seed {seed}, folded {folded}, operation {operation}");
        }
    }
}

#[test]
fn the_contract_holds_under_random_writers() {
    let wanted = std::env::var("OSCAR_METRICS_OPERATIONS").ok();
    let operations = wanted.and_then(|text| text.parse().ok()).unwrap_or(20_000);
    for (seed, folded) in [(1, false), (2, true), (3, false), (4, true)] {
        run(seed, folded, operations / 4);
    }
}
