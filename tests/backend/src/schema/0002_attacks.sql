-- A code is good on the device alone that signed in for it.
ALTER TABLE challenges ADD COLUMN device_id TEXT;

-- Passwords and codes are counted apart: anybody can enter wrong passwords, only
-- who has the right one wrong codes. What was counted so far is forgotten.
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

-- For the end of sessions, whose newest token is the one that is not used.
DROP INDEX refresh_tokens_by_expiry;
CREATE INDEX refresh_tokens_unused ON refresh_tokens (expires_at) WHERE used_at IS NULL;
