-- The recovery codes of an account are made from the file's key, so only the numbers of those that were
-- used are stored.
CREATE TABLE used_recovery_codes (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    number  INTEGER NOT NULL,
    PRIMARY KEY (account, number)
) STRICT;
