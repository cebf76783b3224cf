-- What the state began with, and begins anew with: JSON of `documented`, `empty` or a snapshot.
CREATE TABLE origin (id INTEGER PRIMARY KEY CHECK (id = 1), value TEXT NOT NULL) STRICT;
-- Before there was this table, a state that had begun was taken for a documented one.
INSERT INTO origin SELECT 1, '"documented"' WHERE EXISTS (SELECT 1 FROM sequence WHERE name = 'seed');
