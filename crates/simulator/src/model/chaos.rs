//! An incident in the world: when it strikes whom, and who comes because of it.

use super::super::day;
use super::super::draw::Dice;
use super::super::incident::{Script, Trouble};
use super::super::mix::{Matter, ROWS};
use super::super::people::People;
use super::turn::Plan;
use super::{arrival, sessions_per_turn, some_row};

/// Numbers of the conversations that incidents bring, apart from all others.
const CONVERSATIONS: u64 = 1 << 32;

/// An incident with dice and people of its own: the rest of the world draws as if it were not there.
#[derive(Clone, Debug)]
pub(super) struct Chaos {
    script: Script,
    dice: Dice,
    people: People,
    conversations: u64,
    turns: u32,
}

impl Chaos {
    pub(super) fn new(script: Script, seed: u64, people: People) -> Self {
        Self { script, dice: Dice::new(!seed), people, conversations: CONVERSATIONS, turns: 0 }
    }

    /// When the next session comes because of it; none: it is over, or brings nobody.
    pub(super) fn arrival(&mut self, from: f64) -> Option<f64> {
        let Script { incident, until, .. } = self.script;
        // Hostile messages come alone; other people have more than one thing to say.
        let alone = incident.hostile(&mut self.dice.clone()).is_some();
        let sessions = if alone { 1.0 } else { sessions_per_turn() };
        let brings =
            |at: f64| if at < until { incident.brings(at) * sessions } else { f64::INFINITY };
        Some(arrival(&mut self.dice, from, brings)).filter(|at| *at < until)
    }

    /// A session that comes because of it.
    pub(super) fn session(&mut self, at: f64) -> Plan {
        self.conversations += 1;
        let (attack, person, row) = match self.script.incident.hostile(&mut self.dice) {
            Some((attack, person)) => {
                let refused = ["prompt_injection", "identity_spoofing"].contains(&attack);
                let matter = if refused { Matter::Invalid } else { Matter::OutOfScope };
                let row = ROWS.iter().position(|row| row.matter == matter).unwrap_or_default();
                (Some(attack), person, row)
            }
            None => {
                let row = some_row(&mut self.dice);
                let privileged = ROWS.get(row).is_some_and(|row| row.privileged);
                (None, self.people.draw(&mut self.dice, day::day(at), privileged), row)
            }
        };
        Plan::begin(&mut self.dice, row, person, self.conversations).brought(attack)
    }

    /// What befalls a turn that begins now.
    pub(super) fn befall(&mut self, at: f64, plan: &Plan) -> Trouble {
        if !self.script.lasts(at) {
            return Trouble::default();
        }
        self.turns += 1;
        // Of a copy: the turn's own dice fall as if nothing had befallen it.
        let mut fate = Dice::new(!plan.dice.clone().bits());
        Trouble { attack: plan.attack, ..self.script.incident.befall(&mut fate, self.turns) }
    }
}
