//! When people ask: the simulated clock and the curve of a day.
//!
//! Simulated time is seconds since the Monday midnight (UTC) before the bot's life began; nothing here reads a clock.

/// Interactions on a weekday.
pub const PER_WEEKDAY: f64 = 250.0;
/// How much of a weekday a weekend day is: 8 active people against 60.
pub const WEEKEND: f64 = 8.0 / 60.0;
/// GitHub webhook deliveries on any day, and the share that ends in a message to people.
pub const WEBHOOKS_PER_DAY: f64 = 2_500.0;
/// Seconds between two runs of the release notifier.
pub const NOTIFIER_EVERY: f64 = 6.0 * HOUR;
/// When the bot's life begins: Monday, shortly before the morning hump's top, so that there is something to see.
pub const FIRST_MOMENT: f64 = 9.75 * HOUR;
/// Seconds in an hour.
pub const HOUR: f64 = 3_600.0;
/// Seconds in a day.
pub const DAY: f64 = 24.0 * HOUR;

/// Share of a day's interactions in each UTC hour: 35 % from 9 to 12, 50 % from 15 to 20, 15 % over the rest.
const CURVE: [f64; 24] = [
    0.005, 0.004, 0.003, 0.003, 0.004, 0.006, 0.010, 0.015, 0.020, //
    0.09, 0.15, 0.11, //
    0.015, 0.015, 0.015, //
    0.07, 0.12, 0.15, 0.10, 0.06, //
    0.012, 0.010, 0.007, 0.006,
];

/// Number of the day this moment lies in, 0 = the first Monday.
pub fn day(at: f64) -> u32 {
    (at / DAY).max(0.0) as u32
}

/// Whether that day is a Saturday or a Sunday.
pub fn weekend(day: u32) -> bool {
    day % 7 >= 5
}

/// Interactions expected on that day.
pub fn expected(day: u32) -> f64 {
    if weekend(day) { PER_WEEKDAY * WEEKEND } else { PER_WEEKDAY }
}

/// Interactions an hour at this moment.
pub fn hourly(at: f64) -> f64 {
    let hour = (at.rem_euclid(DAY) / HOUR) as usize;
    CURVE.get(hour).copied().unwrap_or_default() * expected(day(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_one_day_with_two_humps() {
        let share = |from: usize, to: usize| CURVE[from..to].iter().sum::<f64>();
        assert!((share(0, 24) - 1.0).abs() < 1e-9, "{}", share(0, 24));
        assert!((share(9, 12) - 0.35).abs() < 1e-9 && (share(15, 20) - 0.50).abs() < 1e-9);
        let peak = (0..24).map(|h| hourly(f64::from(h) * HOUR)).fold(0.0, f64::max);
        assert!((35.0..45.0).contains(&peak), "{peak}");
    }

    #[test]
    fn weekends_are_quiet() {
        assert!(!weekend(4) && weekend(5) && weekend(6) && !weekend(7));
        assert!(hourly(5.0 * DAY + 10.0 * HOUR) < 6.0);
    }
}
