-- Expiry and the proof of ends look at stacks at rest only: deleted ones stay in the table, and become more and more.
DROP INDEX stack_by_expiry;
CREATE INDEX stack_by_expiry ON stack (expires_at, id) WHERE state IN ('active', 'stopped', 'failed');
CREATE INDEX stack_at_rest ON stack (id, expires_at) WHERE state IN ('active', 'stopped', 'failed');
