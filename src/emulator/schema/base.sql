-- What every emulator needs, whatever it serves.
CREATE TABLE sequence (name TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
-- The emulator's own time: its milliseconds since the Unix epoch, the real ones of that moment, and how fast it passes.
CREATE TABLE clock (
    id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL, real INTEGER NOT NULL, scale REAL NOT NULL
) STRICT;
-- Jobs that will move: to which state, since when they are in the present one, how long it lasts by the clock, whether
-- only the clock moves them, how often a response has shown it, and when it ends if that is known.
CREATE TABLE lifecycle (
    kind TEXT NOT NULL, project_id TEXT NOT NULL, id TEXT NOT NULL, next INTEGER NOT NULL,
    since INTEGER NOT NULL, after INTEGER NOT NULL, timed INTEGER NOT NULL, reads INTEGER NOT NULL, due INTEGER,
    PRIMARY KEY (kind, project_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX lifecycle_due ON lifecycle (due, kind, project_id, id) WHERE due IS NOT NULL;
-- How many objects of a kind a project has, by state and, where lists show a part of them, by that part. Triggers keep it.
CREATE TABLE tally (
    project_id TEXT NOT NULL, kind TEXT NOT NULL, part TEXT NOT NULL, status INTEGER NOT NULL, amount INTEGER NOT NULL,
    PRIMARY KEY (project_id, kind, part, status)
) STRICT, WITHOUT ROWID;
