-- Two artists become one, and a third gets a name.
BEGIN;
UPDATE album SET artist_id = 90 WHERE artist_id IN (50, 51);
DELETE FROM artist WHERE artist_id IN (50, 51);
UPDATE artist SET name = 'Iron Maiden and friends' WHERE artist_id = 90;
COMMIT;
UPDATE artist SET name = NULL WHERE artist_id = 1;
UPDATE genre SET name = upper(name);
UPDATE media_type SET name = name || ' (old)' WHERE media_type_id = 1;
