//! How long a page stands, on a clock that is wound on.

use std::sync::Arc;

use tokio::{net::TcpStream, time::Instant};
use url::Url;

use super::{Talk, course::Course, step::Step};
use crate::lsp::fixture::Fixture;

#[tokio::test(start_paused = true)]
async fn a_page_that_nobody_answers_is_gone_after_ten_minutes() {
    let fixture = Fixture::new();
    let (state, core) = (fixture.state.clone(), fixture.core.clone());
    let course = Course::new(state.clone(), core);
    let talk = Arc::new(Talk::open(state, course, Step::Review(Vec::new())).await.unwrap());
    let address = Url::parse(&talk.address()).unwrap();
    let began = Instant::now();
    talk.hold().await;
    assert_eq!(began.elapsed().as_secs(), 600);
    // A program that another test starts at this moment has the socket as well, until it begins.
    let closed = std::time::Instant::now();
    while TcpStream::connect(("127.0.0.1", address.port().unwrap())).await.is_ok() {
        assert!(closed.elapsed().as_secs() < 60, "the page is gone");
    }
}
