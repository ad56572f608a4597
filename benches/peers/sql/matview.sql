CREATE MATERIALIZED VIEW mv_post AS
SELECT p.id, {document} AS data
FROM tb_post p
JOIN tb_user u ON u.id = p.author_id
WHERE {where};
-- REFRESH MATERIALIZED VIEW CONCURRENTLY requires a unique index.
CREATE UNIQUE INDEX ON mv_post (id);
ANALYZE mv_post
