//! The variables that make up their value when a request is sent: `{{$guid}}`, `{{$timestamp -1 d}}`,
//! `{{$randomInt 1 10}}`, `{{$datetime iso8601}}` and their like, as REST Client, JetBrains and Postman spell them.

use jiff::{Span, Timestamp, Zoned, tz::TimeZone};

/// One moment, so that all variables of a request agree on the time.
pub struct Dynamic {
    now: Zoned,
}

/// What stands for the value where only the shape of a request matters; none for an unknown variable.
pub fn stand_in(expression: &str) -> Option<String> {
    let moment = Dynamic { now: Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC) };
    moment.value(expression)
}

/// What stands for the value where a request is compared with what it was before: always the same.
pub fn fixed(expression: &str) -> Option<String> {
    let value = stand_in(expression)?;
    let is_random = ["$guid", "$uuid", "$random"].iter().any(|random| expression.starts_with(random));
    Some(if is_random { "0".into() } else { value })
}

impl Dynamic {
    pub fn now() -> Self {
        Self { now: Zoned::now() }
    }

    /// The value of an expression such as `$randomInt 1 10`; none for an unknown one or wrong arguments.
    pub fn value(&self, expression: &str) -> Option<String> {
        let (function, arguments) = split(expression)?;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        match function.as_str() {
            "$guid" | "$uuid" | "$random.uuid" | "$randomUUID" => Some(uuid::Uuid::new_v4().to_string()),
            "$timestamp" => Some(self.shifted(&arguments, &self.now)?.timestamp().as_second().to_string()),
            "$isoTimestamp" => Some(iso(&self.utc())),
            "$datetime" => self.formatted(&arguments, &self.utc()),
            "$localDatetime" => self.formatted(&arguments, &self.now),
            "$date" if arguments.is_empty() => Some(self.now.date().to_string()),
            _ => random(&function, &arguments),
        }
    }

    fn utc(&self) -> Zoned {
        self.now.with_time_zone(TimeZone::UTC)
    }

    /// `rfc1123`, `iso8601` or a quoted format, then perhaps an offset (REST Client, "System variables").
    fn formatted(&self, arguments: &[&str], now: &Zoned) -> Option<String> {
        let (format, offset) = arguments.split_first()?;
        let moment = self.shifted(offset, now)?;
        match *format {
            "rfc1123" => Some(rfc1123(&moment)),
            "iso8601" => Some(iso(&moment)),
            pattern => Some(by_pattern(pattern, &moment)),
        }
    }

    /// `now`, or `now` moved by `[number, unit]`.
    fn shifted(&self, offset: &[&str], now: &Zoned) -> Option<Zoned> {
        match offset {
            [] => Some(now.clone()),
            [number, unit] => now.checked_add(span(number.parse().ok()?, unit)?).ok(),
            _ => None,
        }
    }
}

/// The units of REST Client's offsets: `y`, `Q`, `M`, `w`, `d`, `h`, `m`, `s`, `ms`.
fn span(number: i64, unit: &str) -> Option<Span> {
    let span = Span::new();
    match unit {
        "y" => span.try_years(number),
        "Q" => span.try_months(number.checked_mul(3)?),
        "M" => span.try_months(number),
        "w" => span.try_weeks(number),
        "d" => span.try_days(number),
        "h" => span.try_hours(number),
        "m" => span.try_minutes(number),
        "s" => span.try_seconds(number),
        "ms" => span.try_milliseconds(number),
        _ => return None,
    }
    .ok()
}

fn iso(moment: &Zoned) -> String {
    let zone = if moment.time_zone() == &TimeZone::UTC { "[Z]" } else { "Z" };
    by_pattern(&format!("YYYY-MM-DDTHH:mm:ss.SSS{zone}"), moment)
}

/// RFC 9110 section 5.6.7: always in GMT.
fn rfc1123(moment: &Zoned) -> String {
    by_pattern("ddd, DD MMM YYYY HH:mm:ss [GMT]", &moment.with_time_zone(TimeZone::UTC))
}

