//! The tables, once for both backends.

use diesel::{allow_tables_to_appear_in_same_query, joinable, table};

table! {
    use diesel::sql_types::{Bool, Integer, Text};
    use crate::db::types::{Id, Moment};

    users (id) {
        id -> Id,
        version -> Integer,
        creation_date -> Moment,
        last_modified_date -> Moment,
        name -> Text,
        service_account -> Bool,
        enabled -> Bool,
        name_key -> Text,
    }
}

table! {
    use diesel::sql_types::{Binary, Bool, Integer, Nullable, Text};
    use crate::db::types::{Id, Moment, NetworkList, TextList};

    api_tokens (id) {
        id -> Id,
        version -> Integer,
        creation_date -> Moment,
        last_modified_date -> Moment,
        created_user_id -> Id,
        created_user_name -> Text,
        last_modified_user_id -> Id,
        last_modified_user_name -> Text,
        user_id -> Id,
        name -> Text,
        name_key -> Text,
        secret_hash -> Text,
        expiry -> Moment,
        allowed_addresses -> NetworkList,
        permissions -> TextList,
        enabled -> Bool,
        deleted_date -> Nullable<Moment>,
        renewed_from_id -> Nullable<Id>,
        last_used_date -> Moment,
        last_used_address -> Nullable<Text>,
        secret_tag -> Nullable<Binary>,
        disabled_user_id -> Nullable<Id>,
        disabled_api_token_id -> Nullable<Id>,
        description -> Text,
        labels -> Text,
        enabled_date -> Moment,
    }
}

table! {
    use diesel::sql_types::Text;
    use crate::db::types::{Id, Moment};

    api_token_labels (api_token_id, key) {
        api_token_id -> Id,
        key -> Text,
        value -> Text,
        creation_date -> Moment,
    }
}

table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::db::types::{Id, Moment};

    audit_events (id) {
        id -> Id,
        date -> Moment,
        action -> Text,
        actor_user_id -> Id,
        actor_user_name -> Text,
        actor_api_token_id -> Nullable<Id>,
        client_address -> Nullable<Text>,
        request_id -> Nullable<Text>,
        target_id -> Id,
        changes -> Text,
    }
}

table! {
    use diesel::sql_types::Integer;
    use crate::db::types::Moment;

    audit_tail (id) {
        id -> Integer,
        date -> Moment,
        clock -> Moment,
    }
}

table! {
    use diesel::sql_types::{Integer, Nullable};
    use crate::db::types::{Id, Moment};

    audit_log (id) {
        id -> Integer,
        date -> Nullable<Moment>,
        event_id -> Id,
        holder -> Id,
        held_until -> Moment,
    }
}

table! {
    use diesel::sql_types::Text;

    permissions (code) {
        code -> Text,
    }
}

table! {
    name_keys (version) {
        version -> Integer,
    }
}

table! {
    use diesel::sql_types::Binary;
    use crate::db::types::{Id, Moment};

    idempotency_keys (key_hash) {
        key_hash -> Binary,
        input_hash -> Binary,
        api_token_id -> Id,
        date -> Moment,
    }
}

table! {
    use diesel::sql_types::{Integer, Nullable, Text};
    use crate::db::types::{Id, Moment};

    policy (id) {
        id -> Integer,
        version -> Integer,
        last_modified_date -> Moment,
        last_modified_user_id -> Id,
        last_modified_user_name -> Text,
        max_lifetime_seconds -> Nullable<Integer>,
        max_lifetime_since -> Nullable<Moment>,
        addresses_since -> Nullable<Moment>,
        idle_seconds -> Nullable<Integer>,
        idle_since -> Nullable<Moment>,
    }
}

table! {
    use diesel::sql_types::Integer;
    use crate::db::types::{Id, Moment};

    expiry_notices (api_token_id, expiry, seconds) {
        api_token_id -> Id,
        expiry -> Moment,
        seconds -> Integer,
    }
}

table! {
    use diesel::sql_types::{Integer, Nullable};
    use crate::db::types::Moment;

    expiry_looks (seconds) {
        seconds -> Integer,
        looked_until -> Moment,
        events_until -> Moment,
        max_lifetime_seconds -> Nullable<Integer>,
        max_lifetime_since -> Nullable<Moment>,
    }
}

joinable!(api_tokens -> users (user_id));
joinable!(api_token_labels -> api_tokens (api_token_id));
allow_tables_to_appear_in_same_query!(api_tokens, api_token_labels, policy, users);
