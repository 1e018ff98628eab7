//! `explain`: what became of each record of an OTLP file, and why.
//!
//! The file goes through a pipeline of its own, that of `serve`; here is only who asks, and in which words it is told.

mod file;
mod head;
mod paper;
mod proof;
mod story;
mod totals;
mod words;

use std::fs::File;
use std::io::{self, BufWriter, Read, Write, stdin, stdout};
use std::path::Path;
use std::sync::Arc;

use config::Settings;
use engine::limits;
use engine::model::HashKey;
use engine::pipeline::Pipeline;
use engine::rules::explain::{Asked, Private};
use engine::timestamp::Timestamp;
use engine::view::Signal;
use server::clock;

use super::args::ExplainArgs;
use server::secret;
use server::service::source::{self, Location};

use super::{Exit, Failure};
use paper::Paper;
use story::Story;

/// What is asked of a file.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// What the file is called in errors.
    pub name: String,
    /// Only what is of this signal.
    pub signal: Option<Signal>,
    /// Only this metric, and every condition of it.
    pub metric: Option<String>,
    /// Every rule and every series, whether near or not, zero or not.
    pub all: bool,
}

/// Explains a file on standard output.
///
/// # Errors
///
/// [`Exit::Data`] when the config or the file is wrong, with where.
pub fn run(args: &ExplainArgs) -> Result<(), Failure> {
    let settings =
        source::settings(Location::new(args.config_file.as_deref(), args.packs.as_deref()))?;
    let name = match args.otlp.as_os_str() == "-" {
        true => "standard input".to_owned(),
        false => args.otlp.display().to_string(),
    };
    let fault = |error| Failure::new(Exit::Data, format!("cannot read {name}: {error}"));
    let bytes = read(&args.otlp).map_err(fault)?;
    if bytes.len() > limits::OTLP_FILE {
        let most = limits::OTLP_FILE / limits::MIB;
        let message = format!("{name} has more than {most} MiB: split it between its lines");
        return Err(Failure::new(Exit::Data, message));
    }
    let (signal, metric, all) = (args.signal.map(Into::into), args.metric.clone(), args.all);
    let question = Question { name, signal, metric, all };
    let mut out = BufWriter::new(stdout().lock());
    let key = source::hash_key(args.config_file.as_deref(), &settings)?;
    let key = match key {
        Some(key) => key,
        None => HashKey::from_secret(&secret::random()?),
    };
    let told = report((&settings, &key), &question, &bytes, clock::now(), &mut out);
    // Whoever closed the pipe has read enough.
    let _ = out.flush();
    told
}

/// Reads one byte past the bound at most, so that it is seen when there is more.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let (mut bytes, most) = (Vec::new(), limits::OTLP_FILE as u64 + 1);
    match path.as_os_str() == "-" {
        true => stdin().lock().take(most).read_to_end(&mut bytes)?,
        false => File::open(path)?.take(most).read_to_end(&mut bytes)?,
    };
    Ok(bytes)
}

/// Writes what there is to say of a file, as if it had come in at `now`.
///
/// # Errors
///
/// [`Exit::Data`] with the place, when it can't be read; what comes before that place was told.
pub fn report(
    (settings, key): (&Settings, &HashKey),
    question: &Question,
    bytes: &[u8],
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let bad = |what: String| Failure::new(Exit::Data, format!("{}: {what}", question.name));
    let documents = file::documents(bytes, question.signal).map_err(bad)?;
    let pipeline = Pipeline::new(settings.plan(key), Arc::default(), now);
    let private = Private::new(&settings.definitions);
    let asked = Asked { definitions: &settings.definitions, private: &private };
    let mut paper = Paper::new(out);
    if let Some(note) = &documents.note {
        paper.line(0, "", note);
    }
    let mut story = Story::new(asked, question, &mut paper);
    for document in documents.list {
        let size = document.request.body.len();
        if size > settings.limits.request {
            let most = settings.limits.request;
            let place = document.place();
            return Err(bad(format!(
                "{place}: the request has {size} bytes, `server.otlp.max_request` is {most}"
            )));
        }
        pipeline
            .explain(document.request, asked, now, &mut |told| story.tell(told))
            .map_err(|error| bad(document.fault(&error)))?;
    }
    story.end();
    totals::write(&pipeline, (&settings.definitions, question), now, &mut paper);
    Ok(())
}
