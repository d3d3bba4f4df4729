use super::*;
use crate::domain::address::{AllowedAddresses, IpNetwork};
use crate::domain::api_token::LastUse;
use crate::domain::fault::Field;
use crate::domain::id::{ApiTokenId, UserId};
use crate::domain::label::Labels;
use chrono::TimeDelta;

fn at(seconds: i64) -> Instant {
    Instant::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

/// Created after 100 s, expires after 1,000.
fn token() -> ApiToken {
    let number = uuid::Uuid::from_u128(1);
    ApiToken {
        id: ApiTokenId::from_uuid(number),
        version: 1,
        creation_date: at(100),
        last_modified_date: at(100),
        created: UserInfo::system(),
        last_modified: UserInfo::system(),
        user_id: UserId::from_uuid(number),
        name: "own".to_owned(),
        description: String::new(),
        labels: Labels::default(),
        expiry: at(1_000),
        allowed_addresses: AllowedAddresses::default(),
        permissions: Default::default(),
        enabled: true,
        renewed_from: None,
        last_use: None,
        enabled_date: None,
    }
}

fn of(seconds: i32, scope: Scope) -> Limit {
    Limit { duration: PolicyDuration::from_seconds(seconds), scope }
}

fn refusal(policy: &Policy, token: &ApiToken, now: i64, used: Option<i64>) -> Option<PolicyRule> {
    policy.refusal(token, at(now), || used.map(at))
}

#[test]
fn a_token_ends_with_the_earlier_of_expiry_and_lifetime() {
    let mut token = token();
    let new = |since| Scope::New { since: at(since) };
    for (limit, end) in [
        (of(300, Scope::Off), 1_000),
        (of(300, Scope::All), 400),
        (of(2_000, Scope::All), 1_000),
        (of(i32::MAX, Scope::All), 1_000),
        (of(300, new(100)), 400),
        (of(300, new(101)), 1_000),
    ] {
        let policy = Policy { max_lifetime: limit, ..Policy::default() };
        assert_eq!(policy.effective_expiry(&token), at(end), "{limit:?}");
        assert_eq!(policy.status(&token, at(end)), ApiTokenStatus::Expired);
        assert_eq!(policy.status(&token, at(end - 1)), ApiTokenStatus::Active);
    }
    let policy = Policy { max_lifetime: of(300, Scope::All), ..Policy::default() };
    assert_eq!(refusal(&policy, &token, 399, None), None);
    assert_eq!(refusal(&policy, &token, 400, Some(399)), Some(PolicyRule::MaxLifetime));
    token.enabled = false;
    assert_eq!(policy.status(&token, at(399)), ApiTokenStatus::Disabled);
}

#[test]
fn idle_time_counts_from_the_latest_of_all_that_is_known() {
    let policy = Policy { idle: of(50, Scope::All), ..Policy::default() };
    let mut token = token();
    assert_eq!(refusal(&policy, &token, 149, None), None, "from the creation");
    assert_eq!(refusal(&policy, &token, 150, None), Some(PolicyRule::Idle));
    assert_eq!(refusal(&policy, &token, 150, Some(101)), None, "a use that is not stored yet");
    assert_eq!(refusal(&policy, &token, 150, Some(100)), Some(PolicyRule::Idle));
    token.last_use = Some(LastUse { date: at(200), address: None });
    assert_eq!(refusal(&policy, &token, 249, None), None);
    assert_eq!(refusal(&policy, &token, 250, None), Some(PolicyRule::Idle));
    token.enabled_date = Some(at(300));
    assert_eq!(refusal(&policy, &token, 349, None), None);
    assert_eq!(refusal(&policy, &token, 350, Some(299)), Some(PolicyRule::Idle));
    // A clock that was ahead, and is not any more.
    assert_eq!(refusal(&policy, &token, 20, None), None);
}

#[test]
fn a_token_for_any_address_is_refused_where_addresses_are_required() {
    let mut token = token();
    let policy = Policy { allowed_addresses: Scope::All, ..Policy::default() };
    assert_eq!(refusal(&policy, &token, 100, None), Some(PolicyRule::AllowedAddresses));
    let new = Scope::New { since: at(101) };
    let later = Policy { allowed_addresses: new, ..Policy::default() };
    assert_eq!(refusal(&later, &token, 100, None), None);
    token.allowed_addresses = [IpNetwork::parse("192.0.2.1").unwrap()].into_iter().collect();
    assert_eq!(refusal(&policy, &token, 100, None), None);
}

#[test]
fn a_change_leaves_alone_what_it_does_not_name() {
    let change = PolicyChange {
        max_lifetime_seconds: Some(300),
        max_lifetime_scope: Some(ScopeKind::New),
        allowed_addresses_scope: Some(ScopeKind::All),
        ..PolicyChange::default()
    };
    let first = Policy::default().changed(&change, at(5)).unwrap();
    assert_eq!(first.max_lifetime, of(300, Scope::New { since: at(5) }));
    assert_eq!(first.allowed_addresses, Scope::All);
    assert_eq!(first.idle, Policy::default().idle);
    // New tokens stay those since the rule began.
    let longer = PolicyChange { max_lifetime_seconds: Some(400), ..change };
    let second = first.changed(&longer, at(9)).unwrap();
    assert_eq!(second.max_lifetime, of(400, Scope::New { since: at(5) }));
    let off = PolicyChange { max_lifetime_scope: Some(ScopeKind::Off), ..PolicyChange::default() };
    let off = second.changed(&off, at(10)).unwrap();
    assert_eq!(off.max_lifetime, of(400, Scope::Off));
    let fields: Vec<_> =
        second.differences(&off).into_iter().map(|change| change.field.into_owned()).collect();
    assert_eq!(fields, ["maxLifetimeScope"]);
    let again = PolicyChange { max_lifetime_scope: Some(ScopeKind::New), ..Default::default() };
    let again = off.changed(&again, at(11)).unwrap();
    assert_eq!(again.max_lifetime, of(400, Scope::New { since: at(11) }));
}

#[test]
fn a_change_must_be_whole() {
    let faults = |change: PolicyChange| -> Vec<(Field, &'static str)> {
        let faults = Policy::default().changed(&change, at(5)).unwrap_err();
        faults.into_iter().map(|fault| (fault.field, fault.reason)).collect()
    };
    let all = Some(ScopeKind::All);
    let both = PolicyChange {
        max_lifetime_seconds: Some(0),
        max_lifetime_scope: all,
        idle_seconds: Some(-1),
        ..PolicyChange::default()
    };
    assert_eq!(
        faults(both),
        [
            (Field::MaxLifetimeSeconds, "duration_too_short"),
            (Field::IdleSeconds, "duration_too_short")
        ]
    );
    let alone = PolicyChange { max_lifetime_seconds: Some(1), ..PolicyChange::default() };
    assert_eq!(faults(alone), [(Field::MaxLifetimeScope, "scope_missing")]);
    let timeless = PolicyChange { idle_scope: all, ..PolicyChange::default() };
    assert_eq!(faults(timeless), [(Field::IdleSeconds, "duration_missing")]);
}

#[test]
fn durations_have_one_length() {
    for (text, seconds) in [("1s", 1), ("90d", 7_776_000), ("24855d", 2_147_472_000)] {
        let read = PolicyDuration::parse(text).unwrap();
        assert_eq!(read.seconds(), seconds);
        assert_eq!(PolicyDuration::parse(&read.to_string()), Ok(read), "{read}");
    }
    for (text, hint) in [
        ("0s", "longer than 0s"),
        ("1y", "write days"),
        ("6mo", "write days"),
        ("1500ms", "whole number of seconds"),
        ("24856d", "24855d"),
        ("soon", "write it like"),
    ] {
        let error = PolicyDuration::parse(text).unwrap_err().to_string();
        assert!(error.contains(hint), "{text}: {error}");
    }
}
