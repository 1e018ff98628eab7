//! Any bytes as a request: the walk and `prost` tell the same or refuse alike, but for the differences that `judge` names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oscar_metrics_fuzz::wire_oracle::judge::{agree_on_logs, agree_on_metrics, agree_on_traces};

fuzz_target!(|data: &[u8]| {
    let Some((signal, body)) = data.split_first() else { return };
    match signal % 3 {
        0 => agree_on_traces(body),
        1 => agree_on_logs(body),
        _ => agree_on_metrics(body),
    }
});
