//! What the benchmarks share: how a time is taken and told, and the files that are read.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// Where `figures` leaves a time for `unwiped`, which does the same work under another allocator.
pub fn note(work: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("figure-{work}"))
}

/// Work that allocates as the program's does: a file read into a document, which is freed.
pub fn parse(source: &str) {
    drop(std::hint::black_box(vaultls::syntax::parse(vaultls::syntax::Kind::Http, source)));
}

/// Work that allocates as little else does: a tree of small texts, which is freed.
pub fn grow_a_tree(collection: &str) {
    drop(std::hint::black_box(serde_json::from_str::<serde_json::Value>(collection).expect("valid JSON")));
}

/// The median of some runs: enough to be steady, few enough to end soon.
pub fn median(mut run: impl FnMut()) -> Duration {
    run();
    let mut times: Vec<Duration> = (0..15)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

pub fn ratio(time: Duration, other: Duration) -> f64 {
    time.as_secs_f64() / other.as_secs_f64()
}

pub fn row(figure: &str, time: Duration, beside: &str) {
    println!("{figure:<46}  {:>10}  {beside}", format!("{time:.1?}"));
}

/// Requests as people write them, about `size` bytes of them.
pub fn generated_http(size: usize) -> String {
    let mut text = String::from("@host = https://api.example.com\n@token = <<vault:api/token>>\n\n");
    for index in 0.. {
        if text.len() >= size {
            break;
        }
        text.push_str(&format!(
            "### Create order {index}\n# @name order{index}\nPOST {{{{host}}}}/v1/orders/{index}?expand=lines HTTP/1.1\n\
             Content-Type: application/json\nAuthorization: Bearer {{{{token}}}}\nX-Request-Id: {{{{$guid}}}}\n\n\
             {{\n  \"customer\": \"customer-{index}\",\n  \"key\": \"<<vault:orders/key-{}>>\",\n  \"note\": \"{}\"\n}}\n\n",
            index % 50,
            "lorem ipsum dolor sit amet ".repeat(6),
        ));
    }
    text
}

/// A collection as Postman exports it, about `size` bytes of it.
pub fn generated_collection(size: usize) -> String {
    let mut items = Vec::new();
    let mut length = 0;
    for index in 0.. {
        if length >= size {
            break;
        }
        let body = format!(
            "{{\n    \"customer\": \"c{index}\",\n    \"key\": \"{{{{vault:orders/key}}}}\",\n    \"note\": \"{}\"\n}}",
            "lorem ipsum ".repeat(12)
        );
        let item = serde_json::json!({
            "name": format!("Create order {index}"),
            "event": [{ "listen": "test", "script": { "type": "text/javascript", "exec": ["pm.test('ok', () => {", "    pm.response.to.have.status(201);", "});"] } }],
            "request": {
                "method": "POST",
                "header": [{ "key": "Content-Type", "value": "application/json" }, { "key": "Authorization", "value": "Bearer <<vault:api/token>>" }],
                "body": { "mode": "raw", "raw": body, "options": { "raw": { "language": "json" } } },
                "url": { "raw": format!("{{{{host}}}}/v1/orders/{index}"), "host": ["{{host}}"], "path": ["v1", "orders", index.to_string()] }
            },
            "response": []
        });
        length += serde_json::to_string_pretty(&item).expect("JSON can be written").len();
        items.push(item);
    }
    let schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
    serde_json::to_string_pretty(&serde_json::json!({ "info": { "name": "Orders", "schema": schema }, "item": items }))
        .expect("JSON can be written")
}
