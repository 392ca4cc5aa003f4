//! Hostile hosts: URLs that look like an allowed one, and entries that say more than they seem to. Each goes the whole
//! way: a document is parsed, its request prepared, and the policy asked about the very URL that would be sent.

use std::{collections::BTreeMap, sync::Arc};

use vaultls::{
    approval::Approvals,
    domain::{DomainList, DomainPattern, normal_host, shown_host},
    http::{
        fill::{self, Values},
        prepare::{self, Prepared, PreparedFault},
        redact::Redactor,
    },
    name::SecretName,
    policy::Policy,
    syntax::{
        self, Kind,
        expand::{Environment, Scope},
    },
    vault::value::SecretValue,
};

fn secret() -> SecretName {
    SecretName::parse("key").expect("a name")
}

fn prepared(text: &str, overrides: &[(&str, &str)]) -> Prepared {
    let document = syntax::parse(Kind::Http, text);
    let environment = Environment::default();
    let overrides: BTreeMap<String, String> =
        overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let scope = Scope::new(&document, text, &environment, &overrides, &|_| None);
    prepare::prepare(&document, &document.requests[0], &scope, None)
}

fn judge(entries: &[&str], url: &url::Url) -> bool {
    let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
    let policy = Policy::new(Arc::new(Approvals::open("unused".into())), "/workspace".into());
    policy.check(&secret(), &DomainList::parse(&entries).0, url).is_ok()
}

fn filled(prepared: &Prepared, value: &str) -> fill::Ready {
    let values = Values::from([(secret(), Arc::new(SecretValue::new(value.into())))]);
    fill::fill(prepared, &values).unwrap_or_else(|(_, problem)| panic!("{}", problem.detail))
}

/// What becomes of a request with a secret to `url` where `entries` are allowed: `allow`, `deny`, or `invalid` where
/// the URL itself is refused. Judged before anything is read and again on the URL that would be sent.
fn verdict(entries: &[&str], url: &str) -> &'static str {
    let prepared = prepared(&format!("GET {url}\nX-Api-Key: <<vault:key>>\n"), &[]);
    let Some(target) = prepared.target() else {
        assert!(!prepared.faults.is_empty(), "{url} is neither understood nor refused");
        return "invalid";
    };
    let early = judge(entries, &target);
    let ready = filled(&prepared, "canary-7f3a9c");
    assert_eq!(judge(entries, ready.url()), early, "{url}");
    assert_eq!(normal_host(ready.url()), normal_host(&target), "{url}");
    if early { "allow" } else { "deny" }
}

