-- MRS. All ids are texts.
CREATE TABLE job_binary (
    project_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, url TEXT NOT NULL, description TEXT NOT NULL,
    is_public INTEGER, is_protected INTEGER,
    PRIMARY KEY (project_id, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE job (
    project_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, description TEXT NOT NULL,
    mains TEXT NOT NULL, libs TEXT NOT NULL, interface TEXT NOT NULL, is_public INTEGER NOT NULL,
    is_protected INTEGER NOT NULL, created TEXT NOT NULL, updated TEXT NOT NULL,
    PRIMARY KEY (project_id, id)
) STRICT, WITHOUT ROWID;
