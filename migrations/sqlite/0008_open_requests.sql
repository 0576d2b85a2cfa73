-- Requests that wait for people: how many one person has is counted in the transaction that sends one, and the queue is read in the order of its waiting.
CREATE INDEX request_open_by_requester ON request (requester)
    WHERE state IN ('awaiting_approval', 'changes_requested') AND kind IN ('create', 'update');
-- The state stands in the key as well: without statistics SQLite takes the index with the most equalities.
CREATE INDEX request_waiting ON request (state, COALESCE(waiting_since, updated_at), id) WHERE state = 'awaiting_approval';
