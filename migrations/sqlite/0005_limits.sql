-- What requests and stacks hold of a tier's limits and of Azure's quotas, and the rows that are locked while a limit is checked.

-- How many parts of the plan have no known price: the amounts beside it leave them out.
ALTER TABLE stack ADD COLUMN unpriced INTEGER NOT NULL DEFAULT 0;
ALTER TABLE request ADD COLUMN unpriced INTEGER NOT NULL DEFAULT 0;
UPDATE stack SET unpriced = COALESCE(json_array_length(plan, '$.cost.unpriced'), 0) WHERE plan IS NOT NULL;
UPDATE request SET unpriced = COALESCE(
    (SELECT json_array_length(d.plan, '$.cost.unpriced') FROM request_document d WHERE d.request_id = request.id AND d.plan IS NOT NULL), 0);

-- Quota that a request draws when it is carried out, at the most; held while it is approved or executing, and until Azure was asked again afterwards.
-- Names are in lower case: Azure compares them without regard to case.
CREATE TABLE request_quota (
    request_id BLOB NOT NULL REFERENCES request (id),
    subscription TEXT NOT NULL,
    region TEXT NOT NULL,
    family TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (request_id, subscription, region, family)
) STRICT;
INSERT INTO request_quota (request_id, subscription, region, family, amount)
    SELECT r.id, lower(json_extract(q.value, '$.subscription')), lower(json_extract(q.value, '$.region')),
        lower(json_extract(q.value, '$.family')), json_extract(q.value, '$.requested')
    FROM request r JOIN request_document d ON d.request_id = r.id JOIN json_each(d.plan, '$.quota') q
    WHERE r.state IN ('approved', 'executing') AND json_extract(q.value, '$.requested') > 0;

-- Quota that a stack may still draw without a request: nodes that its autoscaler and upgrades may add.
CREATE TABLE stack_quota (
    stack_id BLOB NOT NULL REFERENCES stack (id),
    subscription TEXT NOT NULL,
    region TEXT NOT NULL,
    family TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (stack_id, subscription, region, family)
) STRICT;

-- A transaction that checks a limit and reserves writes the row of its scope first: the next one waits and then sees what was reserved.
CREATE TABLE limit_lock (
    scope TEXT NOT NULL PRIMARY KEY,
    taken INTEGER NOT NULL
) STRICT;

CREATE INDEX request_by_end ON request (updated_at) WHERE state IN ('completed', 'failed', 'cancelled');
