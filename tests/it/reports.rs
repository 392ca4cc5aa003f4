//! What the command line writes for CI services: JUnit XML and SARIF, held to their schemas.

use serde_json::Value;
use tree_sitter::{Node, Parser};

use crate::support::{
    echo::Echo,
    needles::{Canary, Needles},
    program::{Output, Program},
};

const CANARY: &str = "canary-reports-4b81d0f7";

/// An element of an XML text. The text in it is as it is written.
#[derive(Debug)]
struct Element<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
    children: Vec<Element<'a>>,
    text: &'a str,
}

impl<'a> Element<'a> {
    #[track_caller]
    fn get(&self, name: &str) -> &'a str {
        self.attributes.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no {name} in {self:?}")).1
    }

    fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element<'a>> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// The outermost element of a text that is well-formed by the grammar.
#[track_caller]
fn read(text: &str) -> Element<'_> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_xml::LANGUAGE_XML.into()).unwrap();
    let tree = parser.parse(text, None).unwrap();
    assert!(!tree.root_node().has_error(), "not well-formed: {text}");
    let root = children(tree.root_node(), "element").next().expect("an element");
    element(root, text)
}

fn children<'t>(node: Node<'t>, kind: &'static str) -> impl Iterator<Item = Node<'t>> {
    let nodes: Vec<Node<'t>> = (0..node.child_count() as u32).filter_map(|index| node.child(index)).collect();
    nodes.into_iter().filter(move |child| child.kind() == kind)
}

fn element<'a>(node: Node<'_>, text: &'a str) -> Element<'a> {
    let of = |node: Node<'_>| &text[node.byte_range()];
    let tag = children(node, "STag").chain(children(node, "EmptyElemTag")).next().expect("a tag");
    let name = |node: Node<'_>| of(children(node, "Name").next().expect("a name"));
    let attributes = children(tag, "Attribute").map(|attribute| {
        let value = of(children(attribute, "AttValue").next().expect("a value"));
        (name(attribute), &value[1..value.len() - 1])
    });
    let content = children(node, "content").next();
    let inner = content.into_iter().flat_map(|content| children(content, "element"));
    Element {
        name: name(tag),
        attributes: attributes.collect(),
        children: inner.map(|child| element(child, text)).collect(),
        text: content.map_or("", of),
    }
}

