//! Reads the config files that the flags name, and checks them against the flags and this machine.

use std::net::{IpAddr, UdpSocket};
use std::path::Path;

use crate::scrape::Rules;
use config::{REMOVED, Settings};

use crate::exit::{Exit, Failure};

use super::options::{self, Overrides};
use super::source::{self, Location};

/// The config that the flags name, without faults, and its text without secrets.
pub(super) fn asked(args: &Overrides) -> Result<(Settings, Option<String>), Failure> {
    let text = args.config_file.as_deref().map(source::text).transpose()?;
    checked(args, text)
}

/// The last good config, without the forward targets that lack a secret: it is kept without any.
pub(super) fn last_good(args: &Overrides, text: String) -> Result<Settings, Failure> {
    let (mut settings, _) = checked(args, Some(text))?;
    settings.forward.retain(|target| {
        let whole = target.headers.iter().all(|(_, value)| value.as_bytes() != REMOVED.as_bytes());
        if !whole {
            let help = "the last good config is kept without secrets: write them as ${NAME}";
            let target_name = target.label();
            tracing::error!(event = "forward_target_without_secret", target_name, help);
        }
        whole
    });
    Ok(settings)
}

/// The config of this text, without faults, and the text without secrets. Logs its warnings.
pub(super) fn checked(
    args: &Overrides,
    text: Option<String>,
) -> Result<(Settings, Option<String>), Failure> {
    let file = args.config_file.as_deref();
    let mut loaded = source::load_text(Location::new(file, args.packs.as_deref()), text.clone());
    if let Some(settings) = &loaded.settings {
        let (grpc, http) = options::otlp_addresses(args, settings);
        // An address without a meaning is an error where it is bound.
        let doors = grpc.iter().chain(&http).filter_map(|address| address.meant().ok());
        let doors: Vec<_> = doors.flatten().filter(|door| door.port() != 0).collect();
        loaded.refuse_loops(&doors, &is_ours);
    }
    match loaded.settings.take() {
        None => Err(source::refused(&loaded)),
        Some(mut settings) => {
            let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
            settings.forward.iter_mut().for_each(|target| target.beside(folder));
            for warning in &loaded.diagnostics {
                tracing::warn!(event = "config_warning", "{}", warning.message);
            }
            Ok((settings, text.map(|text| loaded.without_secrets(&text))))
        }
    }
}

/// The rules of the web config file; without one there is no password and no TLS.
pub(super) fn rules(args: &Overrides) -> Result<Rules, Failure> {
    let Some(file) = &args.web_config_file else { return Ok(Rules::default()) };
    let settings = source::web(file)?;
    Rules::new(&settings)
        .map_err(|error| Failure::new(Exit::Data, format!("the web config is not good: {error}")))
}

/// Whether an address is one of this machine: only then can anybody bind it.
fn is_ours(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}
