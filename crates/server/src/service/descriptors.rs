//! File descriptors: how many there are, and how many connections each listener may have of them.
//!
//! A flood of OTLP connections must leave descriptors for the web port, or the process looks dead and is killed.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use engine::limits;

/// Connections at once of each listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caps {
    /// Of a listener for OTLP.
    pub(super) otlp: usize,
    /// Of a listener of the web port.
    pub(super) web: usize,
}

/// The connections that each listener may have: `wanted` of a listener for OTLP ([`limits::CONNECTIONS`] without it), as far as there
/// are descriptors. Raises the soft limit first. `listeners` are those for OTLP and those of the web port.
pub(super) fn caps(wanted: Option<usize>, listeners: [usize; 2]) -> Caps {
    let descriptors = raise();
    let otlp = wanted.unwrap_or(limits::CONNECTIONS);
    let caps = share(descriptors, otlp, listeners);
    if caps.otlp < otlp {
        let help = "raise the hard limit of open files (LimitNOFILE, ulimit -Hn), or lower `server.otlp.connections`";
        tracing::warn!(
            event = "connections_reduced",
            to = caps.otlp,
            from = otlp,
            descriptors,
            help
        );
    }
    caps
}

fn share(descriptors: Option<usize>, otlp: usize, listeners: [usize; 2]) -> Caps {
    let [otlp_listeners, web_listeners] = listeners.map(|count| count.max(1));
    let web = limits::WEB_CONNECTIONS / web_listeners;
    let Some(descriptors) = descriptors else { return Caps { otlp, web } };
    let left = descriptors.saturating_sub(limits::DESCRIPTORS);
    // At least a quarter of what little there is.
    let web = web.min(left / limits::WEB_PART / web_listeners).max(1);
    let most = left.saturating_sub(web * web_listeners) / otlp_listeners;
    Caps { otlp: otlp.min(most).max(1), web }
}

/// Raises the soft limit of open files to the hard one. Returns what it is then; none: there is no limit.
fn raise() -> Option<usize> {
    let now = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: now.maximum, maximum: now.maximum };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => now.maximum,
        Err(_) => now.current,
    };
    limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_descriptors_for_the_web_port_and_for_files() {
        let caps = |descriptors, otlp| share(descriptors, otlp, [4, 1]);
        let (otlp, web) = (limits::CONNECTIONS, limits::WEB_CONNECTIONS);
        assert_eq!(caps(None, otlp), Caps { otlp, web });
        assert_eq!(caps(Some(1_048_576), otlp), Caps { otlp, web });
        assert_eq!(caps(Some(65_536), 8_000), Caps { otlp: 8_000, web });
        for descriptors in [0, 64, 100, 256, 1024, 4096] {
            let Caps { otlp, web } = caps(Some(descriptors), otlp);
            assert!(otlp >= 1 && web >= 1);
            let used = 4 * otlp + web + limits::DESCRIPTORS;
            assert!(used <= descriptors.max(limits::DESCRIPTORS + 5), "{descriptors}: {used}");
        }
        assert_eq!(caps(Some(256), otlp), Caps { otlp: 36, web: 48 });
        assert_eq!(caps(Some(1024), otlp), Caps { otlp: 180, web: 240 });
    }

    #[test]
    fn raises_the_soft_limit_to_the_hard_one() {
        let raised = raise();
        assert_eq!(getrlimit(Resource::Nofile).current.map(|limit| limit as usize), raised);
    }
}
