//! The alerts there can be, by name: what a config may switch off and which thresholds it may move.
//!
//! `generators` writes them; it has a test that this list and the rules agree.

/// An alert, as a config may speak of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// The number that decides, where there is one number; in the unit that its runbook tells.
    pub threshold: Option<f64>,
}

const fn known(name: &'static str) -> Known {
    Known { name, threshold: None }
}

const fn from(name: &'static str, threshold: f64) -> Known {
    Known { name, threshold: Some(threshold) }
}

/// All of them. Thresholds of the first block of the bot are those of OSCAR's own alarms.
pub const ALERTS: [Known; 52] = [
    // Objectives.
    known("BotBudgetSpentAtOnce"),
    known("BotBudgetSpentFast"),
    known("BotBudgetSpentInADay"),
    known("BotBudgetSpentSlowly"),
    known("BotBudgetGone"),
    // The bot: too many of something in a quarter of an hour or less.
    from("BotStrangersTurnedAway", 5.0),
    from("BotGuardrailStepsIn", 10.0),
    from("BotPromptInjection", 3.0),
    from("BotIdentitySpoofing", 3.0),
    from("BotWebhookReplay", 10.0),
    from("BotSignatureInvalid", 10.0),
    from("BotForcedActions", 3.0),
    from("BotBulkMerges", 75.0),
    from("BotAdvisoriesFail", 5.0),
    from("BotStorageThrottled", 5.0),
    from("BotStorageFails", 10.0),
    from("BotThrottled", 5.0),
    from("BotToolResultTooLarge", 3.0),
    from("BotJobFails", 3.0),
    // The bot: too large a share of something.
    from("BotSlotsBusy", 0.8),
    from("BotMessagesLost", 0.05),
    from("BotDeliveredAgain", 0.05),
    from("BotTimeouts", 0.02),
    from("BotDependencyFails", 0.2),
    from("BotToolFails", 0.3),
    from("BotSendsFail", 0.1),
    from("BotAttemptsRepeated", 0.15),
    from("BotFallsBack", 0.25),
    from("BotFeedbackBad", 0.5),
    from("BotLoops", 15.0),
    // Trends.
    known("BotTrafficStopped"),
    known("BotTrafficBelowExpected"),
    known("BotTrafficAboveExpected"),
    from("BotUseChanged", 0.3),
    from("BotFeedbackWorse", 0.3),
    from("BotCostOverBudget", 1.0),
    from("BotCostAboveUsual", 2.0),
    from("BotAnswersCostMore", 1.5),
    // The sidecar.
    known("OscarMetricsGone"),
    known("OscarMetricsAbsent"),
    known("OscarMetricsDown"),
    known("OscarMetricsNothingReceived"),
    from("OscarMetricsItemsRejected", 10.0),
    from("OscarMetricsRequestsRefused", 10.0),
    from("OscarMetricsSeriesNearLimit", 0.8),
    known("OscarMetricsSeriesOverflow"),
    known("OscarMetricsConfigNotLoaded"),
    known("OscarMetricsRestarts"),
    known("OscarMetricsForwardDrops"),
    known("OscarMetricsSamplesDropped"),
    from("OscarMetricsRecordsSkipped", 20.0),
    known("OscarMetricsWatchdog"),
];
