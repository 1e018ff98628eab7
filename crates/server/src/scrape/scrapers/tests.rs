use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use engine::model::{Family, Kind, MetricName, Row, RowValue};

const ZERO_FIRST: Duration = Duration::from_secs(120);
const ONE: [u8; 4] = [10, 0, 0, 1];

fn at(seconds: f64) -> Timestamp {
    Timestamp((seconds * 1e9) as u64)
}

/// What a scrape that begins now shows of a counter of 5 that was born then.
fn shown(show: &impl Fn(&mut FamilySnapshot) -> bool, born: Timestamp) -> f64 {
    let family = Family {
        name: MetricName::own("x_total"),
        help: String::new(),
        unit: String::new(),
        kind: Kind::Counter,
        labels: Vec::new(),
        bounds: Vec::new(),
    };
    let value = RowValue::Counter(5.0, None);
    let row = Row { labels: Default::default(), start: Some(born), born: Some(born), value };
    let mut piece = FamilySnapshot { family: family.into(), rows: vec![row] };
    let hides = show(&mut piece);
    match piece.rows[0].value {
        RowValue::Counter(value, _) if hides == (value == 0.0) => value,
        _ => f64::NAN,
    }
}

impl Client {
    /// When the last completed scrape of its address began.
    pub(in super::super) fn last(&self) -> Timestamp {
        let state = self.scrapers.state();
        state.addresses.get(&self.address).map(|one| one.last).unwrap_or_default()
    }

    /// What a completed scrape shows of a series that was born then.
    fn scrape(&self, born: f64, now: f64) -> f64 {
        let value = self.aborted(born, now);
        self.completed(at(now), None);
        value
    }

    /// The same of one that is not read to its end.
    fn aborted(&self, born: f64, now: f64) -> f64 {
        shown(&self.zero_first(ZERO_FIRST, at(now)), at(born))
    }
}

fn scrapers() -> Arc<Scrapers> {
    Arc::default()
}

#[test]
fn shows_each_address_a_young_series_at_zero_once() {
    let scrapers = scrapers();
    let (one, two) = (scrapers.connect(ONE.into()), scrapers.connect([10, 0, 0, 2].into()));
    assert_eq!(one.aborted(1000.0, 1010.0), 0.0, "no scrape was completed yet");
    assert_eq!(one.scrape(1000.0, 1011.0), 0.0, "the first one was aborted");
    assert_eq!(one.scrape(1000.0, 1020.0), 5.0);
    assert_eq!(two.scrape(1000.0, 1020.0), 0.0);
    assert_eq!(one.aborted(1025.0, 1030.0), 0.0, "born since");
    assert_eq!(one.aborted(1025.0, 1200.0), 5.0, "no longer young");
}

#[test]
fn waits_for_the_other_connections_of_an_address() {
    let scrapers = scrapers();
    let (one, two) = (scrapers.connect(ONE.into()), scrapers.connect(ONE.into()));
    for now in [0.0, 15.0] {
        one.scrape(0.0, 1000.0 + now);
        two.scrape(0.0, 1005.0 + now);
    }
    assert_eq!(one.scrape(1025.0, 1030.0), 0.0);
    assert_eq!(two.scrape(1025.0, 1035.0), 0.0, "the second sees the zero too");
    assert_eq!([one.scrape(1025.0, 1045.0), two.scrape(1025.0, 1050.0)], [5.0, 5.0]);
}

#[test]
fn does_not_wait_for_connections_that_are_closed_late_or_new() {
    let scrapers = scrapers();
    let (one, two) = (scrapers.connect(ONE.into()), scrapers.connect(ONE.into()));
    for now in [1000.0, 1015.0] {
        one.scrape(0.0, now);
        two.scrape(0.0, now);
    }
    let new = scrapers.connect(ONE.into());
    assert_eq!([one.scrape(1020.0, 1030.0), one.scrape(1020.0, 1042.0)], [0.0, 0.0]);
    assert_eq!(one.scrape(1020.0, 1043.0), 5.0, "one and a half intervals after the birth");
    assert_eq!(two.scrape(1020.0, 1044.0), 5.0, "a zero never follows a value");
    two.scrape(0.0, 1045.0);
    assert_eq!(one.scrape(1046.0, 1050.0), 0.0);
    drop(two);
    assert_eq!(one.scrape(1046.0, 1051.0), 5.0);
    assert_eq!(new.scrape(1046.0, 1052.0), 5.0);
}

#[test]
fn another_zero_first_takes_no_value_back() {
    let client = scrapers().connect(ONE.into());
    assert_eq!(shown(&client.zero_first(Duration::ZERO, at(1010.0)), at(1000.0)), 5.0);
    assert_eq!(client.scrape(1000.0, 1020.0), 5.0, "switched on after it was seen");
    assert_eq!(client.scrape(1021.0, 1022.0), 0.0);
}

#[test]
fn bounds_what_is_remembered() {
    let scrapers = scrapers();
    let address = |number: u32| Ipv4Addr::from(number).into();
    let first = scrapers.connect(address(0));
    first.scrape(0.0, 1000.0);
    assert_eq!([first.scrape(1001.0, 1002.0), first.scrape(1001.0, 1003.0)], [0.0, 5.0]);
    for number in 1..1000 {
        scrapers.connect(address(number)).scrape(0.0, 1004.0 + f64::from(number) / 1e6);
    }
    let state = scrapers.state();
    assert_eq!((state.addresses.len(), state.connections.len()), (limits::SCRAPERS, 1));
    assert!(
        state.addresses.contains_key(&address(999)) && !state.addresses.contains_key(&address(0))
    );
    drop(state);
    assert_eq!(first.scrape(1001.0, 1006.0), 5.0, "a forgotten address sees no zero after a value");
}

