DROP INDEX audit_events_action;
DROP INDEX users_disabled;
DROP INDEX users_no_service_account;
DROP INDEX api_tokens_hash_cost;
DROP TABLE permissions;
