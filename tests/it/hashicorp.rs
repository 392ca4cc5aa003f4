//! hashicorp
