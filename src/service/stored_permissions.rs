//! Checking, at the start, that the catalogue knows every permission that tokens hold.

use std::collections::BTreeMap;
use std::fmt;

use super::Service;
use crate::db::DbError;

/// Permissions that tokens hold and the catalogue lacks, with the number of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPermissions(BTreeMap<String, i64>);

impl fmt::Display for UnknownPermissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the permission catalogue lacks codes that stored tokens hold: ")?;
        for (place, (code, count)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{code} ({count})")?;
        }
        f.write_str("; keep such a code in the file and mark it `deprecated` instead")
    }
}

impl std::error::Error for UnknownPermissions {}

impl Service {
    /// Compares the stored tokens with the catalogue.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unknown_permissions(&self) -> Result<Option<UnknownPermissions>, DbError> {
        let mut unknown = BTreeMap::new();
        for (set, count) in self.repository.permission_sets().await? {
            for code in self.catalogue.unknown(&set) {
                *unknown.entry(code.to_string()).or_default() += count;
            }
        }
        Ok(Some(UnknownPermissions(unknown)).filter(|unknown| !unknown.0.is_empty()))
    }
}
