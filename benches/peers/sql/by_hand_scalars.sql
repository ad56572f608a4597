SELECT jsonb_build_object('id', p.id, 'title', p.title, 'published', p.published)
FROM tb_post AS p
ORDER BY p.id
LIMIT $1
