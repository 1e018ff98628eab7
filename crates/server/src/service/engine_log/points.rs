//! Log lines about points that are rejected as `stream_limit`: from the counter alone an operator learns neither metric nor sender.

use engine::counters::{Counters, RefusedPoint, StreamBound};
use engine::limits;

use crate::log_limit::LogLimit;

/// Logs the latest point within a [`LogLimit`].
#[derive(Default)]
pub(super) struct PointLog {
    limit: LogLimit,
    /// How many were rejected by the last line.
    logged: u64,
}

impl PointLog {
    /// Logs the latest point, when there are new ones and a line is due.
    pub(super) fn log(&mut self, counters: &Counters) {
        if let Some((RefusedPoint { metric, job, instance, bound }, rejected)) =
            self.fresh(counters)
        {
            let help = help(bound);
            tracing::warn!(event = "stream_limit", metric, %job, %instance, rejected, help);
        }
    }

    /// The latest point and how many were rejected since the last line; none: there is nothing to log now.
    fn fresh(&mut self, counters: &Counters) -> Option<(RefusedPoint, u64)> {
        let (count, latest) = counters.refused_points();
        let latest = latest.filter(|_| count > self.logged)?;
        self.limit.admit()?;
        let rejected = count - std::mem::replace(&mut self.logged, count);
        Some((latest, rejected))
    }
}

fn help(bound: StreamBound) -> String {
    let (starts, streams) = (limits::STREAM_LIVES, limits::SENDER_STREAMS);
    match bound {
        StreamBound::Starts => format!(
            "more than {starts} processes write this metric as the same job and instance: set a `service.instance.id` of its own \
             for each process"
        ),
        StreamBound::Streams => format!(
            "senders have more than {streams} label sets: leave metrics out with `datapoints.pass`, or send fewer attributes"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_the_latest_point_at_a_limited_rate() {
        let counters = Counters::default();
        let mut log = PointLog::default();
        let refuse = |instance: &str| {
            let (metric, job, instance) = ("jobs".to_owned(), "bot".into(), instance.into());
            let point = RefusedPoint { metric, job, instance, bound: StreamBound::Starts };
            counters.refuse_point(point.clone());
            point
        };
        assert_eq!(log.fresh(&counters), None);
        refuse("a");
        let latest = refuse("b");
        assert_eq!(log.fresh(&counters), Some((latest, 2)));
        assert_eq!(log.fresh(&counters), None);
        refuse("c");
        assert_eq!(log.fresh(&counters), None, "a line a minute");
        let latest = refuse("d");
        log.limit = LogLimit::default();
        assert_eq!(log.fresh(&counters), Some((latest, 2)));
    }
}
