//! The binary: hands over to the library.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use oscar_metrics::cli::{demo, load};

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The load generator alone
    Load(load::LoadArgs),
    /// The simulated bot alone, against 127.0.0.1:4317
    Demo(demo::DemoArgs),
}

fn main() -> anyhow::Result<ExitCode> {
    match Line::parse().command {
        Command::Load(args) => Ok(load::run(&args)?.into()),
        Command::Demo(args) => {
            let place = demo::Place {
                otlp: "http://127.0.0.1:4317".to_owned(),
                web: "http://127.0.0.1:9464".to_owned(),
            };
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let stop = async {
                let _ = tokio::signal::ctrl_c().await;
            };
            runtime.block_on(demo::run(&args, &place, stop))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
