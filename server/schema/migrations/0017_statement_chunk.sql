-- Why:   a statement's pointers at its journal entries, 500 a row instead of one: a month of ten million lines was ten
--        million rows and as many index entries, most of the time a close took.
-- Locks: statement_line is read once and dropped; only alliance-settle writes it, so run this while no close is under way.
-- Undo:  make statement_line anew from statement_chunk with packed_line_keys, and statement_entry as it was in 0002.

-- Which journal entries a PAIR statement consists of: pointers only, the facts stay in the journal.
-- Numbered in order of (business_date, at, bucket, member_id, seq). A key is 30 bytes: int2 bucket, member_id,
-- int8 seq, int4 business_date (days since 1970-01-01), most significant byte first.
CREATE TABLE statement_chunk (
    statement_no int8 NOT NULL,
    first_line int8 NOT NULL CONSTRAINT statement_chunk_first CHECK (first_line % 500 = 1), -- the others follow it
    line_count int NOT NULL CONSTRAINT statement_chunk_count CHECK (line_count BETWEEN 1 AND 500),
    keys bytea NOT NULL CONSTRAINT statement_chunk_keys CHECK (octet_length(keys) = 30 * line_count),
    CONSTRAINT statement_chunk_pk PRIMARY KEY (statement_no, first_line)
);
ALTER TABLE statement_chunk ALTER keys SET STORAGE EXTERNAL; -- hashes do not compress

INSERT INTO statement_chunk
SELECT statement_no, min(line_number), count(*),
       string_agg(int2send(bucket::int2) || uuid_send(member_id) || int8send(seq)
                  || int4send(business_date - '1970-01-01'::date), ''::bytea ORDER BY line_number)
FROM statement_line GROUP BY statement_no, (line_number - 1) / 500;

CREATE FUNCTION packed_line_keys(first_line int8, packed bytea)
RETURNS TABLE (line_number int8, bucket int, member_id uuid, seq int8, business_date date)
LANGUAGE sql IMMUTABLE AS $$
    SELECT first_line + n, get_byte(packed, n * 30) << 8 | get_byte(packed, n * 30 + 1),
           encode(substr(packed, n * 30 + 3, 16), 'hex')::uuid, packed_int8(packed, n * 30 + 18),
           packed_date(packed, n * 30 + 26)
    FROM generate_series(0, octet_length(packed) / 30 - 1) n
$$;

-- A statement's lines as StatementLine shows them. Ask by statement_no and a range of first_line, and then of
-- line_number: each line is then one look-up by the journal's primary key.
-- redemption_id as callers know it is '<redemption_id>.<first two bytes of member_id, hexadecimal>'.
DROP VIEW statement_entry;
DROP TABLE statement_line;
CREATE VIEW statement_line AS
SELECT c.statement_no, c.first_line, l.line_number, l.bucket, l.member_id, l.seq, l.business_date
FROM statement_chunk c, packed_line_keys(c.first_line, c.keys) l;
CREATE VIEW statement_entry AS
SELECT l.statement_no, l.first_line, l.line_number, l.business_date, j.at, j.kind, j.member_id, j.redemption_id,
       j.ref AS request_id, COALESCE(s.store_id, '') AS store_id,
       CASE j.kind WHEN 8 THEN -j.points ELSE j.points END AS points,
       j.gross_minor, j.commission_minor, j.gross_minor - j.commission_minor AS net_minor,
       j.rules_version, j.terms_version
FROM statement_line l
JOIN journal j ON j.bucket = l.bucket AND j.member_id = l.member_id AND j.seq = l.seq
    AND j.business_date = l.business_date
LEFT JOIN store s ON s.store_no = j.store_no;

-- What alliance-settle sends; field order is that of its C column table.
CREATE TYPE statement_chunk_write AS (statement_id text, first_line int8, line_count int, keys bytea);
