-- Why:   rule sets: what a bank says about its points as a document with a life; a scheduled one becomes a version of exchange_rules.
-- Locks: adds a column with a constant default to exchange_rules: short, no rewrite (lock_timeout 5 s).
-- Undo:  drop rule_set and exchange_rules.cancelled; versions that rule sets became stay, cancelled ones must be deleted first.
SET LOCAL lock_timeout = '5s';

ALTER TABLE exchange_rules ADD cancelled boolean NOT NULL DEFAULT false; -- withdrawn before it was in force; nobody decides by it

CREATE TABLE rule_set (
    bank_no int NOT NULL REFERENCES bank,
    number int NOT NULL CONSTRAINT rule_set_number CHECK (number >= 1), -- per bank, without gaps
    request_id uuid NOT NULL,
    content_hash bytea NOT NULL,
    document bytea NOT NULL, -- RuleSetDocument of rules_service.proto; never changed
    state smallint NOT NULL CONSTRAINT rule_set_state CHECK (state IN (1, 2, 3, 4, 7)), -- RuleSetState; 5 and 6 come of time alone
    drafted_by text NOT NULL, -- a person of the bank, or '' for a machine
    drafted_at timestamptz NOT NULL, -- programme time, as all of them
    approved_by text NOT NULL DEFAULT '',
    approved_at timestamptz NOT NULL DEFAULT 'epoch',
    scheduled_by text NOT NULL DEFAULT '',
    version int NOT NULL DEFAULT 0, -- of exchange_rules; 0: none yet
    effective_from timestamptz NOT NULL DEFAULT 'epoch',
    cancelled_by text NOT NULL DEFAULT '',
    cancelled_at timestamptz NOT NULL DEFAULT 'epoch',
    CONSTRAINT rule_set_pk PRIMARY KEY (bank_no, number),
    CONSTRAINT rule_set_request UNIQUE (bank_no, request_id),
    CONSTRAINT rule_set_approved CHECK (state NOT IN (3, 4, 7) OR (approved_by <> '' AND approved_by <> drafted_by))
);
CREATE UNIQUE INDEX rule_set_version ON rule_set (bank_no, version) WHERE version > 0;
