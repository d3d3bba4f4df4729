//! The headers that say who called, as they were written for an earlier request of the same token.

use std::sync::Arc;

use actix_web::http::header::{HeaderName, HeaderValue, InvalidHeaderValue};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::domain::api_token::ApiToken;
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::label::Labels;
use crate::domain::permission::PermissionSet;
use crate::service::Service;
use crate::wire::identity::NAMES;

/// Bytes of all headers that are kept.
const MAX_BYTES: u64 = 8 * 1024 * 1024;
/// Bytes of the headers of a token, beside their texts.
const BYTES: usize = 600;

/// The headers of [`NAMES`]; to make such a name checks each of its characters.
const HEADERS: [HeaderName; NAMES.len()] = [
    HeaderName::from_static(NAMES[0]),
    HeaderName::from_static(NAMES[1]),
    HeaderName::from_static(NAMES[2]),
    HeaderName::from_static(NAMES[3]),
    HeaderName::from_static(NAMES[4]),
];

/// The values of [`NAMES`].
type Values = [HeaderValue; NAMES.len()];

/// What was written. It counts only for a token that has all that it was written from.
pub struct IdentityHeaders(Cache<ApiTokenId, Arc<Written>, Weight>);

/// Values, and what they were written from.
struct Written {
    user_id: UserId,
    name: String,
    permissions: PermissionSet,
    labels: Labels,
    values: Values,
}

#[derive(Clone)]
struct Weight;

impl Weighter<ApiTokenId, Arc<Written>> for Weight {
    fn weight(&self, _: &ApiTokenId, written: &Arc<Written>) -> u64 {
        let values: usize = written.values.iter().map(HeaderValue::len).sum();
        let bytes = BYTES + written.name.len() + values;
        bytes.try_into().unwrap_or(u64::MAX)
    }
}

impl Default for IdentityHeaders {
    fn default() -> Self {
        let usual = usize::try_from(MAX_BYTES).unwrap_or(usize::MAX) / BYTES;
        Self(Cache::with_weighter(usual, MAX_BYTES, Weight))
    }
}

impl IdentityHeaders {
    /// The headers for this token. Each has a value, so that none that a client sent under the same
    /// name survives.
    ///
    /// # Errors
    /// When a value cannot be written, which is a defect.
    pub(super) fn of(
        &self,
        token: &ApiToken,
        service: &Service,
    ) -> Result<impl Iterator<Item = (HeaderName, HeaderValue)>, InvalidHeaderValue> {
        let known = self.0.get(&token.id).filter(|written| written.is_of(token));
        let written = match known {
            Some(written) => written,
            None => {
                let written = Arc::new(Written::of(token, service)?);
                self.0.insert(token.id, Arc::clone(&written));
                written
            }
        };
        Ok(HEADERS.into_iter().zip(written.values.clone()))
    }
}

impl Written {
    fn of(token: &ApiToken, service: &Service) -> Result<Self, InvalidHeaderValue> {
        let mut values = [const { HeaderValue::from_static("") }; NAMES.len()];
        for (value, text) in values.iter_mut().zip(service.identity(token).values()) {
            *value = text.try_into()?;
        }
        let ApiToken { user_id, name, permissions, labels, .. } = token;
        let (name, permissions, labels) = (name.clone(), permissions.clone(), labels.clone());
        Ok(Self { user_id: *user_id, name, permissions, labels, values })
    }

    fn is_of(&self, token: &ApiToken) -> bool {
        self.user_id == token.user_id
            && self.name == token.name
            && self.permissions == token.permissions
            && self.labels == token.labels
    }
}
