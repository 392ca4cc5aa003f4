//! What a file means, point by point.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::*;

fn shown(written: &Written, source: &str) -> String {
    written.text(source).into_owned()
}

fn body(body: &Body, source: &str) -> String {
    match body {
        Body::None => String::new(),
        Body::Text { text, .. } => format!("text {:?}\n", shown(text, source)),
        Body::File { path, substitute } => {
            let filled = if *substitute { " filled" } else { "" };
            format!("file{filled} {:?}\n", shown(path, source))
        }
        Body::GraphQl { query, variables } => {
            let variables = variables.as_ref().map(|variables| shown(variables, source));
            format!("graphql {:?} with {variables:?}\n", shown(query, source))
        }
        Body::Form(_) | Body::Multipart(_) => "a body of a collection\n".to_owned(),
    }
}

fn request(request: &Request, source: &str) -> String {
    let mut out = format!("{} {}", request.method.text, shown(&request.url, source));
    if let Some(version) = request.version {
        write!(out, " [{}]", version.of(source)).unwrap();
    }
    if let Some(name) = &request.name {
        write!(out, " ({})", name.text).unwrap();
    }
    out.push('\n');
    for header in &request.headers {
        writeln!(out, "  {} = {}", shown(&header.name, source), shown(&header.value, source)).unwrap();
    }
    let rest = body(&request.body, source);
    if !rest.is_empty() {
        write!(out, "  {rest}").unwrap();
    }
    for ignored in &request.ignored {
        writeln!(out, "  ignored {}: {:?}", ignored.what, ignored.span.of(source)).unwrap();
    }
    if request.settings != Settings::default() {
        let Settings { follow_redirects, timeout, .. } = request.settings;
        writeln!(out, "  follow {follow_redirects}, timeout {timeout:?}").unwrap();
    }
    if let Some(reason) = request.not_runnable {
        writeln!(out, "  not run: {reason}").unwrap();
    }
    out
}

/// What `source` means, in lines.
fn check(source: &str, expected: &Expect) {
    let document = parse(source);
    let mut out = String::new();
    document.requests.iter().for_each(|each| out.push_str(&request(each, source)));
    for variable in &document.variables {
        writeln!(out, "@{} = {}", variable.name, shown(&variable.value, source)).unwrap();
    }
    for reference in &document.references {
        writeln!(out, "{} in {:?}", reference.span.of(source), reference.place).unwrap();
    }
    for used in &document.uses {
        writeln!(out, "{} in {:?}", used.span.of(source), used.place).unwrap();
    }
    for error in &document.errors {
        writeln!(out, "{:?} at {:?}: {}", error.severity, error.span.of(source), error.message).unwrap();
    }
    expected.assert_eq(&out);
}

