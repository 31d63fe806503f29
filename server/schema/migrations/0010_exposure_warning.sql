-- Why:   a bank is told when 80, 90 or 100 percent of its exposure limit are used.
-- Locks: none that anybody waits for: two new tables.
-- Undo:  drop both.
SET LOCAL lock_timeout = '10s';

-- The highest level that was told and has not been left since.
CREATE TABLE exposure_watch (
    bank_no int NOT NULL,
    currency text NOT NULL,
    level int NOT NULL, -- percent; 0: none
    CONSTRAINT exposure_watch_pk PRIMARY KEY (bank_no, currency)
);
CREATE TABLE exposure_warning (
    bank_no int NOT NULL,
    warning_no int8 GENERATED ALWAYS AS IDENTITY,
    currency text NOT NULL,
    level int NOT NULL, -- percent
    used_minor int8 NOT NULL, -- when it was seen
    limit_minor int8 NOT NULL,
    business_date date NOT NULL,
    at timestamptz NOT NULL, -- programme time
    CONSTRAINT exposure_warning_pk PRIMARY KEY (bank_no, warning_no)
);
