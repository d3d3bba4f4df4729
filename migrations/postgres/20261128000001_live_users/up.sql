-- Users of deleted tokens stay, so that after years of rotation most users are disabled: the others are found without
-- reading past them.
CREATE INDEX users_enabled ON users (id) WHERE enabled;
