use expect_test::{Expect, expect};

use super::*;
use crate::syntax::{Auth, Body, PartContent, Segment};

/// The requests of a collection whose members are `members`, one property a line; references, uses and errors.
fn check(members: &str, expected: &Expect) {
    expected.assert_eq(&shown(&format!("{{{members}}}")));
}

/// The same for one request of the name `r`.
fn check_request(request: &str, expected: &Expect) {
    check(&format!(r#""item":[{{"name":"r","request":{request}}}]"#), expected);
}

fn shown(source: &str) -> String {
    let document = parse(source);
    let mut out = String::new();
    let text = |written: &Written| written.text(source).into_owned();
    let pair = |field: &Field| format!("{}{}={}", switch(field.enabled), text(&field.key), text(&field.value));
    for request in &document.requests {
        let mut path = request.folders.clone();
        path.extend(request.name.as_ref().map(|name| name.text.clone()));
        out += &format!("{}: {} {}\n", path.join("/"), request.method.text, text(&request.url));
        if let Some(shown) = request.shown_url.as_ref().filter(|shown| text(shown) != text(&request.url)) {
            out += &format!("  shown: {}\n", text(shown));
        }
        for field in &request.path_variables {
            out += &format!("  path: {}\n", pair(field));
        }
        for header in &request.headers {
            out += &format!("  header: {}{}: {}\n", switch(header.enabled), text(&header.name), text(&header.value));
        }
        out += &match &request.auth {
            None => String::new(),
            Some(Auth::Basic { user, password }) => format!("  auth: basic {} {}\n", text(user), text(password)),
            Some(Auth::Bearer { token }) => format!("  auth: bearer {}\n", text(token)),
            Some(Auth::ApiKey { key, value, in_query }) => {
                format!(
                    "  auth: apikey {}={}{}\n",
                    text(key),
                    text(value),
                    if *in_query { " in the query" } else { "" }
                )
            }
            Some(Auth::Unsupported(scheme)) => format!("  auth: unsupported {scheme}\n"),
        };
        out += &match &request.body {
            Body::None => String::new(),
            Body::Text { text: body, language } => format!("  text {language:?}: {:?}\n", text(body)),
            Body::Form(fields) => format!("  form: {}\n", fields.iter().map(pair).collect::<Vec<_>>().join(" ")),
            Body::Multipart(parts) => parts
                .iter()
                .map(|part| {
                    let (kind, content) = match &part.content {
                        PartContent::Text(content) => ("text", content),
                        PartContent::File(content) => ("file", content),
                    };
                    let media = part.content_type.as_ref().map(text).unwrap_or_default();
                    let switch = switch(part.enabled);
                    format!("  part: {switch}{} {kind} {} {media}\n", text(&part.key), text(content))
                })
                .collect(),
            Body::File { path, .. } => format!("  file: {}\n", text(path)),
            Body::GraphQl { query, variables } => {
                format!("  graphql: {} {:?}\n", text(query), variables.as_ref().map(text))
            }
        };
        if !request.settings.follow_redirects {
            out += "  no redirects\n";
        }
        if request.settings.omit_body {
            out += "  the body is left out\n";
        }
        for ignored in &request.ignored {
            out += &format!("  ignored: {} ({})\n", ignored.what, ignored.span.of(source));
        }
        if let Some(reason) = request.not_runnable {
            out += &format!("  not runnable: {reason}\n");
        }
    }
    for variable in &document.variables {
        let enabled = switch(variable.enabled);
        out += &format!("variable: {enabled}{}={}\n", variable.name, text(&variable.value));
    }
    for reference in &document.references {
        let (span, name) = (reference.span.of(source), reference.name_span.of(source));
        out += &format!("reference: {span} {name} {:?}\n", reference.place);
    }
    for used in &document.uses {
        out += &format!("use: {} {} {:?}\n", used.span.of(source), used.name, used.place);
    }
    for error in &document.errors {
        out += &format!("{:?}: {} ({})\n", error.severity, error.message, error.span.of(source));
    }
    out
}

fn switch(enabled: bool) -> &'static str {
    if enabled { "" } else { "(off) " }
}

const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";

#[test]
fn collections_are_recognised_in_every_dress() {
    for text in [
        format!(r#"{{"info":{{"schema":"{SCHEMA}"}},"item":[]}}"#),
        format!("\u{feff} {{\"item\":[1],\"info\":{{\"name\":\"x\",\"schema\":\"{SCHEMA}\""),
        format!(r#"{{"collection":{{"info":{{"schema":"{SCHEMA}"}}}}}}"#),
        format!(r#"{{"item":[{}],"info":{{"schema":"{SCHEMA}"}}}}"#, "1,".repeat(200_000)),
        r#"{"info":{"_postman_id":"1","name":"n"},"item":[]}"#.into(),
        r#"{"item":[{"name":"a","request":"https://x"}]}"#.into(),
        r#"{"id":"1","name":"n","requests":[]}"#.into(),
        r#"{"order":[],"requests":[{"url":"x"}]}"#.into(),
    ] {
        assert!(is_collection(&text), "{}", &text[..text.len().min(120)]);
    }
}

#[test]
fn other_json_files_are_no_collections() {
    for text in [
        "",
        "[]",
        "{",
        "\"info\"",
        r#"{"name":"vscode","version":"1.0.0","scripts":{"test":"x"},"dependencies":{}}"#,
        r#"{"compilerOptions":{"target":"es2020"},"files":[]}"#,
        r#"{"id":"1","name":"env","values":[{"key":"a","value":"b"}],"_postman_variable_scope":"environment"}"#,
        r#"{"openapi":"3.0.0","info":{"title":"t","version":"1"},"paths":{}}"#,
        r#"{"info":{"name":"x"},"items":[]}"#,
        r#"{"item":[{"sku":1}]}"#,
        r#"{"requests":[{"url":"https://x"}]}"#,
        r#"{"a":"https://schema.getpostman.com/json/collection/v2.1.0/collection.json"}"#,
    ] {
        assert!(!is_collection(text), "{text}");
    }
}

#[test]
fn folders_nest_and_requests_keep_the_order_of_the_file() {
    check(
        r#""item":[{"name":"a","item":[{"name":"b","item":[{"name":"1","request":"https://x/1"}]},
        {"name":"2","request":{"method":"delete","url":"https://x/2"}}]},{"item":[{"request":{"url":"u"}}]},
        {"name":"3","request":null}, {"name":"4","request":{"method":" ","url":"u"}}, 7]"#,
        &expect![[r#"
            a/b/1: GET https://x/1
            a/2: DELETE https://x/2
            : GET u
            3: GET 
              not runnable: the item holds no request
            4:   u
              not runnable: its method is blank
        "#]],
    );
}

#[test]
fn a_wrapped_collection_is_read() {
    check(
        r#""collection":{"item":[{"name":"1","request":"https://x/1"}]}"#,
        &expect![[r#"
        1: GET https://x/1
    "#]],
    );
}

#[test]
fn a_request_spans_its_item_and_its_name_is_its_line() {
    let source = "{\"item\":[{\n\"request\":\"u\",\"name\":\"r\\u0031\"},{ \"request\":\"v\"\n}]}";
    let document = parse(source);
    let [first, second] = document.requests.as_slice() else { panic!("two requests") };
    assert!(first.span.of(source).starts_with("{\n\"request\"") && first.span.of(source).ends_with("1\"}"));
    assert_eq!(first.line.of(source), "\"r\\u0031\"");
    let name = first.name.as_ref().unwrap();
    assert_eq!((name.text.as_str(), name.span.of(source)), ("r1", "r\\u0031"));
    assert_eq!(second.line.of(source), "{ \"request\":\"v\"");
    assert_eq!(document.request_at(source.find("\"v\"").unwrap()), Some(1));
}

#[test]
fn a_url_is_made_of_its_parts_without_disabled_rows() {
    check_request(
        r#"{"url":{"raw":"{{base}}/a/:id","protocol":"https","auth":{"user":"u","password":"p"},"host":["{{base}}","io"],
        "port":8080,"path":["a",":id",{"type":"string","value":"c"}],"hash":"top",
        "query":[{"key":"x=y&","value":"{{#a&b#}}#"},{"key":"off","value":"{{gone}}","disabled":true},
        {"key":"flag","value":null},{"key":"e","value":""}],
        "variable":[{"key":"id","value":"<<vault:id>>"},{"key":"unset","value":null}]}}"#,
        &expect![[r#"
            r: GET https://u:p@{{base}}.io:8080/a/:id/c?x%3Dy%26={{#a&b#}}%23&flag&e=#top
              shown: {{base}}/a/:id
              path: id=<<vault:id>>
            reference: <<vault:id>> id Url
            use: {{base}} base Elsewhere
            use: {{base}} base Url
            use: {{#a&b#}} #a&b# Url
            use: {{gone}} gone Elsewhere
            Warning: the parts of this URL make another one, and the parts are sent ({{base}}/a/:id)
        "#]],
    );
}

#[test]
fn a_url_whose_parts_make_the_raw_text_is_read_from_it() {
    let source = r#"{"item":[{"request":{"url":{"raw":"https://<<vault:db.host>>/x?a=<<vault:k>>","protocol":"https",
        "host":["<<vault"],"port":"db.host>>","path":["x"],"query":[{"key":"a","value":"<<vault:k>>"}]}}}]}"#;
    let document = parse(source);
    let [Segment::Source(span)] = document.requests[0].url.segments.as_slice() else { panic!("one piece") };
    assert_eq!(span.of(source), "https://<<vault:db.host>>/x?a=<<vault:k>>");
    let names: Vec<&str> = document.references.iter().map(|reference| reference.name_span.of(source)).collect();
    assert_eq!(names, ["db.host", "k", "k"], "the halves in the parts are no references");
}

#[test]
fn parts_of_a_url_may_be_texts_and_the_raw_text_may_stand_alone() {
    check(
        r#""item":[{"request":{"url":{"protocol":"http://","host":"a.b","path":"/c/d","query":"e=f"}}},
        {"request":{"url":{"host":["a"],"path":[],"query":{"g":"h"}}}},
        {"request":{"url":{"raw":"https://only"}}},{"request":{"url":null}}]"#,
        &expect![[r#"
            : GET http://a.b/c/d?e=f
            : GET a?g=h
            : GET https://only
            : GET 
        "#]],
    );
}

#[test]
fn headers_are_rows_or_lines() {
    check_request(
        r#"{"url":"u","header":[{"key":"A","value":"<<vault:a>>"},{"value":7,"key":"B-<<vault:b>>"},
        {"key":"C","value":"<<vault:c>>","disabled":true},{"key":"","value":"x"},null,"D: {{d}}"]}"#,
        &expect![[r#"
            r: GET u
              header: A: <<vault:a>>
              header: B-<<vault:b>>: 7
              header: (off) C: <<vault:c>>
              header: D: {{d}}
            reference: <<vault:a>> a HeaderValue
            reference: <<vault:b>> b HeaderName
            reference: <<vault:c>> c Elsewhere
            use: {{d}} d HeaderValue
        "#]],
    );
    check_request(
        r#"{"url":"u","header":"A: \u003c<vault:a>>\r\nnone\n//Off: 1\n  B:\t2:3 \n"}"#,
        &expect![[r#"
            r: GET u
              header: A: <<vault:a>>
              header: none: 
              header: (off) Off: 1
              header: B: 2:3
            reference: \u003c<vault:a>> a HeaderValue
        "#]],
    );
}

#[test]
fn each_mode_of_body_is_read() {
    check_request(
        r#"{"method":"POST","body":{"mode":"raw","raw":"{\"a\":<<vault:n>>,\"b\":\"<<vault:s>> \\\" {{v}}\"}"}}"#,
        &expect![[r#"
            r: POST 
              text None: "{\"a\":<<vault:n>>,\"b\":\"<<vault:s>> \\\" {{v}}\"}"
            reference: <<vault:n>> n JsonBare
            reference: <<vault:s>> s Body
            use: {{v}} v Body
        "#]],
    );
    check_request(
        r#"{"method":"POST","body":{"mode":"raw","raw":"<<vault:x>>","urlencoded":[{"key":"k","value":"<<vault:unused>>"}],
        "options":{"raw":{"language":"xml"}}}}"#,
        &expect![[r#"
            r: POST 
              text Some("xml"): "<<vault:x>>"
            reference: <<vault:x>> x Body
            reference: <<vault:unused>> unused Elsewhere
        "#]],
    );
    check_request(
        r#"{"method":"POST","body":{"mode":"urlencoded","urlencoded":[{"key":"a","value":"1"},
        {"key":"b","value":null,"disabled":true}]}}"#,
        &expect![[r#"
            r: POST 
              form: a=1 (off) b=
        "#]],
    );
    check_request(
        r#"{"method":"POST","body":{"mode":"formdata","formdata":[{"key":"a","value":"1","contentType":"text/csv"},
        {"key":"f","type":"file","src":["x","y"]},{"key":"g","type":"file","src":null},{"key":"h","type":"file","src":[]},
        {"key":"off","value":"2","disabled":true}]}}"#,
        &expect![[r#"
            r: POST 
              part: a text 1 text/csv
              part: f file x 
              part: f file y 
              part: g file  
              part: h file  
              part: (off) off text 2 
        "#]],
    );
    check_request(
        r#"{"method":"PUT","body":{"mode":"file","file":{"src":"./a.bin"}}}"#,
        &expect![[r#"
        r: PUT 
          file: ./a.bin
    "#]],
    );
    check_request(
        r#"{"method":"POST","body":{"mode":"graphql","graphql":{"query":"{ a }","variables":"{\"x\": {{x}}}"}}}"#,
        &expect![[r#"
            r: POST 
              graphql: { a } Some("{\"x\": {{x}}}")
            use: {{x}} x JsonBare
        "#]],
    );
    check_request(
        r#"{"method":"POST","body":{"mode":"raw","raw":"x","disabled":true}}"#,
        &expect![[r#"
        r: POST 
          ignored: disabled body (raw)
    "#]],
    );
}

#[test]
fn credentials_are_rows_or_members_and_come_from_the_nearest_folder() {
    check(
        r#""auth":{"type":"basic","basic":[{"key":"password","value":"<<vault:p>>"},{"key":"username","value":"u"}]},
        "item":[{"name":"inherits","request":{"url":"u","auth":null}},
        {"name":"f","auth":{"type":"bearer","bearer":{"token":"{{t}}"}},"item":[
            {"name":"inherits","request":"u"},
            {"name":"stops","request":{"auth":{"type":"noauth"}}},
            {"name":"own","request":{"auth":{"type":"apikey","apikey":[{"key":"in","value":"query"},{"key":"key","value":"k"},
                {"key":"value","value":"v"}]}}},
            {"name":"other","request":{"auth":{"type":"oauth2","oauth2":[{"key":"accessToken","value":"<<vault:o>>"}]}}}]},
        {"name":"stop","auth":{"type":"noauth"},"item":[{"name":"stopped","request":"u"}]}]"#,
        &expect![[r#"
            inherits: GET u
              auth: basic u <<vault:p>>
            f/inherits: GET u
              auth: bearer {{t}}
            f/stops: GET 
            f/own: GET 
              auth: apikey k=v in the query
            f/other: GET 
              auth: unsupported oauth2
            stop/stopped: GET u
            reference: <<vault:p>> p Auth
            reference: <<vault:o>> o Auth
            use: {{t}} t Auth
        "#]],
    );
}

#[test]
fn scripts_and_settings_are_inherited_and_said() {
    check(
        r#""event":[{"listen":"prerequest","script":{"exec":["await pm.vault.get('<<vault:a>>')"]}}],
        "protocolProfileBehavior":{"followRedirects":false,"strictSSL":false},
        "item":[{"name":"1","request":{"url":"u","body":{"mode":"raw","raw":"x"},"certificate":{"key":"k"}},
            "event":[{"listen":"test","script":{"exec":"pm.test()"}},{"listen":"prerequest","script":{"exec":["", " "]}}]},
        {"name":"2","request":{"body":{"mode":"raw","raw":"x"}},
            "protocolProfileBehavior":{"followRedirects":true,"strictSSL":true,"disableBodyPruning":true}}]"#,
        &expect![[r#"
            1: GET u
              text None: "x"
              no redirects
              the body is left out
              ignored: test script ("test")
              ignored: inherited pre-request script that calls pm.vault ("prerequest")
              ignored: client certificate ({"key":"k"})
              ignored: strictSSL: false (false)
            2: GET 
              text None: "x"
              ignored: inherited pre-request script that calls pm.vault ("prerequest")
            reference: <<vault:a>> a Elsewhere
        "#]],
    );
}

#[test]
fn variables_of_collection_and_folders_keep_the_order_of_the_file() {
    check(
        r#""item":[{"name":"f","variable":[{"key":"a","value":1}],"item":[]}],
        "variable":[{"key":"b","value":"<<vault:b>>"},{"id":"c","value":true,"disabled":true},{"key":"d"},
        {"key":"e","value":{"f":"\n{{g}}"}}]"#,
        &expect![[r#"
            variable: a=1
            variable: b=<<vault:b>>
            variable: (off) c=true
            variable: d=
            variable: e={"f":"\n{{g}}"}
            reference: <<vault:b>> b Variable
            use: {{g}} g Variable
        "#]],
    );
}

#[test]
fn descriptions_give_no_references_and_examples_are_elsewhere() {
    check(
        r#""info":{"description":{"content":"<<vault:a>>"}},"item":[{"name":"<<vault:n>>","description":"<<vault:b>>",
        "request":{"url":"u","description":"{{c}}"},"response":[{"body":"<<vault:d>> {{e}}"}]}]"#,
        &expect![[r#"
            <<vault:n>>: GET u
            reference: <<vault:n>> n Elsewhere
            reference: <<vault:d>> d Elsewhere
            use: {{e}} e Elsewhere
        "#]],
    );
}

#[test]
fn what_is_wrong_is_told_and_the_rest_is_read() {
    check(
        r#""info":{"schema":"https://schema.getpostman.com/json/collection/v9.0.0/collection.json"},
        "item":[{"name":"1","request":"https://x/<<vault:a>>"} {"name":"2","request":{"url":"y",}"#,
        &expect![[r#"
            1: GET https://x/<<vault:a>>
            2: GET y
            reference: <<vault:a>> a Url
            Error: a comma is missing ( )
            Error: the last comma is one too many (,)
            Error: the bracket is never closed ([)
            Warning: this version of the collection format is not known; it is read as v2.1 (https://schema.getpostman.com/json/collection/v9.0.0/collection.json)
        "#]],
    );
    check(
        r#""info":{}"#,
        &expect![[r#"
        Warning: the collection holds no requests: its `item` list is missing ({)
    "#]],
    );
}

#[test]
fn v1_is_a_flat_list_with_folders_by_id() {
    check(
        r#""id":"c","name":"n","order":[],"auth":{"type":"bearer","bearer":[{"key":"token","value":"t"}]},
        "folders":[{"id":"f1","name":"outer","folders_order":["f2"],"events":[{"listen":"test","script":{"exec":"x"}}]},
        {"id":"f2","name":"inner","order":["1"],"auth":{"type":"noauth"}}],
        "requests":[{"id":"1","name":"one","method":"post","url":"https://x/:id","headers":"A: <<vault:a>>\n",
        "pathVariables":{"id":"7"},"dataMode":"raw","rawModeData":["{}"],"preRequestScript":"x","tests":null},
        {"id":"2","folder":"f1","name":"two","url":"u","dataMode":"params","data":[{"key":"k","value":"v","enabled":false}],
        "currentHelper":"basicAuth","helperAttributes":{"username":"u","password":"<<vault:p>>"}},
        {"id":"3","url":"u","dataMode":"graphql","graphqlModeData":{"query":"q"}, "dataDisabled":false}],
        "variables":[{"key":"v","value":"w"}]"#,
        &expect![[r#"
            outer/inner/one: POST https://x/:id
              path: id=7
              header: A: <<vault:a>>
              text None: "{}"
              ignored: pre-request script ("x")
              ignored: inherited test script ("test")
            outer/two: GET u
              auth: basic u <<vault:p>>
              part: (off) k text v 
              ignored: inherited test script ("test")
            : GET u
              auth: bearer t
              graphql: q None
            variable: v=w
            reference: <<vault:a>> a HeaderValue
            reference: <<vault:p>> p Auth
        "#]],
    );
}
