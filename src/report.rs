//! `report`: asks a Prometheus what a config's report needs, and writes it to standard output.

use std::io::{Write, stdout};

use config::catalogue::Catalogue;
use content::report::{Answers, Draft, Form, Page, Period, fill};
use engine::timestamp::Timestamp;
use server::clock;

use super::args::{FormName, ReportArgs};
use server::service::runtime;
use server::service::source::{self, Location};

use super::{Exit, Failure};

mod prometheus;

use prometheus::Prometheus;

/// Asks and writes.
///
/// # Errors
///
/// [`Exit::Data`] when the config is wrong, [`Exit::Usage`] when the address of Prometheus is none, [`Exit::Unavailable`] when it
/// does not answer or knows nothing of the bot.
pub fn run(args: &ReportArgs) -> Result<(), Failure> {
    let settings =
        source::settings(Location::new(args.config_file.as_deref(), args.packs.as_deref()))?;
    let until = args.until.map(|seconds| Timestamp(u64::from(seconds) * 1_000_000_000));
    let period = Period { end: until.unwrap_or_else(clock::now), length: args.since };
    let draft = Draft::new(&Catalogue::new(&settings), period, &args.matchers);
    let prometheus = Prometheus::new(&args.prometheus, &args.header)?;
    let answers = runtime()?.block_on(ask(&prometheus, &draft, period))?;
    let page = fill(&draft, &answers, period);
    if nothing(&page) {
        let message = format!(
            "{} has nothing of the bot in this period\n  = help: is it scraped, and does `--match` fit its labels?",
            prometheus.name()
        );
        return Err(Failure::new(Exit::Unavailable, message));
    }
    // Whoever closed the pipe has read enough.
    let _ = stdout().write_all(form(args.format).write(&page).as_bytes());
    Ok(())
}

async fn ask(prometheus: &Prometheus, draft: &Draft, period: Period) -> Result<Answers, Failure> {
    let mut answers = Answers::new();
    for question in draft.questions() {
        let samples = prometheus.ask(&question.query, period.end_of(question.when)).await?;
        answers.insert(question, samples);
    }
    Ok(answers)
}

/// Whether there is no number at all: then something is wrong, and an empty page would hide it.
fn nothing(page: &Page) -> bool {
    page.figures
        .iter()
        .all(|figure| figure.value.is_none() && figure.events.is_none_or(|events| events == 0.0))
}

fn form(name: FormName) -> Form {
    match name {
        FormName::Md => Form::Markdown,
        FormName::Html => Form::Html,
        FormName::Json => Form::Json,
        FormName::Slack => Form::Slack,
    }
}
