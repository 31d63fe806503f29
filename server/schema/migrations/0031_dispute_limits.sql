-- Why:   a step of a dispute, and a day close, touch what ended just now, not all that ever ended; a party's list is found by it.
-- Locks: dispute and settlement_hold against writes, while indexes over their few rows are built.
-- Undo:  drop the four indexes. Of 0024: payout_once can be made again only while no statement has two live parts.
SET LOCAL lock_timeout = '10s';

CREATE INDEX dispute_expired ON dispute (programme_no, ended_on) WHERE state = 6;
CREATE INDEX dispute_of_opener ON dispute (opener, opener_no, dispute_no);
CREATE INDEX dispute_of_other ON dispute (other, other_no, dispute_no);
CREATE INDEX settlement_hold_contested ON settlement_hold (programme_no, refers_to) WHERE kind = 2 AND release_on = '9999-12-31';
