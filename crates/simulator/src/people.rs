//! Who asks: a community whose few regulars ask most.
//!
//! Knows numbers only; what an id looks like on the wire is `story`'s business.

use super::day;
use super::draw::Dice;

/// People in the first week.
pub const PEOPLE: u32 = 180;
/// People who join every week.
const NEW_PER_WEEK: u32 = 4;
/// Zipf exponent of how much each asks.
const ZIPF: f64 = 1.1;
/// Sessions a weekday brings: 250 interactions at about 2.1 turns.
const SESSIONS_PER_WEEKDAY: f64 = 118.0;

/// What somebody may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// May run jobs and write.
    Privileged,
    /// May ask.
    Limited,
    /// Has no linked identity yet.
    Unlinked,
}

impl Tier {
    /// As `bot.access.tier` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Limited => "limited",
            Self::Unlinked => "unlinked",
        }
    }
}

/// The tier of a person: three in ten are privileged, spread over busy and quiet ones.
pub const fn tier(person: u32) -> Tier {
    if person.wrapping_mul(7) % 10 < 3 { Tier::Privileged } else { Tier::Limited }
}

/// The people and who of them is around today.
#[derive(Clone, Debug)]
pub struct People {
    size: u32,
    today: Option<u32>,
    /// Around today, with their weights.
    around: Vec<(f64, u32)>,
    /// Around today and not yet heard of.
    unheard: Vec<u32>,
    sessions_left: f64,
}

impl People {
    /// A community of this many in its first week.
    pub const fn new(size: u32) -> Self {
        Self { size, today: None, around: Vec::new(), unheard: Vec::new(), sessions_left: 0.0 }
    }

    /// Who begins a session on this day; `privileged` ones only, where the matter needs it.
    ///
    /// Everybody who is around comes at least once in the mean, the rest goes to the heavy users.
    pub fn draw(&mut self, dice: &mut Dice, today: u32, privileged: bool) -> u32 {
        if self.today != Some(today) {
            self.wake(dice, today);
        }
        self.sessions_left = (self.sessions_left - 1.0).max(1.0);
        let may = |person: &u32| !privileged || tier(*person) == Tier::Privileged;
        if dice.chance(self.unheard.len() as f64 / self.sessions_left)
            && let Some(at) = self.unheard.iter().position(may)
        {
            return self.unheard.swap_remove(at);
        }
        let weights = self.around.iter().map(|(w, person)| if may(person) { *w } else { 0.0 });
        let at = dice.weighted(weights);
        // A weekend may find no privileged person awake: then the first one is called.
        self.around.get(at).map(|(_, person)| *person).filter(may).unwrap_or(0)
    }

    fn wake(&mut self, dice: &mut Dice, today: u32) {
        let known = self.size + NEW_PER_WEEK * (today / 7);
        let weekend = day::weekend(today);
        let share = if weekend { 8.0 } else { dice.within(55.0, 65.0) } / f64::from(PEOPLE);
        let count = (share * f64::from(self.size)).round().max(1.0) as usize;
        // Weighted sampling without replacement: the smallest waits of one race each (Efraimidis and Spirakis).
        let mut race: Vec<(f64, u32)> =
            (0..known).map(|person| (dice.wait(weight(person)), person)).collect();
        race.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.unheard = race.into_iter().take(count).map(|(_, person)| person).collect();
        self.around = self.unheard.iter().map(|person| (weight(*person), *person)).collect();
        let day = if weekend { day::WEEKEND } else { 1.0 };
        self.sessions_left = SESSIONS_PER_WEEKDAY * day * f64::from(self.size) / f64::from(PEOPLE);
        self.today = Some(today);
    }
}

fn weight(person: u32) -> f64 {
    f64::from(person + 1).powf(-ZIPF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn three_in_ten_are_privileged() {
        let count = (0..PEOPLE).filter(|person| tier(*person) == Tier::Privileged).count();
        assert_eq!(count, 54);
    }

    #[test]
    fn a_weekday_sees_about_sixty_people_and_a_saturday_eight() {
        let (mut dice, mut people) = (Dice::new(3), People::new(PEOPLE));
        let mut seen = |today: u32, sessions: u32| {
            let day: BTreeSet<u32> =
                (0..sessions).map(|n| people.draw(&mut dice, today, n % 3 == 0)).collect();
            day.len()
        };
        let weekday = seen(0, 118);
        assert!((50..=65).contains(&weekday), "{weekday}");
        let saturday = seen(5, 16);
        assert!((4..=9).contains(&saturday), "{saturday}");
    }

    #[test]
    fn a_privileged_matter_has_a_privileged_asker() {
        let (mut dice, mut people) = (Dice::new(4), People::new(PEOPLE));
        for today in 0..14 {
            assert_eq!(tier(people.draw(&mut dice, today, true)), Tier::Privileged);
        }
    }
}
