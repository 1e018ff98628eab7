//! Sockets with bounds and deadlines: what receivers and scrape share.
