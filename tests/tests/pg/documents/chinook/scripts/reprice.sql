-- Rock gets dearer, and open orders with it. Statements of one transaction.
BEGIN;
UPDATE track SET unit_price = round(unit_price * 1.25, 2) WHERE genre_id = 1;
UPDATE invoice_line AS l SET unit_price = t.unit_price
FROM track AS t
WHERE t.track_id = l.track_id AND t.genre_id = 1;
UPDATE invoice AS i
SET total = (SELECT sum(l.unit_price * l.quantity) FROM invoice_line AS l WHERE l.invoice_id = i.invoice_id)
WHERE EXISTS (
    SELECT FROM invoice_line AS l JOIN track AS t ON t.track_id = l.track_id
    WHERE l.invoice_id = i.invoice_id AND t.genre_id = 1);
COMMIT;
-- An update that changes nothing, and one of a column that no document shows.
UPDATE track SET unit_price = unit_price;
UPDATE customer SET phone = '+44 20 7946 0000';
