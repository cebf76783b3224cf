-- ModelArts. Ids of training and visualization jobs are numbers, those of labeling jobs texts, as in the documents.
CREATE TABLE training_job (
    project_id TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
    workspace_id TEXT NOT NULL, created INTEGER NOT NULL,
    PRIMARY KEY (project_id, id), UNIQUE (project_id, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE training_job_version (
    project_id TEXT NOT NULL, job_id INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL,
    status INTEGER NOT NULL, created INTEGER NOT NULL, duration INTEGER NOT NULL, resource_id TEXT NOT NULL,
    config TEXT NOT NULL,
    PRIMARY KEY (project_id, job_id, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE visualization_job (
    project_id TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
    train_url TEXT NOT NULL, status INTEGER NOT NULL, created INTEGER NOT NULL, duration INTEGER NOT NULL,
    resource_id TEXT NOT NULL,
    PRIMARY KEY (project_id, id), UNIQUE (project_id, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE labeling_job (
    project_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, description TEXT, data_type TEXT NOT NULL,
    path TEXT, filter_id TEXT, type TEXT NOT NULL, created INTEGER NOT NULL,
    PRIMARY KEY (project_id, id), UNIQUE (project_id, name)
) STRICT, WITHOUT ROWID;
