//! Checking, at the start, that the catalogue knows every permission that tokens hold.
//!
//! Tokens hold only permissions of a catalogue that was in use, and every catalogue is recorded
//! before it is used. So the tokens themselves are read only where a recorded permission is
//! missing.

use std::collections::BTreeMap;
use std::fmt;

use crate::db::DbError;
use crate::service::Service;

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
    /// Records the catalogue, and compares the stored tokens with it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unknown_permissions(&self) -> Result<Option<UnknownPermissions>, DbError> {
        let recorded = self.repository.recorded_permissions().await?;
        let codes = self.catalogue.entries().iter().map(|entry| &entry.code);
        let new: Vec<_> = codes.filter(|code| !recorded.contains(code.as_str())).collect();
        if !new.is_empty()
            && let Err(error) = self.repository.record_permissions(&new).await
        {
            // With stricter isolation than usual, one of several instances that start at once has
            // done it.
            let recorded = self.repository.recorded_permissions().await?;
            if new.iter().any(|code| !recorded.contains(code.as_str())) {
                return Err(error);
            }
        }
        if self.catalogue.unknown(&recorded).next().is_none() {
            return Ok(None);
        }
        let mut unknown = BTreeMap::new();
        for (set, count) in self.repository.permission_sets().await? {
            for code in self.catalogue.unknown(&set) {
                *unknown.entry(code.to_string()).or_default() += count;
            }
        }
        Ok(Some(UnknownPermissions(unknown)).filter(|unknown| !unknown.0.is_empty()))
    }
}
