//! Which signal a protobuf request is of: the bytes don't say, so each is tried.

use engine::view::{LogRecord, Metric, Point, Signal, Span, Visitor};
use engine::wire::{self, WireError};

/// What a walk finds when it takes a request for one of a signal.
#[derive(Clone, Copy, Debug, Default)]
struct Finds {
    items: usize,
    /// Items that can't be what they are taken for: spans without whole ids, metrics without a name.
    odd: usize,
    points: usize,
}

/// The signal, and a note for people.
///
/// # Errors
/// When it is none of any, or of several: why.
pub(super) fn signal(bytes: &[u8]) -> Result<(Signal, String), String> {
    let tried = Signal::ALL.map(|signal| (signal, finds(bytes, signal)));
    let whole: Vec<(Signal, Finds)> = tried
        .iter()
        .filter_map(|(signal, finds)| Some((*signal, *finds.as_ref().ok()?)))
        .filter(|(_, finds)| finds.items > 0)
        .collect();
    let sound: Vec<(Signal, Finds)> =
        whole.iter().copied().filter(|(_, finds)| finds.odd == 0).collect();
    let chosen = sound.first().or(whole.first()).copied();
    let Some((signal, finds)) = chosen else {
        let said = tried.iter().map(|(signal, finds)| match finds {
            Ok(_) => format!("as {}: nothing in it", signal.as_str()),
            Err(error) => format!("as {}: {error}", signal.as_str()),
        });
        let said: Vec<String> = said.collect();
        return Err(format!(
            "neither OTLP JSON nor an OTLP protobuf request ({})",
            said.join("; ")
        ));
    };
    let count = match signal {
        Signal::Metrics => finds.points,
        _ => finds.items,
    };
    let doubt = if sound.len() == 1 { "" } else { "; it may be of another: say --signal" };
    let word = signal.as_str();
    Ok((signal, format!("one protobuf request, taken as {word} ({count} items){doubt}")))
}

fn finds(bytes: &[u8], signal: Signal) -> Result<Finds, WireError> {
    let mut finds = Finds::default();
    match signal {
        Signal::Traces => wire::walk_traces(bytes, &mut finds)?,
        Signal::Metrics => wire::walk_metrics(bytes, &mut finds)?,
        Signal::Logs => wire::walk_logs(bytes, &mut finds)?,
    }
    Ok(finds)
}

impl Visitor<'_> for Finds {
    fn span(&mut self, span: &Span<'_>) {
        self.items += 1;
        self.odd += usize::from(span.trace_id.len() != 16 || span.span_id.len() != 8);
    }

    fn log(&mut self, record: &LogRecord<'_>) {
        self.items += 1;
        let ids = (record.trace_id.len(), record.span_id.len());
        self.odd += usize::from(!matches!(ids, (0 | 16, 0 | 8)));
    }

    fn metric(&mut self, metric: &Metric<'_>) {
        self.items += 1;
        let named = std::str::from_utf8(metric.name).is_ok_and(|name| !name.is_empty());
        self.odd += usize::from(!named);
    }

    fn point(&mut self, _: &Metric<'_>, _: &Point<'_>) {
        self.points += 1;
    }
}
