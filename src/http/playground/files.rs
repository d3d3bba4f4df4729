//! The files of the playground, as `web/dist` has them: compressed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{LazyLock, OnceLock};

use actix_web::web::Bytes;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::read::GzDecoder;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::coding::Coding;

#[derive(RustEmbed)]
#[folder = "web/dist/playground/"]
struct Embedded;

/// By the names that they have on the way.
static FILES: LazyLock<BTreeMap<String, File>> = LazyLock::new(|| {
    let named = |name: &str| {
        let name = name.strip_suffix(".br")?;
        let file = File {
            brotli: Embedded::get(&format!("{name}.br"))?,
            gzip: Embedded::get(&format!("{name}.gz"))?,
            plain: OnceLock::new(),
        };
        Some((name.to_owned(), file))
    };
    Embedded::iter().filter_map(|name| named(&name)).collect()
});

/// One file.
pub(super) struct File {
    brotli: EmbeddedFile,
    gzip: EmbeddedFile,
    /// Few clients want it: made when the first one does, and kept, so that asking for it again
    /// costs neither time nor memory.
    plain: OnceLock<Bytes>,
}

/// The file of this name.
pub(super) fn file(name: &str) -> Option<&'static File> {
    FILES.get(name)
}

impl File {
    /// What this form of the file and no other is called.
    pub(super) fn tag(&self, coding: Coding) -> String {
        let hash = |file: &EmbeddedFile| URL_SAFE_NO_PAD.encode(file.metadata.sha256_hash());
        match coding {
            Coding::Brotli => hash(&self.brotli),
            Coding::Gzip => hash(&self.gzip),
            Coding::Identity => format!("{}-identity", hash(&self.gzip)),
        }
    }

    /// The bytes of this form.
    ///
    /// # Errors
    /// When the embedded file cannot be decompressed.
    pub(super) fn content(&self, coding: Coding) -> std::io::Result<Bytes> {
        match coding {
            Coding::Brotli => Ok(bytes(&self.brotli)),
            Coding::Gzip => Ok(bytes(&self.gzip)),
            Coding::Identity => self.plain(),
        }
    }

    fn plain(&self) -> std::io::Result<Bytes> {
        if let Some(known) = self.plain.get() {
            return Ok(known.clone());
        }
        let mut content = Vec::new();
        GzDecoder::new(&*self.gzip.data).read_to_end(&mut content)?;
        content.shrink_to_fit();
        Ok(self.plain.get_or_init(|| content.into()).clone())
    }
}

fn bytes(file: &EmbeddedFile) -> Bytes {
    match &file.data {
        Cow::Borrowed(embedded) => Bytes::from_static(embedded),
        Cow::Owned(read) => Bytes::copy_from_slice(read),
    }
}
