//! Puts values into a prepared request, each encoded for its place.

use std::{collections::BTreeMap, sync::Arc};

use crate::{http::prepare::Prepared, name::SecretName, status::Problem, vault::value::SecretValue};

pub type Values = BTreeMap<SecretName, Arc<SecretValue>>;

/// A request that holds values: it cannot be printed.
pub struct Ready {
    // The http helper decides.
}

/// Fills every place or none. A problem names the secret, never its bytes.
pub fn fill(_prepared: &Prepared, _values: &Values) -> Result<Ready, (Option<SecretName>, Problem)> {
    todo!()
}

impl Ready {
    /// The URL that will be sent; it may hold values, so it is for the policy's eyes only.
    pub fn url(&self) -> &url::Url {
        todo!()
    }
}
