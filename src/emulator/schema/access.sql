-- Tokens that were given. Of each only the SHA-256 is kept; without a project it is for the account, or for nothing.
CREATE TABLE token (
    hash BLOB PRIMARY KEY, user_id TEXT NOT NULL, project_id TEXT, is_for_account INTEGER NOT NULL,
    issued INTEGER NOT NULL, expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
