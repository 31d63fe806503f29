\set member random(0, :members - 1)
SELECT bench_hold(bench_uuid_v7(), '\x0000000000000000000000000000000000000000000000000000000000000000', 'member-' || :member, 10, '1 hour', :buckets);
