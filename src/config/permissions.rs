//! Reading an operator's permission catalogue.

use std::path::{Path, PathBuf};

use crate::domain::catalogue::{Catalogue, CatalogueError};

/// A catalogue could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PermissionsError {
    /// The file cannot be read.
    #[error("the permission catalogue {path} cannot be read: {1}", path = .0.display())]
    Read(PathBuf, std::io::Error),
    /// The file is not a valid catalogue.
    #[error("the permission catalogue {path} cannot be used: {1}", path = .0.display())]
    Invalid(PathBuf, CatalogueError),
    /// The built-in catalogue is not valid.
    #[error("the built-in permission catalogue cannot be used: {0}")]
    BuiltIn(CatalogueError),
}

pub(super) fn catalogue(path: Option<&Path>) -> Result<Catalogue, PermissionsError> {
    let Some(path) = path else {
        return Catalogue::built_in().map_err(PermissionsError::BuiltIn);
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| PermissionsError::Read(path.to_owned(), error))?;
    Catalogue::from_toml(&text).map_err(|error| PermissionsError::Invalid(path.to_owned(), error))
}
