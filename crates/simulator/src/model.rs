//! What happens: an endless, seeded stream of turns, webhook deliveries and jobs.
//!
//! Pure: simulated seconds in and out (see `day`), no clock, no spans. What a turn looks like on the wire is `story`'s
//! business, and how often it happens `mix`'s.

use std::collections::BTreeMap;

use super::day;
use super::draw::Dice;
use super::incident::{Script, Trouble};
use super::mix::ROWS;
use super::people::{self, People};

mod chaos;
mod interaction;
pub mod opening;
mod turn;

use chaos::Chaos;
pub use interaction::{
    Answering, Attempt, Call, Feedback, Interaction, Outcome, Retrieval, Step, ToolCall,
};
use turn::Plan;

/// Something that happened, at a simulated second.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// When it began.
    pub at: f64,
    /// What it was.
    pub what: Happening,
}

/// The kinds of happenings.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)] // nearly all are turns
pub enum Happening {
    /// Somebody said something to the bot.
    Turn(Interaction),
    /// Somebody did, and the bot never knew.
    Lost(Lost),
    /// A forge told the bot something.
    Webhook(Webhook),
    /// The bot did something by itself.
    Job(Job),
}

/// A message that nobody answers: its first delivery found no room, and the second is taken and dropped, as all second ones are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// In which thread.
    pub conversation: u64,
}

/// A webhook delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    /// What it was about.
    pub event: &'static str,
    /// Whether people were told.
    pub notified: bool,
    /// Why it was refused: `bad_signature` or `replay`.
    pub refused: Option<&'static str>,
    /// Seconds.
    pub duration: f64,
}

/// A run of a background job.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its name.
    pub name: &'static str,
    /// `success`, `failure` or `skipped`.
    pub result: &'static str,
    /// Why it was skipped.
    pub skipped: Option<&'static str>,
    /// Seconds.
    pub duration: f64,
    /// The conversation that asked for it.
    pub conversation: Option<u64>,
}

#[derive(Clone, Debug)]
enum Next {
    Session,
    /// A session that comes because of an incident.
    Brought,
    Webhook,
    Notifier,
    Turn(Box<Plan>),
    Job(Job),
}

/// The simulated bot's world.
#[derive(Clone, Debug)]
pub struct Model {
    dice: Dice,
    people: People,
    /// What is to come, by microsecond and order of planning.
    agenda: BTreeMap<(u64, u64), Next>,
    planned: u64,
    conversations: u64,
    chaos: Option<Chaos>,
}

impl Model {
    /// A world that runs from `from` (simulated seconds) on, the same for the same seed.
    pub fn new(seed: u64, from: f64) -> Self {
        Self::with(seed, from, None)
    }

    /// The same world with an incident.
    pub fn with(seed: u64, from: f64, script: Option<Script>) -> Self {
        let people = People::new(people::PEOPLE);
        let mut model = Self {
            dice: Dice::new(seed),
            agenda: BTreeMap::new(),
            planned: 0,
            conversations: 0,
            chaos: script.map(|script| Chaos::new(script, seed, people.clone())),
            people,
        };
        if let Some(script) = script {
            model.plan_brought(script.from.max(from));
        }
        model.plan_session(from);
        model.plan(from, Next::Webhook);
        model.plan(from, Next::Notifier);
        model
    }

    fn plan(&mut self, at: f64, next: Next) {
        self.planned += 1;
        self.agenda.insert(((at * 1e6) as u64, self.planned), next);
    }

    /// Plans the next session after this moment, by the rate of the hour it falls into.
    fn plan_session(&mut self, at: f64) {
        let at = arrival(&mut self.dice, at, |at| day::hourly(at) * sessions_per_turn());
        self.plan(at, Next::Session);
    }

    /// Plans the next session that an incident brings.
    fn plan_brought(&mut self, at: f64) {
        if let Some(at) = self.chaos.as_mut().and_then(|chaos| chaos.arrival(at)) {
            self.plan(at, Next::Brought);
        }
    }

    fn session(&mut self, at: f64) -> Moment {
        self.plan_session(at);
        let row = some_row(&mut self.dice);
        let plan = self.begin(row, at);
        self.turn(at, plan)
    }

    fn brought(&mut self, at: f64) -> Option<Moment> {
        self.plan_brought(at);
        let plan = self.chaos.as_mut()?.session(at);
        Some(self.turn(at, plan))
    }

