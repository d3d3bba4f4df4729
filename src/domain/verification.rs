//! The decision on a token that was shown to another service: may it be used now, from this
//! address, for all that is asked of it? The judge answers the first two; this adds the last.

use std::fmt;
use std::net::IpAddr;

use super::catalogue::Catalogue;
use super::id::ApiTokenId;
use super::permission::{PermissionCode, PermissionSet};
use super::policy::PolicyRule;
use super::verdict::{InvalidTokenReason, TokenRefusal, Usable, Verdict};

/// What a service asks of a token.
#[derive(Debug, Clone)]
pub struct Demand {
    /// All of these the token must have. A demand with a fault is met by no token.
    permissions: Result<PermissionSet, DemandFault>,
    /// The end client's address; `None`: it is not known.
    client: Option<IpAddr>,
}

/// What is wrong with a demand. It is the fault of the service that asks, not of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DemandFault {
    /// Nothing is asked for, where something must be.
    #[error("no permission is asked for")]
    NoPermission,
    /// The catalogue lacks a permission: its code, if the text has the form of one.
    #[error("the catalogue lacks a permission that is asked for")]
    UnknownPermission(Option<PermissionCode>),
    /// The demand cannot be read.
    #[error("what is asked for cannot be read")]
    Unreadable,
}

impl DemandFault {
    /// The permission that the catalogue lacks, if the text has the form of a code.
    pub const fn permission(&self) -> Option<&PermissionCode> {
        match self {
            Self::UnknownPermission(code) => code.as_ref(),
            Self::NoPermission | Self::Unreadable => None,
        }
    }
}

/// Whether a token may be used for what is asked.
#[derive(Debug, Clone)]
pub enum Decision {
    /// It may.
    Allowed(Usable),
    /// It may not.
    Denied(Denial),
}

/// Why a token may not be used for what is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The judge refuses the token, whatever it is used for.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    /// The token is good, but what is asked for cannot be answered.
    #[error("{fault}")]
    Demand {
        /// The token.
        token: ApiTokenId,
        /// What is wrong.
        fault: DemandFault,
    },
    /// The token is good, but lacks a permission that is asked for.
    #[error("the token lacks a permission that is asked for")]
    PermissionMissing {
        /// The token.
        token: ApiTokenId,
    },
}

/// Why a token may not be used, for programs, as far as a caller who may read tokens learns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DenialReason {
    /// One reason for malformed, unknown, wrong and deleted.
    InvalidToken,
    /// The same, or ended, where too many secrets were not valid.
    TooManyFailures,
    /// Its expiry has come.
    Expired,
    /// It or its user is disabled.
    Disabled,
    /// A rule of the policy refuses it.
    Policy(PolicyRule),
    /// The client's address is not among the allowed ones.
    AddressNotAllowed,
    /// It may be used from some addresses only, and the client's is not known.
    AddressUnknown,
    /// It lacks a permission that is asked for.
    PermissionMissing,
    /// What is asked for cannot be answered.
    InvalidDemand,
}

impl DenialReason {
    /// The word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidToken => "invalid_token",
            Self::TooManyFailures => "too_many_failures",
            Self::Expired => "expired",
            Self::Disabled => "disabled",
            Self::Policy(rule) => rule.as_str(),
            Self::AddressNotAllowed => "address_not_allowed",
            Self::AddressUnknown => "address_unknown",
            Self::PermissionMissing => "permission_missing",
            Self::InvalidDemand => "invalid_demand",
        }
    }
}

impl fmt::Display for DenialReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Demand {
    /// Asks for all of these permissions, for a client with this address.
    pub fn new<'a>(
        catalogue: &Catalogue,
        codes: impl IntoIterator<Item = &'a str>,
        client: Option<IpAddr>,
    ) -> Self {
        let known = |code: &str| match catalogue.by_code(code) {
            Some(entry) => Ok(entry.code.clone()),
            None => Err(DemandFault::UnknownPermission(PermissionCode::parse(code).ok())),
        };
        Self { permissions: codes.into_iter().map(known).collect(), client }
    }

    /// A demand that cannot be read. No token meets it.
    pub const fn unreadable(client: Option<IpAddr>) -> Self {
        Self { permissions: Err(DemandFault::Unreadable), client }
    }

    /// The same demand, which is at fault if it asks for no permission.
    #[must_use]
    pub fn for_something(self) -> Self {
        let something = |permissions: PermissionSet| {
            if permissions.is_empty() { Err(DemandFault::NoPermission) } else { Ok(permissions) }
        };
        Self { permissions: self.permissions.and_then(something), ..self }
    }

    /// The permissions.
    ///
    /// # Errors
    /// When the demand has a fault.
    pub const fn permissions(&self) -> Result<&PermissionSet, &DemandFault> {
        self.permissions.as_ref()
    }

    /// The end client's address; `None`: it is not known.
    pub const fn client(&self) -> Option<IpAddr> {
        self.client
    }
}

