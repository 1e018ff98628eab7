//! Conversations: which turns belong together, when one has ended, and whether it got what it came for.
//!
//! A conversation is quiet by arrival time, so that late spans keep it open as fresh ones do. It lasts as long as the turns whose
//! times are known say; its last turn is the one that ended last, at its arrival where that is earlier or its end unknown. Keys are keyed hashes; what was
//! said last is kept as the words that labels may show. This room knows no rules and no series.

use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::limits;
use crate::model::Pseudonym;
use crate::timestamp::{ElapsedError, Timestamp};
use crate::view::{Session, Word};

/// What ended a conversation; the words of `ended_by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// Nobody said anything for long.
    Idle,
    /// The bot said so.
    Event,
    /// Another one needed its room.
    Limit,
    /// The process ended.
    Shutdown,
}

/// Whether a conversation got what it came for; the words of `resolution`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Somebody said that it did.
    Confirmed,
    /// It ended with an answer, and nobody complained.
    Implied,
    /// It ended with something else, or with a complaint.
    Unresolved,
    /// Whoever asked left while the bot waited for them, or they for the bot.
    Abandoned,
}

/// One turn of a conversation.
#[derive(Clone, Debug)]
pub struct Turn<'t> {
    /// When it began and ended; 0: unknown.
    pub time: (Timestamp, Timestamp),
    /// How it ended, if that is known.
    pub outcome: Option<&'t str>,
}

/// The open conversations.
#[derive(Debug)]
pub struct Sessions {
    idle: Duration,
    most: usize,
    open: HashMap<Pseudonym, Open, foldhash::fast::RandomState>,
    /// When each was heard of, or earlier: one entry each, the longest quiet first.
    quiet: VecDeque<(Timestamp, Pseudonym)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    /// The earliest known start and the latest known end of its turns, or 0.
    start: Timestamp,
    end: Timestamp,
    /// When its last turn ended: by this turns are ordered.
    last: Timestamp,
    heard: Timestamp,
    turns: u32,
    answered: Ending,
    /// The last word of feedback.
    liked: Option<bool>,
    /// Turns that came soon after an answer.
    reasks: u32,
    /// Whether a human took over.
    handover: bool,
    words: Box<[Option<Box<str>>]>,
}

/// Open conversations as they are kept over a restart: with the words that may be written down, told by their names.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KeptSessions {
    words: Vec<String>,
    open: Vec<(Pseudonym, Open)>,
}

/// How the last turn left things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Ending {
    Answer,
    Waiting,
    Other,
}

impl EndedBy {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Event => "event",
            Self::Limit => "limit",
            Self::Shutdown => "shutdown",
        }
    }
}

impl Resolution {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Implied => "implied",
            Self::Unresolved => "unresolved",
            Self::Abandoned => "abandoned",
        }
    }
}

impl Ending {
    fn of(outcome: Option<&str>) -> Self {
        match outcome {
            Some("answered") | None => Self::Answer,
            Some("confirmation_requested" | "timeout") => Self::Waiting,
            Some(_) => Self::Other,
        }
    }
}

impl Sessions {
    /// Up to `most` at once, each over when nothing came for `idle`.
    pub fn new(idle: Duration, most: usize) -> Self {
        Self { idle, most, open: HashMap::default(), quiet: VecDeque::new() }
    }

