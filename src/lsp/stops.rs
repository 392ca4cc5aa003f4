//! What the person can stop by the cancel button of its progress.

use std::{collections::HashMap, sync::Mutex};

use tokio_util::sync::CancellationToken;
use tower_lsp_server::ls_types::ProgressToken;

use crate::lsp::lock::lock;

/// What is under way that the person can stop, by the token of its progress.
#[derive(Default)]
pub struct Stops(Mutex<HashMap<ProgressToken, CancellationToken>>);

impl Stops {
    /// What the person does by the cancel button of the progress with `token`.
    pub fn stop(&self, token: &ProgressToken) {
        if let Some(stop) = lock(&self.0).remove(token) {
            stop.cancel();
        }
    }

    /// Stops it all.
    pub fn end(&self) {
        lock(&self.0).drain().for_each(|(_, stop)| stop.cancel());
    }

    /// A way to be stopped by the cancel button of the progress with `token`.
    pub fn stoppable(&self, token: Option<&ProgressToken>) -> Stop<'_> {
        let stop = CancellationToken::new();
        if let Some(token) = token {
            lock(&self.0).insert(token.clone(), stop.clone());
        }
        Stop { stops: self, token: token.cloned(), stop }
    }
}

/// The way to stop something, for as long as it is under way.
pub struct Stop<'a> {
    stops: &'a Stops,
    token: Option<ProgressToken>,
    pub stop: CancellationToken,
}

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            lock(&self.stops.0).remove(token);
        }
    }
}
