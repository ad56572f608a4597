SELECT jsonb_build_object(
  'id', p.id,
  'title', p.title,
  'published', p.published,
  'author', jsonb_build_object('username', u.username, 'fullName', u.full_name),
  'commentCount', (SELECT count(*) FROM tb_comment AS c WHERE c.post_id = p.id),
  'comments', coalesce((
    SELECT jsonb_agg(
      jsonb_build_object(
        'content', c.content,
        'author', jsonb_build_object('username', cu.username, 'fullName', cu.full_name)
      ) ORDER BY c.created_at DESC, c.id
    )
    FROM tb_comment AS c
    JOIN tb_user AS cu ON cu.id = c.author_id
    WHERE c.post_id = p.id
  ), '[]')
)
FROM (SELECT * FROM tb_post ORDER BY id LIMIT $1) AS p
JOIN tb_user AS u ON u.id = p.author_id
ORDER BY p.id
