//! A request as a command for a terminal. Reads no value: references stay references.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{
    http::curl,
    syntax::{
        Body, PartContent, Request, Written,
        expand::{Scope, expand},
    },
    work::{Core, Sheet, chain::store::Known, dynamic, run, verbs::Failure},
};

impl Core {
    /// The curl command that sends `request` of `sheet` once a person has put values in place of its references.
    pub async fn curl(&self, sheet: &Sheet, request: usize) -> Result<String, Failure> {
        let Some(written) = sheet.document.requests.get(request) else {
            return Err(Failure::new("there is no such request in this file any more", "choose another request"));
        };
        if let Some(why) = written.not_runnable {
            return Err(Failure::new(why, "only HTTP requests can be written as a command"));
        }
        let plan = run::planned(sheet.clone(), request, BTreeMap::new(), self.root.clone(), Known::default()).await;
        let plan = plan.map_err(|message| Failure::new(message, ""))?.plan;
        if let Some(obstacle) = run::faults(&plan).into_iter().next() {
            return Err(Failure::new(obstacle.message, obstacle.hint));
        }
        curl::command(&plan.prepared, &self.files(sheet, written)).map_err(|message| Failure::new(message, ""))
    }

    /// The files that a request sends as they are, in the order in which it names them.
    fn files(&self, sheet: &Sheet, request: &Request) -> Vec<PathBuf> {
        let (overrides, stand_in) = (BTreeMap::new(), |expression: &str| dynamic::stand_in(expression));
        let scope = Scope::new(&sheet.document, &sheet.source, &sheet.environment, &overrides, &stand_in);
        let path = |written: &Written| {
            let name = expand(written, &scope).as_literal()?.trim().to_owned();
            let bases = [sheet.path.parent().map(PathBuf::from), Some(self.root.clone())];
            bases
                .into_iter()
                .flatten()
                .map(|base| base.join(&name).components().collect::<PathBuf>())
                .find(|path| path.exists())
        };
        match &request.body {
            Body::File { path: written, substitute: false } => path(written).into_iter().collect(),
            Body::Multipart(parts) => {
                let files = parts.iter().filter(|part| part.enabled).filter_map(|part| match &part.content {
                    PartContent::File(written) => path(written),
                    PartContent::Text(_) => None,
                });
                files.collect()
            }
            _ => Vec::new(),
        }
    }
}
