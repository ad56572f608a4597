-- Tracks change places: between albums, to no album, and one way round a circle.
UPDATE track SET album_id = 4 WHERE album_id = 1 AND track_id % 2 = 0;
UPDATE track SET album_id = NULL, composer = NULL WHERE track_id IN (2, 3);
UPDATE track SET album_id = CASE album_id WHEN 5 THEN 6 WHEN 6 THEN 7 WHEN 7 THEN 5 END
WHERE album_id IN (5, 6, 7);
-- Moved and moved back: nothing changes.
BEGIN;
UPDATE track SET album_id = 9 WHERE album_id = 8;
UPDATE track SET album_id = 8 WHERE album_id = 9 AND track_id <= 76;
COMMIT;
