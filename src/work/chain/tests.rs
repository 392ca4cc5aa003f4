//! What is worked out about a file, without sending anything.

use super::*;
use crate::syntax::expand::Environment;

fn sheet(text: &str) -> Sheet {
    let document = crate::syntax::parse(Kind::Http, text).into();
    Sheet { path: "/project/a.http".into(), source: text.into(), document, environment: Environment::default().into() }
}

/// What `expression` stands for in a file, as text with its secrets written out.
fn check(text: &str, expression: &str) -> Result<String, String> {
    let sheet = sheet(text);
    let chain = Chain::of(&sheet, &BTreeMap::new(), Path::new("/project"), &Known::default(), None);
    let asked = exchange::read(expression).expect("it asks for an exchange").expect("it is well written");
    let pieces = chain.look_up(&asked, expression, &mut Taken::default())?;
    let shown = pieces.iter().map(|piece| match piece {
        Flat::Literal(text) => text.clone(),
        Flat::Secret { name, .. } => format!("<{name}>"),
    });
    Ok(shown.collect())
}

#[test]
fn a_part_is_named_after_where_its_request_goes() {
    let text = "# @name login\nPOST https://a.b:8443/x\n\n###\nGET https://c.d/{{login.response.body.*}}\n";
    let expected = Ok("<login.response.body.*@a.b:8443>".to_owned());
    assert_eq!(check(text, "login.response.body.*"), expected);
    // Where a secret decides the host, nobody knows it yet.
    let text = text.replace("a.b:8443", "<<vault:host>>");
    assert_eq!(check(&text, "login.response.body.*"), Ok("<login.response.body.*@>".to_owned()));
}

#[test]
fn a_part_of_a_request_is_what_is_written_in_it() {
    let text = "@v = b<<vault:k>>\n# @name login\nPOST https://a.b\nX-A: a{{v}}\n\n###\nGET https://c.d/{{login.request.headers.x-a}}\n";
    assert_eq!(check(text, "login.request.headers.x-a"), Ok("ab<k>".to_owned()));
}

#[test]
fn requests_are_put_in_order() {
    let text = "# @name c\nGET https://a/{{b.response.body.*}}/{{a.response.body.*}}\n\n\
        ###\n# @name b\nGET https://a/{{a.response.body.*}}\n\n###\n# @name a\nGET https://a\n\n\
        ###\nGET https://a/{{c.response.body.*}}\n";
    let chain = Chain::of(&sheet(text), &BTreeMap::new(), Path::new("/project"), &Known::default(), None);
    let order: Vec<String> = chain.order(&["c".to_owned()].into()).unwrap().into_iter().map(|(_, name)| name).collect();
    assert_eq!(order, ["a", "b", "c"]);
    assert_eq!((chain.line("a"), chain.line("c")), (10, 2));
}

#[test]
fn a_hostile_file_is_worked_through() {
    let names = 200;
    let all: String = (0..names).map(|index| format!("{{{{r{index}.response.body.*}}}}")).collect();
    let text: String = (0..names).map(|index| format!("###\n# @name r{index}\nPOST https://a\n\n{all}\n\n")).collect();
    let why = check(&text, "r7.response.body.*").unwrap_err();
    assert_eq!(why, "these requests need each other in a circle: `r0` -> `r0`");
    let wide: String = (0..100).map(|index| format!("###\n# @name r{index}\nGET https://a\n\n")).collect();
    let all: String = (0..100).map(|index| format!("{{{{r{index}.response.body.*}}}}")).collect();
    let text = format!(
        "{wide}###\n# @name wide\nPOST https://a\n\n{all}\n\n###\nGET https://a/{{{{wide.response.body.*}}}}\n"
    );
    let why = check(&text, "wide.response.body.*").unwrap_err();
    assert_eq!(
        why,
        "the request `wide` (line 403) has to be sent first, and cannot be: more than 32 requests would have to be sent first"
    );
}
