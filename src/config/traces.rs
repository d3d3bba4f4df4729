//! Where traces go.

use std::str::FromStr;

use clap::Args;
use url::Url;

/// Settings of the traces.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Traces")]
pub struct TracesArgs {
    /// The collector that traces are sent to by OTLP over HTTP, such as `http://127.0.0.1:4318`;
    /// `/v1/traces` is added. Off unless set.
    #[arg(long, env = "TOKENWRIGHT_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<CollectorUrl>,

    /// The share of requests that are traced, from 0 to 1, where no trusted proxy has decided on it.
    #[arg(long, env = "TOKENWRIGHT_OTLP_SAMPLE_RATIO", value_name = "SHARE", default_value = "1")]
    pub otlp_sample_ratio: SampleRatio,
}

/// The URL of a collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectorUrl(Url);

/// A share, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleRatio(pub f64);

const PATH: &str = "/v1/traces";

impl CollectorUrl {
    /// The URL that traces are posted to.
    pub fn traces(&self) -> String {
        let url = self.0.as_str().trim_end_matches('/');
        if url.ends_with(PATH) { url.to_owned() } else { format!("{url}{PATH}") }
    }
}

impl FromStr for CollectorUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let example = "write it like `http://127.0.0.1:4318`";
        let url = Url::parse(text).map_err(|error| format!("is no URL ({error}); {example}"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(format!("is no URL of HTTP; {example}"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("has a user or a password, which headers are for: set \
                        OTEL_EXPORTER_OTLP_HEADERS in the environment"
                .to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!("has more than a path; {example}"));
        }
        Ok(Self(url))
    }
}

impl FromStr for SampleRatio {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
        share.map(Self).ok_or_else(|| "write a number from 0 to 1, such as `0.05`".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_added_once() {
        for (text, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://[::1]:4318/", "http://[::1]:4318/v1/traces"),
            ("https://otel.example/in", "https://otel.example/in/v1/traces"),
            ("https://otel.example/v1/traces", "https://otel.example/v1/traces"),
        ] {
            assert_eq!(text.parse::<CollectorUrl>().unwrap().traces(), expected);
        }
    }

    #[test]
    fn says_what_to_write() {
        for (text, told) in [
            ("127.0.0.1:4318", "http://127.0.0.1:4318"),
            ("grpc://a:4317", "no URL of HTTP"),
            ("", "is no URL"),
            ("http://user:secret@a:4318", "OTEL_EXPORTER_OTLP_HEADERS"),
            ("http://a:4318?x=1", "more than a path"),
        ] {
            let error = text.parse::<CollectorUrl>().unwrap_err();
            assert!(error.contains(told) && !error.contains("secret"), "{text}: {error}");
        }
        for text in ["", "-0.1", "1.1", "NaN", "half"] {
            assert!(text.parse::<SampleRatio>().unwrap_err().contains("from 0 to 1"), "{text}");
        }
        assert_eq!("0.5".parse(), Ok(SampleRatio(0.5)));
    }
}
