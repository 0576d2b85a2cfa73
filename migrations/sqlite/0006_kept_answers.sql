-- An idempotency key keeps which thing its call made, not the answer: answers grow, and belong to whoever may read the thing when the call comes again.
ALTER TABLE idempotency DROP COLUMN body;
ALTER TABLE idempotency ADD COLUMN made_kind TEXT;
ALTER TABLE idempotency ADD COLUMN made_id BLOB;
-- Refusals are not kept: the call is done anew.
DELETE FROM idempotency WHERE status >= 400;

-- A token that a page asked for gets its value when the page that shows it is read, once.
ALTER TABLE api_token ADD COLUMN shown_at TEXT;
UPDATE api_token SET shown_at = created_at;

-- Pages of comments and decisions are read from their index.
DROP INDEX comment_by_request;
CREATE INDEX comment_by_request ON comment (request_id, at, id);
CREATE INDEX decision_by_request ON decision (request_id, at, id);
