//! The words under which requests, proofs, the database and duties are counted.

use super::label::label;

label! {
    /// What a request was for, by its path. A path that is none of ours has no name here.
    Endpoint {
        /// `/graphql`.
        Graphql = "graphql",
        /// Forward-auth, with or without something behind it.
        Authorize = "authorize",
        /// Envoy's `ext_authz` over gRPC.
        ExtAuthz = "ext_authz",
        /// Token introspection.
        Introspect = "introspect",
        /// Token revocation.
        Revoke = "revoke",
        /// The OAuth metadata.
        Metadata = "metadata",
        /// The playground and its parts.
        Playground = "playground",
        /// `/livez` and `/readyz`.
        Probe = "probe",
        /// Any other path, and what is no request at all.
        Other = "other",
    }
}

label! {
    /// The first digit of an answer's status.
    StatusClass {
        /// Informational.
        Informational = "1xx",
        /// Success.
        Success = "2xx",
        /// Redirection.
        Redirection = "3xx",
        /// The client's fault.
        ClientError = "4xx",
        /// The server's.
        ServerError = "5xx",
    }
}

impl StatusClass {
    /// The class of a status.
    pub const fn of(status: u16) -> Self {
        match status {
            0..200 => Self::Informational,
            200..300 => Self::Success,
            300..400 => Self::Redirection,
            400..500 => Self::ClientError,
            _ => Self::ServerError,
        }
    }
}

label! {
    /// How a secret was proven.
    ProofResult {
        /// Its tag matched, or an earlier proof is remembered. bcrypt may follow.
        AtOnce = "at_once",
        /// bcrypt was waited for, and it matched.
        Waited = "waited",
        /// It did not match.
        Failed = "failed",
        /// Too many waited: no proof was made.
        Refused = "refused",
        /// bcrypt, which followed, contradicted the tag: the row was changed by somebody else.
        Contradicted = "contradicted",
    }
}

label! {
    /// What a hash was computed for, with the wait for its turn.
    Hashing {
        /// To prove a secret of a token without a tag, which is waited for.
        Prove = "prove",
        /// To store a new one.
        Store = "store",
        /// What follows a proof, and nobody waits for; without the wait for its turn.
        Later = "later",
    }
}

label! {
    /// How a handshake of TLS ended.
    Handshake {
        /// With a connection.
        Done = "done",
        /// Without: no TLS was spoken, or the client refuses the certificate.
        Failed = "failed",
    }
}

label! {
    /// What the database is used for.
    DatabaseUse {
        /// A few rows by an index: authentication and single rows.
        Point = "point",
        /// Other short reads.
        Read = "read",
        /// Lists, counts and what else may read past many rows.
        Search = "search",
        /// A transaction.
        Write = "write",
    }
}

label! {
    /// How an operation of the database failed.
    DatabaseFailure {
        /// There was no connection, or no answer.
        Unavailable = "unavailable",
        /// It is not known whether a transaction was committed.
        OutcomeUnknown = "outcome_unknown",
        /// A search took longer than any may.
        SearchTooLong = "search_too_long",
        /// Anything else, which should not be.
        Defect = "defect",
    }
}

label! {
    /// What was begun again within a request. After no other failure is the database asked again:
    /// whoever asked is told.
    Retry {
        /// Reading from PostgreSQL, after the connection was lost.
        Read = "read",
        /// Judging a secret, whose row is read again after bcrypt was waited for.
        Judge = "judge",
        /// Making a token, after another request with the same key.
        Create = "create",
        /// Renewing one, after another change of it or another request with the same key.
        Renew = "renew",
    }
}

label! {
    /// What is done beside the requests.
    Duty {
        /// Storing when tokens were last used.
        LastUses = "last_uses",
        /// Storing secrets in a new form.
        ReplaceSecrets = "replace_secrets",
        /// Storing refusals as audit events.
        Refusals = "refusals",
        /// Removing old idempotency keys.
        IdempotencyKeys = "idempotency_keys",
        /// Storing the time.
        Clock = "clock",
        /// Counting tokens.
        Census = "census",
        /// Removing old audit events.
        AuditRetention = "audit_retention",
        /// Noticing that tokens end.
        ExpiryNotices = "expiry_notices",
        /// Writing the audit log.
        AuditLog = "audit_log",
        /// Reading new events for those who follow them.
        Feed = "feed",
        /// Judging again who stays on a socket.
        LiveCallers = "live_callers",
        /// Any of them, which panicked and has stopped.
        Panicked = "panicked",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::label::{Key, Label};

    #[test]
    fn places_are_the_order_of_the_list() {
        for (place, endpoint) in Endpoint::ALL.iter().enumerate() {
            assert_eq!(endpoint.place(), place);
        }
        assert_eq!(<(Endpoint, StatusClass)>::SIZE, Endpoint::SIZE * 5);
        let last = (Endpoint::Other, StatusClass::ServerError);
        assert_eq!(last.place() + 1, <(Endpoint, StatusClass)>::SIZE);
    }

    #[test]
    fn a_status_has_the_class_of_its_first_digit() {
        for (status, class) in
            [(101, "1xx"), (200, "2xx"), (304, "3xx"), (429, "4xx"), (503, "5xx")]
        {
            assert_eq!(StatusClass::of(status).as_str(), class);
        }
    }
}
