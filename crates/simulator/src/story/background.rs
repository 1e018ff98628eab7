//! Webhook deliveries and jobs as traces.

use super::super::model::{Job, Webhook};
use super::{Event, Kind, Span, Trace, nanos};

impl Webhook {
    /// A delivery: a root span, the message it led to, and the refusal if it was forged.
    pub(super) fn tell(&self) -> Trace {
        let mut trace = Trace::default();
        let status = if self.refused.is_some() { 401_i64 } else { 200 };
        let span =
            Span::new(format!("bot.webhook {}", self.event), Kind::Server, (0.0, self.duration));
        let root = trace.add(
            span.with("bot.webhook.source", "github")
                .with("bot.webhook.event", self.event)
                .with("bot.webhook.notified", self.notified)
                .with("faas.trigger", "http")
                .with("http.response.status_code", status)
                .with_some("error.type", self.refused),
        );
        if self.notified {
            let at = (0.4 * self.duration, self.duration);
            let send = Span::new("send slack", Kind::Producer, at)
                .with("messaging.system", "slack")
                .with("slack.method", "chat.postMessage");
            trace.add(send.under(root));
        }
        if let Some(refused) = self.refused {
            let event = Event::new("bot.security", nanos(self.duration)).warning();
            trace.logs.push(event.with("bot.security.type", refused));
        }
        trace
    }
}

impl Job {
    /// A run: one root span.
    pub(super) fn tell(&self) -> Trace {
        let failed = (self.result == "failure").then_some("github_error");
        let span =
            Span::new(format!("bot.job {}", self.name), Kind::Internal, (0.0, self.duration))
                .with("bot.job.name", self.name)
                .with("bot.job.result", self.result)
                .with_some("bot.job.skip_reason", self.skipped)
                .failed(failed);
        let spans = vec![span];
        Trace { spans, follows: self.conversation, ..Trace::default() }
    }
}
