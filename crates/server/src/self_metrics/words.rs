//! The closed sets of the rim: why a connection was ended, why a request was not passed on.

use engine::words;

words! {
    /// Why we ended a connection before its peer did.
    Closing {
        /// The listener has as many as it may.
        ConnectionLimit = "connection_limit",
        /// Nothing came after the accept, or no whole HTTP/2 preface.
        FirstByte = "first_byte",
        /// The head of a request did not come in time.
        Head = "head",
        /// A ping went unanswered.
        KeepAlive = "keep_alive",
        /// The peer did not read what it asked for.
        Stalled = "stalled",
        /// The peer speaks another protocol than the port, TLS for one.
        WrongProtocol = "wrong_protocol",
    }
}

words! {
    /// Why a request was not passed on to a forward target.
    Dropped {
        /// The queue was full: it was the oldest, or larger than the queue.
        QueueFull = "queue_full",
        /// The target said that it will never take it.
        Rejected = "rejected",
        /// The target had it several times and always said, or showed, that it can't take it now.
        GaveUp = "gave_up",
        /// The process ended, or a reload removed the target, before it could be sent.
        Shutdown = "shutdown",
    }
}
