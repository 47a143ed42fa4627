-- The bundled backend as an OpenID Connect issuer.

-- Codes that a browser has brought back to an app and that wait to be exchanged. A used one stays
-- until it expires: a second use ends the session that the first has begun (RFC 6749, 4.1.2).
CREATE TABLE authorization_codes (
    hash           BLOB PRIMARY KEY,
    account        TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    client         TEXT NOT NULL,
    redirect_uri   TEXT NOT NULL,
    code_challenge TEXT NOT NULL,
    scope          TEXT NOT NULL,
    nonce          TEXT,
    signed_in_at   INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    -- The session that it has been exchanged for.
    session        TEXT REFERENCES sessions (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Devices that ask for a sign-in which a browser elsewhere approves (RFC 8628).
CREATE TABLE device_codes (
    hash       BLOB PRIMARY KEY,
    user_code  TEXT NOT NULL UNIQUE,
    client     TEXT NOT NULL,
    scope      TEXT NOT NULL,
    interval_s INTEGER NOT NULL,
    asked_at   INTEGER,
    expires_at INTEGER NOT NULL,
    -- Absent while nobody has decided.
    approved   INTEGER,
    account    TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    signed_in_at INTEGER
) STRICT, WITHOUT ROWID;

-- What a session that began here was granted. Refresh tokens of other sessions are not taken here.
CREATE TABLE issued_sessions (
    session      TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    client       TEXT NOT NULL,
    scope        TEXT NOT NULL,
    nonce        TEXT,
    signed_in_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