#[test]
fn requests_stand_between_lines_of_hashes() {
    check(
        "GET https://a\n### Two\nPOST https://b HTTP/1.1\nA: b\n\nx\n\n### ====\n# only a comment\n###\nhttps://c\n",
        &expect![[r#"
            GET https://a
            POST https://b [HTTP/1.1] (Two)
              A = b
              text "x"
            GET https://c
        "#]],
    );
}

#[test]
fn a_request_has_one_name() {
    check(
        "### Title\n# @name login\nGET /a\n### Only a title\nGET /b\n### ---\n// @name = third\nGET /c",
        &expect![[r#"
            GET /a (login)
            GET /b (Only a title)
            GET /c (third)
        "#]],
    );
}

#[test]
fn comments_may_say_how_to_send() {
    check(
        "# @no-redirect\n# @timeout 5 s\n# @ref login\n// @note careful\nGET /a",
        &expect![[r##"
        GET /a
          ignored reference to another request: "# @ref login"
          follow false, timeout Some(5s)
    "##]],
    );
}

#[test]
fn a_url_may_go_on_below() {
    check(
        "GET https://a\n  /b\n  # a comment\n  ?c=d\n  &e={{f}}&g=<<vault:h>> HTTP/1.1\nA: b",
        &expect![[r#"
            GET https://a/b?c=d&e={{f}}&g=<<vault:h>> [HTTP/1.1]
              A = b
            <<vault:h>> in Url
            {{f}} in Url
        "#]],
    );
    check(
        "GET https://a HTTP/1.1\n?b=c\nA: b",
        &expect![[r#"
        GET https://a [HTTP/1.1]
          A = b
        Warning at "?b=c": this stands behind the protocol version and is not sent; move it above
    "#]],
    );
}

#[test]
fn a_host_header_completes_a_path() {
    check(
        "GET /a\nHost: b.c",
        &expect![[r#"
        GET http://b.c/a
          Host = b.c
    "#]],
    );
    check(
        "GET /a\nhost: <<vault:h>>:443",
        &expect![[r#"
        GET https://<<vault:h>>:443/a
          host = <<vault:h>>:443
        <<vault:h>> in HeaderValue
    "#]],
    );
}

#[test]
fn references_know_their_places() {
    check(
        "@t = <<vault:v>>\n@u = {{t}}\n### <<vault:title>>\n# <<vault:comment>>\nGET https://<<vault:u>>\nX-{{vault:n}}: <<vault:w>>\n\n<<vault:b>>\n# <<vault:dropped>>\n> {% <<vault:s>> {{no}} %}\n",
        &expect![[r#"
            GET https://<<vault:u>> (<<vault:title>>)
              X-{{vault:n}} = <<vault:w>>
              text "<<vault:b>>"
              ignored response script: "> {% <<vault:s>> {{no}} %}"
            @t = <<vault:v>>
            @u = {{t}}
            <<vault:v>> in Variable
            <<vault:title>> in Elsewhere
            <<vault:u>> in Url
            {{vault:n}} in HeaderName
            <<vault:w>> in HeaderValue
            <<vault:b>> in Body
            <<vault:s>> in Elsewhere
            {{t}} in Variable
        "#]],
    );
}

#[test]
fn a_reference_outside_a_string_of_json_is_bare() {
    check(
        "POST /a\n\n{\"a\\\"\": \"<<vault:in>>\", \"b\": <<vault:bare>>, \"c\": \"{{d}}\n, \"e\": {{f}}}",
        &expect![[r#"
            POST /a
              text "{\"a\\\"\": \"<<vault:in>>\", \"b\": <<vault:bare>>, \"c\": \"{{d}}\n, \"e\": {{f}}}"
            <<vault:in>> in Body
            <<vault:bare>> in JsonBare
            {{d}} in Body
            {{f}} in JsonBare
        "#]],
    );
    check(
        "POST /a\nContent-Type: text/plain\n\n{<<vault:text>>}",
        &expect![[r#"
        POST /a
          Content-Type = text/plain
          text "{<<vault:text>>}"
        <<vault:text>> in Body
    "#]],
    );
    check(
        "POST /a\nContent-Type: {{type}}\n\n[<<vault:bare>>]",
        &expect![[r#"
        POST /a
          Content-Type = {{type}}
          text "[<<vault:bare>>]"
        <<vault:bare>> in JsonBare
        {{type}} in HeaderValue
    "#]],
    );
    check(
        "POST /a\n\n{{whole}}",
        &expect![[r#"
        POST /a
          text "{{whole}}"
        {{whole}} in Body
    "#]],
    );
}

#[test]
fn variables_may_be_defined_anywhere() {
    check(
        "@a = 1\nGET /a\n@b=2\nC: d\n\n@e = 3\n\n###\n@f\n@g h\nGET /b",
        &expect![[r#"
        GET /a
          C = d
        GET /b
        @a = 1
        @b = 2
        @e = 3
        Error at "@f": a variable is defined as `@name = value`
        Error at "@g h": a variable is defined as `@name = value`
    "#]],
    );
}

#[test]
fn a_definition_inside_a_body_is_sent_too() {
    check(
        "POST /a\n\nx\n@b = <<vault:c>>\ny\n\n@d = <<vault:e>>\n",
        &expect![[r#"
        POST /a
          text "x\n@b = <<vault:c>>\ny"
        @b = <<vault:c>>
        @d = <<vault:e>>
        <<vault:c>> in Body
        <<vault:e>> in Variable
    "#]],
    );
    check(
        "POST /a\n\n@Get(value = 1)\nvoid x();",
        &expect![[r#"
        POST /a
          text "@Get(value = 1)\nvoid x();"
    "#]],
    );
}

#[test]
fn a_malformed_definition_alone_is_a_request_as_elsewhere() {
    check(
        "@name\n",
        &expect![[r#"
        GET @name
        Error at "@name": a variable is defined as `@name = value`
    "#]],
    );
}

#[test]
fn comment_lines_of_a_body_are_dropped_and_told() {
    check(
        "POST /a\n\n# Heading\nx\n# Heading\ny\n\n# behind",
        &expect![[r##"
        POST /a
          text "x\ny"
        Warning at "# Heading": body lines that begin with `#` or `//` are comments and are not sent
    "##]],
    );
    check(
        "POST /a\n\n{\n  // note\n  \"a\": 1\n}",
        &expect![[r#"
        POST /a
          text "{\n  \"a\": 1\n}"
        Hint at "  // note": body lines that begin with `#` or `//` are comments and are not sent
    "#]],
    );
}

#[test]
fn a_body_may_be_a_file() {
    check(
        "POST /a\n\n< ./b c.json",
        &expect![[r#"
        POST /a
          file "./b c.json"
    "#]],
    );
    check(
        "POST /a\n<@ {{b}}.json",
        &expect![[r#"
        POST /a
          file filled "{{b}}.json"
        {{b}} in Elsewhere
    "#]],
    );
    check(
        "POST /a\n\n<@latin1 b",
        &expect![[r#"
        POST /a
          file filled "b"
          not run: its body file is not in UTF-8, which is not supported
    "#]],
    );
    check(
        "POST /a\n\nx\n< b",
        &expect![[r#"
            POST /a
              text "x\n< b"
        "#]],
    );
}

#[test]
fn a_form_may_have_one_field_a_line() {
    let head = "POST /a\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\n\n";
    check(
        &format!("{head}a=b\r\n  &c=<<vault:d>>\r\n"),
        &expect![[r#"
        POST /a
          Content-Type = application/x-www-form-urlencoded; charset=utf-8
          text "a=b&c=<<vault:d>>"
        <<vault:d>> in Body
    "#]],
    );
    check(
        &format!("{head}a=b&\nc=d\ne=f"),
        &expect![[r#"
        POST /a
          Content-Type = application/x-www-form-urlencoded; charset=utf-8
          text "a=b&c=d\ne=f"
    "#]],
    );
}

#[test]
fn lines_of_a_multipart_body_end_with_both_bytes() {
    check(
        "POST /a\nContent-Type: multipart/form-data; boundary=b\n\n--b\nA: c\n\nd\n--b--\n",
        &expect![[r#"
        POST /a
          Content-Type = multipart/form-data; boundary=b
          text "--b\r\nA: c\r\n\r\nd\r\n--b--\r\n"
    "#]],
    );
}

#[test]
fn graphql_has_a_query_and_variables() {
    check(
        "GRAPHQL /a\n\nquery {\n\n  b\n}\n\n{\"c\": <<vault:d>>}\n",
        &expect![[r#"
        GRAPHQL /a
          graphql "query {\n\n  b\n}" with Some("{\"c\": <<vault:d>>}")
        <<vault:d>> in JsonBare
    "#]],
    );
    check(
        "POST /a\nX-REQUEST-TYPE: GraphQL\n\n{ b }\n",
        &expect![[r#"
        POST /a
          X-REQUEST-TYPE = GraphQL
          graphql "{ b }" with None
    "#]],
    );
}

#[test]
fn scripts_and_their_like_are_left_out() {
    check(
        "< {%\n a\n%}\nrun #b\nGET /a\n?? status == 200\n{{\n  c\n}}\nD: e\n\n{{@response\n  f\n}}\n\n> {% g %}\n>> h.json\n<> i.200.json\nbehind\n",
        &expect![[r#"
            GET /a
              text "D: e"
              ignored pre-request script: "< {%\n a\n%}"
              ignored `run` of other requests: "run #b"
              ignored assertion: "?? status == 200"
              ignored script: "{{\n  c\n}}"
              ignored script: "{{@response\n  f\n}}"
              ignored response script: "> {% g %}"
              ignored response file: ">> h.json"
              ignored recorded response: "<> i.200.json"
            Warning at "behind": this stands behind the response handler and is not sent
        "#]],
    );
    check(
        "/*\n GET /no\n*/\n< ./b.js\nGET /a\n...headers\n\n> ./c.js",
        &expect![[r#"
        GET /a
          ignored pre-request script: "< ./b.js"
          ignored spread of headers: "...headers"
          ignored response script: "> ./c.js"
    "#]],
    );
}

#[test]
fn a_script_that_is_not_closed_ends_with_its_block() {
    check(
        "GET /a\n\n> {%\n x\n###\nGET /b\n\n{{\n x\n",
        &expect![[r#"
        GET /a
          ignored response script: "> {%\n x"
        GET /b
          text "{{\n x"
        {{ in Body
        Warning at "> {%": this response script is not closed with `%}`
        Information at "{{": `{{` is not closed with `}}` on its line, so it is sent as it stands
    "#]],
    );
}

#[test]
fn a_recorded_response_is_no_request() {
    check(
        "HTTP/1.1 200 OK\nA: <<vault:b>>\n\nGET /a\n###\nGET /b\n\nHTTP/1.1 404 Not Found\nC: d\n",
        &expect![[r#"
        GET /b
          ignored recorded response: "HTTP/1.1 404 Not Found\nC: d"
        <<vault:b>> in Elsewhere
    "#]],
    );
}

#[test]
fn another_request_without_hashes_is_told() {
    check(
        "GET /a\nGET /b\n\nPOST https://c\n",
        &expect![[r#"
        GET /a
          text "POST https://c"
        Warning at "GET /b": this looks like another request; begin it with a `###` line
        Warning at "POST https://c": this looks like another request; begin it with a `###` line
    "#]],
    );
}

#[test]
fn faults_of_a_head_are_told() {
    check(
        "POST\n",
        &expect![[r#"
        GET POST
          not run: it has no URL
        Error at "POST": this request has a method and no URL
    "#]],
    );
    check(
        "FOO /a\nAccept\nB: c",
        &expect![[r#"
        GET FOO /a
          B = c
        Warning at "FOO /a": no known method begins this line, so all of it is read as the URL
        Error at "Accept": a header is written `Name: value`; this line has no `:`
    "#]],
    );
    check(
        "User-Agent: a\nAccept: b",
        &expect![[r#"
        GET User-Agent: a
          Accept = b
        Warning at "User-Agent: a": this line is read as the URL of the request; headers stand below a request line
    "#]],
    );
    check(
        "POST /a\n{\n\"b\": 1\n}",
        &expect![[r#"
        POST /a
          text "{\n\"b\": 1\n}"
        Warning at "{": this is read as the start of the body; put an empty line above it
    "#]],
    );
    check(
        "GET https://{{a\nB: {{c",
        &expect![[r#"
        GET https://{{a
          B = {{c
        {{a in Url
        {{c in HeaderValue
        Warning at "{{a": `{{` is not closed with `}}` on its line, so it is sent as it stands
        Warning at "{{c": `{{` is not closed with `}}` on its line, so it is sent as it stands
    "#]],
    );
}

#[test]
fn other_protocols_are_recognised() {
    check(
        "GRPC a.b/C\n\n{\"d\": \"<<vault:e>>\"}\n### \nwss://a\n### \ncurl -H \"A: <<vault:b>>\" \\\n  https://c/d\n",
        &expect![[r#"
        GRPC a.b/C
          text "{\"d\": \"<<vault:e>>\"}"
          not run: gRPC requests are recognised, not run
        GET wss://a
          not run: WebSocket requests are recognised, not run
        GET curl -H "A: <<vault:b>>" \
          not run: curl commands are recognised, not run
        <<vault:e>> in Body
        <<vault:b>> in Elsewhere
    "#]],
    );
}

#[test]
fn line_breaks_and_marks_of_other_systems_are_read() {
    check(
        "\u{feff}# @name a\r\nGET /a\r\nB: c\r\n\r\nx\r\ny\r\n\r\n###\r\n",
        &expect![[r#"
        GET /a (a)
          B = c
          text "x\r\ny"
    "#]],
    );
}

#[test]
fn other_control_characters_are_text() {
    let source = "GET /a\rb\nC: \0d";
    let document = parse(source);
    assert_eq!(shown(&document.requests[0].url, source), "/a\rb");
    assert_eq!(shown(&document.requests[0].headers[0].value, source), "\0d");
}

#[test]
fn a_request_spans_its_block() {
    let source = "@a = b\nGET /a\n### B\n\nGET /b\n";
    let spans: Vec<(&str, &str)> =
        parse(source).requests.iter().map(|request| (request.span.of(source), request.line.of(source))).collect();
    assert_eq!(spans, [("@a = b\nGET /a\n", "GET /a"), ("### B\n\nGET /b\n", "GET /b")]);
}
