-- The base tables. Each row has up to three identifiers: `pk_*` for joins, `id` for clients, and
-- `identifier` for URLs.

CREATE TABLE tb_user (
    pk_user bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    identifier text NOT NULL UNIQUE,
    username text NOT NULL UNIQUE,
    full_name text NOT NULL,
    bio text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tb_post (
    pk_post bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    identifier text NOT NULL UNIQUE,
    fk_author bigint NOT NULL REFERENCES tb_user ON DELETE CASCADE,
    title text NOT NULL,
    content text NOT NULL,
    published_at timestamptz,
    -- Incremented by each change, for optimistic locking.
    version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON tb_post (fk_author);

CREATE TABLE tb_comment (
    pk_comment bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    fk_post bigint NOT NULL REFERENCES tb_post ON DELETE CASCADE,
    fk_author bigint NOT NULL REFERENCES tb_user ON DELETE CASCADE,
    content text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON tb_comment (fk_post, created_at);
CREATE INDEX ON tb_comment (fk_author);

CREATE TABLE tb_tag (
    pk_tag bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE,
    identifier text NOT NULL UNIQUE,
    name text NOT NULL
);

CREATE TABLE tb_post_tag (
    fk_post bigint NOT NULL REFERENCES tb_post ON DELETE CASCADE,
    fk_tag bigint NOT NULL REFERENCES tb_tag ON DELETE CASCADE,
    PRIMARY KEY (fk_post, fk_tag)
);
CREATE INDEX ON tb_post_tag (fk_tag);

CREATE TABLE tb_like (
    fk_post bigint NOT NULL REFERENCES tb_post ON DELETE CASCADE,
    fk_user bigint NOT NULL REFERENCES tb_user ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (fk_post, fk_user)
);
CREATE INDEX ON tb_like (fk_user);
