//! `time_zone`: where days begin. The database comes with the binary, so that a config means the same everywhere.

use jiff::tz::{self, TimeZone};

use engine::model::Zone;

use super::super::diagnostic::Report;
use super::super::document::Node;
use super::super::{fields, suggest};

/// The zone a config names; without one: UTC.
pub(super) fn of(root: &Node, report: &mut Report<'_>) -> Zone {
    let utc = Zone::new(TimeZone::UTC);
    let Some(node) = root.get("time_zone") else { return utc };
    let Some(name) = fields::text(node, report) else { return utc };
    let zone = tz::db().get(name);
    zone.map_or_else(
        |_| {
            let all: Vec<_> = tz::db().available().collect();
            let near = suggest::nearest(name, all.iter().map(|zone| zone.as_str()));
            let message = format!("there is no time zone `{}`", fields::cut(name));
            let help = "a name of the IANA database, such as `Europe/Berlin`";
            report.error(node.at, message).help(help).suggest(near);
            utc
        },
        Zone::new,
    )
}
