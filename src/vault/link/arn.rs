//! The ARN of a secret of AWS, taken apart strictly, because its region becomes part of the host that is asked (AWS
//! documentation, "Amazon Resource Names" and "Actions, resources, and condition keys for AWS Secrets Manager").

use std::fmt;

use url::Url;

/// The ARN of a secret, in its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretArn {
    pub partition: String,
    pub region: String,
    pub account: String,
    /// The name, usually with the six random characters that AWS puts behind it.
    pub name: String,
}

/// The longest name of a secret, in bytes (API reference, `CreateSecret`).
const MAX_NAME: usize = 512;

impl SecretArn {
    /// Takes the ARN of a secret apart.
    pub(in crate::vault) fn parse(text: &str) -> Result<Self, &'static str> {
        let parts: Vec<&str> = text.splitn(7, ':').collect();
        let ["arn", partition, service, region, account, kind, name] = parts[..] else {
            return Err("an ARN is written like `arn:aws:secretsmanager:eu-west-1:123456789012:secret:name-AbCdEf`");
        };
        if service != "secretsmanager" || kind != "secret" {
            return Err("this is not the ARN of a secret: it holds `:secretsmanager:` and `:secret:`");
        }
        if !is_region(region) {
            return Err("the ARN's region is not written like `eu-west-1`");
        }
        if partition_of(region) != partition {
            return Err("the ARN's partition has no such region");
        }
        if !is_account(account) {
            return Err("the ARN's account is not a number of 12 digits");
        }
        if !is_name(name) {
            return Err("the ARN's name is made of letters, digits and `/_+=.@!-`");
        }
        let [partition, region, account, name] = [partition, region, account, name].map(str::to_owned);
        Ok(Self { partition, region, account, name })
    }

    /// The secret's page in the console of its partition, where the public knows that console.
    pub fn console_url(&self) -> Option<Url> {
        let Self { region, name, .. } = self;
        let host = match self.partition.as_str() {
            "aws" => format!("{region}.console.aws.amazon.com"),
            "aws-cn" => format!("{region}.console.amazonaws.cn"),
            "aws-us-gov" => format!("{region}.console.amazonaws-us-gov.com"),
            _ => return None,
        };
        let mut page = Url::parse(&format!("https://{host}/secretsmanager/secret")).ok()?;
        // The console goes by the name without the six characters that AWS puts behind it.
        page.query_pairs_mut().append_pair("name", bare_name(name)).append_pair("region", region);
        Some(page)
    }
}

/// The name of a secret without the six characters of its ARN.
fn bare_name(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((bare, tail)) if tail.len() == 6 && tail.bytes().all(|byte| byte.is_ascii_alphanumeric()) => bare,
        _ => name,
    }
}

impl fmt::Display for SecretArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, region, account, name } = self;
        write!(f, "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}")
    }
}

/// Whether `text` has the form of a region, which is a part of a host name.
pub fn is_region(text: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    text.len() <= 32 && text.split('-').count() >= 3 && text.split('-').all(is_part)
}

/// Whether `text` has the form of an account's number.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The partition of a region, by its prefix (the SDKs' `partitions.json`).
fn partition_of(region: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ];
    PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@!-".contains(&byte);
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf";

    #[test]
    fn a_secret_has_a_page_in_the_console_of_its_partition() {
        let page = |arn: &str| SecretArn::parse(arn).unwrap().console_url().map(String::from);
        let expected = "https://eu-west-1.console.aws.amazon.com/secretsmanager/secret?name=prod%2Fdb&region=eu-west-1";
        assert_eq!(page(ARN).as_deref(), Some(expected));
        let china = page("arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:bare-name").unwrap();
        assert!(china.starts_with("https://cn-north-1.console.amazonaws.cn/") && china.contains("name=bare-name&"));
        assert_eq!(page("arn:aws-iso:secretsmanager:us-iso-east-1:123456789012:secret:a"), None);
    }
}