    /// A turn of a conversation, and words to remember by place; none: not said this time. The one that had to make room for
    /// it, if one had to.
    pub fn turn<'w>(
        &mut self,
        key: Pseudonym,
        turn: &Turn<'_>,
        words: impl Iterator<Item = Option<&'w str>>,
        now: Timestamp,
    ) -> Option<Session> {
        let (start, end) = turn.known_times();
        let last = end.ordered(now);
        if let Some(open) = self.open.get_mut(&key) {
            if open.asks_again(start) {
                open.reasks = open.reasks.saturating_add(1);
            }
            if last >= open.last || open.last.is_before_a_step(now) {
                (open.last, open.answered) = (last, Ending::of(turn.outcome));
                for (word, said) in open.words.iter_mut().zip(words) {
                    if said.is_some() && word.as_deref() != said {
                        *word = said.map(Box::from);
                    }
                }
            }
            (open.start, open.end) = (earliest(open.start, start), open.end.max(end));
            open.heard = now;
            open.turns = open.turns.saturating_add(1);
            return None;
        }
        if self.most == 0 {
            return None;
        }
        let gone = if self.open.len() >= self.most { self.quietest() } else { None };
        let words = words.map(|word| word.map(Box::from)).collect();
        let answered = Ending::of(turn.outcome);
        let open = Open {
            start,
            end,
            last,
            heard: now,
            turns: 1,
            answered,
            liked: None,
            reasks: 0,
            handover: false,
            words,
        };
        self.open.insert(key, open);
        self.quiet.push_back((now, key));
        if self.quiet.len() > 2 * self.most {
            self.tidy();
        }
        gone
    }

    /// Conversations that ended by a word left their entries behind: one for each that is open is enough.
    fn tidy(&mut self) {
        let mut quiet: Vec<_> = self.open.iter().map(|(key, open)| (open.heard, *key)).collect();
        quiet.sort_unstable();
        self.quiet = quiet.into();
    }

    /// Somebody said what they think of a conversation.
    pub fn feedback(&mut self, key: Pseudonym, liked: bool) {
        if let Some(open) = self.open.get_mut(&key) {
            open.liked = Some(liked);
        }
    }

    /// A human took a conversation over.
    pub fn hand_over(&mut self, key: Pseudonym) {
        if let Some(open) = self.open.get_mut(&key) {
            open.handover = true;
        }
    }

    /// The bot says that a conversation is over.
    pub fn end(&mut self, key: Pseudonym) -> Option<Session> {
        Some(self.open.remove(&key)?.ended(EndedBy::Event))
    }

    /// Those that were quiet for too long.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Session> {
        let mut gone = Vec::new();
        while let Some((heard, key)) = self.quiet.front().copied()
            && now.since(heard) >= self.idle
        {
            self.quiet.pop_front();
            match self.open.get(&key).map(|open| open.heard) {
                Some(later) if now.since(later) < self.idle => self.quiet.push_back((later, key)),
                Some(_) => {
                    let open = self.open.remove(&key);
                    gone.extend(open.map(|open| open.ended(EndedBy::Idle)));
                }
                None => {}
            }
        }
        gone
    }

    /// All of them, because the process ends and nothing is kept.
    pub fn close(&mut self) -> Vec<Session> {
        self.quiet.clear();
        self.open.drain().map(|(_, open)| open.ended(EndedBy::Shutdown)).collect()
    }

    /// Which are open, some of them more than once: what [`Sessions::keep`] is asked for, some at a time.
    pub fn keys(&self) -> Vec<Pseudonym> {
        self.quiet.iter().map(|(_, key)| *key).collect()
    }

    /// Copies those of these that are still open, without what must not be written down.
    pub fn keep(&self, keys: &[Pseudonym], words: &[Word], kept: &mut KeptSessions) {
        let names = words.iter().filter(|word| !word.private).map(|word| &word.name);
        if !kept.words.iter().eq(names.clone()) {
            (kept.words, kept.open) = (names.cloned().collect(), Vec::new());
        }
        for (key, open) in keys.iter().filter_map(|key| Some((*key, self.open.get(key)?))) {
            let said = words.iter().zip(&open.words).filter(|(word, _)| !word.private);
            let words = said.map(|(_, said)| said.clone().filter(|said| !is_content(said)));
            let words = words.collect();
            kept.open.push((key, Open { words, ..open.clone() }));
        }
    }

    /// Takes up what was kept, as far as there is room. Of the words those that are still remembered.
    pub fn restore(&mut self, kept: KeptSessions, words: &[Word]) {
        let of = |word: &Word| kept.words.iter().position(|name| *name == word.name);
        let places: Vec<_> = words.iter().map(of).collect();
        self.take_up(kept.open, &places);
    }

    /// Other bounds, and other words to remember than `before`. Those that are open go on.
    pub fn rebound(&mut self, idle: Duration, most: usize, (before, now): (&[Word], &[Word])) {
        let places: Vec<_> =
            now.iter().map(|word| before.iter().position(|one| one == word)).collect();
        let open = std::mem::replace(self, Self::new(idle, most)).open;
        self.take_up(open, &places);
    }

    /// Goes on with these. `places` tells for each word there is now which one it was.
    fn take_up(
        &mut self,
        open: impl IntoIterator<Item = (Pseudonym, Open)>,
        places: &[Option<usize>],
    ) {
        for (key, mut one) in open {
            if self.open.len() >= self.most {
                break;
            }
            let said = |place: &Option<usize>| one.words.get_mut((*place)?)?.take();
            one.words = places.iter().map(said).collect();
            self.open.entry(key).or_insert(one);
        }
        self.tidy();
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    fn quietest(&mut self) -> Option<Session> {
        while let Some((heard, key)) = self.quiet.pop_front() {
            match self.open.get(&key).map(|open| open.heard) {
                Some(later) if later > heard => self.quiet.push_back((later, key)),
                Some(_) => return Some(self.open.remove(&key)?.ended(EndedBy::Limit)),
                None => {}
            }
        }
        None
    }
}

