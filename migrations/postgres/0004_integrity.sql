-- What an operation was queued for, so that a plan altered in the database is noticed at every step.
ALTER TABLE operation ADD COLUMN plan_digest TEXT;

-- A submission number belongs to its sender: another person's number is another request. The request's own id is made by Slipway.
-- Requests that were there before keep the number that was their id; what they were sent with is not known.
ALTER TABLE request ADD COLUMN submission UUID;
ALTER TABLE request ADD COLUMN submission_hash TEXT;
UPDATE request SET submission = id;
CREATE UNIQUE INDEX request_sent_once ON request (requester, submission);
