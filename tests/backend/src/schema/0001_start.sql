-- Times are milliseconds since the epoch. Secrets are here only as hashes,
-- except the file's own key and the TOTP secrets, which must be read to be used.

CREATE TABLE keys (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE accounts (
    id             TEXT PRIMARY KEY,
    email          TEXT NOT NULL UNIQUE,
    name           TEXT NOT NULL,
    password_hash  TEXT NOT NULL,
    email_verified INTEGER NOT NULL,
    image          TEXT,
    roles          TEXT NOT NULL,               -- JSON array
    second_factor  TEXT NOT NULL CHECK (second_factor IN ('none', 'mail', 'totp')),
    totp_secret    BLOB,
    totp_last_step INTEGER,                     -- a code works once
    blocked        INTEGER NOT NULL DEFAULT 0,
    locale         TEXT NOT NULL,
    created_at     INTEGER NOT NULL
) STRICT;

-- By e-mail and not by account: unknown addresses lock like known ones.
CREATE TABLE failed_tries (
    email        TEXT PRIMARY KEY,
    tries        INTEGER NOT NULL,
    last_at      INTEGER NOT NULL,
    locked_until INTEGER
) STRICT;

-- One sign-in, and the family of refresh tokens that descends from it.
CREATE TABLE sessions (
    id           TEXT PRIMARY KEY,
    account      TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    device_id    TEXT,
    device       TEXT NOT NULL,                 -- JSON
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    ended        TEXT CHECK (ended IN ('signed_out', 'revoked', 'reuse', 'expired'))
) STRICT;
CREATE INDEX sessions_by_account ON sessions (account);

CREATE TABLE refresh_tokens (
    hash       BLOB PRIMARY KEY,
    session    TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    -- The successor is a keyed hash of the parent and this nonce. Only a client that
    -- has the parent can therefore be given the same successor again.
    nonce      BLOB,
    successor  BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

-- At most one per account: a new sign-in replaces the code of the last.
CREATE TABLE challenges (
    account    TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    id         TEXT NOT NULL,
    code_seal  BLOB,                            -- absent for TOTP
    tries      INTEGER NOT NULL DEFAULT 0,
    sent_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE purchases (
    id           TEXT PRIMARY KEY,
    account      TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    plan         TEXT NOT NULL,
    purchased_at INTEGER NOT NULL,
    UNIQUE (account, plan)
) STRICT;
