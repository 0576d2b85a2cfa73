-- What requests and stacks hold of a tier's limits and of Azure's quotas, and the rows that are locked while a limit is checked.

-- How many parts of the plan have no known price: the amounts beside it leave them out.
ALTER TABLE stack ADD COLUMN unpriced BIGINT NOT NULL DEFAULT 0;
ALTER TABLE request ADD COLUMN unpriced BIGINT NOT NULL DEFAULT 0;
UPDATE stack SET unpriced = COALESCE(json_array_length(plan -> 'cost' -> 'unpriced'), 0) WHERE plan IS NOT NULL;
UPDATE request SET unpriced = COALESCE(
    (SELECT json_array_length(d.plan -> 'cost' -> 'unpriced') FROM request_document d WHERE d.request_id = request.id AND d.plan IS NOT NULL), 0);

-- Quota that a request draws when it is carried out, at the most; held while it is approved or executing, and until Azure was asked again afterwards.
-- Names are in lower case: Azure compares them without regard to case.
CREATE TABLE request_quota (
    request_id UUID NOT NULL REFERENCES request (id),
    subscription TEXT NOT NULL,
    region TEXT NOT NULL,
    family TEXT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (request_id, subscription, region, family)
);
INSERT INTO request_quota (request_id, subscription, region, family, amount)
    SELECT r.id, lower(q.value ->> 'subscription'), lower(q.value ->> 'region'), lower(q.value ->> 'family'), (q.value ->> 'requested')::bigint
    FROM request r JOIN request_document d ON d.request_id = r.id CROSS JOIN LATERAL json_array_elements(d.plan -> 'quota') q
    WHERE r.state IN ('approved', 'executing') AND (q.value ->> 'requested')::bigint > 0;

-- Quota that a stack may still draw without a request: nodes that its autoscaler and upgrades may add.
CREATE TABLE stack_quota (
    stack_id UUID NOT NULL REFERENCES stack (id),
    subscription TEXT NOT NULL,
    region TEXT NOT NULL,
    family TEXT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (stack_id, subscription, region, family)
);

-- A transaction that checks a limit and reserves writes the row of its scope first: the next one waits and then sees what was reserved.
CREATE TABLE limit_lock (
    scope TEXT NOT NULL PRIMARY KEY,
    taken BIGINT NOT NULL
);

CREATE INDEX request_by_end ON request (updated_at) WHERE state IN ('completed', 'failed', 'cancelled');
