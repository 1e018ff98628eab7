//! The state: label sets, values, budgets, expiry.
