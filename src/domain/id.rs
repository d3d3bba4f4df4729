//! Opaque, typed and sortable ids: a prefix and 22 base62 characters of a UUID version 7 (RFC
//! 9562).

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::base62;
use super::clock::Instant;
use super::random::{RandomError, RandomSource};

/// The text is not an id of the expected type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id that this server gives out")]
pub struct InvalidId;

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What every id of this type starts with.
            pub const PREFIX: &str = $prefix;

            /// A new id that sorts by its time.
            ///
            /// # Errors
            /// When the random source does not deliver.
            pub fn generate(now: Instant, random: &dyn RandomSource) -> Result<Self, RandomError> {
                time_ordered(now, random).map(Self)
            }

            /// The id as the database holds it.
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The id as clients see it.
            pub fn text(self) -> String {
                let mut text = String::with_capacity($prefix.len() + base62::WIDTH_128);
                text.push_str($prefix);
                text.push_str(&base62::encode(self.0.as_u128(), base62::WIDTH_128));
                text
            }

            /// The id that the database holds.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.text())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix($prefix)
                    .filter(|digits| digits.len() == base62::WIDTH_128)
                    .and_then(base62::decode)
                    .map(|number| Self(Uuid::from_u128(number)))
                    .ok_or(InvalidId)
            }
        }
    };
}

id_type!(
    /// Identifies an API token. It is part of the secret, and no secret itself.
    ApiTokenId, "tok_"
);
id_type!(
    /// Identifies a user.
    UserId, "usr_"
);
id_type!(
    /// Identifies an audit event.
    EventId, "evt_"
);

id_type!(
    /// Identifies the policy: there is only one.
    PolicyId, "pol_"
);

id_type!(
    /// Identifies a revocation of many tokens: one run of it.
    RevocationId, "rev_"
);

impl EventId {
    /// The time at which the id was made, in whole milliseconds; `None` if no server made it. An
    /// event is never dated before that.
    pub fn time(self) -> Option<Instant> {
        if self.0.get_version_num() != 7 {
            return None;
        }
        let millis = i64::try_from(self.0.as_u128() >> 80).ok()?;
        Instant::from_timestamp_millis(millis)
    }
}

impl UserId {
    /// The built-in system user, which the first migration makes.
    pub const SYSTEM: Self = Self(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000));
}

/// A new request id: sortable like the others, without a prefix.
///
/// # Errors
/// When the random source does not deliver.
pub fn request_id(now: Instant, random: &dyn RandomSource) -> Result<String, RandomError> {
    let uuid = time_ordered(now, random)?;
    Ok(base62::encode(uuid.as_u128(), base62::WIDTH_128))
}

fn time_ordered(now: Instant, random: &dyn RandomSource) -> Result<Uuid, RandomError> {
    let mut bytes = [0; 10];
    random.fill(&mut bytes)?;
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::super::clock::{Clock, SystemClock};
    use super::super::random::SystemRandom;
    use super::*;

    #[test]
    fn reads_what_it_wrote_and_nothing_else() {
        let id = ApiTokenId::generate(SystemClock.now(), &SystemRandom).unwrap();
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.parse::<UserId>(), Err(InvalidId));
        assert_eq!(text[..25].parse::<ApiTokenId>(), Err(InvalidId));
        assert_eq!(format!("{text}0").parse::<ApiTokenId>(), Err(InvalidId));
    }

    #[test]
    fn an_event_has_the_time_of_its_id_if_it_has_one() {
        let now = SystemClock.now();
        let time = EventId::generate(now, &SystemRandom).unwrap().time().unwrap();
        assert_eq!(time.timestamp_millis(), now.timestamp_millis());
        assert!(time <= now);
        assert_eq!(EventId::from_uuid(Uuid::from_u128(1)).time(), None);
        assert_eq!(EventId::from_uuid(Uuid::max()).time(), None);
    }

    #[test]
    fn sorts_by_time() {
        let now = SystemClock.now();
        let earlier = ApiTokenId::generate(now, &SystemRandom).unwrap();
        let later = now + chrono::TimeDelta::milliseconds(1);
        let later = ApiTokenId::generate(later, &SystemRandom).unwrap();
        assert!(earlier < later);
        assert!(earlier.to_string() < later.to_string());
    }
}
