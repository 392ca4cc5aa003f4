//! A form as a browser sends it (`application/x-www-form-urlencoded`, URL Living Standard, section 5.1), decoded in
//! buffers that are wiped: what a person typed goes from the socket into a [`SecretValue`] and nowhere else.

use percent_encoding::percent_decode;
use zeroize::Zeroizing;

use crate::vault::value::SecretValue;

/// The most fields that a form of ours could have.
const MOST: usize = 32;

/// The fields of one form, by name.
pub struct Form(Vec<(String, Zeroizing<Vec<u8>>)>);

impl Form {
    /// None for what no form of ours could be. A name that stands twice counts as no form.
    pub fn read(mut body: Zeroizing<Vec<u8>>) -> Option<Self> {
        body.iter_mut().filter(|byte| **byte == b'+').for_each(|byte| *byte = b' ');
        let mut fields: Vec<(String, Zeroizing<Vec<u8>>)> = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let middle = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let name = String::from_utf8(percent_decode(&pair[..middle]).collect()).ok()?;
            let raw = pair.get(middle + 1..).unwrap_or_default();
            // Never longer than it came, so that the buffer does not move.
            let mut value = Zeroizing::new(Vec::with_capacity(raw.len()));
            value.extend(percent_decode(raw));
            if fields.len() == MOST || fields.iter().any(|(taken, _)| *taken == name) {
                return None;
            }
            fields.push((name, value));
        }
        Some(Self(fields))
    }

    /// What was typed into a field; none where there is no such field.
    pub fn take(&mut self, name: &str) -> Option<SecretValue> {
        let index = self.0.iter().position(|(known, _)| known == name)?;
        Some(SecretValue::from(self.0.swap_remove(index).1))
    }

    /// The same with line breaks as they were typed: a form sends each as CRLF (HTML Living Standard, section 4.10.21.4).
    pub fn take_lines(&mut self, name: &str) -> Option<SecretValue> {
        let index = self.0.iter().position(|(known, _)| known == name)?;
        let mut value = self.0.swap_remove(index).1;
        let mut length = 0;
        for at in 0..value.len() {
            if !value[at..].starts_with(b"\r\n") {
                value[length] = value[at];
                length += 1;
            }
        }
        value.truncate(length);
        Some(SecretValue::from(value))
    }

    /// Whether a key in several lines was typed into a field of one line: browsers take the breaks out.
    pub fn lost_lines(&self, name: &str) -> bool {
        let typed = self.0.iter().find(|(known, _)| known == name);
        typed.is_some_and(|(_, value)| value.starts_with(b"-----BEGIN ") && !value.contains(&b'\n'))
    }

    /// A field that holds no secret, without the space around it.
    pub fn text(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        Some(std::str::from_utf8(value).ok()?.trim().to_owned())
    }

    /// The same, where something was typed.
    pub fn filled(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests look at what they typed")]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<Vec<(String, String)>> {
        let form = Form::read(Zeroizing::new(body.as_bytes().to_vec()))?;
        Some(form.0.into_iter().map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned())).collect())
    }

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            read("key=a%2Bb+c%26&value=%C3%A9%3D=&empty=&bare"),
            Some(vec![pair("key", "a+b c&"), pair("value", "é=="), pair("empty", ""), pair("bare", "")])
        );
        assert_eq!(read(""), Some(vec![]));
        assert_eq!(read("a=%zz%"), Some(vec![pair("a", "%zz%")]));
    }

    #[test]
    fn lines_end_as_they_were_typed() {
        for (sent, expected) in
            [("a%0D%0Ab%0D%0A", "a\nb\n"), ("a%0D%0D%0A%0A", "a\r\n\n"), ("%0D%0A", "\n"), ("a%0D", "a\r"), ("", "")]
        {
            let mut form = Form::read(Zeroizing::new(format!("v={sent}").into_bytes())).unwrap();
            assert!(form.take_lines("v").unwrap().expose(|bytes| bytes == expected.as_bytes()), "{sent}");
        }
    }

    #[test]
    fn a_key_that_lost_its_lines_is_noticed() {
        let lost = |body: &str| Form::read(Zeroizing::new(body.as_bytes().to_vec())).unwrap().lost_lines("v");
        assert!(lost("v=-----BEGIN+PRIVATE+KEY-----canary"));
        assert!(!lost("v=-----BEGIN+PRIVATE+KEY-----%0D%0Acanary") && !lost("v=canary") && !lost("w=-----BEGIN+"));
    }

    #[test]
    fn a_field_that_stands_twice_is_no_form() {
        assert_eq!(read("a=1&a=2"), None);
        assert_eq!(read("a=1&%61=2"), None);
        assert_eq!(read("%ff=1"), None);
        assert_eq!(read(&(0..40).map(|index| format!("f{index}=&")).collect::<String>()), None);
    }
}
