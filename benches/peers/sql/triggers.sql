-- Documents that are maintained by row triggers, as they are usually written: each changed row
-- rebuilds the documents that embed it, one by one.
CREATE TABLE tv_by_trigger (id uuid PRIMARY KEY, data jsonb NOT NULL);

CREATE FUNCTION rebuild_post(post uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tv_by_trigger (id, data)
  SELECT p.id, {document}
  FROM tb_post p
  JOIN tb_user u ON u.id = p.author_id
  WHERE p.id = post
  ON CONFLICT (id) DO UPDATE SET data = EXCLUDED.data;
  IF NOT FOUND THEN
    DELETE FROM tv_by_trigger WHERE id = post;
  END IF;
END
$$;

CREATE FUNCTION user_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  post uuid;
BEGIN
  FOR post IN
    SELECT id FROM tb_post WHERE author_id = NEW.id
    UNION
    SELECT post_id FROM tb_comment WHERE author_id = NEW.id
    ORDER BY 1
  LOOP
    PERFORM rebuild_post(post);
  END LOOP;
  RETURN NULL;
END
$$;
CREATE TRIGGER user_changed AFTER UPDATE ON tb_user
FOR EACH ROW EXECUTE FUNCTION user_changed();

CREATE FUNCTION post_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM rebuild_post(coalesce(NEW.id, OLD.id));
  RETURN NULL;
END
$$;
CREATE TRIGGER post_changed AFTER INSERT OR UPDATE OR DELETE ON tb_post
FOR EACH ROW EXECUTE FUNCTION post_changed();

CREATE FUNCTION comment_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    PERFORM rebuild_post(OLD.post_id);
  END IF;
  IF TG_OP <> 'DELETE' AND (TG_OP = 'INSERT' OR NEW.post_id <> OLD.post_id) THEN
    PERFORM rebuild_post(NEW.post_id);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER comment_changed AFTER INSERT OR UPDATE OR DELETE ON tb_comment
FOR EACH ROW EXECUTE FUNCTION comment_changed();

INSERT INTO tv_by_trigger (id, data)
SELECT p.id, {document}
FROM tb_post p
JOIN tb_user u ON u.id = p.author_id
WHERE {where};
ANALYZE tv_by_trigger
