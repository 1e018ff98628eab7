//! Senders of our own: the simulated bot of `demo` and the generator of `load`.
