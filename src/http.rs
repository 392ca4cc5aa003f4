//! From a request of a document to a response: prepare (variables replaced, secrets still names), fill (values put
//! in by position), send (the policy asked at every hop), redact. The only sender of the user's requests.

pub mod curl;
pub mod fill;
mod place;
pub mod prepare;
pub mod redact;
pub mod send;
pub mod shown;
