-- Who owns what in Azure: the installation's own id, and the resource ids that stacks hold.

-- One row, made at the first start and never changed. It is restored with the database: a restored installation recognises what it made.
CREATE TABLE installation (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    id BLOB NOT NULL,
    made_at TEXT NOT NULL
) STRICT;

-- The ids that stacks have made or will make. Rows go when their request ends without a stack, and with the stack.
CREATE TABLE resource_reservation (
    -- Azure compares ids without regard to case: the key is the id in lower case.
    resource_key TEXT NOT NULL PRIMARY KEY,
    -- Subscription and resource group of the id, in lower case: parents and children are compared within it.
    scope_key TEXT NOT NULL,
    stack_id BLOB NOT NULL REFERENCES stack (id),
    resource_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- When a write of it was first about to be sent; absent while nothing can exist.
    sent_at TEXT
) STRICT;
CREATE INDEX resource_reservation_by_scope ON resource_reservation (scope_key);
CREATE INDEX resource_reservation_by_stack ON resource_reservation (stack_id);

-- What stacks have made so far. The scope ends before `/providers/`; every recorded id has one.
INSERT INTO resource_reservation (resource_key, scope_key, stack_id, resource_id, kind, sent_at)
SELECT r.resource_key,
       substr(r.resource_key, 1, instr(r.resource_key || '/providers/', '/providers/') - 1),
       r.stack_id, r.resource_id, r.kind, r.seen_at
FROM stack_resource r JOIN stack s ON s.id = r.stack_id
WHERE s.state <> 'deleted'
ORDER BY s.created_at
ON CONFLICT (resource_key) DO NOTHING;
