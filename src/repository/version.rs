//! Versions of rows.

/// The version after that of a row. The largest stays as it is: what takes power away, and a user's name
/// that follows its token's, is not refused for want of a number.
macro_rules! next_version {
    ($version:expr) => {
        diesel::dsl::case_when($version.lt(i32::MAX), $version + 1).otherwise($version)
    };
}

pub(super) use next_version;
