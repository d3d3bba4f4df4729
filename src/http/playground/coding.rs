//! Which content coding a client gets (RFC 9110, section 12.5.3).

use actix_web::HttpRequest;
use actix_web::http::header::{AcceptEncoding, Encoding, Header, Preference, Quality, QualityItem};

/// A form in which the files exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Gzip,
    Identity,
}

impl Coding {
    /// The smallest first: what a client likes equally is decided by that.
    const ALL: [Self; 3] = [Self::Brotli, Self::Gzip, Self::Identity];

    /// As `Content-Encoding` has it, which does not name identity.
    pub(super) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    fn encoding(self) -> Encoding {
        match self {
            Self::Brotli => Encoding::brotli(),
            Self::Gzip => Encoding::gzip(),
            Self::Identity => Encoding::identity(),
        }
    }
}

/// The coding that the client likes best; `None` if it refuses all of them. Who says nothing, or
/// nothing that can be read, gets the file as it is.
pub(super) fn coding(request: &HttpRequest) -> Option<Coding> {
    let accepted = AcceptEncoding::parse(request).map_or_else(|_| Vec::new(), |header| header.0);
    let mut best = (Quality::ZERO, None);
    for coding in Coding::ALL {
        let quality = quality(&accepted, coding);
        if quality > best.0 {
            best = (quality, Some(coding));
        }
    }
    best.1
}

/// By its own name, then by `*`. Identity that nothing is said about is accepted, after what is.
fn quality(accepted: &[QualityItem<Preference<Encoding>>], coding: Coding) -> Quality {
    let of = |preference: &Preference<Encoding>| {
        accepted.iter().find(|item| item.item == *preference).map(|item| item.quality)
    };
    let unsaid = if coding == Coding::Identity { Quality::MIN } else { Quality::ZERO };
    of(&Preference::Specific(coding.encoding())).or_else(|| of(&Preference::Any)).unwrap_or(unsaid)
}
