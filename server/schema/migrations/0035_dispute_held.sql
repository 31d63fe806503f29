-- Why:   of a contested line no more is kept of the merchant's money than its pair pays; a break whose correction was approved by rpc is over.
-- Locks: dispute against everything for a moment; it is small. Rows of recon_break that are corrected.
-- Undo:  drop the column; what is held is then amount_minor - withheld_minor again.
SET LOCAL lock_timeout = '10s';

ALTER TABLE dispute ADD held_minor int8 NOT NULL DEFAULT 0; -- of settlement_hold, beside withheld_minor; while it is open
UPDATE dispute d SET held_minor = h.amount_minor FROM settlement_hold h WHERE h.programme_no = d.programme_no AND h.kind = 2
    AND h.refers_to = 'dispute ' || d.dispute_no;
ALTER TABLE dispute ADD CONSTRAINT dispute_kept CHECK (withheld_minor >= 0 AND held_minor >= 0
    AND withheld_minor + held_minor <= amount_minor);
UPDATE recon_break b SET state = 4 FROM settlement_correction c WHERE b.state = 3 AND c.programme_no = b.programme_no
    AND c.correction_no = b.correction_no AND c.state IN (2, 3);
