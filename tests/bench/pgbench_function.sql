-- pgbench_function.sql: what the lanes do for one hold, the way one would write it without lanes: a function that decides
-- in the database, one transaction a call. The same rows written into tables of the same columns and indexes, the same
-- lots drawn, a chain hash. Its tables hold lots, holds and draws as arrays: packed bytes, which the lanes use, would
-- cost a function in the database more than they save.
--
-- In doubt it does less than the lanes, so that nobody can say it was made slow: the fence is read, not locked; the
-- caller knows the numbers of bank and merchant; terms, overdue holds, expired lots and other operations of the same
-- request_id are not looked at.
CREATE FUNCTION bench_hold(request uuid, asked_hash bytea, member_ref text, asked int8, lapse interval, buckets int)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    member uuid := bench_member_id('bench', member_ref);
    b int := bench_bucket(member, buckets);
    a rival_account;
    earlier record;
    rules record;
    day date;
    lot int := 1;
    left_over int8 := asked;
    drawn int8;
    draw_expires date[] := '{}';
    draw_points int8[] := '{}';
    nothing constant uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    SELECT * INTO a FROM rival_account WHERE bucket = b AND member_id = member FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'MEMBER_NOT_FOUND';
    END IF;
    SELECT reason, content_hash INTO earlier FROM rival_redemption WHERE bucket = b AND id = request;
    IF FOUND THEN
        RETURN CASE WHEN earlier.content_hash = asked_hash THEN earlier.reason ELSE 'REQUEST_ID_REUSED' END;
    END IF;
    SELECT business_date INTO day FROM fence WHERE bucket = b AND programme_no = 1;
    SELECT version, minimum_points INTO rules FROM exchange_rules
    WHERE bank_no = 1 AND effective_from <= now() ORDER BY version DESC LIMIT 1;
    IF asked < rules.minimum_points THEN
        RETURN 'BELOW_MINIMUM';
    ELSIF cardinality(a.hold_ids) >= 32 THEN
        RETURN 'TOO_MANY_OPEN_HOLDS';
    ELSIF asked > a.available THEN
        RETURN 'INSUFFICIENT_POINTS';
    END IF;

    -- First expire, first out; a lot that is used up is gone.
    WHILE left_over > 0 LOOP
        drawn := least(left_over, a.lot_points[lot]);
        draw_expires := draw_expires || a.lot_expires[lot];
        draw_points := draw_points || drawn;
        left_over := left_over - drawn;
        IF drawn = a.lot_points[lot] THEN
            lot := lot + 1;
        ELSE
            a.lot_points[lot] := a.lot_points[lot] - drawn;
        END IF;
    END LOOP;
    a.available := a.available - asked;
    a.held := a.held + asked;
    a.journal_seq := a.journal_seq + 1;
    a.chain := bench_entry_hash(a.chain, member, a.journal_seq, day, now(), 3::smallint, asked, a.available, a.held,
                                a.credit_used, a.credit_limit, request, request, 1, 1, 1, 0, rules.version);

    UPDATE rival_account SET available = a.available, held = a.held, journal_seq = a.journal_seq, chain = a.chain,
        lot_expires = a.lot_expires[lot:], lot_points = a.lot_points[lot:],
        counted_on = day, day_points = CASE a.counted_on WHEN day THEN a.day_points ELSE 0 END + asked,
        month_points = CASE date_trunc('month', a.counted_on) WHEN date_trunc('month', day) THEN a.month_points ELSE 0 END
                       + asked,
        hold_ids = a.hold_ids || request, hold_lapses = a.hold_lapses || (now() + lapse)
    WHERE bucket = b AND member_id = member;
    INSERT INTO rival_redemption (bucket, id, member_id, programme_no, bank_no, merchant_no, store_no, terminal_id,
                            content_hash, reason, state, points, currency, rules_version, terms_version, goods_no,
                            quantity, ship_to, spendable_after, business_date, held_at, lapse_at, draw_expires,
                            draw_points, draw_credit)
    VALUES (b, request, member, 1, 1, 1, 0, '', asked_hash, 'OK', 1, asked, '', rules.version, 0, 0, 0, '',
            a.available, day, now(), now() + lapse, draw_expires, draw_points, 0);
    INSERT INTO rival_journal (bucket, member_id, seq, business_date, at, kind, points, available_after, held_after,
                         credit_used_after, credit_limit_after, ref, redemption_id, programme_no, bank_no,
                         merchant_no, store_no, rules_version, terms_version, currency, gross_minor, commission_minor,
                         hash, lot_expires, lot_points)
    VALUES (b, member, a.journal_seq, day, now(), 3, asked, a.available, a.held, a.credit_used, a.credit_limit,
            request, request, 1, 1, 1, 0, rules.version, 0, '', 0, 0, a.chain, draw_expires, draw_points);
    RETURN 'OK';
END $$;

-- A version 7 uuid, so that the keys of redemption grow at one end here too. A client would make it.
CREATE FUNCTION bench_uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(set_byte(overlay(uuid_send(gen_random_uuid())
                                   PLACING substr(int8send((extract(epoch FROM clock_timestamp()) * 1000)::int8), 3)
                                   FROM 1 FOR 6), 6, 112), 'hex')::uuid
$$;
