//! The closed sets: what may be said of a request, an item, a rule and a connection. The words are
//! label values of the contract.

/// An enum whose variants have a word and a dense index.
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$note])* $variant,)+
        }

        impl $name {
            /// How many there are.
            pub const COUNT: usize = [$($word),+].len();
            /// All of them, in the order of `index`.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$variant),+];

            /// A dense index for tables.
            pub const fn index(self) -> usize {
                self as usize
            }

            /// The word in labels.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

words! {
    /// By which door a request came.
    Protocol {
        /// OTLP/gRPC.
        Grpc = "grpc",
        /// OTLP/HTTP.
        Http = "http",
    }
}

words! {
    /// Why a whole request was refused: nothing of it was used.
    Refusal {
        /// Over the size limit, before or after inflating.
        TooLarge = "too_large",
        /// Not the message it claims to be, or not in the content encoding it claims.
        Malformed = "malformed",
        /// A content encoding we do not know.
        Encoding = "encoding",
        /// A content type we do not know.
        MediaType = "media_type",
        /// More in flight than the limit; come again.
        Overload = "overload",
        /// The body did not come in time.
        Timeout = "timeout",
        /// No right to send.
        Auth = "auth",
    }
}

words! {
    /// Why one item of a taken request was not used.
    Rejection {
        /// It came before.
        Duplicate = "duplicate",
        /// Older than the config lets count.
        Late = "late",
        /// A name that is invalid or reserved, or that some scraper could not tell from that of another metric or series.
        Name = "name",
        /// Another type than the metric of that name has.
        TypeConflict = "type_conflict",
        /// A temporality its type may not have.
        Temporality = "temporality",
        /// A delta of a sum that may fall.
        DeltaNonmonotonic = "delta_nonmonotonic",
        /// A scale of an exponential histogram that can't be shown.
        Scale = "scale",
        /// Against the rules of its own message.
        Invalid = "invalid",
        /// No room for another label set.
        SeriesLimit = "series_limit",
        /// No room for another stream of points.
        StreamLimit = "stream_limit",
        /// It came round a loop of instances that forward to each other.
        Loop = "loop",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_indexes_are_dense_and_distinct() {
        for (at, reason) in Rejection::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), at);
            let words = Rejection::ALL.iter().filter(|other| other.as_str() == reason.as_str());
            assert_eq!(words.count(), 1);
        }
        assert_eq!(Rejection::COUNT, 11);
        assert_eq!(Refusal::ALL.map(Refusal::index), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn the_words_of_the_contract() {
        assert_eq!(Protocol::ALL.map(Protocol::as_str).join(","), "grpc,http");
        assert_eq!(
            Refusal::ALL.map(Refusal::as_str).join(", "),
            "too_large, malformed, encoding, media_type, overload, timeout, auth"
        );
        assert_eq!(
            Rejection::ALL.map(Rejection::as_str).join(", "),
            "duplicate, late, name, type_conflict, temporality, delta_nonmonotonic, scale, \
             invalid, series_limit, stream_limit, loop"
        );
    }
}
