-- Signed checkpoints of the audit chain, as they were written to their file or to the log. The PostgreSQL twin has the same.

CREATE TABLE audit_checkpoint (
    seq INTEGER NOT NULL,
    signing_key TEXT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (seq, signing_key)
) STRICT;
CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint BEGIN
    SELECT RAISE(ABORT, 'audit_checkpoint is append-only');
END;
CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint BEGIN
    SELECT RAISE(ABORT, 'audit_checkpoint is append-only');
END;

-- REPLACE removes the old row without its DELETE trigger: a line is only ever added at the end.
CREATE TRIGGER audit_event_at_the_end BEFORE INSERT ON audit_event
WHEN NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit_event) BEGIN
    SELECT RAISE(ABORT, 'audit_event is append-only');
END;

-- Tokens that were revoked, for a year: whoever still presents one is named in the record.
CREATE TABLE revoked_token (
    hash BLOB NOT NULL PRIMARY KEY,
    token_id BLOB NOT NULL,
    subject TEXT NOT NULL,
    revoked_at TEXT NOT NULL
) STRICT;
CREATE INDEX revoked_token_by_age ON revoked_token (revoked_at);