#[test]
fn reports_when_every_scraper_was_shown_all_changes() {
    let scrapers = scrapers();
    let shown = |changes, now: f64| scrapers.were_shown(changes, at(now));
    assert!(!shown(0, 1000.0), "there is no scraper yet");
    let (one, two) = (scrapers.connect(ONE.into()), scrapers.connect(ONE.into()));
    one.completed(at(1000.0), Some(7));
    assert!(shown(7, 1001.0) && !shown(8, 1001.0));
    two.completed(at(1001.0), Some(6));
    assert!(!shown(7, 1002.0), "every open connection is a scraper");
    two.completed(at(1002.0), None);
    assert!(!shown(7, 1003.0), "a series was held at 0");
    drop(two);
    assert!(shown(7, 1003.0));
    let other = scrapers.connect([10, 0, 0, 2].into());
    other.completed(at(1004.0), Some(3));
    drop(other);
    assert!(!shown(7, 1005.0), "an address is one, connected or not");
    assert!(shown(7, 1304.0), "until it is gone");
}

/// What happens to the pools of a few addresses; numbers choose among what is there.
#[derive(Clone, Debug)]
enum Event {
    Connect(u8),
    Close(usize),
    Begin(usize, u64),
    Complete(usize),
    Abort(usize),
    Birth,
    Time(f64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        1 => (0..3_u8).prop_map(Event::Connect),
        1 => (0..9_usize).prop_map(Event::Close),
        6 => (0..9_usize, prop_oneof![4 => Just(120), 1 => Just(0), 1 => Just(20)])
            .prop_map(|(client, zero_first)| Event::Begin(client, zero_first)),
        5 => (0..9_usize).prop_map(Event::Complete),
        1 => (0..9_usize).prop_map(Event::Abort),
        2 => Just(Event::Birth),
        6 => (0.0..20.0).prop_map(Event::Time),
    ]
}

proptest! {
    /// Whatever connection of a pool a scrape comes over, and whatever becomes of it: what an address is shown never falls.
    #[test]
    fn shows_no_address_a_zero_after_a_value(events in prop::collection::vec(event(), 1..200)) {
        let scrapers = scrapers();
        let mut clients: Vec<(Client, Option<Timestamp>)> = Vec::new();
        let (mut now, mut births) = (1000.0, Vec::new());
        let mut seen = std::collections::HashSet::new();
        for event in events {
            let count = clients.len().max(1);
            match event {
                Event::Connect(last) => {
                    clients.push((scrapers.connect([10, 0, 0, last].into()), None));
                }
                Event::Close(client) if client < clients.len() => drop(clients.remove(client)),
                Event::Begin(client, zero_first) => {
                    let Some((client, began)) = clients.get_mut(client % count) else { continue };
                    let show = client.zero_first(Duration::from_secs(zero_first), at(now));
                    *began = Some(at(now));
                    for (number, born) in births.iter().enumerate() {
                        let series = (client.address, number);
                        if shown(&show, *born) > 0.0 {
                            seen.insert(series);
                        } else {
                            prop_assert!(!seen.contains(&series), "{series:?} fell to 0 at {now}");
                        }
                    }
                }
                Event::Complete(client) => {
                    let Some((client, began)) = clients.get_mut(client % count) else { continue };
                    began.take().into_iter().for_each(|began| client.completed(began, None));
                }
                Event::Abort(client) => {
                    clients.get_mut(client % count).into_iter().for_each(|(_, began)| *began = None);
                }
                Event::Birth => births.push(at(now)),
                Event::Time(more) => now += more,
                Event::Close(_) => {}
            }
            now += 0.001;
        }
    }

    /// Several scrapers of one address, each with a connection of its own: each sees the zero first, and then the value.
    #[test]
    fn shows_each_connection_a_zero_first(
        scrapers_of in prop::collection::vec((5.0..60.0, 0.0..1.0, 0.0..0.5), 1..6),
        births in prop::collection::vec(200.0..400.0, 1..20),
        late in prop::collection::vec(0.0..0.1, 64),
    ) {
        let (scrapers, mut late) = (scrapers(), late.into_iter().cycle());
        let clients: Vec<Client> =
            scrapers_of.iter().map(|_| scrapers.connect(ONE.into())).collect();
        let mut events: Vec<(f64, bool, usize, f64)> = Vec::new(); // when, whether it ends, whose, when it began
        for (number, (interval, offset, takes)) in scrapers_of.into_iter().enumerate() {
            for turn in 0..(700.0 / interval) as u32 {
                let begin = interval * (f64::from(turn) + offset + late.next().unwrap_or(0.0));
                events.push((1000.0 + begin, false, number, begin));
                events.push((1000.0 + begin + takes, true, number, begin));
            }
        }
        events.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut seen = vec![vec![Vec::new(); births.len()]; clients.len()];
        for (now, ends, number, begin) in events {
            if ends {
                clients[number].completed(at(1000.0 + begin), None);
                continue;
            }
            let show = clients[number].zero_first(ZERO_FIRST, at(now));
            for (birth, seen) in births.iter().zip(&mut seen[number]) {
                if 1000.0 + birth <= now {
                    seen.push(shown(&show, at(1000.0 + birth)));
                }
            }
        }
        for seen in seen.iter().flatten() {
            prop_assert!(seen.first() == Some(&0.0) && seen.last() == Some(&5.0), "{seen:?}");
        }
    }
}
