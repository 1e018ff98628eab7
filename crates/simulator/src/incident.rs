//! What goes wrong for a while: what befalls turns meanwhile, and who comes because of it.
//!
//! An incident changes what it says and nothing else. It draws from dice of its own, so that the world with it and the world without
//! it are the same, turn by turn, wherever it does not reach. Simulated seconds, as in `day`; nothing of spans.

use super::day;
use super::draw::Dice;
use super::mix::Cause;

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incident {
    /// The model's provider answers 60 % of the questions with "too many requests", in all three attempts.
    ThrottleStorm,
    /// A crowd asks more than ten slots can answer: replies take 1.8 times as long, a quarter of the messages is delivered again
    /// (`http_timeout`), and 15 % are lost: the platform's second delivery is taken and dropped.
    Saturation,
    /// A new version fails in 35 % of its turns and answers the others worse.
    BadDeploy,
    /// 480 hostile messages an hour: injections and spoofed identities for the validation, the rest for the guardrail.
    InjectionBurst,
    /// Two thirds of the turns with tools get a result over 400 kB: 60 % of those hang to the time limit, the others are slow.
    OversizeToolResult,
    /// Three times as many input tokens in every model call.
    CostRegression,
    /// The bot works and sends nothing.
    TelemetryGap,
    /// Ten tool calls for one, and none under a name that is known; tools that write keep theirs.
    LabelExplosion,
}

/// An incident and its time, simulated seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Script {
    /// What.
    pub incident: Incident,
    /// From when.
    pub from: f64,
    /// Until when.
    pub until: f64,
}

/// What befalls one turn; by default nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trouble {
    /// Why it fails.
    pub cause: Option<Cause>,
    /// It never gets to the bot.
    pub lost: bool,
    /// It is delivered twice.
    pub redelivered: bool,
    /// By how much longer it takes: 0.8 is 1.8 times as long.
    pub slower: f64,
    /// By how much its prompts are larger: 2 is three times as large.
    pub context: f64,
    /// Bytes of its last tool's result, and whether that hangs the agent.
    pub oversize: Option<(u64, bool)>,
    /// Whoever asked is not content.
    pub unhappy: bool,
    /// Its tools have invented names, counted from here.
    pub invented: Option<u32>,
    /// It is hostile, in this way.
    pub attack: Option<&'static str>,
}

/// The version of the bot before and after a deployment.
pub const VERSIONS: (&str, &str) = ("2.3.0", "2.4.0");
/// Tool calls instead of one.
pub const INVENTED_AT_ONCE: u32 = 10;

/// Messages an hour in a saturation, at any time of the day: about 9 are in progress at once.
const CROWD: f64 = 1_400.0;
/// Messages an hour there are at least, so that an incident shows at night and in seconds of a fast demo: the busiest hour's of a
/// release day, three times the usual.
const BUSY: f64 = 120.0;
/// Hostile messages an hour.
const HOSTILE: f64 = 480.0;
/// Share of the hostile messages that the validation refuses as injection, and as spoofed identity.
const REFUSED: (f64, f64) = (0.45, 0.10);
/// Those who write them, at random.
const ATTACKERS: (u32, u32) = (177, 179);

impl Incident {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::ThrottleStorm,
        Self::Saturation,
        Self::BadDeploy,
        Self::InjectionBurst,
        Self::OversizeToolResult,
        Self::CostRegression,
        Self::TelemetryGap,
        Self::LabelExplosion,
    ];

    /// Its name, as the command line has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ThrottleStorm => "throttle_storm",
            Self::Saturation => "saturation",
            Self::BadDeploy => "bad_deploy",
            Self::InjectionBurst => "injection_burst",
            Self::OversizeToolResult => "oversize_tool_result",
            Self::CostRegression => "cost_regression",
            Self::TelemetryGap => "telemetry_gap",
            Self::LabelExplosion => "label_explosion",
        }
    }

    /// What befalls a turn that somebody brings meanwhile. `turns` is how many it has met so far.
    pub fn befall(self, dice: &mut Dice, turns: u32) -> Trouble {
        let mut trouble = Trouble::default();
        match self {
            Self::ThrottleStorm => trouble.cause = dice.chance(0.6).then_some(Cause::Throttling),
            Self::Saturation => {
                trouble.slower = 0.8;
                trouble.redelivered = dice.chance(0.25);
                trouble.lost = dice.chance(0.15);
            }
            Self::BadDeploy if dice.chance(0.35) => {
                let causes = [(Cause::Tool, 0.5), (Cause::Agent, 0.3), (Cause::Empty, 0.2)];
                let at = dice.weighted(causes.iter().map(|(_, share)| *share));
                trouble.cause = causes.get(at).map(|(cause, _)| *cause);
            }
            Self::BadDeploy => trouble.unhappy = dice.chance(0.15),
            Self::OversizeToolResult if dice.chance(0.67) => {
                let hangs = dice.chance(0.6);
                trouble.oversize = Some((dice.between(450_000, 900_000).into(), hangs));
            }
            Self::CostRegression => trouble.context = 2.0,
            Self::LabelExplosion => {
                trouble.invented = Some(turns.wrapping_mul(2 * INVENTED_AT_ONCE));
            }
            Self::OversizeToolResult | Self::InjectionBurst | Self::TelemetryGap => {}
        }
        trouble
    }

    /// Messages an hour that come because of it at this moment, on top of the usual ones.
    pub fn brings(self, at: f64) -> f64 {
        match self {
            Self::InjectionBurst => HOSTILE,
            Self::Saturation => (CROWD - day::hourly(at)).max(0.0),
            Self::TelemetryGap => 0.0,
            _ => (BUSY - day::hourly(at)).max(0.0),
        }
    }

    /// A hostile message, if it is hostile ones that come: how, and by whom.
    pub fn hostile(self, dice: &mut Dice) -> Option<(&'static str, u32)> {
        if self != Self::InjectionBurst {
            return None;
        }
        let attack = match dice.unit() {
            low if low < REFUSED.0 => "prompt_injection",
            low if low < REFUSED.0 + REFUSED.1 => "identity_spoofing",
            _ => "jailbreak",
        };
        Some((attack, dice.between(ATTACKERS.0, ATTACKERS.1)))
    }
}

impl Script {
    /// Whether it goes on at this moment.
    pub fn lasts(&self, at: f64) -> bool {
        (self.from..self.until).contains(&at)
    }

    /// The version of the bot at this moment.
    pub fn version(&self, at: f64) -> &'static str {
        let deployed = self.incident == Incident::BadDeploy && self.lasts(at);
        if deployed { VERSIONS.1 } else { VERSIONS.0 }
    }

    /// Whether what is over at this moment is told.
    pub fn tells(&self, at: f64) -> bool {
        self.incident != Incident::TelemetryGap || !self.lasts(at)
    }
}

#[cfg(test)]
mod tests;