impl Verdict {
    /// The decision that follows from this verdict: a token that may be used must also have every
    /// permission that is asked for. The demand comes last, so that what the catalogue has is
    /// shown to holders of a token only.
    pub fn decide(self, demand: &Demand) -> Decision {
        let usable = match self {
            Self::Valid(usable) => usable,
            Self::Refused(refusal) => return Decision::Denied(refusal.into()),
        };
        let id = usable.token.id;
        match demand.permissions() {
            Err(fault) => Decision::Denied(Denial::Demand { token: id, fault: fault.clone() }),
            Ok(asked) if asked.is_subset(&usable.token.permissions) => Decision::Allowed(usable),
            Ok(_) => Decision::Denied(Denial::PermissionMissing { token: id }),
        }
    }
}

impl Denial {
    /// The reason for programs.
    pub const fn reason(&self) -> DenialReason {
        match self {
            Self::Token(TokenRefusal::Invalid { reason, .. }) => match reason {
                InvalidTokenReason::Expired => DenialReason::Expired,
                InvalidTokenReason::Disabled => DenialReason::Disabled,
                InvalidTokenReason::Policy(rule) => DenialReason::Policy(*rule),
                InvalidTokenReason::Malformed(_)
                | InvalidTokenReason::Unknown
                | InvalidTokenReason::WrongSecret
                | InvalidTokenReason::Deleted
                | InvalidTokenReason::EndedUnproven => DenialReason::InvalidToken,
            },
            Self::Token(TokenRefusal::TooManyFailures { .. }) => DenialReason::TooManyFailures,
            Self::Token(TokenRefusal::AddressNotAllowed { is_known: true, .. }) => {
                DenialReason::AddressNotAllowed
            }
            Self::Token(TokenRefusal::AddressNotAllowed { is_known: false, .. }) => {
                DenialReason::AddressUnknown
            }
            Self::PermissionMissing { .. } => DenialReason::PermissionMissing,
            Self::Demand { .. } => DenialReason::InvalidDemand,
        }
    }