/// Whether a word is too long to be one: somebody's text is not written down by accident.
fn is_content(word: &str) -> bool {
    word.len() > limits::LABEL_VALUE
}

impl Turn<'_> {
    /// Its start and end. A turn longer than [`limits::DURATION`] has a wrong one, and nothing shows which: both count as unknown.
    fn known_times(&self) -> (Timestamp, Timestamp) {
        let (start, end) = self.time;
        match end.seconds_since(start) {
            Err(ElapsedError::TooLong) => Default::default(),
            Ok(_) | Err(ElapsedError::Unknown) => (start, end),
        }
    }
}

/// The earlier of two times of which either may be unknown.
fn earliest(one: Timestamp, other: Timestamp) -> Timestamp {
    match (one.is_unknown(), other.is_unknown()) {
        (true, _) => other,
        (false, true) => one,
        (false, false) => one.min(other),
    }
}

impl Open {
    /// Whether a turn that begins then comes soon after an answer; not where either time is unknown.
    fn asks_again(&self, start: Timestamp) -> bool {
        self.answered == Ending::Answer
            && !self.end.is_unknown()
            && start >= self.end
            && start.since(self.end) < limits::REASK
    }

    fn ended(self, ended_by: EndedBy) -> Session {
        let resolution = match (self.liked, self.answered) {
            (Some(true), _) => Resolution::Confirmed,
            (Some(false), _) => Resolution::Unresolved,
            (None, Ending::Answer) => Resolution::Implied,
            (None, Ending::Waiting) => Resolution::Abandoned,
            (None, Ending::Other) => Resolution::Unresolved,
        };
        Session {
            turns: self.turns,
            start: self.start,
            end: self.end,
            resolution: resolution.as_str(),
            reasks: self.reasks,
            handover: self.handover,
            ended_by: ended_by.as_str(),
            words: self.words,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(1800);

    fn at(second: u64) -> Timestamp {
        Timestamp(second * 1_000_000_000)
    }

    fn turn(sessions: &mut Sessions, key: u64, second: u64, outcome: &str) -> Option<Session> {
        let words = [Some(outcome), (outcome == "answered").then_some("last answer")];
        let time = (at(second), at(second + 10));
        let turn = Turn { time, outcome: Some(outcome) };
        sessions.turn(Pseudonym(key), &turn, words.into_iter(), at(second + 11))
    }

    #[test]
    fn a_conversation_is_its_turns_and_counts_once_when_it_is_quiet() {
        let mut sessions = Sessions::new(IDLE, 10);
        turn(&mut sessions, 1, 100, "answered");
        turn(&mut sessions, 2, 200, "error");
        turn(&mut sessions, 1, 1500, "fallback");
        assert!(sessions.expire(at(1999)).is_empty());
        let gone = sessions.expire(at(2100));
        assert_eq!((gone.len(), gone[0].resolution), (1, "unresolved"));
        let gone = sessions.expire(at(1511 + 1800));
        let one = &gone[0];
        assert_eq!((one.turns, one.seconds(), one.end), (2, Ok(1410.0), at(1510)));
        assert_eq!(one.ended_by, "idle");
        let words: Vec<_> = one.words.iter().map(|word| word.as_deref()).collect();
        assert_eq!(words, [Some("fallback"), Some("last answer")], "each as it was last said");
        assert!(sessions.is_empty() && sessions.expire(at(9999)).is_empty());
    }

    #[test]
    fn how_it_ended_says_whether_it_got_what_it_came_for() {
        for (outcomes, liked, expected) in [
            (&["answered"][..], None, Resolution::Implied),
            (&["error", "answered"], None, Resolution::Implied),
            (&["answered", "error"], None, Resolution::Unresolved),
            (&["confirmation_requested"], None, Resolution::Abandoned),
            (&["timeout"], None, Resolution::Abandoned),
            (&["error"], Some(true), Resolution::Confirmed),
            (&["answered"], Some(false), Resolution::Unresolved),
        ] {
            let mut sessions = Sessions::new(IDLE, 10);
            for (second, outcome) in (0..).step_by(20).zip(outcomes) {
                turn(&mut sessions, 1, second, outcome);
            }
            liked.into_iter().for_each(|liked| sessions.feedback(Pseudonym(1), liked));
            let ended = sessions.end(Pseudonym(1)).unwrap();
            assert_eq!(
                (ended.resolution, ended.ended_by),
                (expected.as_str(), "event"),
                "{outcomes:?}"
            );
        }
    }

    #[test]
    fn who_comes_back_soon_after_an_answer_asks_again() {
        let mut sessions = Sessions::new(IDLE, 10);
        turn(&mut sessions, 1, 100, "answered"); // until 110
        turn(&mut sessions, 1, 409, "answered"); // until 419: again
        turn(&mut sessions, 1, 719, "error"); // 300 s later: not again
        turn(&mut sessions, 1, 730, "answered"); // no answer came before
        turn(&mut sessions, 1, 735, "answered"); // told before the last one ended
        sessions.hand_over(Pseudonym(1));
        sessions.hand_over(Pseudonym(2));
        let ended = sessions.end(Pseudonym(1)).unwrap();
        assert_eq!((ended.turns, ended.reasks, ended.handover), (5, 1, true));
    }

    #[test]
    fn a_turn_that_comes_late_does_not_have_the_last_word() {
        let mut sessions = Sessions::new(IDLE, 10);
        turn(&mut sessions, 1, 100, "answered");
        let late = Turn { time: (at(50), at(60)), outcome: Some("error") };
        sessions.turn(Pseudonym(1), &late, [].into_iter(), at(120));
        let ended = sessions.end(Pseudonym(1)).unwrap();
        assert_eq!((ended.resolution, ended.seconds()), ("implied", Ok(60.0)));
    }

    /// Ends a conversation whose turns began, ended and arrived at these seconds (0: unknown), each with its own answer.
    fn timed(turns: &[(u64, u64, u64)]) -> Session {
        let mut sessions = Sessions::new(IDLE, 10);
        for (nth, (start, end, arrival)) in turns.iter().enumerate() {
            let turn = Turn { time: (at(*start), at(*end)), outcome: Some("answered") };
            let word = nth.to_string();
            sessions.turn(Pseudonym(1), &turn, [Some(&*word)].into_iter(), at(*arrival));
        }
        sessions.end(Pseudonym(1)).unwrap()
    }

    #[test]
    fn lasts_as_long_as_the_turns_with_known_times() {
        const YEAR: u64 = 365 * 86_400;
        for (turns, expected) in [
            (&[(0, 8, 10), (4, 6, 10), (7, 8, 10)][..], Ok(4.0)),
            (&[(4, 6, 10), (0, 8, 10), (7, 0, 10)], Ok(4.0)),
            (&[(4, 6, 10), (0, 0, 10)], Ok(2.0)),
            (&[(0, 8, 10)], Err(ElapsedError::Unknown)),
            (&[(4, 0, 10)], Err(ElapsedError::Unknown)),
            (&[(0, 0, 10), (0, 0, 11)], Err(ElapsedError::Unknown)),
            // A start in the wrong unit is as good as unknown, and so is the end beside it.
            (&[(1, YEAR, YEAR), (YEAR - 4, YEAR - 2, YEAR)], Ok(2.0)),
            (&[(4, 6, 10), (YEAR, YEAR + 2, 10)], Err(ElapsedError::TooLong)),
        ] {
            assert_eq!(timed(turns).seconds(), expected, "{turns:?}");
        }
    }

    #[test]
    fn the_last_turn_is_the_one_that_ended_last_by_its_end_or_arrival() {
        for (turns, last) in [
            (&[(90, 95, 100), (80, 85, 101)][..], "0"),
            (&[(90, 95, 100), (80, 0, 101)], "1"),
            (&[(90, 95, 100), (94, 95, 101)], "1"),
            // The first one ends a year ahead: it was last when it came, and not for a year.
            (&[(90, 90_000_000, 100), (100, 101, 102)], "1"),
            // Our own clock was ahead.
            (&[(900, 950, 1_000), (90, 99, 100)], "1"),
        ] {
            assert_eq!(timed(turns).words[0].as_deref(), Some(last), "{turns:?}");
        }
    }

    #[test]
    fn asks_again_only_soon_after_an_answer_by_known_times() {
        for (turns, reasks) in [
            (&[(90, 95, 96), (100, 105, 106)][..], 1),
            (&[(90, 95, 96), (0, 105, 106)], 0),
            (&[(90, 0, 96), (100, 105, 106)], 0),
            // Both by a clock that is ahead.
            (&[(900_090, 900_095, 96), (900_100, 900_105, 106)], 1),
            (&[(90, 95, 96), (900_100, 900_105, 106)], 0),
        ] {
            assert_eq!(timed(turns).reasks, reasks, "{turns:?}");
        }
    }

    #[test]
    fn a_full_house_ends_the_longest_quiet_one() {
        let mut sessions = Sessions::new(IDLE, 2);
        turn(&mut sessions, 1, 100, "answered");
        turn(&mut sessions, 2, 200, "answered");
        turn(&mut sessions, 1, 300, "answered");
        let gone = turn(&mut sessions, 3, 400, "answered").unwrap();
        assert_eq!((gone.turns, gone.ended_by, gone.end), (1, "limit", at(210)));
        assert_eq!(sessions.len(), 2);
        let gone = sessions.close();
        assert!(gone.len() == 2 && gone.iter().all(|one| one.ended_by == "shutdown"));
    }

    #[test]
    fn one_that_ended_and_comes_back_is_another() {
        let mut sessions = Sessions::new(IDLE, 10);
        turn(&mut sessions, 1, 100, "answered");
        assert!(sessions.end(Pseudonym(1)).is_some() && sessions.end(Pseudonym(1)).is_none());
        turn(&mut sessions, 1, 200, "answered");
        assert_eq!(sessions.expire(at(211 + 1800)).len(), 1);
        assert!(sessions.expire(at(9999)).is_empty());
        turn(&mut sessions, 7, 5, "answered");
        for second in 0..1000 {
            turn(&mut sessions, 1, second, "answered");
            sessions.end(Pseudonym(1));
            assert!(sessions.quiet.len() <= 20);
        }
    }

    #[test]
    fn what_is_kept_goes_on_with_its_words_but_the_private_ones() {
        let word = |name: &str, private| Word { name: name.into(), private };
        let mut sessions = Sessions::new(IDLE, 10);
        turn(&mut sessions, 7, 5, "answered");
        turn(&mut sessions, 8, 9, "answered");
        let mut kept = KeptSessions::default();
        let words = [word("outcome", false), word("last", true)];
        sessions.keep(&sessions.keys(), &words, &mut kept);
        assert!(!format!("{kept:?}").contains("last answer"), "{kept:?}");
        let mut again = Sessions::new(IDLE, 1);
        again.restore(kept.clone(), &words);
        assert_eq!(again.len(), 1, "there is no room for more");
        let mut again = Sessions::new(IDLE, 10);
        again.restore(kept, &[word("new", false), word("last", true), word("outcome", false)]);
        assert_eq!(again.len(), 2);
        let ended = again.end(Pseudonym(7)).unwrap();
        let words: Vec<_> = ended.words.iter().map(|word| word.as_deref()).collect();
        assert_eq!(words, [None, None, Some("answered")]);
        assert_eq!((again.expire(at(20 + 1800)).len(), again.len()), (1, 0));
    }

    #[test]
    fn other_words_are_remembered_from_a_reload_on() {
        let word = |name: &str| Word { name: name.into(), private: true };
        let mut sessions = Sessions::new(IDLE, 10);
        turn(&mut sessions, 7, 5, "answered");
        sessions.rebound(IDLE, 10, (&[word("a"), word("b")], &[word("b"), word("c")]));
        let ended = sessions.end(Pseudonym(7)).unwrap();
        let words: Vec<_> = ended.words.iter().map(|word| word.as_deref()).collect();
        assert_eq!(words, [Some("last answer"), None]);
    }
}