/// Tokens of Day.js and the directives of `strftime` that mean the same; of two that begin alike, the longer first.
const TOKENS: [(&str, &str); 23] = [
    ("YYYY", "%Y"),
    ("YY", "%y"),
    ("MMMM", "%B"),
    ("MMM", "%b"),
    ("MM", "%m"),
    ("M", "%-m"),
    ("DD", "%d"),
    ("D", "%-d"),
    ("dddd", "%A"),
    ("ddd", "%a"),
    ("HH", "%H"),
    ("H", "%-H"),
    ("hh", "%I"),
    ("h", "%-I"),
    ("mm", "%M"),
    ("m", "%-M"),
    ("ss", "%S"),
    ("s", "%-S"),
    ("SSS", "%3f"),
    ("A", "%p"),
    ("a", "%P"),
    ("ZZ", "%z"),
    ("Z", "%:z"),
];

/// Formats with the tokens of Day.js ("Format" in its documentation), which REST Client uses.
fn by_pattern(pattern: &str, moment: &Zoned) -> String {
    let mut text = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if let Some((literal, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            text.push_str(literal);
            rest = after;
        } else if let Some((token, directive)) = TOKENS.iter().find(|(token, _)| rest.starts_with(token)) {
            text.push_str(&moment.strftime(directive).to_string());
            rest = &rest[token.len()..];
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    text
}

/// The random ones: REST Client's and Postman's `$randomInt`, JetBrains' `$random.*`.
fn random(function: &str, arguments: &[&str]) -> Option<String> {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const ALPHANUMERIC: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const HEXADECIMAL: &[u8] = b"0123456789abcdef";
    match (function, arguments) {
        ("$randomInt" | "$random.integer", []) => integer(0, 1000),
        ("$randomInt" | "$random.integer", [low, high]) => integer(low.parse().ok()?, high.parse().ok()?),
        ("$random.float", []) => float(0.0, 1000.0),
        ("$random.float", [low, high]) => float(low.parse().ok()?, high.parse().ok()?),
        ("$random.alphabetic", [length]) => characters(LETTERS, length),
        ("$random.alphanumeric", [length]) => characters(ALPHANUMERIC, length),
        ("$random.hexadecimal", [length]) => characters(HEXADECIMAL, length),
        ("$randomAlphaNumeric", []) => characters(ALPHANUMERIC, "1"),
        ("$randomBoolean", []) => Some((bits()? & 1 == 1).to_string()),
        ("$random.email" | "$randomEmail", []) => Some(format!("{}@example.com", characters(&LETTERS[..26], "10")?)),
        _ => None,
    }
}

/// At least `low`, less than `high`.
fn integer(low: i64, high: i64) -> Option<String> {
    let width = i128::from(high) - i128::from(low);
    if width <= 0 {
        return None;
    }
    // The bias of a remainder is far below what test data could notice.
    let offset = i128::from(bits()?) % width;
    Some((i128::from(low) + offset).to_string())
}

fn float(low: f64, high: f64) -> Option<String> {
    let valid = low.is_finite() && high.is_finite() && low < high;
    let share = (bits()? >> 11) as f64 / (1_u64 << 53) as f64;
    valid.then(|| (low + (high - low) * share).to_string())
}

fn characters(alphabet: &[u8], length: &str) -> Option<String> {
    const LONGEST: usize = 10_000;
    let length: usize = length.parse().ok().filter(|length| *length <= LONGEST)?;
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()])).collect())
}

fn bits() -> Option<u64> {
    getrandom::u64().ok()
}

