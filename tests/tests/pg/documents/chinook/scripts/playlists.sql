-- Playlists go with their tracks, are numbered anew, and are filled.
DELETE FROM playlist WHERE playlist_id = 5;
UPDATE playlist SET playlist_id = 1000 + playlist_id WHERE playlist_id IN (8, 9);
INSERT INTO playlist (playlist_id, name) VALUES (1, 'Everything'), (2000, 'New'), (2001, 'Empty')
ON CONFLICT (playlist_id) DO UPDATE SET name = EXCLUDED.name;
INSERT INTO playlist_track (playlist_id, track_id)
SELECT 2000, track_id FROM track WHERE milliseconds > 600000
ON CONFLICT DO NOTHING;
INSERT INTO playlist_track (playlist_id, track_id) VALUES (1, 1), (1, 2), (2000, 1)
ON CONFLICT (playlist_id, track_id) DO NOTHING;
UPDATE playlist_track SET playlist_id = 2001 WHERE playlist_id = 2000 AND track_id % 3 = 0;
-- A track goes with its places in playlists and in invoices.
DELETE FROM track WHERE track_id = 10;
