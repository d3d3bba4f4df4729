//! Versions of rows.

/// The next version of a row. The largest version stays as it is: a change that takes power away,
/// or that renames a user with its token, must not fail because versions have run out.
macro_rules! next_version {
    ($version:expr) => {
        diesel::dsl::case_when($version.lt(i32::MAX), $version + 1).otherwise($version)
    };
}

pub(super) use next_version;
