//! Results as JUnit XML, within what two schemas have in common: that of Ant's JUnit task (`JUnit.xsd`) and that of
//! Jenkins' xUnit plugin (`junit-10.xsd`). Neither has a place for files and lines in attributes, so they stand in the
//! class of a test and in the text of what is wrong.

use std::{fmt::Write, time::Duration};

use jiff::Timestamp;

/// The tests of one file.
pub struct Suite {
    pub name: String,
    pub cases: Vec<Case>,
    /// What the tests printed, and what a person should know besides.
    pub out: String,
    pub err: String,
}

pub struct Case {
    pub name: String,
    pub class: String,
    pub time: Duration,
    pub verdict: Verdict,
}

pub enum Verdict {
    Passed,
    Skipped,
    /// The test was carried out, and its result is wrong.
    Failed(Fault),
    /// The test could not be carried out.
    Broken(Fault),
}

pub struct Fault {
    /// A code, for programs.
    pub kind: String,
    /// One line.
    pub message: String,
    pub detail: String,
}

/// The whole report; `at` is when the tests began.
pub fn report(suites: &[Suite], at: Timestamp) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    let at = at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    for (id, suite) in suites.iter().enumerate() {
        write_suite(&mut text, id, suite, &at).expect("a string takes every text");
    }
    text.push_str("</testsuites>\n");
    text
}

fn write_suite(text: &mut String, id: usize, suite: &Suite, at: &str) -> std::fmt::Result {
    let count = |wanted: fn(&Verdict) -> bool| suite.cases.iter().filter(|case| wanted(&case.verdict)).count();
    let time: Duration = suite.cases.iter().map(|case| case.time).sum();
    writeln!(
        text,
        "  <testsuite id=\"{id}\" name=\"{name}\" package=\"{name}\" hostname=\"localhost\" timestamp=\"{at}\" \
         tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\">\n    <properties/>",
        suite.cases.len(),
        count(|verdict| matches!(verdict, Verdict::Failed(_))),
        count(|verdict| matches!(verdict, Verdict::Broken(_))),
        count(|verdict| matches!(verdict, Verdict::Skipped)),
        seconds(time),
        name = attribute(&suite.name),
    )?;
    for case in &suite.cases {
        write_case(text, case)?;
    }
    writeln!(text, "    <system-out>{}</system-out>", escaped(&suite.out))?;
    writeln!(text, "    <system-err>{}</system-err>", escaped(&suite.err))?;
    writeln!(text, "  </testsuite>")
}

fn write_case(text: &mut String, case: &Case) -> std::fmt::Result {
    let (name, class) = (attribute(&case.name), attribute(&case.class));
    write!(text, "    <testcase name=\"{name}\" classname=\"{class}\" time=\"{}\"", seconds(case.time))?;
    let (element, fault) = match &case.verdict {
        Verdict::Passed => return writeln!(text, "/>"),
        Verdict::Skipped => return writeln!(text, "><skipped/></testcase>"),
        Verdict::Failed(fault) => ("failure", fault),
        Verdict::Broken(fault) => ("error", fault),
    };
    let (kind, message, detail) = (attribute(&fault.kind), attribute(&fault.message), escaped(&fault.detail));
    writeln!(text, ">\n      <{element} type=\"{kind}\" message=\"{message}\">{detail}</{element}>\n    </testcase>")
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

/// Fit for an attribute's value, where a parser would make blanks of these (XML 1.0 section 3.3.3).
fn attribute(text: &str) -> String {
    escaped(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

/// Fit for text. What XML cannot say at all (XML 1.0 section 2.2) is replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // A parser would make a line feed of it (XML 1.0 section 2.11).
            '\r' => escaped.push_str("&#13;"),
            '\n' | '\t' => escaped.push(char),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            char => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_report_names_what_passed_failed_and_broke() {
        let case = |name: &str, verdict| Case {
            name: name.into(),
            class: "a.http".into(),
            time: Duration::from_millis(1500),
            verdict,
        };
        let fault = || Fault { kind: "missing".into(), message: "no \"k\"".into(), detail: "a.http:3: <no>\n".into() };
        let cases = vec![
            case("one", Verdict::Passed),
            case("two", Verdict::Failed(fault())),
            case("three", Verdict::Broken(fault())),
            case("four", Verdict::Skipped),
        ];
        let suite = Suite { name: "a.http".into(), cases, out: "200 OK".into(), err: String::new() };
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites>
              <testsuite id="0" name="a.http" package="a.http" hostname="localhost" timestamp="1970-01-01T00:00:00" tests="4" failures="1" errors="1" skipped="1" time="6.000">
                <properties/>
                <testcase name="one" classname="a.http" time="1.500"/>
                <testcase name="two" classname="a.http" time="1.500">
                  <failure type="missing" message="no &quot;k&quot;">a.http:3: &lt;no&gt;
            </failure>
                </testcase>
                <testcase name="three" classname="a.http" time="1.500">
                  <error type="missing" message="no &quot;k&quot;">a.http:3: &lt;no&gt;
            </error>
                </testcase>
                <testcase name="four" classname="a.http" time="1.500"><skipped/></testcase>
                <system-out>200 OK</system-out>
                <system-err></system-err>
              </testsuite>
            </testsuites>
        "#]]
        .assert_eq(&report(&[suite], Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn what_xml_cannot_say_is_replaced() {
        assert_eq!(attribute("a\r\n\tb"), "a&#13;&#10;&#9;b");
        assert_eq!(escaped("\u{1b}[31m]]>\u{0}é\u{ffff}"), "\u{fffd}[31m]]&gt;\u{fffd}é\u{fffd}");
    }
}