    fn begin(&mut self, row: usize, at: f64) -> Plan {
        self.conversations += 1;
        let privileged = ROWS.get(row).is_some_and(|row| row.privileged);
        let person = self.people.draw(&mut self.dice, day::day(at), privileged);
        Plan::begin(&mut self.dice, row, person, self.conversations)
    }

    fn turn(&mut self, at: f64, mut plan: Plan) -> Moment {
        let trouble = match &mut self.chaos {
            Some(chaos) => chaos.befall(at, &plan),
            None => Trouble::default(),
        };
        if trouble.lost {
            let conversation = plan.conversation;
            return Moment { at, what: Happening::Lost(Lost { conversation }) };
        }
        let turn = plan.happen(&trouble);
        let end = at + turn.duration;
        if turn.remediation == Some("remediation_started") {
            let job = Job {
                name: "remediation",
                result: if plan.dice.chance(0.85) { "success" } else { "failure" },
                skipped: None,
                duration: plan.dice.lognormal(420.0, 880.0).clamp(240.0, 900.0),
                conversation: Some(turn.conversation),
            };
            self.plan(end, Next::Job(job));
        }
        if let Some(mut next) = plan.next(&turn) {
            let think = next.dice.lognormal(60.0, 240.0);
            self.plan(end + think, Next::Turn(Box::new(next)));
        }
        Moment { at, what: Happening::Turn(turn) }
    }

    fn webhook(&mut self, at: f64) -> Moment {
        let wait = self.dice.wait(day::WEBHOOKS_PER_DAY / day::DAY);
        self.plan(at + wait, Next::Webhook);
        let events = ["pull_request", "issues", "issue_comment", "check_run"];
        let refused = match self.dice.unit() {
            low if low < 0.0004 => Some("bad_signature"),
            low if low < 0.0010 => Some("replay"),
            _ => None,
        };
        let webhook = Webhook {
            event: self.dice.one_of(&events, "issues"),
            notified: refused.is_none() && self.dice.chance(0.02),
            refused,
            duration: self.dice.lognormal(0.2, 1.0),
        };
        Moment { at, what: Happening::Webhook(webhook) }
    }

    fn notifier(&mut self, at: f64) -> Moment {
        self.plan(at + day::NOTIFIER_EVERY, Next::Notifier);
        let skipped = self.dice.chance(0.4).then_some("cadence");
        let job = Job {
            name: "release-notifier",
            result: if skipped.is_some() { "skipped" } else { "success" },
            skipped,
            duration: self.dice.lognormal(2.0, 6.0),
            conversation: None,
        };
        Moment { at, what: Happening::Job(job) }
    }
}

impl Iterator for Model {
    type Item = Moment;

    fn next(&mut self) -> Option<Moment> {
        let ((micros, _), next) = self.agenda.pop_first()?;
        let at = micros as f64 / 1e6;
        Some(match next {
            Next::Session => self.session(at),
            Next::Brought => return self.brought(at),
            Next::Webhook => self.webhook(at),
            Next::Notifier => self.notifier(at),
            Next::Turn(plan) => self.turn(at, *plan),
            Next::Job(job) => Moment { at, what: Happening::Job(job) },
        })
    }
}

impl Happening {
    /// How long it takes, seconds.
    pub const fn duration(&self) -> f64 {
        match self {
            Self::Turn(turn) => turn.duration,
            Self::Lost(_) => 0.0,
            Self::Webhook(webhook) => webhook.duration,
            Self::Job(job) => job.duration,
        }
    }
}

/// The next of a stream of so many an hour, whose rate may change with every hour.
fn arrival(dice: &mut Dice, mut at: f64, hourly: impl Fn(f64) -> f64) -> f64 {
    loop {
        let end_of_hour = ((at / day::HOUR).floor() + 1.0) * day::HOUR;
        let wait = dice.wait(hourly(at) / day::HOUR);
        if at + wait < end_of_hour {
            return at + wait;
        }
        // A Poisson stream has no memory: it may be drawn anew where its rate changes.
        at = end_of_hour;
    }
}

/// The matter of a session.
fn some_row(dice: &mut Dice) -> usize {
    dice.weighted(ROWS.iter().map(|row| row.share / row.mean_turns()))
}

/// Sessions one turn stands for, over the whole mix.
fn sessions_per_turn() -> f64 {
    ROWS.iter().map(|row| row.share / 100.0 / row.mean_turns()).sum()
}

#[cfg(test)]
mod tests;
