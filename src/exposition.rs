//! Snapshots to bytes, in every format a scraper may ask for.
