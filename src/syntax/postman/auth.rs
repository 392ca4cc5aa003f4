//! Credentials: v2.1 lists them as rows, v2.0 as members of an object.

use super::{Placement, Reading, is_null, written};
use crate::syntax::{
    Auth, Place, Written,
    json::{Kind, Value},
};

/// What a request, folder or collection says about credentials.
pub(super) enum Own {
    /// Nothing, or `null`: those of the parent apply.
    Inherit,
    /// `noauth`: none, whatever the parent says.
    Stop,
    Is(Auth),
}

impl Own {
    /// What applies where the parent's are `inherited`.
    pub(super) fn or(self, inherited: Option<&Auth>) -> Option<Auth> {
        match self {
            Self::Inherit => inherited.cloned(),
            Self::Stop => None,
            Self::Is(auth) => Some(auth),
        }
    }
}

impl<'a> Reading<'a> {
    pub(super) fn auth(&mut self, auth: Option<Value<'a>>) -> Own {
        let Some(auth) = auth.filter(|auth| !is_null(*auth)) else { return Own::Inherit };
        let Some(scheme) = auth.get("type").and_then(Value::scalar) else { return Own::Inherit };
        if scheme == "noauth" {
            return Own::Stop;
        }
        let details = auth.get(&scheme);
        if let Some(details) = details {
            self.places.put(details, Placement::At(Place::Auth));
        }
        Own::Is(read(&scheme, |name| details.and_then(|details| detail(details, name))))
    }
}

/// Credentials of the scheme `name`, its details found by `detail`.
pub(super) fn read<'a>(scheme: &str, detail: impl Fn(&str) -> Option<Value<'a>>) -> Auth {
    let text = |name: &str| -> Written { written(detail(name)) };
    match scheme {
        "basic" => Auth::Basic { user: text("username"), password: text("password") },
        "bearer" => Auth::Bearer { token: text("token") },
        "apikey" => Auth::ApiKey {
            key: text("key"),
            value: text("value"),
            in_query: detail("in").is_some_and(|place| place.is("query")),
        },
        _ => {
            // NB. each request below a folder repeats it, so a hostile name is cut.
            let name = &scheme[..scheme.floor_char_boundary(40)];
            Auth::Unsupported(name.to_owned())
        }
    }
}

fn detail<'a>(details: Value<'a>, name: &str) -> Option<Value<'a>> {
    if details.kind() == Kind::Object {
        return details.get(name);
    }
    let row = details.items().find(|row| row.get("key").is_some_and(|key| key.is(name)))?;
    row.get("value")
}
