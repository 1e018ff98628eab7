//! Seeded dice: every random decision of the simulated bot is made here.
//!
//! One seed gives one sequence. The room knows distributions and nothing of what they are used for.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// The source of all chance, reproducible under its seed.
#[derive(Clone, Debug)]
pub struct Dice(StdRng);

impl Dice {
    /// Dice that fall the same way for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// A number in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        self.0.random()
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.random()
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A whole number in `low..=high`.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        self.0.random_range(low..=high.max(low))
    }

    /// A number between two bounds.
    pub fn within(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// One of these, each as likely; `otherwise` when there is none.
    pub fn one_of<T: Copy>(&mut self, choices: &[T], otherwise: T) -> T {
        let last = u32::try_from(choices.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let at = self.between(0, last) as usize;
        choices.get(at).copied().unwrap_or(otherwise)
    }

    /// The position of one of these weights, as likely as it is heavy; 0 when there is none.
    pub fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut left = self.unit() * weights.clone().sum::<f64>();
        let mut last = 0;
        for (at, weight) in weights.enumerate() {
            if weight <= 0.0 {
                continue;
            }
            last = at;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        last
    }

    /// A lognormal value with this median and 95th percentile: sigma = ln(p95 / p50) / 1.645.
    pub fn lognormal(&mut self, p50: f64, p95: f64) -> f64 {
        const Z95: f64 = 1.645;
        p50 * ((p95 / p50).ln() / Z95 * self.normal()).exp()
    }

    /// The time to the next happening of a Poisson stream of this rate, in the rate's unit.
    pub fn wait(&mut self, rate: f64) -> f64 {
        -(1.0 - self.unit()).ln() / rate
    }

    /// A standard normal value (Box and Muller's polar angle form).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lognormal_has_its_median_and_its_95th_percentile() {
        let mut dice = Dice::new(1);
        let mut values: Vec<f64> = (0..20_000).map(|_| dice.lognormal(9.0, 22.0)).collect();
        values.sort_by(f64::total_cmp);
        assert!((values[10_000] - 9.0).abs() < 0.3, "{}", values[10_000]);
        assert!((values[19_000] - 22.0).abs() < 1.2, "{}", values[19_000]);
    }

    #[test]
    fn weights_are_kept_and_zero_is_never_drawn() {
        let mut dice = Dice::new(2);
        let mut counts = [0u32; 4];
        for _ in 0..30_000 {
            counts[dice.weighted([0.0, 1.0, 3.0, 0.0].into_iter())] += 1;
        }
        assert_eq!((counts[0], counts[3]), (0, 0));
        let share = f64::from(counts[2]) / 30_000.0;
        assert!((share - 0.75).abs() < 0.01, "{share}");
    }
}
