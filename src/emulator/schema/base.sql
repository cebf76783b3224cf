-- What every emulator needs, whatever it serves.
CREATE TABLE sequence (name TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
-- The emulator's own time: its milliseconds since the Unix epoch, the real ones of that moment, and how fast it passes.
CREATE TABLE clock (
    id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL, real INTEGER NOT NULL, scale REAL NOT NULL
) STRICT;
