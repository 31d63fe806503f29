-- Why:   statements have numbers without gaps, periods are approved by a second person and issued, parties confirm or dispute.
-- Locks: statement and statement_chunk under an exclusive lock, for a moment: one check is made wider, triggers are added.
-- Undo:  drop the new triggers, functions and tables; give statement_state back as 0002 has it.
SET LOCAL lock_timeout = '10s';

-- A number is drawn when a statement is first calculated, in the same transaction, and is never given twice.
CREATE TABLE statement_number (
    party text NOT NULL COLLATE "C" CONSTRAINT statement_number_party CHECK (party ~ '^[A-Z][0-9.]+$'), -- "M12", "P1.12"
    number int8 NOT NULL CONSTRAINT statement_number_number CHECK (number >= 1), -- 1, 2, 3, ... of the party
    statement_id text NOT NULL COLLATE "C",
    programme_no int NOT NULL REFERENCES programme,
    period text NOT NULL,
    state smallint NOT NULL DEFAULT 1 CONSTRAINT statement_number_state CHECK (state IN (1, 2)),
        -- 1 GIVEN, 2 CANCELLED: a later calculation no longer had the statement
    CONSTRAINT statement_number_pk PRIMARY KEY (party, number)
);
CREATE UNIQUE INDEX statement_number_given ON statement_number (statement_id) WHERE state = 1;
CREATE INDEX statement_number_period ON statement_number (programme_no, period);

-- How far a calculated period has come; an issued one stays as it is.
CREATE TABLE settlement_period (
    programme_no int NOT NULL REFERENCES programme,
    period text NOT NULL COLLATE "C",
    first_day date NOT NULL,
    last_day date NOT NULL,
    state smallint NOT NULL DEFAULT 1 CONSTRAINT settlement_period_state CHECK (state BETWEEN 1 AND 3),
        -- 1 CALCULATED, 2 APPROVED, 3 ISSUED
    maker text NOT NULL, -- who calculated what the hash is of
    manifest_sha256 bytea NOT NULL CONSTRAINT settlement_period_manifest CHECK (octet_length(manifest_sha256) = 32),
    statement_count int8 NOT NULL,
    calculated_at timestamptz NOT NULL, -- the database's clock, as are the next; 'epoch': not yet
    approver text NOT NULL DEFAULT '',
    approved_at timestamptz NOT NULL DEFAULT 'epoch',
    issued_at timestamptz NOT NULL DEFAULT 'epoch',
    issued_on date NOT NULL DEFAULT '1970-01-01', -- the programme's open business date then
    signature_sha256 bytea NOT NULL DEFAULT '',
    CONSTRAINT settlement_period_pk PRIMARY KEY (programme_no, period),
    CONSTRAINT settlement_period_approved CHECK ((state >= 2) = (approver <> '')),
    CONSTRAINT settlement_period_two CHECK (approver = '' OR approver <> maker),
    CONSTRAINT settlement_period_signed CHECK ((state = 3) = (octet_length(signature_sha256) = 32))
);

-- What a party says of a statement that was issued: beyond ISSUED a statement has a state of its own.
ALTER TABLE statement
    DROP CONSTRAINT statement_state,
    ADD CONSTRAINT statement_state CHECK (state IN (1, 4, 5, 6)), -- 1: as its period; 4 CONFIRMED, 5 DISPUTED, 6 PAID
    ADD answered_by text NOT NULL DEFAULT '', -- who confirmed; '' with CONFIRMED: nobody spoke in time
    ADD answered_on date NOT NULL DEFAULT '1970-01-01';

-- What was issued is not written over, by whatever road: numbers stay, and so do an issued period, its statements and lines.
CREATE FUNCTION settlement_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of what was issued or numbered is never changed', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'settlement_stays';
END $$;
CREATE FUNCTION statement_is_issued(of_programme int, of_period text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM settlement_period p WHERE p.programme_no = of_programme AND p.period = of_period
                   AND p.state = 3) $$;
CREATE TRIGGER statement_number_stays BEFORE DELETE ON statement_number FOR EACH ROW EXECUTE FUNCTION settlement_stays();
CREATE TRIGGER settlement_period_stays BEFORE UPDATE OR DELETE ON settlement_period FOR EACH ROW
    WHEN (OLD.state = 3) EXECUTE FUNCTION settlement_stays();
CREATE TRIGGER statement_stays_whole BEFORE DELETE ON statement FOR EACH ROW
    WHEN (statement_is_issued(OLD.programme_no, OLD.period)) EXECUTE FUNCTION settlement_stays();
CREATE TRIGGER statement_is_not_added BEFORE INSERT ON statement FOR EACH ROW
    WHEN (statement_is_issued(NEW.programme_no, NEW.period)) EXECUTE FUNCTION settlement_stays();
CREATE TRIGGER statement_stays BEFORE UPDATE ON statement FOR EACH ROW
    WHEN (to_jsonb(NEW) - '{state,answered_by,answered_on}'::text[] IS DISTINCT FROM
          to_jsonb(OLD) - '{state,answered_by,answered_on}'::text[] AND
          statement_is_issued(OLD.programme_no, OLD.period)) EXECUTE FUNCTION settlement_stays();
CREATE FUNCTION statement_lines_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changed JOIN statement s USING (statement_no) JOIN settlement_period p
               USING (programme_no, period) WHERE p.state = 3) THEN
        RAISE EXCEPTION 'lines of what was issued are never changed'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'settlement_stays';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER statement_chunk_is_not_added AFTER INSERT ON statement_chunk REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION statement_lines_stay();
CREATE TRIGGER statement_chunk_stays AFTER UPDATE ON statement_chunk REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION statement_lines_stay();
CREATE TRIGGER statement_chunk_stays_whole AFTER DELETE ON statement_chunk REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION statement_lines_stay();
