//! What a request whose token was revoked after it was admitted learns of its input: that a name is
//! taken was read after the revocation.

use std::fmt::Debug;

use chrono::TimeDelta;
use serde_json::json;
use tokenwright::domain::clock::Clock;
use tokenwright::domain::principal::Origin;
use tokenwright::service::{
    CreateApiToken, CreateApiTokenError, Failure, RenewApiToken, RenewApiTokenError,
    RequestedExpiry,
};

use super::{Revocation, caller};
use crate::support::{TestApp, made, stored};

/// Requires a refusal that says nothing of the input.
fn assert_silent(failure: Option<Failure>, what: impl Debug) {
    assert!(matches!(failure, Some(Failure::CallerChanged(_))), "{what:?}: {failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_not_told_that_a_name_is_taken() {
    let app = TestApp::start().await;
    let target = made(&app, "taken", json!({})).await;
    for revocation in Revocation::ALL {
        let own = caller(&app, &format!("{revocation:?}"), revocation).await;
        let admitted = app.service.authenticate(&own.secret, None).await.unwrap();
        revocation.acknowledged(&app, &own).await;
        let before = stored(&app);
        let expiry = RequestedExpiry::at(app.clock.now() + TimeDelta::days(1));
        let wanted = CreateApiToken {
            name: "taken".to_owned(),
            expiry,
            permissions: vec!["api.organizations.read".to_owned()],
            allowed_addresses: Some(Vec::new()),
            description: String::new(),
            labels: Vec::new(),
            idempotency_key: None,
        };
        let (principal, origin) = (admitted.principal(), Origin::default());
        let refused = app.service.create_api_token(principal, &origin, wanted).await.unwrap_err();
        let failure = match refused {
            CreateApiTokenError::Failed(failure) => Some(failure),
            CreateApiTokenError::Refused(_) => None,
        };
        assert_silent(failure, revocation);
        let wanted = RenewApiToken {
            id: target.id.parse().unwrap(),
            expiry,
            name: Some("taken".to_owned()),
            overlap_seconds: None,
            idempotency_key: None,
        };
        let refused = app.service.renew_api_token(principal, &origin, wanted).await.unwrap_err();
        let failure = match refused {
            RenewApiTokenError::Failed(failure) => Some(failure),
            RenewApiTokenError::Refused(_) | RenewApiTokenError::NotFound => None,
        };
        assert_silent(failure, revocation);
        assert_eq!(stored(&app), before, "{revocation:?}");
    }
}
