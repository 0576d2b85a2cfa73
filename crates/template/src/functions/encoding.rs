//! Encodings: base64, data URIs, URIs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Args, Fault, Function, Unknowns, called, int_of, member, pure, wrong};

pub(super) static TABLE: &[Function] = &[
    pure("base64", 1, 1, Unknowns::Deep, |args| {
        Ok(STANDARD.encode(Args::new(args).string()?).into())
    }),
    pure("base64ToString", 1, 1, Unknowns::Deep, |args| {
        decoded(&Args::new(args).string()?).map(Value::String)
    }),
    pure("dataUri", 1, 1, Unknowns::Deep, |args| {
        let text = Args::new(args).string()?;
        Ok(format!(
            "data:text/plain;charset=utf-8;base64,{}",
            STANDARD.encode(text)
        )
        .into())
    }),
    pure("dataUriToString", 1, 1, Unknowns::Deep, data_uri_to_string),
    pure("uri", 2, 2, Unknowns::Deep, uri),
    pure("parseUri", 1, 1, Unknowns::Deep, parse_uri),
    pure("buildUri", 1, 1, Unknowns::Deep, build_uri),
    pure("uriComponent", 1, 1, Unknowns::Deep, |args| {
        Ok(escaped(&Args::new(args).string()?).into())
    }),
    pure("uriComponentToString", 1, 1, Unknowns::Deep, |args| {
        Ok(unescaped(&Args::new(args).string()?).into())
    }),
];

pub(super) fn decoded(text: &str) -> Result<String, Fault> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    match STANDARD.decode(compact).map(String::from_utf8) {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(_)) => wrong("the base64 text does not hold UTF-8"),
        Err(_) => wrong("the text is not base64"),
    }
}

fn data_uri_to_string(args: Vec<Value>) -> Result<Value, Fault> {
    let text = Args::new(args).string()?;
    let Some((head, data)) = text
        .strip_prefix("data:")
        .and_then(|rest| rest.split_once(','))
    else {
        return wrong("a data URI has the form `data:<type>;base64,<data>`");
    };
    if head.to_ascii_lowercase().ends_with(";base64") {
        decoded(data).map(Value::String)
    } else {
        Ok(unescaped(data).into())
    }
}

fn uri(args: Vec<Value>) -> Result<Value, Fault> {
    let mut args = Args::new(args);
    let (base, relative) = (args.string()?, args.string()?);
    match url::Url::parse(&base).and_then(|base| base.join(&relative)) {
        Ok(url) => Ok(url.to_string().into()),
        Err(error) => wrong(format!(
            "the base is no absolute URI, or the two do not join: {error}"
        )),
    }
}

/// The parts of an absolute URI, as .NET's `Uri` has them: the port is there even where it is the scheme's own, the query begins
/// with its question mark. Source: <https://github.com/Azure/bicep/releases/tag/v0.35.1>.
fn parse_uri(args: Vec<Value>) -> Result<Value, Fault> {
    let text = Args::new(args).string()?;
    let Ok(url) = url::Url::parse(&text) else {
        return wrong("the text is no absolute URI");
    };
    let Some(host) = url.host_str() else {
        return wrong("the URI has no host");
    };
    Ok(json!({
        "scheme": url.scheme(),
        "host": host,
        "port": url.port_or_known_default(),
        "path": url.path(),
        "query": url.query().map_or_else(String::new, |query| format!("?{query}")),
    }))
}

/// The other way: `scheme` and `host` must be there, the rest may be.
fn build_uri(args: Vec<Value>) -> Result<Value, Fault> {
    let components = Args::new(args).object()?;
    let (Some(scheme), Some(host)) = (part(&components, "scheme")?, part(&components, "host")?)
    else {
        return wrong("the components need a `scheme` and a `host`");
    };
    let port = match member(&components, "port") {
        None | Some(Value::Null) => None,
        Some(port) => match int_of(port).map(u16::try_from) {
            Some(Ok(port)) => Some(port),
            _ => return wrong("`port` must be an integer from 0 to 65535"),
        },
    };
    let path = part(&components, "path")?.unwrap_or_default();
    let query = part(&components, "query")?.unwrap_or_default();
    let Ok(mut url) = url::Url::parse(&format!("{scheme}://{host}")) else {
        return wrong("`scheme` and `host` make no URI");
    };
    if url.set_port(port).is_err() {
        return wrong("the URI takes no port");
    }
    url.set_path(path);
    let query = query.strip_prefix('?').unwrap_or(query);
    url.set_query(Some(query).filter(|query| !query.is_empty()));
    Ok(url.to_string().into())
}

/// A component that is text.
fn part<'v>(components: &'v Map<String, Value>, name: &str) -> Result<Option<&'v str>, Fault> {
    match member(components, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => wrong(format!(
            "`{name}` must be a string, but is {}",
            called(other)
        )),
    }
}

/// As `Uri.EscapeDataString`: everything but letters, digits and `-_.~`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// As `Uri.UnescapeDataString`: what is no escape stays.
fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = text
            .get(at + 1..at + 3)
            .filter(|hex| byte == b'%' && hex.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(code) => {
                out.push(code);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
