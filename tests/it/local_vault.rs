//! local_vault
