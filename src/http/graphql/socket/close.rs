//! Why a socket is closed. The codes are those of the protocol, and of RFC 6455 section 7.4.1.

use actix_http::ws::{CloseCode, CloseReason};

use crate::domain::verdict::TokenRefusal;
use crate::service::Ending;

/// Why a socket is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// The client has closed it.
    ByClient,
    /// There is no connection any longer.
    Lost,
    /// The client does not take what is sent, or says nothing.
    Silent,
    /// The server ends.
    GoingAway,
    /// The frames are not those of RFC 6455.
    Protocol,
    /// A text is not UTF-8.
    NotText,
    /// A message is larger than any may be.
    TooLarge,
    /// The handler has ended.
    Defect,
    /// There are too many sockets, or there is no answer now; there may be in a moment.
    TryAgainLater,
    /// A message is none of the protocol.
    BadMessage,
    /// There is no token that may be used, or not any longer. Clients do not try again after this
    /// code, as they do after 4403.
    Unauthorized,
    /// `connection_init` did not come in time.
    InitTooLate,
    /// The id of a subscription that has not ended is used again.
    IdInUse,
    /// A second `connection_init`.
    InitTwice,
}

impl Close {
    const fn code(self) -> u16 {
        match self {
            Self::ByClient | Self::Lost | Self::Silent => 1000,
            Self::GoingAway => 1001,
            Self::Protocol => 1002,
            Self::NotText => 1007,
            Self::TooLarge => 1009,
            Self::Defect => 1011,
            Self::TryAgainLater => 1013,
            Self::BadMessage => 4400,
            Self::Unauthorized => 4401,
            Self::InitTooLate => 4408,
            Self::IdInUse => 4409,
            Self::InitTwice => 4429,
        }
    }

    /// For the client, and for the log.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::ByClient => "Closed",
            Self::Lost => "Connection lost",
            Self::Silent => "Nothing read",
            Self::GoingAway => "Going away",
            Self::Protocol => "Invalid frame",
            Self::NotText => "Invalid UTF-8",
            Self::TooLarge => "Message too large",
            Self::Defect => "Internal error",
            Self::TryAgainLater => "Try again later",
            Self::BadMessage => "Invalid message",
            Self::Unauthorized => "Unauthorized",
            Self::InitTooLate => "Connection initialisation timeout",
            Self::IdInUse => "Subscriber already exists",
            Self::InitTwice => "Too many initialisation requests",
        }
    }

    /// The Close frame; `None` where nobody would read it.
    pub(super) fn frame(self) -> Option<CloseReason> {
        let description = Some(self.reason().to_owned());
        let frame = CloseReason { code: CloseCode::from(self.code()), description };
        (!matches!(self, Self::Lost | Self::Silent)).then_some(frame)
    }
}

impl From<Ending> for Close {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Refused(refusal) => refusal.into(),
            Ending::Unavailable => Self::TryAgainLater,
        }
    }
}

impl From<TokenRefusal> for Close {
    fn from(_: TokenRefusal) -> Self {
        Self::Unauthorized
    }
}
