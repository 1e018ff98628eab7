//! `explore`: what a running instance receives, what of it no rule uses, and what labels cost.
//!
//! It asks the web port for the inventory and lays it out; what is counted, and what is never known, the instance decides.

mod detail;
mod overview;
mod suggest;
mod table;
mod words;

use std::io::{Write, stdout};

use http::StatusCode;

use engine::inventory::told::Inventory;
use engine::limits;
use engine::rules::pattern::Pattern;

use super::args::{ExploreArgs, ViewName};
use super::peer::Peer;
use server::service::runtime;

use super::{Exit, Failure};

pub use suggest::suggest;

const PATH: &str = "/api/v1/inventory";

/// What else people have at hand as the address of an instance.
const PATHS: [&str; 5] = [PATH, "/metrics", "/-/ready", "/-/healthy", "/"];

/// What is asked of an inventory.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// What the instance is called.
    pub instance: String,
    /// Only records of such a name.
    pub name: Option<Pattern>,
    /// All rows.
    pub all: bool,
}

/// Asks and writes to standard output.
///
/// # Errors
///
/// [`Exit::Usage`] when the address or the name is none, [`Exit::Unavailable`] when nobody answers, or somebody who is no instance.
pub fn run(args: &ExploreArgs) -> Result<(), Failure> {
    let name =
        args.name.as_deref().map(Pattern::parse).transpose().map_err(|error| {
            Failure::new(Exit::Usage, format!("`--name` can't be used: {error}"))
        })?;
    let peer = Peer::new(("--url", "http://127.0.0.1:9464"), address(&args.url), &args.header)?;
    let inventory = runtime()?.block_on(fetch(&peer))?;
    let question = Question { instance: peer.name().to_owned(), name, all: args.all };
    let told = match args.format {
        ViewName::Text => text(&inventory, &question),
        ViewName::Json => json(inventory, &question)?,
    };
    // Whoever closed the pipe has read enough.
    let _ = stdout().write_all(told.as_bytes());
    Ok(())
}

/// The inventory for people, in lines of at most [`limits::EXPLAINED_WIDTH`] columns.
pub fn text(inventory: &Inventory, question: &Question) -> String {
    let mut out = String::new();
    overview::head(inventory, question, &mut out);
    match &question.name {
        Some(name) => detail::write(inventory, name, question, &mut out),
        None => overview::write(inventory, question, &mut out),
    }
    out
}

fn json(mut inventory: Inventory, question: &Question) -> Result<String, Failure> {
    if let Some(name) = &question.name {
        inventory.records.retain(|record| name.fits(&record.name));
    }
    let json = serde_json::to_string_pretty(&inventory);
    json.map(|text| text + "\n").map_err(|error| Failure::new(Exit::Internal, error))
}

/// The address without the page that stands behind it.
fn address(url: &str) -> &str {
    let shorter = PATHS.iter().filter_map(|path| url.strip_suffix(path));
    shorter.min_by_key(|url| url.len()).unwrap_or(url)
}

async fn fetch(peer: &Peer) -> Result<Inventory, Failure> {
    let answered = peer.get(PATH, limits::INVENTORY_ANSWER).await;
    let read = answered.and_then(|(status, body)| match status {
        StatusCode::OK => serde_json::from_slice(&body).map_err(|error| {
            format!("its answer is no inventory: {error}\n  = help: `--url` is the web port of an oscar-metrics")
        }),
        StatusCode::NOT_FOUND => Err(format!(
            "it has no {PATH}\n  = help: `--url` is the web port of an oscar-metrics of this version or a later one"
        )),
        StatusCode::UNAUTHORIZED => Err(
            "it wants a name and a password\n  = help: write them into the address: http://user:password@host:9464".to_owned(),
        ),
        other => {
            let said = String::from_utf8_lossy(&body);
            let said = words::cut(&words::safe(said.lines().next().unwrap_or_default()), 80);
            Err(format!("it answered {other}: {said}"))
        }
    });
    read.map_err(|why| {
        Failure::new(Exit::Unavailable, format!("cannot explore {}: {why}", peer.name()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_page_of_the_web_port_is_its_address() {
        for url in ["http://h:1", "http://h:1/", "http://h:1/metrics", "http://h:1/-/ready"] {
            assert_eq!(address(url), "http://h:1");
        }
        assert_eq!(address("http://h:1/bot/api/v1/inventory"), "http://h:1/bot");
    }
}