#[test]
fn hosts_that_look_like_an_allowed_one_are_denied() {
    for (entry, url, expected) in [
        // 1, 2, 3: suffixes and prefixes
        ("example.com", "https://example.com/", "allow"),
        ("example.com", "https://example.com.evil.io/", "deny"),
        ("example.com", "https://evilexample.com/", "deny"),
        ("example.com", "https://a.example.com/", "deny"),
        ("*.example.com", "https://xexample.com/", "deny"),
        ("*.example.com", "https://a.b.example.com/", "allow"),
        ("*.example.com", "https://example.com/", "allow"),
        ("*.example.com", "https://example.com.evil.io/", "deny"),
        // 4: a user that looks like a host
        ("example.com", "https://example.com@evil.io/", "deny"),
        ("example.com", "https://example.com%40evil.io/", "invalid"),
        ("example.com", "https://example.com:443@evil.io/", "deny"),
        ("example.com", "https://evil.io@example.com/", "allow"),
        // 5: what one reader takes for the end of the host and another does not
        ("example.com", "https://evil.io\\@example.com/", "deny"),
        ("example.com", "https://evil.io#@example.com", "deny"),
        ("example.com", "https://evil.io?@example.com", "deny"),
        ("example.com", "https://evil.io/@example.com", "deny"),
        ("example.com", "https:/\\evil.io", "deny"),
        ("evil.io", "https:/\\evil.io", "allow"),
        ("example.com", "https:///evil.io", "deny"),
        ("example.com", "https://example.com\\.evil.io/", "allow"),
        ("example.com", "//example.com@evil.io/", "deny"),
        // 6: one host, several spellings
        ("example.com", "https://EXAMPLE.com/", "allow"),
        ("EXAMPLE.COM.", "https://example.com/", "allow"),
        ("example.com", "https://example.com./", "allow"),
        ("example.com", "https://example.com../", "invalid"),
        ("example.com", "https://exa%6dple.com/", "allow"),
        ("example.com", "https://ｅｘａｍｐｌｅ.com/", "allow"),
        // 7: other letters
        ("apple.com", "https://аpple.com/", "deny"),
        ("аpple.com", "https://xn--pple-43d.com/", "allow"),
        // 8: addresses
        ("http://127.0.0.1", "http://0x7f.1/", "allow"),
        ("http://127.0.0.1", "http://2130706433/", "allow"),
        ("http://127.0.0.1", "http://127.1/", "allow"),
        ("http://0x7f.1", "http://127.0.0.1/", "allow"),
        ("http://[::1]", "http://[0:0::1]/", "allow"),
        ("http://localhost", "http://127.0.0.1/", "deny"),
        ("http://localhost", "http://[::1]/", "deny"),
        ("http://127.0.0.1", "http://[::ffff:127.0.0.1]/", "deny"),
        // 9, 10: scheme and port
        ("example.com", "http://example.com/", "deny"),
        ("http://example.com", "http://example.com/", "allow"),
        ("example.com", "example.com/", "deny"),
        ("example.com:8443", "https://example.com/", "deny"),
        ("example.com:8443", "https://example.com:8443/", "allow"),
        ("example.com", "https://example.com:8443/", "allow"),
        // other schemes
        ("*", "ftp://example.com/", "invalid"),
        ("*", "javascript://example.com/%0aalert(1)", "invalid"),
        ("*", "file:///etc/passwd", "invalid"),
    ] {
        assert_eq!(verdict(&[entry], url), expected, "{entry} and {url}");
    }
}

#[test]
fn entries_that_are_not_understood_deny() {
    for entry in ["http*", "*example.com", "a.*.com", "", "javascript:", "https://", "*://example.com"] {
        assert!(DomainPattern::parse(entry).is_err(), "{entry}");
        assert_eq!(verdict(&[entry], "https://example.com/"), "deny", "{entry}");
    }
    assert_eq!(verdict(&["http*", "example.com"], "https://example.com/"), "allow");
}

#[test]
fn wide_entries_work_and_are_told_apart() {
    for (entry, url) in [
        ("*", "https://example.com/"),
        ("*.com", "https://example.com/"),
        ("*.co.uk", "https://example.co.uk/"),
        ("*.github.io", "https://example.github.io/"),
    ] {
        assert!(DomainPattern::parse(entry).unwrap().is_too_wide(), "{entry}");
        assert_eq!(verdict(&[entry], url), "allow", "{entry}");
    }
    assert!(!DomainPattern::parse("*.example.com").unwrap().is_too_wide());
}

#[test]
fn a_look_alike_is_shown_in_both_forms() {
    let prepared = prepared("GET https://аpple.com/\n", &[]);
    let host = normal_host(&prepared.target().unwrap()).unwrap();
    assert_eq!(shown_host(&host), "аpple.com (xn--pple-43d.com)");
}

#[test]
fn a_user_before_the_host_is_told() {
    let prepared = prepared("GET https://example.com@evil.io/\nX: <<vault:key>>\n", &[]);
    assert_eq!(prepared.notes, ["the URL holds a user name before its `@`; the request goes to `evil.io`"]);
}

