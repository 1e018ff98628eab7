//! One integration binary: each module is one promise seen from outside.

mod traffic;
