//! nvim
