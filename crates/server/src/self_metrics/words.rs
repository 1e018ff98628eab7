//! The closed sets of the server: listeners, why a connection was closed, why a request was not forwarded.

use engine::words;

words! {
    /// What a listener serves.
    Listener {
        /// OTLP over gRPC.
        OtlpGrpc = "otlp_grpc",
        /// OTLP over HTTP.
        OtlpHttp = "otlp_http",
        /// The web port.
        Web = "web",
    }
}

words! {
    /// Why a connection was closed before its peer ended it.
    Closing {
        /// The listener has as many connections as it may, and none of them is idle.
        ConnectionLimit = "connection_limit",
        /// It was the longest idle one when the listener had as many as it may, and made room for a new one.
        Evicted = "evicted",
        /// Nothing came after the accept, or no whole HTTP/2 preface.
        FirstByte = "first_byte",
        /// The head of a request did not come in time.
        Head = "head",
        /// A ping went unanswered.
        KeepAlive = "keep_alive",
        /// The peer did not read what it asked for.
        Stalled = "stalled",
        /// The peer broke the rules of HTTP: a head that is none, a flood of resets.
        Protocol = "protocol",
        /// The TLS handshake failed.
        TlsHandshake = "tls_handshake",
        /// The peer speaks another protocol than the port, TLS for one.
        WrongProtocol = "wrong_protocol",
    }
}

words! {
    /// Why a request to the web port was refused.
    WebRefusal {
        /// It has no name and password, and needs one.
        NoCredentials = "no_credentials",
        /// Its name or password is wrong.
        WrongCredentials = "wrong_credentials",
        /// The host it names is not served.
        Host = "host",
        /// It asks for a reload and may not.
        Reload = "reload",
        /// Too many of its kind are under way.
        Busy = "busy",
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
