-- Why:   a close bills freight of delivered shipments, holds what is not delivered, and a day may end after midnight.
-- Locks: programme, shipment under an exclusive lock, for a moment: no row is rewritten; two indexes on shipment are built.
-- Undo:  drop the columns, the indexes and the table.
SET LOCAL lock_timeout = '10s';

-- Which period's close billed the freight of a delivered shipment; '': none yet.
ALTER TABLE shipment ADD freight_period text NOT NULL DEFAULT '';
CREATE INDEX shipment_freight ON shipment (programme_no, freight_period, head_at) WHERE state = 6; -- DELIVERED
CREATE INDEX shipment_undelivered ON shipment (programme_no, merchant_no) WHERE state <> 6;

-- A business date ends so long after midnight in the programme's time zone.
ALTER TABLE programme ADD cut_off_minutes int NOT NULL DEFAULT 0
    CONSTRAINT programme_cut_off CHECK (cut_off_minutes BETWEEN 0 AND 720);

-- Days on which nobody pays, besides Saturdays and Sundays; a working one takes that back for a Saturday or Sunday.
CREATE TABLE holiday (
    programme_no int NOT NULL REFERENCES programme,
    on_date date NOT NULL,
    working boolean NOT NULL DEFAULT false,
    name text NOT NULL,
    CONSTRAINT holiday_pk PRIMARY KEY (programme_no, on_date)
);
