//! The filter of the log. tracing takes a word that is not a level as the name of a target, and
//! then logs nothing at all; here it must be a level or one of our targets.

use tracing_subscriber::filter::EnvFilter;

use crate::config::suggestion::did_you_mean;

/// The levels as the filter writes them, `off` for none.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
const OURS: &str = "tokenwright";

/// Reads a filter into the form that tracing reads.
pub(super) fn read(text: &str) -> Result<String, String> {
    let directives = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let directives = directives.map(directive).collect::<Result<Vec<_>, _>>()?;
    if directives.is_empty() {
        return Err("names no level; write `info`, or leave it out".to_owned());
    }
    let filter = directives.join(",");
    match EnvFilter::builder().parse(&filter) {
        Ok(_) => Ok(filter),
        Err(error) => Err(format!("{error}; write it like `info,tokenwright=debug`")),
    }
}

fn directive(text: &str) -> Result<String, String> {
    // Spans and their fields have a syntax of their own, in which no bare word is.
    if text.contains('[') {
        return Ok(text.to_owned());
    }
    match text.rsplit_once('=') {
        Some((target, level)) => {
            let target = target.trim();
            if !is_path(target) || is_misspelt(target) {
                let suggestion = did_you_mean(target, [OURS]);
                return Err(format!("`{target}` is no target{suggestion}"));
            }
            Ok(format!("{target}={}", self::level(level.trim())?))
        }
        None if is_ours(text) => Ok(text.to_owned()),
        None => level(text),
    }
}

fn level(text: &str) -> Result<String, String> {
    let level = text.to_ascii_lowercase();
    let level = if level == "warning" { "warn" } else { level.as_str() };
    if LEVELS.contains(&level) {
        return Ok(level.to_owned());
    }
    let longer = LEVELS.into_iter().find(|known| level.starts_with(known));
    let suggestion = match longer {
        Some(known) => format!("; did you mean `{known}`?"),
        None => did_you_mean(level, LEVELS.into_iter().chain([OURS])),
    };
    Err(format!("`{text}` is no level; write one of {}{suggestion}", LEVELS.join(", ")))
}

fn is_ours(target: &str) -> bool {
    target == OURS || target.starts_with("tokenwright::")
}

fn is_path(target: &str) -> bool {
    !target.is_empty()
        && target.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '-'))
}

/// Is this ours, but for a slip? A library's target is any other name.
fn is_misspelt(target: &str) -> bool {
    let root = target.split(':').next().unwrap_or(target);
    root != OURS && !did_you_mean(root, [OURS]).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_levels_and_targets() {
        for (text, expected) in [
            ("info", "info"),
            ("INFO", "info"),
            ("warning", "warn"),
            ("Warning, tokenwright = DEBUG", "warn,tokenwright=debug"),
            ("off", "off"),
            ("info,", "info"),
            ("tokenwright", "tokenwright"),
            ("warn,tokenwright::http=trace", "warn,tokenwright::http=trace"),
            ("info,actix_server=warning", "info,actix_server=warn"),
            ("[request{method=GET}]=debug,info", "[request{method=GET}]=debug,info"),
        ] {
            assert_eq!(read(text), Ok(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn refuses_what_would_log_nothing() {
        for (text, told) in [
            ("verbose", "write one of off, error, warn, info, debug, trace"),
            ("information", "did you mean `info`?"),
            ("wran", "did you mean `warn`?"),
            ("none", "is no level"),
            ("tokenwrigth", "did you mean `tokenwright`?"),
            ("tokenwrigth=debug", "did you mean `tokenwright`?"),
            ("tokenwright=debug=x", "is no target"),
            ("tokenwright=verbose", "`verbose` is no level"),
            ("tokenwright=", "is no level"),
            ("=info", "is no target"),
            ("info debug", "is no level"),
            ("actix_server", "is no level"),
            (",", "names no level"),
            ("[request{", "write it like"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