    /// The token that the secret names, if it names one.
    pub const fn token_id(&self) -> Option<ApiTokenId> {
        match self {
            Self::Token(refusal) => refusal.token_id(),
            Self::Demand { token, .. } | Self::PermissionMissing { token } => Some(*token),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::TimeDelta;

    use super::*;
    use crate::domain::address::IpNetwork;
    use crate::domain::api_token::{ApiToken, Credential};
    use crate::domain::clock::Instant;
    use crate::domain::id::UserId;
    use crate::domain::label::Labels;
    use crate::domain::permission::required::{API_TOKENS_READ, API_TOKENS_WRITE, USERS_READ};
    use crate::domain::policy::Policy;
    use crate::domain::secret::{SecretHash, StoredSecret};
    use crate::domain::user::{User, UserInfo};

    fn token(credential: &mut Credential) -> &mut ApiToken {
        Arc::get_mut(&mut credential.token).unwrap()
    }

    fn credential(change: impl FnOnce(&mut Credential)) -> Credential {
        let number = uuid::Uuid::from_u128(1);
        let (user_id, start) = (UserId::from_uuid(number), Instant::UNIX_EPOCH);
        let codes = [API_TOKENS_READ, USERS_READ];
        let mut credential = Credential {
            token: Arc::new(ApiToken {
                id: ApiTokenId::from_uuid(number),
                version: 1,
                creation_date: start,
                last_modified_date: start,
                created: UserInfo::system(),
                last_modified: UserInfo::system(),
                user_id,
                name: "own".to_owned(),
                description: String::new(),
                labels: Labels::default(),
                expiry: start + TimeDelta::seconds(10),
                allowed_addresses: ["192.0.2.0/24", "2001:db8::/64"]
                    .iter()
                    .map(|text| IpNetwork::parse(text).unwrap())
                    .collect(),
                permissions: codes.iter().map(|code| PermissionCode::stored(code)).collect(),
                enabled: true,
                renewed_from: None,
                last_use: None,
                enabled_date: None,
            }),
            user: User {
                id: user_id,
                version: 1,
                creation_date: start,
                last_modified_date: start,
                name: "own".to_owned(),
                service_account: true,
                enabled: true,
            },
            secret: StoredSecret { hash: SecretHash::new(String::new()), tag: None },
            deleted: false,
            policy: Policy::default(),
        };
        change(&mut credential);
        credential
    }

    fn decided(credential: Credential, codes: &[&str], client: &str, after: i64) -> &'static str {
        let catalogue = Catalogue::built_in().unwrap();
        let demand = Demand::new(&catalogue, codes.iter().copied(), client.parse().ok());
        let now = Instant::UNIX_EPOCH + TimeDelta::seconds(after);
        match credential.judge(now, demand.client(), || None).decide(&demand) {
            Decision::Allowed(_) => "allowed",
            Decision::Denied(denial) => denial.reason().as_str(),
        }
    }

    /// A token with two permissions, for two networks and ten seconds, that was changed.
    #[test]
    fn the_decision_is_what_the_table_says() {
        type Change = fn(&mut Credential);
        let as_is: Change = |_| {};
        let anywhere: Change =
            |credential| token(credential).allowed_addresses = Default::default();
        let powerless: Change = |credential| token(credential).permissions = Default::default();
        let disabled: Change = |credential| token(credential).enabled = false;
        let orphaned: Change = |credential| credential.user.enabled = false;
        let deleted: Change = |credential| credential.deleted = true;
        const BOTH: &[&str] = &[API_TOKENS_READ, USERS_READ];
        const MORE: &[&str] = &[API_TOKENS_READ, API_TOKENS_WRITE];
        let table: [(Change, &[&str], &str, i64, &str); 26] = [
            (as_is, &[], "192.0.2.1", 0, "allowed"),
            (as_is, &[USERS_READ], "192.0.2.1", 9, "allowed"),
            (as_is, BOTH, "192.0.2.1", 0, "allowed"),
            (as_is, BOTH, "2001:db8::1", 0, "allowed"),
            (as_is, BOTH, "::ffff:192.0.2.1", 0, "allowed"),
            (as_is, MORE, "192.0.2.1", 0, "permission_missing"),
            (as_is, &[API_TOKENS_WRITE], "192.0.2.1", 0, "permission_missing"),
            (as_is, BOTH, "192.0.3.1", 0, "address_not_allowed"),
            (as_is, BOTH, "2001:db8:0:1::1", 0, "address_not_allowed"),
            (as_is, BOTH, "", 0, "address_unknown"),
            (as_is, &[], "", 0, "address_unknown"),
            (as_is, BOTH, "192.0.2.1", 10, "expired"),
            (as_is, BOTH, "192.0.3.1", 10, "expired"),
            (as_is, MORE, "192.0.3.1", 0, "address_not_allowed"),
            (as_is, &["api.orders.reed"], "192.0.2.1", 0, "invalid_demand"),
            (as_is, &["api.orders.reed"], "192.0.3.1", 0, "address_not_allowed"),
            (as_is, &["", USERS_READ], "192.0.2.1", 0, "invalid_demand"),
            (as_is, &["API_USERS_READ"], "192.0.2.1", 0, "invalid_demand"),
            (anywhere, BOTH, "", 0, "allowed"),
            (anywhere, BOTH, "203.0.113.1", 0, "allowed"),
            (anywhere, MORE, "", 0, "permission_missing"),
            (powerless, &[], "192.0.2.1", 0, "allowed"),
            (powerless, &[USERS_READ], "192.0.2.1", 0, "permission_missing"),
            (disabled, &[], "192.0.2.1", 0, "disabled"),
            (orphaned, &[], "192.0.2.1", 0, "disabled"),
            (deleted, &[], "192.0.2.1", 0, "invalid_token"),
        ];
        for (change, codes, client, after, expected) in table {
            let told = decided(credential(change), codes, client, after);
            assert_eq!(told, expected, "{codes:?} from {client:?} after {after} s");
        }
        let ended: Change = |credential| {
            token(credential).enabled = false;
            credential.deleted = true;
        };
        assert_eq!(decided(credential(ended), &[], "", 10), "invalid_token");
    }

    #[test]
    fn a_demand_for_something_is_no_demand_for_nothing() {
        let catalogue = Catalogue::built_in().unwrap();
        let demand =
            |codes: &[&str]| Demand::new(&catalogue, codes.iter().copied(), None).for_something();
        assert_eq!(demand(&[]).permissions(), Err(&DemandFault::NoPermission));
        assert!(demand(&[USERS_READ, USERS_READ]).permissions().is_ok());
        let code = PermissionCode::parse("api.orders.reed").unwrap();
        let unknown = |code| Err(DemandFault::UnknownPermission(code));
        assert_eq!(demand(&["api.orders.reed"]).permissions, unknown(Some(code)));
        assert_eq!(demand(&[""]).permissions, unknown(None));
        assert!(Demand::unreadable(None).for_something().permissions().is_err());
    }
}
