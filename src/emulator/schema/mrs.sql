-- MRS. All ids are texts; `number` is the order of creation. Times are milliseconds since the Unix epoch. Each order in
-- which a list can be asked for has its index, so that a page costs the same wherever it is.
CREATE TABLE job_binary (
    number INTEGER PRIMARY KEY, project_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, url TEXT NOT NULL,
    description TEXT NOT NULL, is_public INTEGER NOT NULL, is_protected INTEGER, -- NULL where nobody has said
    created INTEGER NOT NULL, updated INTEGER NOT NULL, -- 0 before the first change
    UNIQUE (project_id, id)
) STRICT;
CREATE INDEX job_binary_in_order ON job_binary (project_id);
CREATE INDEX job_binary_by_name ON job_binary (project_id, name);
CREATE INDEX job_binary_by_updated ON job_binary (project_id, updated);
CREATE TABLE data_source (
    number INTEGER PRIMARY KEY, project_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, url TEXT NOT NULL,
    type TEXT NOT NULL, description TEXT NOT NULL, is_public INTEGER NOT NULL, is_protected INTEGER NOT NULL,
    created INTEGER NOT NULL, updated INTEGER NOT NULL, -- 0 before the first change
    UNIQUE (project_id, id)
) STRICT;
CREATE INDEX data_source_in_order ON data_source (project_id);
CREATE INDEX data_source_by_name ON data_source (project_id, name);
CREATE INDEX data_source_by_type ON data_source (project_id, type);
CREATE INDEX data_source_by_updated ON data_source (project_id, updated);
CREATE TABLE job (
    number INTEGER PRIMARY KEY, project_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL,
    description TEXT NOT NULL, mains TEXT NOT NULL, libs TEXT NOT NULL, interface TEXT NOT NULL,
    is_public INTEGER NOT NULL, is_protected INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
    UNIQUE (project_id, id)
) STRICT;
CREATE INDEX job_in_order ON job (project_id);
CREATE INDEX job_by_name ON job (project_id, name);
CREATE INDEX job_by_type ON job (project_id, type);
CREATE INDEX job_by_updated ON job (project_id, updated);
-- A run of a job object, or of a job that was submitted straight to a cluster: then `job_id` is empty. `details` is
-- what it was asked for with.
CREATE TABLE run (
    number INTEGER PRIMARY KEY, project_id TEXT NOT NULL, id TEXT NOT NULL, job_id TEXT NOT NULL, name TEXT NOT NULL,
    cluster_id TEXT NOT NULL, status INTEGER NOT NULL, outcome INTEGER NOT NULL, created INTEGER NOT NULL,
    updated INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER, details TEXT NOT NULL,
    UNIQUE (project_id, id)
) STRICT;
CREATE INDEX run_in_order ON run (project_id);
CREATE INDEX run_by_updated ON run (project_id, updated);
CREATE INDEX run_by_job ON run (project_id, job_id);
CREATE INDEX run_by_cluster ON run (project_id, cluster_id);
CREATE INDEX exe_in_order ON run (project_id) WHERE job_id = '';
CREATE INDEX exe_by_status ON run (project_id, status) WHERE job_id = '';
CREATE INDEX exe_by_name ON run (project_id, name) WHERE job_id = '';
CREATE INDEX exe_by_cluster ON run (project_id, cluster_id, status) WHERE job_id = '';
CREATE TRIGGER exe_created AFTER INSERT ON run WHEN new.job_id = '' BEGIN
    INSERT INTO tally VALUES (new.project_id, 'job_exe', new.cluster_id, new.status, 1)
    ON CONFLICT DO UPDATE SET amount = amount + 1;
END;
CREATE TRIGGER exe_moved AFTER UPDATE OF status ON run WHEN new.job_id = '' BEGIN
    UPDATE tally SET amount = amount - 1
    WHERE project_id = old.project_id AND kind = 'job_exe' AND part = old.cluster_id AND status = old.status;
    INSERT INTO tally VALUES (new.project_id, 'job_exe', new.cluster_id, new.status, 1)
    ON CONFLICT DO UPDATE SET amount = amount + 1;
END;
CREATE TRIGGER exe_deleted AFTER DELETE ON run WHEN old.job_id = '' BEGIN
    UPDATE tally SET amount = amount - 1
    WHERE project_id = old.project_id AND kind = 'job_exe' AND part = old.cluster_id AND status = old.status;
END;
