//! `serve`: a service until a signal ends it.

use server::service::{Overrides, Session, stop_asked};

use super::args::ServeArgs;
use super::{Failure, log};

/// Serves until a signal ends it.
///
/// # Errors
///
/// What keeps it from starting.
pub fn run(args: &ServeArgs) -> Result<(), Failure> {
    let mut session = begin(args)?;
    session.control.block_on(stop_asked(&mut session.signals, &session.reload));
    session.end();
    Ok(())
}

/// A service as these arguments want it.
///
/// # Errors
///
/// What keeps it from starting.
pub fn begin(args: &ServeArgs) -> Result<Session, Failure> {
    log::start(args.log_format, args.log_level);
    Session::begin(&args.into())
}

impl From<&ServeArgs> for Overrides {
    fn from(args: &ServeArgs) -> Self {
        Self {
            config_file: args.config_file.clone(),
            packs: args.packs.clone(),
            config_fallback: args.config_fallback,
            state_dir: args.state_dir.clone(),
            web_config_file: args.web_config_file.clone(),
            web_listen: args.web_listen_address.clone(),
            telemetry_path: args.web_telemetry_path.clone(),
            lifecycle: args.web_enable_lifecycle,
            grpc_listen: args.otlp_grpc_listen_address.clone(),
            http_listen: args.otlp_http_listen_address.clone(),
        }
    }
}
