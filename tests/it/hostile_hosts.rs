//! hostile_hosts
