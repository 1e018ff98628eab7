//! From registers to a number.
//!
//! Source: O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017 (improved raw estimator).

use crate::model::Pseudonym;

/// Where a hash belongs among so many registers (a power of two), and its rank there: leading zeros of what is left, and one.
pub fn place(who: Pseudonym, registers: usize) -> (usize, u8) {
    let bits = registers.trailing_zeros();
    let at = who.0.checked_shr(u64::BITS - bits).unwrap_or(0);
    let rest = who.0.checked_shl(bits).unwrap_or(0);
    let most = u64::BITS - bits;
    let rank = rest.leading_zeros().min(most) + 1;
    (usize::try_from(at).unwrap_or(0), u8::try_from(rank).unwrap_or(u8::MAX))
}

/// How many different ones made these ranks; 0: nobody came there.
pub fn count(ranks: impl Iterator<Item = u8>, registers: usize) -> f64 {
    let most = (u64::BITS - registers.trailing_zeros()) as usize; // the highest rank is one more
    let mut tally = vec![0_u32; most + 2];
    for rank in ranks {
        if let Some(slot) = tally.get_mut(usize::from(rank)) {
            *slot += 1;
        }
    }
    let share = |at: usize| tally.get(at).map_or(0.0, |count| f64::from(*count)) / registers as f64;
    let all = registers as f64;
    let mut z = all * tau(1.0 - share(most + 1));
    for at in (1..=most).rev() {
        z = 0.5 * (z + all * share(at));
    }
    z += all * sigma(share(0));
    all * all / (2.0 * std::f64::consts::LN_2) / z
}

fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z == before {
            return z / 3.0;
        }
    }
}
