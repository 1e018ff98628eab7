//! `demo`: the sidecar with a simulated bot that speaks real OTLP to it.
//!
//! The bot is told to stop before the server is, so that its last numbers are still taken.

use std::io::{self, IsTerminal, Write};

use tokio::sync::oneshot;

use super::args::DemoArgs;
use server::service::stop_asked;

use super::{Exit, Failure, history, serve};
use simulator::bot::{self, BotOptions};
use simulator::day;

/// Where the demo's sidecar is.
struct Place {
    /// Its OTLP/gRPC endpoint, `http://host:port`.
    otlp: String,
    /// Its web port, `http://host:port`.
    web: String,
}

/// Serves, and runs the bot until it is told to stop or its time is over.
///
/// # Errors
///
/// What keeps the server from starting or the bot from working.
pub fn run(args: &DemoArgs) -> Result<(), Failure> {
    if let Some(length) = args.history.history {
        return history::run(args, length);
    }
    let mut session = serve::begin(&args.serve)?;
    let at = |what| {
        session.running.address(what).map_or(String::new(), |address| format!("http://{address}"))
    };
    let place = Place { otlp: at("otlp_grpc"), web: at("web") };
    if io::stderr().is_terminal() {
        // A greeting that cannot be shown is no reason to stop.
        let _ = io::stderr().lock().write_all(greeting(args, &place).as_bytes());
    }
    let options = BotOptions {
        endpoint: place.otlp,
        speed: args.speed,
        seed: args.seed,
        truth: args.truth.clone(),
        duration: args.duration,
        incident: args.script(day::FIRST_MOMENT + args.incident_after.as_secs_f64()),
    };
    let (asked, stop) = oneshot::channel();
    let bot = bot::run(options, async {
        let _ = stop.await;
    });
    let worked = session.control.block_on(async {
        let mut bot = std::pin::pin!(bot);
        tokio::select! {
            worked = &mut bot => return worked,
            () = stop_asked(&mut session.signals, &session.reload) => {}
        }
        let _ = asked.send(());
        bot.await
    });
    session.end();
    worked.map(drop).map_err(|error| Failure::new(Exit::Internal, error))
}

fn greeting(args: &DemoArgs, place: &Place) -> String {
    let day = 24.0 * 60.0 / args.speed;
    let web = &place.web;
    format!(
        "\n  A simulated release bot is talking to this sidecar; a day takes {day:.1} minutes.\n\n    \
         {web}/         what there is\n    \
         {web}/metrics  the series: look for bot_interactions_total, bot_tokens_total, bot_active_users\n\n  \
         It speaks OTLP/gRPC to {otlp}, and so can your bot; `oscar-metrics explore --url={web}` tells\n  \
         what arrives. Ctrl-C ends it.\n\n",
        otlp = place.otlp
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        demo: DemoArgs,
    }

    #[test]
    fn a_day_takes_24_minutes_unless_told_otherwise() {
        let line = Line::try_parse_from(["demo"]).unwrap();
        assert_eq!(line.demo.speed, 60.0);
        let place = Place { otlp: "http://o:1".to_owned(), web: "http://w:2".to_owned() };
        let text = greeting(&line.demo, &place);
        assert!(text.contains("24.0 minutes") && text.contains("http://w:2/metrics"), "{text}");
        for wrong in ["0", "-1", "nan", "inf", "fast"] {
            assert!(Line::try_parse_from(["demo", "--speed", wrong]).is_err(), "{wrong}");
        }
    }
}
