//! Both senders against a receiver that keeps exact books: what they say they sent is what arrived.
#![allow(clippy::unwrap_used)] // a helper of tests may fail as a test does

use std::time::Duration;

use simulator::bot::{self, BotOptions};
use simulator::load::{self, Encoding, LoadOptions, Profile, Report};

pub mod sink;

use sink::{Manner, Sink};

use crate::support::Nobody;

fn options(target: String) -> LoadOptions {
    LoadOptions {
        target: target.parse().unwrap(),
        rate: 20_000,
        duration: Duration::from_millis(300),
        batch: 100,
        connections: 2,
        profile: Profile::Oscar,
        encoding: Encoding::Protobuf,
        gzip: false,
        seed: None,
    }
}

async fn load(options: LoadOptions) -> Report {
    load::run(options, |_| {}).await.unwrap()
}

#[tokio::test]
async fn load_counts_exactly_over_every_way() {
    for (grpc, encoding, gzip) in [
        (false, Encoding::Protobuf, false),
        (false, Encoding::Protobuf, true),
        (false, Encoding::Json, false),
        (true, Encoding::Protobuf, false),
        (true, Encoding::Protobuf, true),
    ] {
        let sink = Sink::start(Manner::Accept).await;
        let target = if grpc { sink.grpc() } else { sink.http() };
        let report = load(LoadOptions { encoding, gzip, ..options(target) }).await;
        let books = sink.books();
        assert!(report.complete(), "{report}");
        assert_eq!((report.sent, report.requests), (books.spans, books.requests), "{grpc} {gzip}");
        assert_eq!(books.distinct, books.spans, "an id came twice");
        // 20,000 spans a second for 0.3 s are 60 batches of 100, fewer where the machine is slow and never more.
        assert!(report.sent > 0 && report.sent <= 6_000, "{report}");
    }
}

#[tokio::test]
async fn load_is_incomplete_when_anything_is_not_accepted() {
    for grpc in [false, true] {
        let sink = Sink::start(Manner::Reject(3)).await;
        let target = |sink: &Sink| if grpc { sink.grpc() } else { sink.http() };
        let report = load(options(target(&sink))).await;
        assert!(!report.complete());
        assert_eq!(report.rejected, 3 * report.requests);
        assert_eq!(report.accepted + report.rejected, report.sent);

        let sink = Sink::start(Manner::Refuse).await;
        let report = load(options(target(&sink))).await;
        assert!(!report.complete() && report.sent > 0);
        assert_eq!((report.accepted, report.refused), (0, report.sent));
    }
}

#[tokio::test]
async fn a_batch_may_be_one_span_and_stress_is_many() {
    for (batch, profile) in [(1, Profile::Peer), (6_000, Profile::Stress)] {
        let sink = Sink::start(Manner::Accept).await;
        let rate = 1_000 * batch as u64;
        let report = load(LoadOptions { batch, profile, rate, ..options(sink.http()) }).await;
        assert!(report.complete(), "{report}");
        assert_eq!(sink.books().spans, report.requests * batch as u64);
        assert_eq!(sink.books().distinct, report.sent);
    }
}

fn bot(endpoint: String) -> BotOptions {
    BotOptions { endpoint, speed: 600.0, seed: 5, truth: None, duration: None, incident: None }
}

#[tokio::test]
async fn the_truth_of_the_bot_is_what_arrived() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("truth.json");
    let sink = Sink::start(Manner::Accept).await;
    let options = BotOptions { truth: Some(path.clone()), ..bot(sink.endpoint()) };
    let truth = bot::run(options, tokio::time::sleep(Duration::from_secs(2))).await.unwrap();
    let books = sink.books();
    assert_eq!((truth.spans.made, truth.spans.failed), (books.spans, 0));
    assert_eq!(truth.spans.exported, books.spans);
    assert_eq!(truth.log_records.made, books.logs);
    assert_eq!(truth.interactions.total(), books.named("bot.interaction "));
    assert_eq!(truth.chat_calls.total(), books.named("chat "));
    assert_eq!(truth.sessions_started, books.logs_named("bot.session.start"));
    assert_eq!(books.future, 0, "a span was told before it was over");
    assert!(books.content > 0, "nothing private was sent, so that no privacy can be shown");

    let written: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(written["finished"], true);
    assert_eq!(written["spans"]["exported"], books.spans);
}

#[tokio::test]
async fn the_first_seconds_show_every_headline() {
    let sink = Sink::start(Manner::Accept).await;
    let options = BotOptions { duration: Some(Duration::from_millis(600)), ..bot(sink.endpoint()) };
    let truth = bot::run(options, std::future::pending()).await.unwrap();
    let all = [
        truth.interactions.total(),
        truth.chat_calls.total(),
        truth.tokens.total(),
        truth.tools.sum_where(|[_, outcome, _]| *outcome == "ok"),
        truth.tools.sum_where(|[_, outcome, _]| *outcome == "declared_error"),
        truth.attempts.sum_where(|[number, ..]| *number == "2"),
        truth.retrievals.sum_where(|[_, found]| *found == "none"),
        truth.guardrail.total(),
        truth.security.total(),
        truth.authz_denied.total(),
        truth.feedback.sum_where(|[label]| *label == "up"),
        truth.feedback.sum_where(|[label]| *label == "down"),
        truth.actions.total(),
        truth.confirmations.total(),
        truth.identity.total(),
        truth.webhooks.total(),
        truth.jobs.total(),
        truth.sessions_ended,
        truth.slow,
    ];
    assert!(all.iter().all(|count| *count > 0), "{all:?}");
    assert!(truth.distinct_users.len() > 5);
}

#[tokio::test]
async fn a_bot_whose_receiver_is_away_counts_what_it_lost() {
    let nobody = Nobody::new();
    let options = bot(format!("http://{}", nobody.address));
    let truth = bot::run(options, tokio::time::sleep(Duration::from_secs(1))).await.unwrap();
    assert!(truth.spans.made > 0);
    assert_eq!((truth.spans.exported, truth.spans.failed), (0, truth.spans.made));
}
