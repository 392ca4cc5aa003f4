//! `.http` and `.rest` files.

use super::{Document, Kind};

pub fn parse(_text: &str) -> Document {
    Document::empty(Kind::Http)
}
