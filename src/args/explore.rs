//! The arguments of `explore`.

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};
use http::{HeaderName, HeaderValue};

use super::report::header;

/// The flags of `explore`.
#[derive(Clone, Debug, Args)]
pub struct ExploreArgs {
    /// The web port of the instance, with user:password@ and a path where it needs them. SSL_CERT_FILE names a CA of your own
    #[arg(
        long,
        env = "OSCAR_METRICS_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:9464",
        hide_env_values = true
    )]
    pub url: String,
    /// A header of the request, as "X-Scope-OrgID: team". May be repeated
    #[arg(long, env = "OSCAR_METRICS_HEADER", value_name = "HEADER", value_parser = header, hide_env_values = true)]
    pub header: Vec<(HeaderName, HeaderValue)>,
    /// What to write
    #[arg(long, env = "OSCAR_METRICS_FORMAT", value_enum, default_value_t = ViewName::Text)]
    pub format: ViewName,
    /// Only records of this name, and all there is to say of each: a text, a glob such as "bot.*", or a /regex/
    #[arg(long, env = "OSCAR_METRICS_NAME", value_name = "GLOB")]
    pub name: Option<String>,
    /// All rows of every table, however long it gets
    #[arg(long, env = "OSCAR_METRICS_ALL", value_parser = BoolishValueParser::new())]
    pub all: bool,
}

/// The forms of an inventory by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ViewName {
    /// Tables for people
    Text,
    /// The numbers as JSON
    Json,
}
