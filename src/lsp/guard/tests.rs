//! Streams that break other servers, and handlers that panic.

use serde_json::json;

use super::*;

/// What comes out of the filter for `input`, frame by frame.
async fn filtered(input: &[u8]) -> Vec<String> {
    let (mut output, _task) = filter(std::io::Cursor::new(input.to_vec()));
    let mut bytes = Vec::new();
    output.read_to_end(&mut bytes).await.unwrap();
    let mut reader = BufReader::new(bytes.as_slice());
    let mut frames = Vec::new();
    while let Some(frame) = next_frame(&mut reader).await.unwrap() {
        let Frame::Body(body) = frame else { panic!("the filter lets nothing pass that is too long") };
        frames.push(String::from_utf8(body).unwrap());
    }
    frames
}

fn framed(body: &[u8]) -> Vec<u8> {
    [format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

const GOOD: &str = r#"{"jsonrpc":"2.0","method":"initialized","params":{}}"#;

async fn check(body: &[u8], expected: &[&str]) {
    let input = [framed(body), framed(GOOD.as_bytes())].concat();
    let expected: Vec<_> = expected.iter().copied().chain([GOOD]).collect();
    assert_eq!(filtered(&input).await, expected, "{}", String::from_utf8_lossy(body));
}

#[tokio::test]
async fn good_messages_pass_unchanged() {
    check(
        br#"{"jsonrpc":"2.0","id":1,"method":"x","params":["\ud83d\ude00 \\ud83d"]}"#,
        &[r#"{"jsonrpc":"2.0","id":1,"method":"x","params":["\ud83d\ude00 \\ud83d"]}"#],
    )
    .await;
    check(br#"{"jsonrpc":"2.0","id":1,"result":null}"#, &[r#"{"jsonrpc":"2.0","id":1,"result":null}"#]).await;
}

#[tokio::test]
async fn half_of_a_surrogate_pair_is_replaced() {
    for (written, repaired) in [
        (r"a\ud83db", r"a\ufffdb"),
        (r"\ude00\ud83d", r"\ufffd\ufffd"),
        (r"\\\ud83d\n", r"\\\ufffd\n"),
        (r"\ud83d\ud83d\ude00", r"\ufffd\ud83d\ude00"),
    ] {
        let message = |text: &str| format!(r#"{{"jsonrpc":"2.0","method":"x","params":["{text}"]}}"#);
        check(message(written).as_bytes(), &[&message(repaired)]).await;
    }
}

#[tokio::test]
async fn bytes_that_are_not_text_are_replaced() {
    check(
        b"{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":[\"a\xff\"]}",
        &["{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":[\"a\u{fffd}\"]}"],
    )
    .await;
}

#[tokio::test]
async fn what_cannot_be_repaired_and_awaits_no_answer_is_dropped() {
    for body in [
        &b"{}"[..],
        b"[]",
        b"",
        b"not json",
        b"{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":[1e999]}",
        b"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":[",
        b"{\"params\":{\"id\":7,\"method\":\"x\"}",
    ] {
        check(body, &[]).await;
    }
}

#[tokio::test]
async fn a_broken_request_is_handed_on_as_a_note_with_its_id() {
    for body in [r#"{"jsonrpc":"2.0","id":7,"method":"x","params":{"#, r#"{"method":"x","params":[tru],"id" : 7 }"#] {
        check(body.as_bytes(), &[
            r#"{"jsonrpc":"2.0","method":"$/vaultls/undecodable","params":{"why":"the message is not valid JSON-RPC"},"id":7}"#,
        ])
        .await;
    }
}

#[tokio::test]
async fn deep_nesting_is_not_followed() {
    let deep = format!(r#"{{"jsonrpc":"2.0","method":"x","params":{}"#, "[".repeat(100_000));
    check(deep.as_bytes(), &[]).await;
}

#[tokio::test]
async fn a_message_that_is_too_long_is_skipped_and_answered() {
    let mut body = br#"{"jsonrpc":"2.0","id":"a","method":"x","params":""#.to_vec();
    body.resize(MAX_MESSAGE + 1, b'x');
    check(
        &body,
        &[r#"{"jsonrpc":"2.0","method":"$/vaultls/undecodable","params":{"why":"the message is too long"},"id":"a"}"#],
    )
    .await;
}

#[tokio::test]
async fn reading_goes_on_after_wrong_lengths_and_foreign_headers() {
    let good = framed(GOOD.as_bytes());
    for noise in ["Content-Length: 3\r\n\r\n{\"jsonrpc\":1}", "Content-Length: x\r\n\r\n", "\r\n\r\nnoise\r\n", "{}"] {
        let input = [noise.as_bytes(), &good].concat();
        assert_eq!(filtered(&input).await, [GOOD], "{noise}");
    }
    let foreign = format!("content-length:{}\r\nX-Other: 1\r\n\r\n{GOOD}", GOOD.len());
    assert_eq!(filtered(foreign.as_bytes()).await, [GOOD]);
}

/// Answers `x`, panics while called on `now` and later on `later`.
struct Fragile;

impl Service<Request> for Fragile {
    type Response = Option<Response>;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Option<Response>, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        assert_ne!(request.method(), "now");
        Box::pin(async move {
            assert_ne!(request.method(), "later");
            Ok(request.id().map(|id| Response::from_ok(id.clone(), json!("fine"))))
        })
    }
}

async fn answer(guard: &mut Guard<Fragile>, request: Request) -> Option<Response> {
    guard.call(request).await.unwrap()
}

#[tokio::test]
async fn a_panic_becomes_an_error_and_the_next_request_is_served() {
    let mut guard = Guard::new(Fragile, Arc::default());
    for method in ["now", "later"] {
        let error = Response::from_error(Id::Number(1), Error::internal_error());
        assert_eq!(answer(&mut guard, Request::build(method).id(1).finish()).await, Some(error));
        assert_eq!(answer(&mut guard, Request::build(method).finish()).await, None);
    }
    let fine = Response::from_ok(Id::Number(2), json!("fine"));
    assert_eq!(answer(&mut guard, Request::build("x").id(2).finish()).await, Some(fine));
}

#[tokio::test]
async fn a_note_on_a_broken_request_is_answered_with_a_parse_error() {
    let mut guard = Guard::new(Fragile, Arc::default());
    let note = Request::build(UNDECODABLE).id(7).params(json!({ "why": "torn" })).finish();
    let answer = answer(&mut guard, note).await.unwrap();
    assert_eq!(answer.id(), &Id::Number(7));
    assert_eq!(answer.error().map(|error| (error.code.code(), &*error.message)), Some((-32700, "torn")));
}

#[tokio::test]
async fn the_exit_code_remembers_shutdown() {
    let lifecycle = Arc::new(Lifecycle::default());
    let mut guard = Guard::new(Fragile, lifecycle.clone());
    assert_eq!(lifecycle.exit_code(), 1);
    answer(&mut guard, Request::build("shutdown").id(1).finish()).await;
    assert_eq!(lifecycle.exit_code(), 0);
}