/// An element, the attributes that it has to have, and its children in order, each with how often it may stand there.
type Rule = (&'static str, &'static [&'static str], &'static [(&'static str, usize)]);

/// What `JUnit.xsd` of Ant's task demands and `junit-10.xsd` of Jenkins' plugin allows.
const SCHEMA: [Rule; 9] = [
    ("testsuites", &[], &[("testsuite", usize::MAX)]),
    (
        "testsuite",
        &["id", "name", "package", "hostname", "timestamp", "tests", "failures", "errors", "skipped", "time"],
        &[("properties", 1), ("testcase", usize::MAX), ("system-out", 1), ("system-err", 1)],
    ),
    ("properties", &[], &[]),
    // At most one of them, which `hold_to_schema` sees to.
    ("testcase", &["name", "classname", "time"], &[("skipped", 1), ("error", 1), ("failure", 1)]),
    ("skipped", &[], &[]),
    ("error", &["type", "message"], &[]),
    ("failure", &["type", "message"], &[]),
    ("system-out", &[], &[]),
    ("system-err", &[], &[]),
];

#[track_caller]
fn hold_to_schema(element: &Element<'_>) {
    let (_, attributes, places) = SCHEMA.iter().find(|(name, ..)| *name == element.name).expect("an element of JUnit");
    let written: Vec<&str> = element.attributes.iter().map(|(name, _)| *name).collect();
    assert!(attributes.iter().all(|name| written.contains(name)) && written.len() == attributes.len(), "{written:?}");
    let mut children = element.children.iter().map(|child| child.name).peekable();
    for (name, most) in *places {
        let mut count = 0;
        while children.next_if_eq(name).is_some() {
            count += 1;
        }
        assert!(count <= *most, "{count} {name} in {}", element.name);
    }
    assert_eq!(children.next(), None, "what may not stand here in {}", element.name);
    match element.name {
        "testsuite" => hold_suite(element),
        "testcase" => assert!(element.children.len() <= 1, "{element:?}"),
        _ => {}
    }
    element.children.iter().for_each(hold_to_schema);
}

#[track_caller]
fn hold_suite(suite: &Element<'_>) {
    let cases: Vec<&Element<'_>> = suite.all("testcase").collect();
    let ended = |how: &str| cases.iter().filter(|case| case.all(how).next().is_some()).count().to_string();
    assert_eq!(suite.get("tests"), cases.len().to_string());
    assert_eq!([suite.get("failures"), suite.get("errors")], [&*ended("failure"), &*ended("error")]);
    assert_eq!(suite.get("skipped"), ended("skipped"));
    for required in ["properties", "system-out", "system-err"] {
        assert_eq!(suite.all(required).count(), 1, "{required}");
    }
    // `ISO8601_DATETIME_PATTERN`
    let shape: String =
        suite.get("timestamp").chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00");
    for time in cases.iter().chain([&suite]).map(|element| element.get("time")) {
        assert!(time.parse::<f64>().is_ok_and(|seconds| seconds >= 0.0), "{time}");
    }
}

#[track_caller]
fn suites(output: &Output) -> Element<'_> {
    assert!(output.out.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), "{output:?}");
    let root = read(&output.out);
    assert_eq!(root.name, "testsuites");
    hold_to_schema(&root);
    root
}

/// A workspace with one request of each end; every one of them has the canary, which the server echoes.
fn workspace(echo: &Echo) -> Program {
    let program = Program::new();
    let host = format!("http://{}", echo.address);
    let stored = program.run_with(&["vault", "set", "key", "--allow-domain", &host], CANARY.as_bytes());
    assert_eq!(stored.code, 0, "{}", stored.err);
    let key = "X-Key: <<vault:key>>";
    program.file(
        "api/a.http",
        format!(
            "### good <one>\nGET {host}/1\n{key}\n\n### refused\nGET {host}/status/404\n{key}\n\n\
             ### lacks\nGET {host}/2\n{key}\nX-Other: <<vault:gone>>\n\n###\nGET {host}/3?k=<<vault:key>>\n"
        ),
    );
    program
}

#[test]
fn a_run_is_a_suite_for_each_file_and_a_test_for_each_request() {
    let echo = Echo::start();
    let program = workspace(&echo);
    program.file("b.http", format!("GET http://{}/4\n", echo.address));
    let output = program.run(&["run", "api/a.http", "b.http", "--all", "--format", "junit"]);
    assert_eq!(output.code, 1, "{}", output.err);
    let root = suites(&output);
    let [a, b] = root.children.as_slice() else { panic!("{root:?}") };
    assert_eq!([a.get("name"), a.get("tests"), a.get("failures"), a.get("errors")], ["api/a.http", "4", "1", "1"]);
    assert_eq!([b.get("name"), b.get("tests"), b.get("failures"), b.get("errors")], ["b.http", "1", "0", "0"]);
    let names: Vec<&str> = a.all("testcase").map(|case| case.get("name")).collect();
    let unnamed = format!("GET http://{}/3?k=&lt;&lt;vault:key&gt;&gt; (line 15)", echo.address);
    assert_eq!(names, ["good &lt;one&gt;", "refused", "lacks", &unnamed]);
    let ends: Vec<&Element<'_>> = a.all("testcase").flat_map(|case| &case.children).collect();
    let [failure, error] = ends.as_slice() else { panic!("{ends:?}") };
    assert_eq!([failure.get("type"), failure.get("message")], ["status", "HTTP/1.1 404 Chosen"]);
    assert!(failure.text.starts_with("api/a.http:6: GET http://"), "{}", failure.text);
    assert_eq!(error.get("type"), "missing");
    assert!(error.text.starts_with("api/a.http:10: missing: "), "{}", error.text);
}

#[test]
fn no_report_holds_a_value() {
    let echo = Echo::start();
    let program = workspace(&echo);
    // What is wrong is told with the answer, which repeats the value.
    program.file("c.http", format!("POST http://{}/status/500\n\n{{\"k\": \"<<vault:key>>\"}}\n", echo.address));
    let needles = Needles::of(&[Canary { name: "the canary", value: CANARY.into() }]);
    for arguments in [
        &["run", "api/a.http", "c.http", "--all", "--format", "junit"][..],
        &["check", ".", "--format", "junit"],
        &["check", ".", "--format", "sarif"],
    ] {
        let output = program.run(arguments);
        assert_eq!(output.code, 1, "{}", output.err);
        assert_eq!(needles.find(output.out.as_bytes()), Vec::<String>::new());
        assert_eq!(needles.find(output.err.as_bytes()), Vec::<String>::new());
    }
    let sent = echo.seen();
    assert!(sent.iter().any(|request| request.contains(CANARY)), "the value was sent");
}

#[test]
fn after_a_failure_a_run_goes_on_unless_it_is_told_to_end() {
    let echo = Echo::start();
    let program = workspace(&echo);
    let output = program.run(&["run", "api/a.http", "--all"]);
    assert_eq!((output.code, echo.seen().len()), (1, 3), "{}", output.err);
    let summary = "4 requests: 2 answered, 1 answered 400 or above, 1 not sent\n";
    assert!(output.err.ends_with(summary), "{}", output.err);
    for flag in ["--fail-fast", "--bail"] {
        let before = echo.seen().len();
        let output = program.run(&["run", "api/a.http", "--all", flag]);
        assert_eq!((output.code, echo.seen().len() - before), (1, 2), "{}", output.err);
        let summary = "4 requests: 1 answered, 1 answered 400 or above, 2 left out\n";
        assert!(output.err.ends_with(summary), "{}", output.err);
    }
    let output = program.run(&["run", "api/a.http", "--all", "--fail-fast", "--format", "junit"]);
    assert_eq!(suites(&output).children[0].get("skipped"), "2");
    let output = program.run(&["run", "api/a.http", "--all", "--fail-fast", "--format", "json"]);
    let ran: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(ran.as_array().map(Vec::len), Some(2), "{ran:#}");
}

#[test]
fn a_quiet_run_prints_only_what_went_wrong() {
    let echo = Echo::start();
    let program = workspace(&echo);
    let output = program.run(&["run", "api/a.http", "--all", "-q"]);
    assert_eq!(output.code, 1);
    let headings: Vec<&str> = output.out.lines().filter(|line| line.starts_with("###")).collect();
    assert_eq!(headings, ["### api/a.http:6  refused", "### api/a.http:10  lacks"]);
    let output = program.run(&["run", "api/a.http:2", "--quiet"]);
    assert_eq!((output.code, output.out.as_str(), output.err.as_str()), (0, "", ""));
}

#[test]
fn a_check_is_a_suite_for_each_file_and_a_test_for_each_finding() {
    let program = Program::new();
    program.file("a.http", "GET https://api.example.com/{{nope}}\nX-Key: <<vault:gone>>\n");
    program.file("sub/clean.http", "GET https://api.example.com/\n");
    program.file("vaultls.toml", "[secrets.x\n");
    let output = program.run(&["check", ".", "--format", "junit"]);
    assert_eq!(output.code, 1, "{}", output.err);
    let root = suites(&output);
    let tests: Vec<(&str, &str, usize)> = root
        .children
        .iter()
        .flat_map(|suite| suite.all("testcase"))
        .map(|case| (case.get("classname"), case.get("name"), case.children.len()))
        .collect();
    let expected = [
        ("a.http", "1:29 variable", 1),
        ("a.http", "2:8 missing", 1),
        ("sub/clean.http", "no finding", 0),
        ("vaultls.toml", "1:11 config", 1),
    ];
    assert_eq!(tests, expected);
    let failure = &root.children[0].all("testcase").next().unwrap().children[0];
    assert_eq!((failure.name, failure.get("type")), ("failure", "variable"));
    assert!(failure.text.starts_with("a.http:1:29: no value for the variable `nope`"), "{}", failure.text);
}

/// The objects of a SARIF log that occur here (SARIF 2.1.0, `sarif-schema-2.1.0.json`): what each must have, and what it
/// may have besides. Nothing else is allowed in any of them.
const SARIF: [(&str, &[&str], &[&str]); 12] = [
    ("", &["version", "runs"], &["$schema"]),
    ("runs", &["tool"], &["columnKind", "results"]),
    ("tool", &["driver"], &[]),
    ("driver", &["name"], &["semanticVersion", "rules"]),
    ("rules", &["id"], &["shortDescription", "help", "defaultConfiguration"]),
    ("shortDescription", &["text"], &[]),
    ("help", &["text"], &[]),
    ("defaultConfiguration", &[], &["level"]),
    ("results", &["message"], &["ruleId", "ruleIndex", "level", "locations"]),
    ("message", &["text"], &[]),
    ("locations", &[], &["physicalLocation"]),
    ("physicalLocation", &["artifactLocation"], &["region"]),
];

/// Goes through every object of a log, by the name of the property it stands in.
#[track_caller]
fn hold_to_sarif(property: &str, value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| hold_to_sarif(property, item)),
        Value::Object(fields) => {
            let Some((_, required, allowed)) = SARIF.iter().find(|(name, ..)| *name == property) else { return };
            assert!(required.iter().all(|name| fields.contains_key(*name)), "{property}: {fields:?}");
            for (name, value) in fields {
                assert!(required.contains(&name.as_str()) || allowed.contains(&name.as_str()), "{property}.{name}");
                hold_to_sarif(name, value);
            }
        }
        Value::String(text) if property == "level" => assert!(["none", "note", "warning", "error"].contains(&&**text)),
        Value::String(text) => assert!(!text.is_empty(), "{property}"),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn a_sarif_log_keeps_the_schema() {
    let program = Program::new();
    program.file("a.http", "GET https://api.example.com/{{nope}}\nX-Key: <<vault:gone>>\n");
    for (path, results) in [("a.http", 2), ("empty", 0)] {
        program.file("empty/none.txt", "");
        let output = program.run(&["check", path, "--format", "sarif"]);
        let log: Value = serde_json::from_str(&output.out).unwrap();
        hold_to_sarif("", &log);
        let run = &log["runs"][0];
        assert_eq!((&log["version"], &run["columnKind"]), (&"2.1.0".into(), &"unicodeCodePoints".into()));
        assert_eq!(run["results"].as_array().map(Vec::len), Some(results), "{log:#}");
        // Identifiers and indices begin where the schema says: rules at 0, lines and columns at 1.
        for result in run["results"].as_array().unwrap() {
            let index = result["ruleIndex"].as_u64().unwrap() as usize;
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
            let region = &result["locations"][0]["physicalLocation"]["region"];
            for name in ["startLine", "startColumn", "endLine", "endColumn"] {
                assert!(region[name].as_u64().is_some_and(|number| number >= 1), "{region}");
            }
        }
    }
}
