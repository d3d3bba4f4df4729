//! The name of a renewal that is given none: that of the old token, with the date.

use chrono::NaiveDate;

use super::api_token::ApiToken;
use super::clock::Instant;
use super::fault::InputFault;
use super::name::{ApiTokenName, MAX_LENGTH};

/// Characters of a space and a date such as `2027-01-31`.
const DATED: usize = 11;

/// The old name with today's date (UTC) in place of the one that an earlier renewal appended, and
/// shortened where that would be too long.
///
/// # Errors
/// When the old name is none that a token may have.
pub fn renewed_name(old: &ApiToken, now: Instant) -> Result<ApiTokenName, InputFault> {
    let dated = if old.renewed_from.is_some() { undated(&old.name) } else { None };
    let stem: String = dated.unwrap_or(&old.name).chars().take(MAX_LENGTH - DATED).collect();
    ApiTokenName::parse(&format!("{} {}", stem.trim_end(), now.format("%Y-%m-%d")))
}

/// The part of a name before the date at its end, if there is a date and anything before it.
fn undated(name: &str) -> Option<&str> {
    let (stem, date) = name.rsplit_once(' ')?;
    let read: NaiveDate = date.parse().ok()?;
    Some(stem).filter(|stem| read.to_string() == date && !stem.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::address::AllowedAddresses;
    use super::super::id::{ApiTokenId, UserId};
    use super::super::label::Labels;
    use super::super::permission::PermissionSet;
    use super::super::user::UserInfo;
    use super::*;

    fn renewed(name: &str, is_renewal: bool) -> String {
        let id = ApiTokenId::from_uuid(uuid::Uuid::nil());
        let old = ApiToken {
            id,
            version: 1,
            creation_date: Instant::UNIX_EPOCH,
            last_modified_date: Instant::UNIX_EPOCH,
            created: UserInfo::system(),
            last_modified: UserInfo::system(),
            user_id: UserId::SYSTEM,
            name: name.to_owned(),
            description: String::new(),
            labels: Labels::default(),
            expiry: Instant::UNIX_EPOCH,
            allowed_addresses: AllowedAddresses::default(),
            permissions: PermissionSet::default(),
            enabled: true,
            renewed_from: is_renewal.then_some(id),
            last_use: None,
            enabled_date: None,
        };
        let now = "2027-01-31T23:59:59.999999Z".parse().unwrap();
        renewed_name(&old, now).unwrap().as_str().to_owned()
    }

    #[test]
    fn the_date_is_appended_once() {
        assert_eq!(renewed("ci", false), "ci 2027-01-31");
        assert_eq!(renewed("ci 2026-12-01", true), "ci 2027-01-31");
        assert_eq!(renewed("ci  ", false), "ci 2027-01-31");
    }

    #[test]
    fn what_no_renewal_appended_stays() {
        assert_eq!(renewed("ci 2026-12-01", false), "ci 2026-12-01 2027-01-31");
        for name in ["ci2026-12-01", "2026-12-01", "ci 2026-13-01", "ci 2026-1-1", "ci +026-12-01"]
        {
            assert_eq!(renewed(name, true), format!("{name} 2027-01-31"));
        }
    }

    #[test]
    fn a_long_name_is_shortened_by_characters() {
        let longest = "ü".repeat(MAX_LENGTH);
        let once = renewed(&longest, false);
        assert_eq!(once, format!("{} 2027-01-31", "ü".repeat(MAX_LENGTH - DATED)));
        assert_eq!(once.chars().count(), MAX_LENGTH);
        assert_eq!(renewed(&once, true), once);
        let exact = "n".repeat(MAX_LENGTH - DATED);
        assert_eq!(renewed(&exact, false), format!("{exact} 2027-01-31"));
    }
}
