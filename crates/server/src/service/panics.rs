//! What a panic leaves behind.

use std::panic::PanicHookInfo;

/// A panic is logged and counted from now on. Its task dies, the process lives.
pub fn catch(count: impl Fn() + Send + Sync + 'static) {
    std::panic::set_hook(Box::new(move |panic| {
        let at = panic.location().map(ToString::to_string);
        count();
        tracing::error!(event = "panic", at, why = why(panic));
    }));
}

/// Only words that were in our source: a message made at run time may quote what users said.
fn why<'a>(panic: &'a PanicHookInfo<'_>) -> &'a str {
    panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("(not shown)")
}
