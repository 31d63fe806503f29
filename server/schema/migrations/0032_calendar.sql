-- Why:   the operator publishes a programme's calendar, by version; due days and the clocks of parties end on business days.
-- Locks: holiday, which nothing reads, under an exclusive lock, for a moment; otherwise new ones only.
-- Undo:  drop the function, the type and calendar; drop the version of holiday, of which only the newest may be left.
SET LOCAL lock_timeout = '10s';

-- A version governs the days from effective_from on, as far as no later version does. It never changes.
CREATE TABLE calendar (
    programme_no int NOT NULL REFERENCES programme,
    version int NOT NULL CONSTRAINT calendar_version CHECK (version >= 1),
    effective_from date NOT NULL, -- after the business date that was open then: what is over stays as it was
    request_id uuid NOT NULL,
    content_hash bytea NOT NULL,
    published_by text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(), -- the database's clock, for people
    CONSTRAINT calendar_pk PRIMARY KEY (programme_no, version),
    CONSTRAINT calendar_request UNIQUE (programme_no, request_id)
);

-- What was put there by hand becomes a first version; a weekday that is worked says nothing.
DELETE FROM holiday WHERE working AND extract(isodow FROM on_date) < 6;
INSERT INTO calendar (programme_no, version, effective_from, request_id, content_hash, published_by)
    SELECT programme_no, 1, min(on_date), gen_random_uuid(), '', '' FROM holiday GROUP BY programme_no;
ALTER TABLE holiday
    ADD version int NOT NULL DEFAULT 1,
    DROP CONSTRAINT holiday_pk,
    ADD CONSTRAINT holiday_pk PRIMARY KEY (programme_no, version, on_date),
    ADD CONSTRAINT holiday_calendar FOREIGN KEY (programme_no, version) REFERENCES calendar,
    ADD CONSTRAINT holiday_weekend CHECK (NOT working OR extract(isodow FROM on_date) >= 6);
ALTER TABLE holiday ALTER version DROP DEFAULT;
CREATE TYPE holiday_write AS (on_date date, working boolean, name text);

-- The day itself, or else the first business day after it: as server/domain/business_days.h has it.
CREATE FUNCTION business_day(of_programme int, of_day date) RETURNS date LANGUAGE plpgsql STABLE AS $$
DECLARE
    governing int;
    worked boolean;
BEGIN
    FOR n IN 0..366 LOOP
        SELECT max(version) INTO governing FROM calendar WHERE programme_no = of_programme AND effective_from <= of_day + n;
        IF governing IS NULL THEN
            RETURN of_day + n;
        END IF;
        SELECT working INTO worked FROM holiday
            WHERE programme_no = of_programme AND version = governing AND on_date = of_day + n;
        IF COALESCE(worked, extract(isodow FROM of_day + n) < 6) THEN
            RETURN of_day + n;
        END IF;
    END LOOP;
    RAISE EXCEPTION 'no business day within a year' USING ERRCODE = 'data_exception', CONSTRAINT = 'business_day';
END $$;
