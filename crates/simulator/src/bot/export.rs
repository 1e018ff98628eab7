//! Exporters that count: what the receiver took and what did not get through, which the SDK itself only logs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// How many got through and how many did not.
#[derive(Debug, Default)]
pub(super) struct Tally {
    exported: AtomicU64,
    failed: AtomicU64,
}

impl Tally {
    /// Exported and failed so far.
    pub(super) fn read(&self) -> (u64, u64) {
        (self.exported.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }

    fn book(&self, count: usize, result: &OTelSdkResult) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        match result {
            Ok(()) => self.exported.fetch_add(count, Ordering::Relaxed),
            Err(error) => {
                tracing::debug!(%error, count, "an export of the simulated bot failed");
                self.failed.fetch_add(count, Ordering::Relaxed)
            }
        };
    }
}

/// An exporter and its tally.
#[derive(Debug)]
pub(super) struct Counted<E> {
    pub(super) exporter: E,
    pub(super) tally: Arc<Tally>,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let result = self.exporter.export(batch).await;
        self.tally.book(count, &result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: LogExporter> LogExporter for Counted<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let count = batch.iter().count();
        let result = self.exporter.export(batch).await;
        self.tally.book(count, &result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
