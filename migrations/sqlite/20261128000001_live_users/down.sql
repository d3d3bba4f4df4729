DROP INDEX users_enabled;
