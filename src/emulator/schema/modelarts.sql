-- ModelArts. Ids of training and visualization jobs are numbers, those of labeling jobs texts, as in the documents.

-- Projects of training jobs by number: their jobs may be many, and have many indexes.
CREATE TABLE training_project (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT;
-- What lists sort and filter by stands in the job. What is that of its latest version, triggers copy.
CREATE TABLE training_job (
    key INTEGER PRIMARY KEY, project INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL,
    description TEXT NOT NULL, workspace_id TEXT NOT NULL, created INTEGER NOT NULL,
    latest INTEGER NOT NULL DEFAULT 0, status INTEGER NOT NULL DEFAULT 0, started INTEGER,
    duration INTEGER NOT NULL DEFAULT 0, versions INTEGER NOT NULL DEFAULT 0, last_number INTEGER NOT NULL DEFAULT 0,
    UNIQUE (project, id), UNIQUE (project, name)
) STRICT;
-- Pages of a workspace by each documented sort key, and the same within a state.
CREATE INDEX training_job_by_status ON training_job (project, workspace_id, status, id);
CREATE INDEX training_job_by_name ON training_job (project, workspace_id, name, id);
CREATE INDEX training_job_by_description ON training_job (project, workspace_id, description, id);
CREATE INDEX training_job_by_created ON training_job (project, workspace_id, created, id);
CREATE INDEX training_job_by_duration ON training_job (project, workspace_id, duration, id);
CREATE INDEX training_job_by_versions ON training_job (project, workspace_id, versions, id);
CREATE INDEX training_job_by_status_name ON training_job (project, workspace_id, status, name, id);
CREATE INDEX training_job_by_status_description ON training_job (project, workspace_id, status, description, id);
CREATE INDEX training_job_by_status_created ON training_job (project, workspace_id, status, created, id);
CREATE INDEX training_job_by_status_duration ON training_job (project, workspace_id, status, duration, id);
CREATE INDEX training_job_by_status_versions ON training_job (project, workspace_id, status, versions, id);
-- Parts of names, of three characters and more.
CREATE VIRTUAL TABLE training_job_search
    USING fts5 (name, content = 'training_job', content_rowid = 'key', tokenize = 'trigram', detail = 'none');
CREATE TABLE training_job_version (
    key INTEGER PRIMARY KEY, job INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, previous INTEGER,
    status INTEGER NOT NULL, created INTEGER NOT NULL, started INTEGER, duration INTEGER NOT NULL,
    resource_id TEXT NOT NULL, config TEXT NOT NULL,
    UNIQUE (job, id)
) STRICT;
CREATE INDEX training_job_version_running ON training_job_version (key) WHERE status = 8;
CREATE TRIGGER training_job_version_inserted AFTER INSERT ON training_job_version BEGIN
    UPDATE training_job SET versions = (SELECT count(*) FROM training_job_version WHERE job = new.job)
        WHERE key = new.job;
    UPDATE training_job SET latest = new.id, status = new.status, started = new.started, duration = new.duration
        WHERE key = new.job AND latest <= new.id;
END;
CREATE TRIGGER training_job_version_updated AFTER UPDATE OF status, started, duration ON training_job_version BEGIN
    UPDATE training_job SET status = new.status, started = new.started, duration = new.duration
        WHERE key = new.job AND latest = new.id;
END;
CREATE TRIGGER training_job_version_deleted AFTER DELETE ON training_job_version BEGIN
    UPDATE training_job SET versions = (SELECT count(*) FROM training_job_version WHERE job = old.job)
        WHERE key = old.job;
    UPDATE training_job SET (latest, status, started, duration) = (
            SELECT coalesce(max(id), 0), coalesce(status, 0), started, coalesce(duration, 0)
            FROM training_job_version WHERE job = old.job
        ) WHERE key = old.job AND latest = old.id;
END;
CREATE TRIGGER training_job_inserted AFTER INSERT ON training_job BEGIN
    INSERT INTO training_job_search (rowid, name) VALUES (new.key, new.name);
    INSERT INTO tally SELECT id, 'training_job', new.workspace_id, new.status, 1 FROM training_project
        WHERE key = new.project
        ON CONFLICT DO UPDATE SET amount = amount + 1;
END;
CREATE TRIGGER training_job_moved AFTER UPDATE OF status ON training_job WHEN old.status <> new.status BEGIN
    UPDATE tally SET amount = amount - 1 WHERE kind = 'training_job' AND part = old.workspace_id
        AND status = old.status AND project_id = (SELECT id FROM training_project WHERE key = old.project);
    INSERT INTO tally SELECT id, 'training_job', new.workspace_id, new.status, 1 FROM training_project
        WHERE key = new.project
        ON CONFLICT DO UPDATE SET amount = amount + 1;
END;
CREATE TRIGGER training_job_deleted AFTER DELETE ON training_job BEGIN
    INSERT INTO training_job_search (training_job_search, rowid, name) VALUES ('delete', old.key, old.name);
    UPDATE tally SET amount = amount - 1 WHERE kind = 'training_job' AND part = old.workspace_id
        AND status = old.status AND project_id = (SELECT id FROM training_project WHERE key = old.project);
END;

CREATE TABLE training_job_config (
    project_id TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL, created INTEGER NOT NULL,
    config TEXT NOT NULL,
    PRIMARY KEY (project_id, name)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER training_job_config_inserted AFTER INSERT ON training_job_config BEGIN
    INSERT INTO tally VALUES (new.project_id, 'training_job_config', '', 0, 1)
        ON CONFLICT DO UPDATE SET amount = amount + 1;
END;
CREATE TRIGGER training_job_config_deleted AFTER DELETE ON training_job_config BEGIN
    UPDATE tally SET amount = amount - 1 WHERE project_id = old.project_id AND kind = 'training_job_config';
END;

CREATE TABLE visualization_job (
    project_id TEXT NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL,
    train_url TEXT NOT NULL, schedule TEXT, resource_id TEXT NOT NULL, created INTEGER NOT NULL,
    status INTEGER NOT NULL, started INTEGER, duration INTEGER NOT NULL,
    PRIMARY KEY (project_id, id), UNIQUE (project_id, name)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER visualization_job_inserted AFTER INSERT ON visualization_job BEGIN
    INSERT INTO tally VALUES (new.project_id, 'visualization_job', '', new.status, 1)
        ON CONFLICT DO UPDATE SET amount = amount + 1;
END;
CREATE TRIGGER visualization_job_moved AFTER UPDATE OF status ON visualization_job WHEN old.status <> new.status BEGIN
    UPDATE tally SET amount = amount - 1
        WHERE project_id = old.project_id AND kind = 'visualization_job' AND status = old.status;
    INSERT INTO tally VALUES (new.project_id, 'visualization_job', '', new.status, 1)
        ON CONFLICT DO UPDATE SET amount = amount + 1;
END;
CREATE TRIGGER visualization_job_deleted AFTER DELETE ON visualization_job BEGIN
    UPDATE tally SET amount = amount - 1
        WHERE project_id = old.project_id AND kind = 'visualization_job' AND status = old.status;
END;

CREATE TABLE labeling_job (
    project_id TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, description TEXT,
    data_type TEXT NOT NULL, path TEXT, filter_id TEXT, type TEXT NOT NULL, created INTEGER NOT NULL,
    pass_rate REAL, validated INTEGER,
    PRIMARY KEY (project_id, id), UNIQUE (project_id, name)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER labeling_job_inserted AFTER INSERT ON labeling_job BEGIN
    INSERT INTO tally VALUES (new.project_id, 'labeling_job', '', 0, 1) ON CONFLICT DO UPDATE SET amount = amount + 1;
END;
CREATE TRIGGER labeling_job_deleted AFTER DELETE ON labeling_job BEGIN
    UPDATE tally SET amount = amount - 1 WHERE project_id = old.project_id AND kind = 'labeling_job';
END;
