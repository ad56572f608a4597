-- How often a post was read. No document has this column, so no document is synced when it changes.
ALTER TABLE tb_post ADD COLUMN view_count bigint NOT NULL DEFAULT 0;
