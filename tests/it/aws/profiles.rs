//! The profiles of AWS's own tools.
#![expect(clippy::disallowed_methods, reason = "the tests write the files of those tools")]

use std::fs;

use serde_json::json;
use vaultls::status::{Problem, Reason};

use super::{arn, link};
use crate::support::{home::User, ministack::Seeded};

#[tokio::test]
async fn profiles_of_the_aws_tools_are_used() {
    let Some(seeded) = Seeded::shared() else { return };
    let profile = |header: &str, user: &str| {
        let [id, key] = seeded.key_pair(user);
        format!("[{header}]\naws_access_key_id = {id}\naws_secret_access_key = {key}\n")
    };
    let linked = |choice: &str, credentials: &str| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("credentials");
        fs::write(&file, credentials).unwrap();
        let integration =
            format!("[integrations.team]\nprovider = 'aws'\nendpoint = '{}'\n{choice}\n", seeded.server.address);
        let user = User::new(format!("{integration}{}", link(seeded.arn("prod/db"), "")));
        let place = [("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap())];
        (user.with_variables(place).open(), folder)
    };
    let bad = "[default]\naws_access_key_id = AKIACANARY0000000000\naws_secret_access_key = canary-wrong\n";
    let usual = format!("{bad}{}", profile("main", "reader"));
    let (main, _files) = linked("", &usual);
    assert_eq!(main.judged("a").await, Ok("canary-aws-v2-91be".into()));
    let (default, _files) = linked("", &profile("default", "reader"));
    assert_eq!(default.judged("a").await, Ok("canary-aws-v2-91be".into()));
    let (named, files) = linked("profile = 'default'", &usual);
    assert_eq!(named.judged("a").await.unwrap_err().reason, Reason::LoginNeeded);
    // The files are looked at anew after keys were refused.
    fs::write(files.path().join("credentials"), profile("default", "reader")).unwrap();
    named.vault.reset(None).await;
    assert_eq!(named.judged("a").await, Ok("canary-aws-v2-91be".into()));
    let (absent, _files) = linked("profile = 'prod'", &usual);
    let detail = "the AWS tools' files have no profile `prod`; `team` wants it";
    assert_eq!(absent.judged("a").await, Err(Problem::new(Reason::NotConfigured, detail)));
    let (none, _files) = linked("", &profile("other", "reader"));
    assert_eq!(none.judged("a").await.unwrap_err().reason, Reason::NotConfigured);
    let (broken, _files) = linked("", "canary no format");
    let problem = broken.judged("a").await.unwrap_err();
    assert_eq!((problem.reason, problem.detail.contains("canary")), (Reason::NotConfigured, false), "{problem:?}");
}

#[tokio::test]
async fn without_files_of_profiles_nobody_is_signed_in() {
    let text = format!("[integrations.team]\nprovider = 'aws'\n{}", link(&arn("a"), ""));
    let problem = User::new(text).open().judged("a").await.unwrap_err();
    let detail = "there is no `~/.aws/config` and no `~/.aws/credentials` for `team`";
    assert_eq!(problem, Problem::new(Reason::LoginNeeded, detail));
}

#[tokio::test]
async fn a_process_of_a_profile_gives_credentials() {
    let Some(seeded) = Seeded::shared() else { return };
    if cfg!(not(unix)) {
        return;
    }
    let [id, key] = seeded.key_pair("reader");
    let folder = tempfile::tempdir().unwrap();
    let answer = json!({"Version": 1, "AccessKeyId": id, "SecretAccessKey": key});
    fs::write(folder.path().join("answer"), answer.to_string()).unwrap();
    let config = format!("[profile tool]\ncredential_process = cat {}/answer\n", folder.path().display());
    fs::write(folder.path().join("config"), config).unwrap();
    let place = folder.path().join("config");
    let open = |text: &str| User::new(text).with_variables([("AWS_CONFIG_FILE", place.to_str().unwrap())]).open();
    let integration =
        format!("[integrations.team]\nprovider = 'aws'\nprofile = 'tool'\nendpoint = '{}'\n", seeded.server.address);
    let text = format!("{integration}{}", link(seeded.arn("prod/db"), ""));
    assert_eq!(open(&text).judged("a").await, Ok("canary-aws-v2-91be".into()));
    fs::write(folder.path().join("answer"), "canary-nonsense").unwrap();
    let text = text.replace("profile = 'tool'", "region = 'eu-west-1'\nprofile = 'tool'");
    let problem = open(&text).judged("a").await.unwrap_err();
    assert_eq!((problem.reason, problem.detail.contains("canary")), (Reason::LoginNeeded, false), "{problem:?}");
}
