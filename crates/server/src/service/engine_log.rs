//! Log lines about what the engine counted: it cannot log.

mod points;
mod weights;

use engine::counters::Counters;
use engine::limits;
use tokio::time::MissedTickBehavior;

use crate::net::Drain;

use points::PointLog;
use weights::WeightLog;

/// Logs until the drain begins.
pub(super) async fn watch(counters: &Counters, drain: &Drain) {
    let (mut weights, mut points) = (WeightLog::default(), PointLog::default());
    let mut tick = tokio::time::interval(limits::ENGINE_LOG_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = drain.begun() => return,
            _ = tick.tick() => {
                weights.log(counters);
                points.log(counters);
            }
        }
    }
}
