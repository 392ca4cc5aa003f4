//! Sends what a request needs before it is sent itself, each request once for as long as its answer stands.

use std::collections::BTreeMap;

use super::{First, Planned, blocked, faults, plain};
use crate::work::{Core, Obstacle, RunOutcome, Sheet};

impl Core {
    /// Sends the requests of `sheet` that a planned one needs and nobody sent yet. Nothing is sent while anything is known
    /// to stand in the way of any of them, or of the planned one itself. What was sent, as notes for people.
    pub(super) async fn send_needs(
        &self,
        sheet: &Sheet,
        planned: &Planned,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Vec<String>, RunOutcome> {
        let failed = |message| RunOutcome::Failed { message, obstacle: None };
        let mut obstacles = self.known_obstacles(planned).await;
        for first in &planned.first {
            let need = self.plan(sheet, first.request, overrides).await.map_err(failed)?;
            obstacles.extend(self.known_obstacles(&need).await.into_iter().map(|obstacle| first.explain(obstacle)));
        }
        if !obstacles.is_empty() {
            return Err(RunOutcome::Blocked { obstacles });
        }
        let mut notes = Vec::new();
        for first in &planned.first {
            notes.extend(self.send_need(sheet, first, overrides).await?);
        }
        Ok(notes)
    }

    /// What keeps a request from being sent, as far as that is known before what it needs is sent.
    async fn known_obstacles(&self, planned: &Planned) -> Vec<Obstacle> {
        let mut obstacles = faults(&planned.plan);
        obstacles.extend(self.objections(&planned.plan).await);
        obstacles
    }

    /// Sends one of them, unless another run did so meanwhile.
    async fn send_need(
        &self,
        sheet: &Sheet,
        first: &First,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Option<String>, RunOutcome> {
        let turn = self.exchanges.turn(&sheet.path, &first.name);
        let _turn = turn.lock().await;
        if self.is_answered(sheet, first, overrides).await {
            return Ok(None);
        }
        let place = first.place();
        match self.send_one(sheet, first.request, overrides).await {
            RunOutcome::Sent { response, .. } if response.status < 400 => {
                let status = format!("{} {}", response.status, response.reason);
                Ok(Some(format!("{place} was sent first: {}, {} ms", status.trim_end(), response.millis)))
            }
            RunOutcome::Sent { response, .. } => {
                let status = format!("{} {}", response.status, response.reason);
                let message = format!("{place}, which this one needs, was answered with {}", status.trim_end());
                Err(blocked("request", &message, "send that request by itself to see its response"))
            }
            RunOutcome::Blocked { obstacles } => {
                let obstacles = obstacles.into_iter().map(|obstacle| first.explain(obstacle)).collect();
                Err(RunOutcome::Blocked { obstacles })
            }
            RunOutcome::Failed { message, obstacle } => {
                let message = format!("{place}, which this one needs, failed: {message}");
                let own = plain("request", message.clone(), "send that request by itself to see what happens");
                let obstacle = obstacle.map_or(own, |obstacle| Obstacle { message, ..obstacle });
                Err(RunOutcome::Blocked { obstacles: vec![obstacle] })
            }
        }
    }

    async fn is_answered(&self, sheet: &Sheet, first: &First, overrides: &BTreeMap<String, String>) -> bool {
        let known = self.answers(&sheet.path).await;
        if !known.contains_key(&first.name) {
            return false;
        }
        let (sheet, overrides, root, name) = (sheet.clone(), overrides.clone(), self.root.clone(), first.name.clone());
        let stands = tokio::task::spawn_blocking(move || {
            let chain = super::Chain::of(&sheet, &overrides, &root, &known, Some(&name));
            chain.order(&[name].into()).is_ok_and(|order| order.is_empty())
        });
        stands.await.unwrap_or(false)
    }
}

impl First {
    fn place(&self) -> String {
        format!("the request `{}` (line {})", self.name, self.line)
    }

    /// The same obstacle, said of the request that has it.
    fn explain(&self, obstacle: Obstacle) -> Obstacle {
        let message = format!("{}, which this one needs: {}", self.place(), obstacle.message);
        Obstacle { message, ..obstacle }
    }
}
