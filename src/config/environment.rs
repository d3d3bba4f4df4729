//! The variables of the environment that begin with our prefix: each is a setting, or one that
//! Kubernetes makes, or a mistake, most often a typing error that would leave a restriction out.

use std::ffi::OsString;

const PREFIX: &str = "TOKENWRIGHT_";

/// The variables with our prefix that are neither settings nor made by Kubernetes.
pub(super) fn unknown(
    environment: &[(OsString, OsString)],
    is_setting: impl Fn(&OsString) -> bool,
) -> Vec<String> {
    let unknown = environment.iter().filter(|(name, value)| {
        let text = name.to_string_lossy();
        text.starts_with(PREFIX)
            && !is_setting(name)
            && !is_of_a_service(&text, &value.to_string_lossy())
    });
    unknown.map(|(name, _)| name.to_string_lossy().into_owned()).collect()
}

/// Is this one of the variables that Kubernetes sets in every container of a namespace for each
/// service of it, here for `tokenwright` or for one whose name begins so, such as
/// `tokenwright-postgresql`? (Kubernetes documentation, Service, "Environment variables"; the
/// `_PORT` forms are those of Docker's links.) No setting may be named like one of these.
fn is_of_a_service(name: &str, value: &str) -> bool {
    let Some(rest) = name.strip_prefix("TOKENWRIGHT") else {
        return false;
    };
    if rest.ends_with("_SERVICE_HOST") || rest.ends_with("_SERVICE_PORT") {
        return true;
    }
    if let Some((_, port)) = rest.rsplit_once("_SERVICE_PORT_") {
        return !port.is_empty();
    }
    if rest.rsplit_once("_PORT_").is_some_and(|(_, link)| is_part_of_a_link(link)) {
        return true;
    }
    // `..._PORT` could be a setting that somebody meant; what Kubernetes sets is a URL.
    rest.ends_with("_PORT")
        && ["tcp://", "udp://", "sctp://"].iter().any(|start| value.starts_with(start))
}

/// `5432_TCP`, `5432_TCP_ADDR`, `5432_TCP_PORT` or `5432_TCP_PROTO`.
fn is_part_of_a_link(text: &str) -> bool {
    let mut parts = text.split('_');
    parts.next().is_some_and(|port| port.parse::<u16>().is_ok())
        && matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"))
        && matches!(parts.next(), None | Some("ADDR" | "PORT" | "PROTO"))
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(name: &str, value: &str) -> bool {
        unknown(&[(name.into(), value.into())], |name| name == "TOKENWRIGHT_LISTEN").is_empty()
    }

    #[test]
    fn what_kubernetes_sets_passes() {
        for service in
            ["TOKENWRIGHT", "TOKENWRIGHT_POSTGRESQL", "TOKENWRIGHT_POSTGRESQL_HL", "TOKENWRIGHT_2"]
        {
            for (ending, value) in [
                ("SERVICE_HOST", "10.0.0.1"),
                ("SERVICE_PORT", "5432"),
                ("SERVICE_PORT_HTTP_NAME", "8080"),
                ("SERVICE_PORT_TCP_POSTGRESQL", "5432"),
                ("PORT", "tcp://10.0.0.1:5432"),
                ("PORT", "udp://10.0.0.1:53"),
                ("PORT_5432_TCP", "tcp://10.0.0.1:5432"),
                ("PORT_5432_TCP_ADDR", "10.0.0.1"),
                ("PORT_5432_TCP_PORT", "5432"),
                ("PORT_5432_TCP_PROTO", "tcp"),
                ("PORT_53_UDP_PROTO", "udp"),
                ("PORT_9_SCTP", "sctp://10.0.0.1:9"),
            ] {
                assert!(passes(&format!("{service}_{ending}"), value), "{service}_{ending}");
            }
        }
        assert!(passes("TOKENWRIGHT_LISTEN", "x"));
        assert!(passes("TOKENWRIGHTS", "x"));
        assert!(passes("OTHER_LISEN", "x"));
    }

    #[test]
    fn a_mistyped_setting_does_not() {
        for (name, value) in [
            ("TOKENWRIGHT_", "x"),
            ("TOKENWRIGHT_LISEN", "x"),
            ("TOKENWRIGHT_PORT", "8080"),
            ("TOKENWRIGHT_LISTEN_PORT", "8080"),
            ("TOKENWRIGHT_PORTS", "tcp://10.0.0.1:1"),
            ("TOKENWRIGHT_PORT_HTTP", "8080"),
            ("TOKENWRIGHT_PORT_5432", "x"),
            ("TOKENWRIGHT_PORT_5432_TLS", "x"),
            ("TOKENWRIGHT_PORT_5432_TCP_HOST", "x"),
            ("TOKENWRIGHT_PORT_99999_TCP", "x"),
            ("TOKENWRIGHT_SERVICE_PORT_", "x"),
            ("TOKENWRIGHT_SERVICE_HOSTS", "x"),
            ("TOKENWRIGHT_SERVICE", "x"),
        ] {
            assert!(!passes(name, value), "{name}");
        }
    }
}
