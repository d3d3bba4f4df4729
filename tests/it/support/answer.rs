//! An HTTP answer with a JSON body.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::Log;

/// An HTTP answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    /// The body; null when it is no JSON.
    pub json: Value,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Self { status, headers, text, json }
    }

    /// A header; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// `data`, of an answer without errors.
    pub fn data(&self) -> &Value {
        let logged = || Log::of_request(self.header("x-request-id"));
        assert!(self.json["errors"].is_null(), "{}\n{}", self.text, logged());
        assert!(!self.json["data"].is_null(), "{}", self.text);
        &self.json["data"]
    }

    /// The errors, each as `CODE field reason`; what an error does not have is left out.
    pub fn errors(&self) -> Vec<String> {
        let errors = self.json["errors"].as_array().cloned().unwrap_or_default();
        let told = |error: &Value| {
            let extensions = &error["extensions"];
            ["code", "field", "reason"]
                .map(|name| extensions[name].as_str().unwrap_or(""))
                .join(" ")
        };
        errors
            .iter()
            .map(told)
            .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    }

    /// The message of the first error.
    pub fn message(&self) -> &str {
        self.json["errors"][0]["message"].as_str().unwrap_or_default()
    }
}
