//! The runbooks of the bot's alerts.

use crate::rules::alert::Runbook;

/// The runbook of an alert: what it means, the first three things to look at, when to silence it.
pub fn of(name: &str) -> Runbook {
    let found = ALL.iter().find(|(known, ..)| *known == name);
    match found {
        Some((_, meaning, look, silence)) => Runbook::new(*meaning, *look, *silence),
        None => Runbook::new("", [""; 3], ""),
    }
}

/// Name, meaning, what to look at, when to silence.
type Text = (&'static str, &'static str, [&'static str; 3], &'static str);

const ALL: [Text; 25] = [
    (
        "BotStrangersTurnedAway",
        "Somebody without the right to, or in a channel that is not allowed, writes to the bot again and again. They are turned away: \
         this is about who tries. OSCAR's own alarm: 5 within 5 minutes.",
        [
            "The reason: direct messages (`dm_not_allowed`) or a channel (`channel_not_allowed`).",
            "The bot's log of that time: one person or many?",
            "Whether the bot was just announced somewhere: then the list of channels is what is wrong.",
        ],
        "the people are known and told how to use it.",
    ),
    (
        "BotGuardrailStepsIn",
        "The guardrail stops messages: at the input those of people, at the output those of the model. OSCAR's own alarm: 10 within 5 minutes.",
        [
            "The stage, and which policy stepped in (the span of `apply_guardrail`).",
            "Output: did the model or the prompt change? Input: one person or many?",
            "Whether what was stopped should have been: a policy that stops good questions is a fault of its own.",
        ],
        "the policy is being changed.",
    ),
    (
        "BotPromptInjection",
        "Messages were found that try to give the bot orders. They were refused. OSCAR's own alarm: 3 within 5 minutes.",
        [
            "Who and where: the bot's log of that time. One account means somebody tries things out.",
            "What else they wrote: the traces of the same conversation, and whether a tool that writes was called (`bot_tool_writes_total`).",
            "Content that came from elsewhere: an issue or a page that the bot was asked to read.",
        ],
        "it is an announced test; say whose.",
    ),
    (
        "BotIdentitySpoofing",
        "Messages claim to be from somebody else. OSCAR's own alarm: 3 within 5 minutes.",
        [
            "Who sent them, and whom they claim to be: the bot's log of that time.",
            "Whether any was believed: `bot_actions_total` and `bot_authorizations_total{decision=\"allow\"}` at that time.",
            "The linked accounts: `bot_identity_events_total`.",
        ],
        "it is an announced test; say whose.",
    ),
    (
        "BotWebhookReplay",
        "Deliveries came that were seen before or are older than allowed. OSCAR's own alarm: 10 within 5 minutes.",
        [
            "The sender's addresses, in the log of the load balancer or function.",
            "Clocks: a server whose clock is wrong makes every delivery look old.",
            "The platform's own page of deliveries: does it send again because it was answered too late?",
        ],
        "the platform sends again after an outage of ours.",
    ),
    (
        "BotSignatureInvalid",
        "Deliveries were not signed with our secret. Either somebody else sends them, or the secret was changed on one side alone.",
        [
            "Do good deliveries still come (`bot_ingress_total`)? If none does, it is the secret.",
            "When the secret was rotated, and where it is used.",
            "The sender's addresses, in the log of the load balancer or function.",
        ],
        "the secret is being rotated, for minutes.",
    ),
    (
        "BotForcedActions",
        "The bot did things in a way that goes around checks, several times in minutes. OSCAR's own alarm: 3 forced merges within 5 minutes.",
        [
            "Who asked for it: the traces of `bot.action` with `bot.action.forced`.",
            "What was forced: the repositories, and whether it can be undone.",
            "Whether somebody approved it (`bot_approvals_total`).",
        ],
        "a release manager does it on purpose; say who.",
    ),
    (
        "BotBulkMerges",
        "More merges in minutes than a person can have looked at. OSCAR's own alarm: 75 within 5 minutes.",
        [
            "Who asked for it, and with which words: the trace of the message.",
            "Is it still running? Take the bot's token away before you look further.",
            "What was merged: the list on the code host, by the bot's account.",
        ],
        "a release manager does it on purpose; say who.",
    ),
    (
        "BotAdvisoriesFail",
        "Questions about security advisories end in errors, time-outs or overload. OSCAR's own alarm on its search: 5 failures.",
        [
            "The cause: `bot_interaction_errors_total{feature=\"advisories\"}` by `error_type`.",
            "The search behind it: `bot_dependency_requests_total` by `dependency` and `error_type`, and `bot_search_duration_seconds`.",
            "The role that the search is asked with: an expired or changed permission fails every time.",
        ],
        "the search is being worked on.",
    ),
    (
        "BotStorageThrottled",
        "The database of conversations turns requests away. OSCAR's own alarm: 5 within 5 minutes.",
        [
            "Is it more traffic than usual, or a loop (`bot_context_accesses_total` by `operation`)?",
            "The table's capacity and its hot keys, on the vendor's console.",
            "Sizes: `bot_context_bytes`. Large items use capacity up.",
        ],
        "capacity is being raised.",
    ),
    (
        "BotStorageFails",
        "Calls to a database fail. OSCAR's own alarm: 10 within 5 minutes.",
        [
            "The error: `bot_dependency_requests_total` by `error_type`.",
            "The vendor's status page, and our permissions to it.",
            "What people feel: `bot_context_accesses_total{result=\"error\"}` and outcomes.",
        ],
        "the vendor has said that it works on it, for no longer than it says.",
    ),
    (
        "BotThrottled",
        "Something the bot needs (a model, an agent, the chat platform, an API) says 429 or the like.",
        [
            "Who says so: the label `dependency`. `model` and `agent` together are one cause.",
            "Rate or quota: did traffic grow, or tokens per call (`bot_model_call_tokens`), or was a quota lowered?",
            "What people feel: second attempts (`bot_agent_attempts_total`), failures by cause.",
        ],
        "a higher quota was asked for and people are served meanwhile.",
    ),
    (
        "BotJobFails",
        "A job in the background failed several times in six hours. Nobody waits for it, so nobody tells.",
        [
            "Its last good run: `bot_job_last_success_timestamp_seconds`.",
            "Its trace: the span `bot.job`.",
            "What it depends on: `bot_dependency_requests_total` at that time.",
        ],
        "the job is switched off or being repaired; people who read its messages know.",
    ),
    (
        "BotMessagesLost",
        "Messages ended as `overloaded`: every slot was taken, or the model would take no more. People got no answer, and most don't ask \
         twice.",
        [
            "`BotThrottled` fires too? Then it is the model or another dependency; the label says which. Else what holds the slots: time to reply by feature, `bot_stage_seconds_total` by `stage`. A slow dependency fills them without more traffic.",
            "Traffic: more messages than usual, or one script?",
            "Relief: more slots if memory and quotas allow it, or switching the slow feature off.",
        ],
        "never while it goes on. After it: it ends by itself.",
    ),
    (
        "BotToolResultTooLarge",
        "A tool gave back more than 400 kB. The agent may hang on it until the bot gives up, and a stored item can't hold it.",
        [
            "Which tool, and who asked what: an exemplar of `bot_tool_result_bytes` leads to the trace.",
            "Time-outs at the same time (`bot_interactions_total{outcome=\"timeout\"}`).",
            "A limit in the tool: pages, fewer fields, a cut with a word that says so.",
        ],
        "the tool is being changed.",
    ),
    (
        "BotSlotsBusy",
        "The seconds worked in each second, which is the mean number of messages in progress (Little's law), come near `alerts.slots`. \
         Messages that hang are counted when they end, so it may be worse than it says.",
        [
            "Slower or more? Time to reply against messages per hour.",
            "What takes the time: `bot_stage_seconds_total` by `stage`, then models, tools and dependencies.",
            "Whether messages are lost already: `bot_interactions_total{outcome=\"overloaded\"}`, `bot_redeliveries_total`.",
        ],
        "a release day is expected to look like this and somebody watches.",
    ),
    (
        "BotDeliveredAgain",
        "The chat platform waited three seconds for our \"got it\", did not get it, and delivered again. After three tries it gives up.",
        [
            "Time to answer a delivery: `bot_ingress_duration_seconds`, cold and warm.",
            "Slots: `BotSlotsBusy`. An ingress that does the work itself waits for it.",
            "Duplicates: are repeated deliveries answered twice (`bot_interactions_total{outcome=\"duplicate\"}`)?",
        ],
        "the platform itself is slow, by its status page.",
    ),
    (
        "BotTimeouts",
        "The bot gave up on messages, after two minutes for OSCAR.",
        [
            "Which feature: `bot_interactions_total{outcome=\"timeout\"}` by `feature`.",
            "Where the time went: traces of the last bucket (exemplars), `bot_stage_seconds_total`.",
            "Large tool results: `bot_tool_result_bytes`.",
        ],
        "the slow part is known and being worked on.",
    ),
    (
        "BotDependencyFails",
        "A service behind the bot answers with errors, at least five times in an hour and for a fifth of the calls.",
        [
            "The error: `bot_dependency_requests_total` by `error_type`. 401 and 403 are ours, 5xx are theirs.",
            "The service's own status page or board.",
            "What people feel: which features fail (`bot_interaction_errors_total`).",
        ],
        "its owners know, for as long as they say.",
    ),
    (
        "BotToolFails",
        "A tool fails, or says politely that it could not do it. The answer then is a guess or an excuse.",
        [
            "How: `bot_tool_calls_total` by `outcome`. A transport error is the network's or the service's, a declared error the tool's own.",
            "What it was asked: traces of the tool's spans. A model that was changed may ask in another way.",
            "The service behind it: `bot_dependency_requests_total`.",
        ],
        "the tool is being repaired; better, take it away from the agent meanwhile.",
    ),
    (
        "BotSendsFail",
        "Replies or reactions did not reach the chat platform. The bot did the work, and nobody sees it.",
        [
            "The result: `bot_sends_total` by `method` and `result`. Throttled means too many, error mostly a token, a channel or a size.",
            "The platform's status page.",
            "The size of replies: `bot_response_bytes`.",
        ],
        "the platform has said that it works on it.",
    ),
    (
        "BotAttemptsRepeated",
        "First attempts fail and are tried again. People wait longer and pay twice; they don't see it otherwise.",
        [
            "Why: `bot_agent_attempts_total{number=\"1\"}` by `result`. Sessions that expired are the usual cause.",
            "Whether second attempts help: the same with `number=\"2\"`.",
            "Throttling at the same time: `bot_throttles_total`.",
        ],
        "the cause is known and being worked on.",
    ),
    (
        "BotFallsBack",
        "A large share of people got a canned reply. No error is counted for that: the bot is polite, and useless.",
        [
            "What changed: a deployment, a prompt, a model, the agent's list of tools.",
            "Knowledge: `bot_retrievals_total{result=\"empty\"}`. An index that is empty or renamed gives this.",
            "Which outcome and feature: `bot_interactions_total` by `outcome` and `feature`.",
        ],
        "people ask for something that the bot is not made for, and are told.",
    ),
    (
        "BotFeedbackBad",
        "More than half of the thumbs of a day, and at least five, point down.",
        [
            "Which feature: `bot_feedback_total` by `feature`.",
            "What changed: a deployment, a model, a knowledge base.",
            "Outcomes and time to reply: people also punish slowness.",
        ],
        "the cause is known and being worked on.",
    ),
    (
        "BotLoops",
        "Far more model calls than usual for each message: an agent that asks itself in a circle, or retries that nobody sees.",
        [
            "Which agent and model: `sum by (model) (increase(bot_model_calls_total[1h]))`, `bot_agent_calls_total`.",
            "A trace of a long message: which calls repeat?",
            "The cost of the day. Stop the agent first if it grows.",
        ],
        "a batch is running on purpose.",
    ),
];
