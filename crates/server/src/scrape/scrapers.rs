//! Zero first: who has seen what, so that a series born since is first shown at 0.
//!
//! `increase()` needs two samples, so a counter that is born at 1 has lost its first event. A scraper (a request that says how
//! long Prometheus will wait) is told apart by its address; anybody else sees the truth.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use engine::limits;
use engine::model::FamilySnapshot;
use engine::timestamp::Timestamp;

/// What each scraper has seen.
#[derive(Debug, Default)]
pub struct Scrapers {
    /// When the last scrape that was read to its end began.
    seen: Mutex<HashMap<IpAddr, Timestamp>>,
    /// Who else wants to know the latest of these.
    latest: Arc<AtomicU64>,
}

impl Scrapers {
    /// Nobody yet; `latest` is told when the latest scrape began that was read to its end.
    pub fn new(latest: Arc<AtomicU64>) -> Self {
        Self { latest, ..Self::default() }
    }

    /// A scrape that began then was read to its end.
    pub fn completed(&self, scraper: IpAddr, began: Timestamp) {
        self.latest.fetch_max(began.0, Ordering::Relaxed);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= limits::SCRAPERS && !seen.contains_key(&scraper) {
            // Whoever comes from so many addresses is no Prometheus; the one that was longest away begins anew.
            let oldest = seen.iter().min_by_key(|(_, began)| **began).map(|(oldest, _)| *oldest);
            oldest.and_then(|oldest| seen.remove(&oldest));
        }
        let last = seen.entry(scraper).or_default();
        *last = began.max(*last);
    }

    /// When its last whole scrape began.
    pub(super) fn last(&self, scraper: IpAddr) -> Option<Timestamp> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&scraper).copied()
    }

    /// What shows a scraper at 0 whatever was born since its last whole scrape, while it is younger than `zero_first`.
    pub fn zero_first(
        &self,
        scraper: IpAddr,
        zero_first: Duration,
        now: Timestamp,
    ) -> impl Fn(&mut FamilySnapshot) + Send + use<> {
        let last = self.last(scraper).unwrap_or_default();
        let young = move |born: Timestamp| born > last && now.since(born) < zero_first;
        move |piece: &mut FamilySnapshot| {
            for row in piece.rows.iter_mut().filter(|row| row.born.is_some_and(young)) {
                row.value.reset();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::model::{Family, Kind, MetricName, Row, RowValue};

    const SECOND: u64 = 1_000_000_000;

    fn family(start: u64) -> FamilySnapshot {
        let family = Family {
            name: MetricName::own("x_total"),
            help: String::new(),
            unit: String::new(),
            kind: Kind::Counter,
            labels: Vec::new(),
            bounds: Vec::new(),
        };
        let value = RowValue::Counter(5.0, None);
        let born = Some(Timestamp(start * SECOND));
        let row = Row { labels: Default::default(), start: born, born, value };
        FamilySnapshot { family: family.into(), rows: vec![row] }
    }

    fn shown(scrapers: &Scrapers, scraper: [u8; 4], born: u64, now: u64) -> f64 {
        let mut family = family(born);
        let (window, now) = (Duration::from_secs(120), Timestamp(now * SECOND));
        scrapers.zero_first(scraper.into(), window, now)(&mut family);
        match family.rows[0].value {
            RowValue::Counter(value, _) => value,
            _ => f64::NAN,
        }
    }

    #[test]
    fn each_scraper_sees_a_birth_once_at_zero() {
        let scrapers = Scrapers::default();
        let (one, two) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        assert_eq!(shown(&scrapers, one, 1000, 1010), 0.0, "nothing was scraped yet");
        assert_eq!(shown(&scrapers, one, 1000, 1011), 0.0, "the last scrape did not end well");
        scrapers.completed(one.into(), Timestamp(1011 * SECOND));
        assert_eq!(shown(&scrapers, one, 1000, 1020), 5.0);
        assert_eq!(shown(&scrapers, two, 1000, 1020), 0.0);
        assert_eq!(shown(&scrapers, one, 1015, 1020), 0.0, "born since");
        assert_eq!(shown(&scrapers, one, 1015, 1200), 5.0, "too old to pretend");
    }

    #[test]
    fn the_memory_of_scrapers_is_bounded() {
        let scrapers = Scrapers::default();
        for at in 0..1000_u32 {
            scrapers.completed(std::net::Ipv4Addr::from(at).into(), Timestamp(at.into()));
        }
        let seen = scrapers.seen.lock().unwrap();
        assert_eq!(seen.len(), limits::SCRAPERS);
        assert!(seen.contains_key(&std::net::Ipv4Addr::from(999).into()));
    }
}
