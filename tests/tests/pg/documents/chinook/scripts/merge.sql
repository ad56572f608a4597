-- MERGE inserts, updates and deletes in one statement.
MERGE INTO playlist_track AS p
USING (SELECT 12 AS playlist_id, track_id FROM track WHERE genre_id = 24 AND track_id % 2 = 0
       UNION ALL SELECT 12, 1) AS w
ON p.playlist_id = w.playlist_id AND p.track_id = w.track_id
WHEN MATCHED THEN DELETE
WHEN NOT MATCHED THEN INSERT (playlist_id, track_id) VALUES (w.playlist_id, w.track_id);
MERGE INTO album AS a
USING (VALUES (20, 'Merged', 21), (21, 'Merged, too', NULL), (9000, 'Added', 22)) AS w (album_id, title, artist_id)
ON a.album_id = w.album_id
WHEN MATCHED THEN UPDATE SET title = w.title, artist_id = coalesce(w.artist_id, a.artist_id)
WHEN NOT MATCHED THEN INSERT (album_id, title, artist_id) VALUES (w.album_id, w.title, w.artist_id);
