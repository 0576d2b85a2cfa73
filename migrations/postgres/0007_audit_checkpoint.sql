-- Signed checkpoints of the audit chain, as they were written to their file or to the log. The SQLite twin has the same.

CREATE TABLE audit_checkpoint (
    seq BIGINT NOT NULL,
    signing_key TEXT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (seq, signing_key)
);
CREATE FUNCTION audit_checkpoint_refuse() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION 'audit_checkpoint is append-only';
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER audit_checkpoint_append_only BEFORE UPDATE OR DELETE ON audit_checkpoint
    FOR EACH ROW EXECUTE FUNCTION audit_checkpoint_refuse();
CREATE TRIGGER audit_checkpoint_no_truncate BEFORE TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION audit_checkpoint_refuse();

-- TRUNCATE fires no row trigger.
CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_refuse();

-- Tokens that were revoked, for a year: whoever still presents one is named in the record.
CREATE TABLE revoked_token (
    hash BYTEA NOT NULL PRIMARY KEY,
    token_id UUID NOT NULL,
    subject TEXT NOT NULL,
    revoked_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX revoked_token_by_age ON revoked_token (revoked_at);
