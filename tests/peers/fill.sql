-- :orders active orders over 2,000 drugs, in the :shape that is asked for.
TRUNCATE ledger, administrations, orders, stock;
INSERT INTO stock SELECT n, 'Drug ' || md5(n::text), 1000000000, 10 FROM generate_series(0, 1999) n;
SELECT setseed(0.5);
CREATE TEMP TABLE shares AS
  SELECT n AS drug, sum(1.0 / (n + 1)) OVER (ORDER BY n) AS upto FROM generate_series(0, 1999) n;
CREATE INDEX ON shares (upto);
ANALYZE shares;
INSERT INTO orders
SELECT n, 'Patient ' || md5((n % 5000)::text), n % 60,
  CASE :'shape'
    WHEN 'hot' THEN 0
    WHEN 'uniform' THEN floor(chance * 2000)::bigint
    ELSE (SELECT drug FROM shares WHERE upto >= chance * (SELECT max(upto) FROM shares) ORDER BY upto LIMIT 1)
  END,
  1, 'active', n % 50, now() + n * interval '1 second', now()
FROM (SELECT n, random() AS chance FROM generate_series(0, :orders - 1) n OFFSET 0) made;
VACUUM ANALYZE;
CHECKPOINT;
