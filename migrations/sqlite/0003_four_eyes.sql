-- Who wrote a request, which of its plans a decision is about, and when administrators took rights that they do not have.

CREATE TABLE break_glass (
    id BLOB NOT NULL PRIMARY KEY,
    project TEXT NOT NULL REFERENCES project (name),
    subject TEXT NOT NULL,
    reason TEXT NOT NULL,
    began_at TEXT NOT NULL,
    ends_at TEXT NOT NULL,
    ended_at TEXT,
    ended_by TEXT
) STRICT;
CREATE INDEX break_glass_by_project ON break_glass (project, began_at);
CREATE INDEX break_glass_by_subject ON break_glass (subject, ends_at);

ALTER TABLE request ADD COLUMN plan_revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE decision ADD COLUMN plan_revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE decision ADD COLUMN break_glass_id BLOB;

-- Plans that were decided on before plans were numbered get the numbers of their first decisions.
UPDATE decision SET plan_revision = numbered.revision FROM (
    SELECT request_id, plan_digest, ROW_NUMBER() OVER (PARTITION BY request_id ORDER BY MIN(at), plan_digest) AS revision
    FROM decision GROUP BY request_id, plan_digest
) AS numbered
WHERE decision.request_id = numbered.request_id AND decision.plan_digest = numbered.plan_digest;
UPDATE request SET plan_revision = COALESCE(
    (SELECT MAX(d.plan_revision) FROM decision d WHERE d.request_id = request.id AND d.plan_digest = request.plan_digest),
    (SELECT MAX(d.plan_revision) + 1 FROM decision d WHERE d.request_id = request.id),
    1
);

-- One person decides one plan once. A plan that is made again is another plan, also where nothing of it changed.
DROP INDEX decision_once;
CREATE UNIQUE INDEX decision_once ON decision (request_id, approver, plan_revision);

CREATE TABLE request_author (
    request_id BLOB NOT NULL REFERENCES request (id),
    plan_revision INTEGER NOT NULL,
    subject TEXT NOT NULL,
    break_glass_id BLOB,
    at TEXT NOT NULL,
    PRIMARY KEY (request_id, plan_revision, subject)
) STRICT;

-- Requests that were sent before authors were kept: who sent them is known, who edited them stands in the audit record.
INSERT INTO request_author (request_id, plan_revision, subject, at)
    SELECT id, 1, requester, created_at FROM request;
INSERT INTO request_author (request_id, plan_revision, subject, at)
    SELECT r.id, r.plan_revision, a.actor, MAX(a.at)
    FROM request r JOIN audit_event a ON a.subject_id = lower(substr(hex(r.id), 1, 8) || '-' || substr(hex(r.id), 9, 4) || '-' || substr(hex(r.id), 13, 4) || '-' || substr(hex(r.id), 17, 4) || '-' || substr(hex(r.id), 21))
    WHERE a.action = 'request.edited' AND a.actor <> r.requester
    GROUP BY r.id, r.plan_revision, a.actor;
