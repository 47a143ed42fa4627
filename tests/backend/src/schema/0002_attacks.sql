-- A code is valid only on the device whose sign-in asked for it.
ALTER TABLE challenges ADD COLUMN device_id TEXT;

-- Passwords and codes are counted apart: anybody can enter wrong passwords, but only a
-- person with the right password can enter wrong codes. Earlier counts are dropped.
DROP TABLE failed_tries;
CREATE TABLE failed_tries (
    kind         TEXT NOT NULL CHECK (kind IN ('password', 'code')),
    email        TEXT NOT NULL,
    tries        INTEGER NOT NULL,
    last_at      INTEGER NOT NULL,
    locked_until INTEGER,
    PRIMARY KEY (kind, email)
) STRICT;
CREATE INDEX failed_tries_by_age ON failed_tries (kind, last_at);

-- To find ended sessions by their newest token, which is the unused one.
DROP INDEX refresh_tokens_by_expiry;
CREATE INDEX refresh_tokens_unused ON refresh_tokens (expires_at) WHERE used_at IS NULL;