#[test]
fn a_host_with_a_secret_in_it_is_judged_when_it_is_filled() {
    for url in ["<<vault:key>>/x", "https://<<vault:key>>/x", "https://a.<<vault:key>>:443/x", "//<<vault:key>>"] {
        let prepared = prepared(&format!("GET {url}\n"), &[]);
        assert_eq!(prepared.target(), None, "{url}");
        assert_eq!(prepared.faults, [], "{url}");
        let ready = filled(&prepared, "evil.io");
        assert!(ready.host_is_secret(), "{url}");
        assert!(!judge(&["example.com"], ready.url()), "{url}");
    }
    let prepared = prepared("GET https://example.com/<<vault:key>>?<<vault:key>>#<<vault:key>>\n", &[]);
    assert!(judge(&["example.com"], &prepared.target().unwrap()));
    assert!(!filled(&prepared, "evil.io").host_is_secret());
}

#[test]
fn what_is_told_of_a_host_in_a_secret_does_not_depend_on_it() {
    let policy = Policy::new(Arc::new(Approvals::open("unused".into())), "/workspace".into());
    let (domains, _) = DomainList::parse(&["example.com".into()]);
    let prepared = prepared("GET https://<<vault:key>>/x\n", &[]);
    let told = |value: &str| {
        let ready = filled(&prepared, value);
        ready.conceal(policy.check(&secret(), &domains, ready.url()).unwrap_err()).detail
    };
    assert_eq!(told("evil.io"), told("api.example.com:8443"));
    assert!(!told("evil.io").contains("evil"));
}

#[test]
fn a_host_in_a_variable_is_judged_by_the_value_of_the_moment() {
    let text = "@host = example.com\nGET https://{{host}}/\nX: <<vault:key>>\n";
    assert!(judge(&["example.com"], &prepared(text, &[]).target().unwrap()));
    assert!(!judge(&["example.com"], &prepared(text, &[("host", "evil.io")]).target().unwrap()));
    assert!(!judge(&["example.com"], &prepared(text, &[("host", "example.com@evil.io")]).target().unwrap()));
}

#[test]
fn a_secret_behind_variables_counts_like_a_direct_one() {
    let text = "@b = <<vault:key>>\n@a = {{b}}\nGET https://example.com/?k={{a}}\n";
    let prepared = prepared(text, &[]);
    let names: Vec<SecretName> = prepared.secrets().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, [secret()]);
    let ready = filled(&prepared, "canary/7f3a9c");
    let value = SecretValue::new(b"canary/7f3a9c".to_vec());
    let redactor = Redactor::new([(&secret(), &value)]);
    assert_eq!(redactor.redact(ready.url().as_str()), "https://example.com/?k=[redacted]");
}

#[test]
fn cycles_and_bombs_are_reported_and_not_sent() {
    let bomb: String =
        (0..40).map(|index| format!("@v{index} = {}\n", format!("{{{{v{}}}}}", index + 1).repeat(10))).collect();
    for text in ["@a = {{b}}\n@b = {{a}}\nGET https://{{a}}/\n".to_owned(), format!("{bomb}GET https://{{{{v0}}}}/\n")]
    {
        let prepared = prepared(&text, &[]);
        assert!(!prepared.faults.is_empty());
        assert!(fill::fill(&prepared, &Values::new()).is_err());
    }
}

/// Each piece of a URL is judged by what stands around it: without a limit this would take hours.
#[test]
fn a_url_of_a_million_references_is_refused_at_once() {
    for start in ["https://example.com/", "https://", "https://example.com/?q="] {
        let prepared = prepared(&format!("GET {start}{}\n", "<<vault:key>>".repeat(1_000_000)), &[]);
        assert!(matches!(&prepared.faults[..], [PreparedFault::Other { message, .. }] if message.contains("1000")));
    }
}

#[test]
fn a_value_that_looks_like_a_reference_is_text() {
    let prepared = prepared("@x = evil\nGET https://example.com/?k=<<vault:key>>\n", &[]);
    let ready = filled(&prepared, "{{x}}<<vault:other>>");
    assert_eq!(ready.url().query(), Some("k=%7B%7Bx%7D%7D%3C%3Cvault%3Aother%3E%3E"));
}
