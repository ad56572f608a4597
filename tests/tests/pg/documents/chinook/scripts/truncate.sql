-- Tables are emptied, together with others, and filled again in the same transaction.
TRUNCATE invoice_line;
BEGIN;
TRUNCATE playlist_track;
INSERT INTO playlist_track (playlist_id, track_id) SELECT 1, track_id FROM track WHERE album_id < 20;
COMMIT;
TRUNCATE invoice CASCADE;
INSERT INTO invoice (customer_id, invoice_date, total) SELECT customer_id, '2026-03-03', 1 FROM customer WHERE customer_id < 20;
