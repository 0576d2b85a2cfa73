-- Slipway's tables, SQLite. The PostgreSQL twin has the same tables and columns; a test compares them.
-- Ids are UUIDs (16-byte BLOB), times are text in UTC with six decimals always (so that text order is time order), money is in cents, documents are JSON text.

CREATE TABLE project (
    name TEXT NOT NULL PRIMARY KEY,
    settings TEXT NOT NULL
) STRICT;

CREATE TABLE person (
    subject TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    approver_groups TEXT NOT NULL,
    installation_roles TEXT NOT NULL,
    seen_at TEXT NOT NULL
) STRICT;

CREATE TABLE membership (
    project TEXT NOT NULL REFERENCES project (name),
    subject TEXT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (project, subject)
) STRICT;
CREATE INDEX membership_by_subject ON membership (subject);

CREATE TABLE stack (
    id BLOB NOT NULL PRIMARY KEY,
    project TEXT NOT NULL REFERENCES project (name),
    tier TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    template TEXT NOT NULL,
    owner TEXT NOT NULL,
    monthly INTEGER NOT NULL,
    expires_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    version INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    applied_request BLOB,
    posture TEXT NOT NULL,
    target TEXT NOT NULL,
    outputs TEXT NOT NULL,
    fault TEXT,
    plan TEXT
) STRICT;
-- A name is held from submit until the stack is gone.
CREATE UNIQUE INDEX stack_name_taken ON stack (project, tier, name) WHERE state <> 'deleted';
CREATE INDEX stack_newest ON stack (created_at, id);
CREATE INDEX stack_by_project ON stack (project, created_at, id);
CREATE INDEX stack_by_expiry ON stack (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE stack_resource (
    stack_id BLOB NOT NULL REFERENCES stack (id),
    -- Azure's ids differ in case from answer to answer: the key is the id in lower case.
    resource_key TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    PRIMARY KEY (stack_id, resource_key)
) STRICT;

-- What lists show and filter by; the documents stand in request_document, so that scanning a list never reads a plan.
-- The stack may come later in the same transaction: a form sent twice must meet its own request before it meets its stack's name.
CREATE TABLE request (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    project TEXT NOT NULL REFERENCES project (name),
    tier TEXT NOT NULL,
    stack_id BLOB NOT NULL REFERENCES stack (id) DEFERRABLE INITIALLY DEFERRED,
    name TEXT NOT NULL,
    template TEXT NOT NULL,
    requester TEXT NOT NULL,
    monthly INTEGER NOT NULL,
    monthly_change INTEGER NOT NULL,
    posture TEXT NOT NULL,
    warnings INTEGER NOT NULL,
    denials INTEGER NOT NULL,
    plan_digest TEXT,
    plan_summary TEXT NOT NULL,
    waiting_since TEXT,
    sent_back TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX request_newest ON request (created_at, id);
CREATE INDEX request_by_state ON request (state, created_at, id);
CREATE INDEX request_by_project ON request (project, created_at, id);
CREATE INDEX request_by_project_state ON request (project, state, created_at, id);
CREATE INDEX request_by_requester ON request (requester, created_at, id);
CREATE INDEX request_by_project_requester ON request (project, requester, created_at, id);
CREATE INDEX request_by_stack ON request (stack_id, created_at);

CREATE TABLE request_document (
    request_id BLOB NOT NULL PRIMARY KEY REFERENCES request (id),
    draft TEXT NOT NULL,
    needs TEXT NOT NULL,
    plan TEXT
) STRICT;

CREATE TABLE decision (
    id BLOB NOT NULL PRIMARY KEY,
    request_id BLOB NOT NULL REFERENCES request (id),
    approver TEXT NOT NULL,
    decision TEXT NOT NULL,
    body TEXT NOT NULL,
    plan_digest TEXT NOT NULL,
    waited_seconds INTEGER NOT NULL,
    at TEXT NOT NULL
) STRICT;
-- One person decides one plan once.
CREATE UNIQUE INDEX decision_once ON decision (request_id, approver, plan_digest);
CREATE INDEX decision_by_approver ON decision (approver, at);
CREATE INDEX decision_newest ON decision (at);

CREATE TABLE comment (
    id BLOB NOT NULL PRIMARY KEY,
    request_id BLOB NOT NULL REFERENCES request (id),
    author TEXT NOT NULL,
    body TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
CREATE INDEX comment_by_request ON comment (request_id, at);

CREATE TABLE activity (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    request_id BLOB,
    stack_id BLOB,
    actor TEXT NOT NULL,
    body TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
CREATE INDEX activity_by_request ON activity (request_id, seq);
CREATE INDEX activity_by_stack ON activity (stack_id, seq);

CREATE TABLE operation (
    id BLOB NOT NULL PRIMARY KEY,
    stack_id BLOB NOT NULL REFERENCES stack (id),
    request_id BLOB REFERENCES request (id),
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    -- The stack's project, tier and name never change; they stand here so that the list by project needs one index.
    project TEXT NOT NULL,
    tier TEXT NOT NULL,
    stack_name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    requested_by TEXT NOT NULL,
    fault TEXT,
    cancel_requested_at TEXT,
    worker TEXT,
    lease_until TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    version INTEGER NOT NULL
) STRICT;
-- A stack has at most one operation that has not ended.
CREATE UNIQUE INDEX operation_stack_busy ON operation (stack_id) WHERE state IN ('queued', 'running', 'needs_attention');
CREATE INDEX operation_newest ON operation (created_at, id);
CREATE INDEX operation_by_project ON operation (project, created_at, id);
CREATE INDEX operation_by_stack ON operation (stack_id, created_at, id);
CREATE INDEX operation_by_request ON operation (request_id, created_at);
CREATE INDEX operation_by_state ON operation (state, updated_at);

CREATE TABLE operation_step (
    operation_id BLOB NOT NULL REFERENCES operation (id),
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    title TEXT NOT NULL,
    state TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    started_at TEXT,
    ended_at TEXT,
    note TEXT,
    fault TEXT,
    external_ref TEXT,
    resources TEXT NOT NULL,
    PRIMARY KEY (operation_id, name)
) STRICT;

CREATE TABLE event (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    subject TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    stack_id TEXT,
    project TEXT,
    kind TEXT NOT NULL
) STRICT;
CREATE INDEX event_by_age ON event (at);

CREATE TABLE audit_event (
    seq INTEGER NOT NULL PRIMARY KEY,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    via TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    project TEXT,
    detail TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE INDEX audit_event_by_project ON audit_event (project, seq);
CREATE INDEX audit_event_by_actor ON audit_event (actor, seq);
CREATE INDEX audit_event_by_action ON audit_event (action, seq);
CREATE INDEX audit_event_by_subject ON audit_event (subject_id, seq);
CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event BEGIN
    SELECT RAISE(ABORT, 'audit_event is append-only');
END;
CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event BEGIN
    SELECT RAISE(ABORT, 'audit_event is append-only');
END;

CREATE TABLE api_token (
    id BLOB NOT NULL PRIMARY KEY,
    subject TEXT NOT NULL,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash BLOB NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    last_used_at TEXT
) STRICT;
CREATE UNIQUE INDEX api_token_by_hash ON api_token (hash);
CREATE INDEX api_token_by_subject ON api_token (subject, created_at);

CREATE TABLE session (
    -- SHA-256 of the session's id: whoever reads the table cannot sign in with it.
    id_hash BLOB NOT NULL PRIMARY KEY,
    data TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX session_by_expiry ON session (expires_at);

CREATE TABLE idempotency (
    actor TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    status INTEGER,
    body TEXT,
    created_at TEXT NOT NULL,
    PRIMARY KEY (actor, idempotency_key)
) STRICT;
CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE azure_fact (
    kind TEXT NOT NULL,
    fact_key TEXT NOT NULL,
    body TEXT NOT NULL,
    fetched_at TEXT NOT NULL,
    PRIMARY KEY (kind, fact_key)
) STRICT;

CREATE TABLE secret_value (
    request_id BLOB NOT NULL REFERENCES request (id),
    name TEXT NOT NULL,
    ciphertext BLOB NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (request_id, name)
) STRICT;
