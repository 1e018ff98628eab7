use super::*;

const HOUR: u64 = 3_600_000_000_000;
const DAY: u64 = 24 * HOUR;
const MONTH: Duration = Duration::from_secs(28 * 86_400);

/// Well mixed, as a keyed hash is.
fn who(one: u64) -> Pseudonym {
    let mut mixed = one.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    Pseudonym(mixed ^ (mixed >> 31))
}

fn days(count: &Distinct, now: u64, days: u64) -> f64 {
    count.count(Quarter::of(Timestamp(now)).back(Duration::from_secs(days * 86_400)))
}

#[test]
fn windows_slide_over_everybodys_last_visit() {
    let mut count = Distinct::new(MONTH);
    let start = 1000 * DAY;
    for one in 0..50 {
        count.see(who(one), Timestamp(start + one * DAY / 2), Timestamp(start + one * DAY / 2));
    }
    let now = start + 25 * DAY;
    assert_eq!(
        (days(&count, now, 1), days(&count, now, 7), days(&count, now, 28)),
        (2.0, 14.0, 50.0)
    );
    count.see(who(0), Timestamp(now), Timestamp(now));
    assert_eq!((days(&count, now, 1), days(&count, now, 28), count.fresh()), (3.0, 50.0, 50.0));
    let later = start + 40 * DAY;
    count.see(who(1), Timestamp(later), Timestamp(later));
    assert_eq!(
        (days(&count, later, 28), count.fresh()),
        (28.0, 51.0),
        "who was away too long is new again"
    );
}

#[test]
fn visits_without_a_time_count_now() {
    let mut count = Distinct::new(MONTH);
    let now = 1000 * DAY;
    count.see(who(1), Timestamp(0), Timestamp(now));
    assert_eq!((days(&count, now, 1), count.fresh()), (1.0, 1.0));
}

#[test]
fn late_visits_count_where_they_belong_and_future_ones_now() {
    let mut count = Distinct::new(MONTH);
    let now = 1000 * DAY;
    count.see(who(1), Timestamp(now - 3 * DAY), Timestamp(now));
    count.see(who(2), Timestamp(now + 9 * DAY), Timestamp(now));
    count.see(who(2), Timestamp(now - 9 * DAY), Timestamp(now));
    count.see(who(3), Timestamp(now - 99 * DAY), Timestamp(now));
    assert_eq!((days(&count, now, 1), days(&count, now, 7)), (1.0, 2.0));
    assert_eq!((days(&count, now, 28), count.fresh()), (2.0, 2.0));
}

#[test]
fn a_crowd_is_counted_within_the_stated_error() {
    let mut count = Distinct::new(MONTH);
    let start = 1000 * DAY;
    let crowd = 3 * limits::DISTINCT_EXACT as u64;
    for one in 0..crowd {
        let at = Timestamp(start + one * (20 * DAY / crowd));
        count.see(who(one), at, at);
    }
    assert!(matches!(count.seen, Seen::Sketch(_)));
    let now = start + 20 * DAY;
    let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 0.05;
    for window in [1, 7, 14, 28] {
        let expected = crowd as f64 * (window as f64 / 20.0).min(1.0);
        assert!(
            near(days(&count, now, window), expected),
            "{window}: {}",
            days(&count, now, window)
        );
    }
    assert!(near(count.fresh(), crowd as f64), "{}", count.fresh());
    for one in 0..crowd / 4 {
        count.see(who(one), Timestamp(now), Timestamp(now));
    }
    assert!(near(count.fresh(), crowd as f64), "who comes again is not new: {}", count.fresh());
}

#[test]
fn the_estimate_is_right_from_few_to_many() {
    for (registers, most) in [(512, 0.14), (4096, 0.06)] {
        for many in [0_u64, 1, 5, 20, 300, 5_000, 200_000] {
            let mut ranks = vec![0_u8; registers];
            for one in 0..many {
                let (at, rank) = estimate::place(who(one), registers);
                ranks[at] = ranks[at].max(rank);
            }
            let found = estimate::count(ranks.into_iter(), registers);
            let off = (found - many as f64).abs();
            assert!(off <= most * many as f64 + 0.3, "{registers} registers, {many}: {found}");
        }
    }
}

#[test]
fn the_published_registers() {
    let of = |hash: u64, registers| estimate::place(Pseudonym(hash), registers);
    assert_eq!(of(0, 512), (0, 56));
    assert_eq!(of(u64::MAX, 512), (511, 1));
    assert_eq!(of(0x8040_0000_0000_0000, 512), (256, 1));
    assert_eq!(of(0x0020_0000_0000_0000, 512), (0, 2));
    assert_eq!(of(1, 512), (0, 55));
}

#[test]
fn registers_turn_by_time_and_never_by_a_look() {
    let minute = |minute: u64| Timestamp(1000 * DAY + minute * 60_000_000_000);
    let mut registers = Registers::new(512);
    registers.see(who(1), minute(0));
    let shown = |registers: &Registers, at| registers.shown(minute(at)).collect::<Vec<_>>();
    let one = shown(&registers, 1);
    assert_eq!(one.len(), 1);
    assert_eq!(shown(&registers, 2), one, "a look takes nothing");
    registers.see(who(2), minute(6));
    assert_eq!(shown(&registers, 7).len(), 2);
    assert_eq!(shown(&registers, 12).len(), 1, "the first half-window is over");
    assert!(shown(&registers, 40).is_empty());
}
