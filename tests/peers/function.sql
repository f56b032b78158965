\set n :n + 1
\set the_order :client_id * :each + :n
SELECT give(:the_order, 1);
