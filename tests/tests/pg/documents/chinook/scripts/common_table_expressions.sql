-- One statement writes several tables.
WITH moved AS (
    UPDATE album SET artist_id = 2, title = title || ' (moved)' WHERE artist_id = 3 RETURNING album_id
), removed AS (
    DELETE FROM playlist_track AS p USING track AS t
    WHERE t.track_id = p.track_id AND t.album_id IN (11, 12)
    RETURNING p.playlist_id, p.track_id
), added AS (
    INSERT INTO playlist (playlist_id, name) VALUES (3000, 'Moved') RETURNING playlist_id
)
INSERT INTO invoice (customer_id, invoice_date, total)
SELECT 1, '2026-01-01', (SELECT count(*) FROM moved) + (SELECT count(*) FROM removed) + (SELECT count(*) FROM added);
WITH sold AS (
    INSERT INTO invoice_line (invoice_id, track_id, unit_price, quantity)
    SELECT max(i.invoice_id), 20, 0.99, 3 FROM invoice AS i WHERE i.customer_id = 1
    RETURNING invoice_id, unit_price * quantity AS amount
)
UPDATE invoice AS i SET total = i.total + s.amount FROM sold AS s WHERE s.invoice_id = i.invoice_id;
