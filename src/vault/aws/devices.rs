//! The devices of a second factor that a user has: `ListMFADevices` of IAM, asked and read by hand.
//!
//! IAM's SDK is the largest of all and this is one question. Its answer is XML, of which one element matters.

use std::{
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use aws_sdk_secretsmanager::config::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use reqwest::redirect;
use url::{Url, form_urlencoded};

use crate::{status::Problem, vault::wire};

/// IAM answers quickly or is not allowed to be asked.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The largest answer: a user has at most eight devices.
const BODY_CAP: usize = 64 * 1024;

/// The longest serial number (IAM API reference, `MFADevice`).
const MAX_SERIAL: usize = 256;

/// Where a partition has its IAM, and the region that its signatures name (AWS General Reference, "IAM endpoints").
const ENDPOINTS: [(&str, &str, &str); 8] = [
    ("aws", "https://iam.amazonaws.com/", "us-east-1"),
    ("aws-cn", "https://iam.cn-north-1.amazonaws.com.cn/", "cn-north-1"),
    ("aws-us-gov", "https://iam.us-gov.amazonaws.com/", "us-gov-west-1"),
    ("aws-iso", "https://iam.us-iso-east-1.c2s.ic.gov/", "us-iso-east-1"),
    ("aws-iso-b", "https://iam.us-isob-east-1.sc2s.sgov.gov/", "us-isob-east-1"),
    ("aws-iso-e", "https://iam.eu-isoe-west-1.cloud.adc-e.uk/", "eu-isoe-west-1"),
    ("aws-iso-f", "https://iam.us-isof-south-1.csp.hci.ic.gov/", "us-isof-south-1"),
    ("aws-eusc", "https://iam.eusc-de-east-1.amazonaws.eu/", "eusc-de-east-1"),
];

/// The wire to IAM. The client is built by the first question, because that can fail.
pub(super) struct Devices {
    /// An emulator in place of AWS.
    endpoint: Option<Url>,
    client: OnceLock<Result<reqwest::Client, Problem>>,
}

impl Devices {
    pub(super) fn new(endpoint: Option<Url>) -> Self {
        Self { endpoint, client: OnceLock::new() }
    }

    /// The serial numbers of the devices of the user whose ARN is `who`, that give one-time codes. None where that
    /// cannot be told: it is no user, IAM may not be asked, or it does not answer.
    pub(super) async fn of(&self, who: &str, credentials: &Credentials) -> Option<Vec<String>> {
        let (partition, user) = user(who)?;
        let (_, address, region) = ENDPOINTS.iter().find(|(name, ..)| *name == partition)?;
        let address = self.endpoint.as_ref().map_or(*address, Url::as_str);
        let request = signed(address, region, &question(user), credentials)?;
        let client = self.client.get_or_init(|| self.build()).as_ref().ok()?;
        let mut answer = client.execute(request).await.ok().filter(|answer| answer.status().is_success())?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.ok()? {
            if body.len() + chunk.len() > BODY_CAP {
                return None;
            }
            body.extend_from_slice(&chunk);
        }
        serials(std::str::from_utf8(&body).ok()?)
    }

    fn build(&self) -> Result<reqwest::Client, Problem> {
        let mut builder = wire::builder().timeout(TIMEOUT).redirect(redirect::Policy::none());
        if self.endpoint.is_some() {
            builder = builder.no_proxy();
        }
        wire::build(builder)
    }
}

/// The partition and the name of a user by their ARN; no name for an account's root.
fn user(who: &str) -> Option<(&str, Option<&str>)> {
    let parts: Vec<&str> = who.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", _, resource] = parts[..] else { return None };
    match resource.strip_prefix("user/") {
        Some(path) => Some((partition, path.rsplit('/').next())),
        None => (resource == "root").then_some((partition, None)),
    }
}

fn question(user: Option<&str>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", "ListMFADevices").append_pair("Version", "2010-05-08");
    if let Some(user) = user {
        form.append_pair("UserName", user);
    }
    form.finish()
}

/// The question as a request with Signature Version 4.
fn signed(address: &str, region: &str, body: &str, credentials: &Credentials) -> Option<reqwest::Request> {
    let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let identity = credentials.clone().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("iam")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .ok()?
        .into();
    let request =
        SignableRequest::new("POST", address, [form].into_iter(), SignableBody::Bytes(body.as_bytes())).ok()?;
    let (instructions, _) = sign(request, &parameters).ok()?.into_parts();
    let mut request = http::Request::post(address).header(form.0, form.1).body(body.to_owned()).ok()?;
    instructions.apply_to_request_http1x(&mut request);
    reqwest::Request::try_from(request).ok()
}

/// The serial numbers in an answer. Security keys are left out: they give no codes.
fn serials(xml: &str) -> Option<Vec<String>> {
    if !xml.contains("<ListMFADevicesResponse") {
        return None;
    }
    let texts = xml.split("<SerialNumber>").skip(1).filter_map(|rest| rest.split_once("</SerialNumber>"));
    let is_serial = |text: &&str| {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"=/:,.@_+-".contains(&byte);
        (9..=MAX_SERIAL).contains(&text.len()) && text.bytes().all(is_allowed) && !text.contains(":u2f/")
    };
    Some(texts.map(|(text, _)| text.trim()).filter(is_serial).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_roots_have_devices_and_roles_have_none() {
        assert_eq!(user("arn:aws:iam::123456789012:user/ops/eu/dev"), Some(("aws", Some("dev"))));
        assert_eq!(user("arn:aws-cn:iam::123456789012:user/dev"), Some(("aws-cn", Some("dev"))));
        assert_eq!(user("arn:aws:iam::123456789012:root"), Some(("aws", None)));
        assert_eq!(user("arn:aws:sts::123456789012:assumed-role/reader/me"), None);
        assert_eq!(user("nonsense"), None);
    }

    #[test]
    fn a_name_cannot_add_to_the_question() {
        let asked = "Action=ListMFADevices&Version=2010-05-08&UserName=a%26Action%3DDeleteUser%2B%40";
        assert_eq!(question(Some("a&Action=DeleteUser+@")), asked);
    }

    #[test]
    fn serial_numbers_are_read_and_security_keys_left_out() {
        let device = |serial: &str| format!("<member><SerialNumber>{serial}</SerialNumber></member>");
        let all = [
            device("arn:aws:iam::123456789012:mfa/dev"),
            device("arn:aws:iam::123456789012:u2f/user/dev/key-ABC"),
            device("GAHT12345678"),
            device("<script>alert(1)</script>"),
        ];
        let xml = format!("<ListMFADevicesResponse xmlns=\"x\"><MFADevices>{}</MFADevices>", all.concat());
        let expected = ["arn:aws:iam::123456789012:mfa/dev", "GAHT12345678"].map(str::to_owned);
        assert_eq!(serials(&xml), Some(expected.to_vec()));
        assert_eq!(serials("<html>hotel</html>"), None);
    }
}