/// The function and its arguments: `$f a "b c"`, or JetBrains' `$f(a, b)`.
fn split(expression: &str) -> Option<(String, Vec<String>)> {
    if let Some((function, rest)) = expression.split_once('(') {
        let inside = rest.trim_end().strip_suffix(')')?;
        let arguments = inside.split(',').map(|argument| argument.trim().to_owned());
        return Some((function.trim().to_owned(), arguments.filter(|argument| !argument.is_empty()).collect()));
    }
    let mut words = Vec::new();
    let mut rest = expression.trim();
    while let Some(first) = rest.chars().next() {
        let (word, after) = if first == '"' || first == '\'' {
            rest[1..].split_once(first)?
        } else {
            rest.split_once(char::is_whitespace).unwrap_or((rest, ""))
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    let function = (!words.is_empty()).then(|| words.remove(0))?;
    Some((function, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str) -> Option<String> {
        let now: Zoned = "2024-02-29T13:04:05.678+00:00[UTC]".parse().unwrap();
        Dynamic { now: now.with_time_zone(TimeZone::fixed(jiff::tz::offset(2))) }.value(expression)
    }

    #[test]
    fn times_are_formatted_and_moved() {
        for (expression, expected) in [
            ("$timestamp", "1709211845"),
            ("$timestamp -1 d", "1709125445"),
            ("$timestamp 1 y", "1740747845"),
            ("$isoTimestamp", "2024-02-29T13:04:05.678Z"),
            ("$datetime iso8601", "2024-02-29T13:04:05.678Z"),
            ("$datetime rfc1123", "Thu, 29 Feb 2024 13:04:05 GMT"),
            ("$datetime \"YYYY-MM-DD HH:mm\" 1 M", "2024-03-29 13:04"),
            ("$datetime 'D.M.YY [at] h:mm a'", "29.2.24 at 1:04 pm"),
            ("$localDatetime iso8601", "2024-02-29T15:04:05.678+02:00"),
            ("$localDatetime 'HH ZZ'", "15 +0200"),
            ("$date", "2024-02-29"),
        ] {
            assert_eq!(check(expression).as_deref(), Some(expected), "{expression}");
        }
    }

    #[test]
    fn random_values_keep_to_their_bounds() {
        for _ in 0..200 {
            let number: i64 = check("$randomInt -3 2").unwrap().parse().unwrap();
            assert!((-3..2).contains(&number), "{number}");
            let number: f64 = check("$random.float(1, 2)").unwrap().parse().unwrap();
            assert!((1.0..2.0).contains(&number), "{number}");
        }
        assert_eq!(check("$randomInt 7 8").as_deref(), Some("7"));
        assert_eq!(check("$random.hexadecimal(12)").unwrap().len(), 12);
        assert_ne!(check("$guid"), check("$guid"));
    }

    #[test]
    fn wrong_arguments_and_unknown_names_have_no_value() {
        for expression in [
            "$nope",
            "$",
            "",
            "$randomInt 5 5",
            "$randomInt x 5",
            "$randomInt 1",
            "$timestamp 1",
            "$timestamp 1 parsec",
            "$timestamp 99999999999999 y",
            "$datetime",
            "$datetime \"open",
            "$random.alphabetic(99999999)",
            "$random.float(2, 1)",
            "$random.float(NaN, 1)",
            "$random.integer(1",
        ] {
            assert_eq!(check(expression), None, "{expression}");
        }
    }

    #[test]
    fn the_stand_in_knows_the_same_names() {
        assert!(stand_in("$guid").is_some());
        assert!(stand_in("$datetime iso8601").is_some());
        assert_eq!(stand_in("$nope"), None);
    }

    #[test]
    fn what_is_compared_is_the_same_every_time() {
        for dynamic in crate::feature::variable::DYNAMIC {
            assert_eq!(fixed(dynamic.usage), fixed(dynamic.usage), "{}", dynamic.usage);
        }
        assert_eq!(fixed("$nope"), None);
    }

    #[test]
    fn whatever_is_offered_has_a_value() {
        for dynamic in crate::feature::variable::DYNAMIC {
            assert!(stand_in(dynamic.usage).is_some(), "{}", dynamic.usage);
        }
    }
}
