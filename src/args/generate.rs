//! The arguments of `generate`.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};

/// The flags of `generate`.
#[derive(Clone, Debug, Args)]
pub struct GenerateArgs {
    /// What to write
    #[arg(value_enum)]
    pub product: ProductName,
    /// The folder to write to. `all` makes folders in it as in the source repository
    #[arg(long, env = "OSCAR_METRICS_OUT", value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Write nothing; fail when a file there is not what would be written
    #[arg(long, env = "OSCAR_METRICS_CHECK", value_parser = BoolishValueParser::new())]
    pub check: bool,
    /// The config. Without one the built-in `use: [oscar]`
    #[arg(long = "config.file", env = "OSCAR_METRICS_CONFIG_FILE", value_name = "FILE")]
    pub config_file: Option<PathBuf>,
    /// A folder with packs, which come before the built-in packs of the same name
    #[arg(long, env = "OSCAR_METRICS_PACKS", value_name = "DIR")]
    pub packs: Option<PathBuf>,
}

/// The products by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProductName {
    /// Grafana dashboards
    Dashboards,
    /// Recording and alerting rules for Prometheus, their tests and runbooks
    Rules,
    /// One page that tells every metric
    Reference,
    /// A JSON Schema of configs, for editors
    Schema,
    /// The config's part of the charts' values.schema.json
    Helm,
    /// All of these
    All,
}
