-- Each row belongs to an organization, whose id is the first column of its key. Each foreign key contains it, so the
-- database refuses a row that refers to a row of another organization.

CREATE TYPE agent_role AS ENUM ('admin', 'agent');
CREATE TYPE ticket_status AS ENUM ('open', 'pending', 'closed');

CREATE TABLE tb_organization (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL CHECK (name <> ''),
    last_ticket integer NOT NULL DEFAULT 0
);

CREATE TABLE tb_agent (
    org_id integer NOT NULL REFERENCES tb_organization,
    id integer NOT NULL GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL CHECK (name <> ''),
    role agent_role NOT NULL DEFAULT 'agent',
    PRIMARY KEY (org_id, id)
);

-- Of a token only the hash is stored.
CREATE TABLE tb_session (
    token_hash bytea PRIMARY KEY,
    org_id integer NOT NULL,
    agent_id integer NOT NULL,
    expires_at timestamptz NOT NULL,
    FOREIGN KEY (org_id, agent_id) REFERENCES tb_agent ON DELETE CASCADE
);
CREATE INDEX ON tb_session (org_id, agent_id);

CREATE TABLE tb_customer (
    org_id integer NOT NULL REFERENCES tb_organization,
    id integer NOT NULL GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL CHECK (name <> ''),
    email text NOT NULL,
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, email)
);

CREATE TABLE tb_label (
    org_id integer NOT NULL REFERENCES tb_organization,
    id integer NOT NULL GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL CHECK (name <> ''),
    PRIMARY KEY (org_id, id),
    UNIQUE (org_id, name)
);

CREATE TABLE tb_ticket (
    org_id integer NOT NULL REFERENCES tb_organization,
    number integer NOT NULL,
    requester_id integer NOT NULL,
    assignee_id integer,
    subject text NOT NULL CHECK (subject <> ''),
    status ticket_status NOT NULL DEFAULT 'open',
    due_at timestamptz NOT NULL,
    PRIMARY KEY (org_id, number),
    FOREIGN KEY (org_id, requester_id) REFERENCES tb_customer,
    FOREIGN KEY (org_id, assignee_id) REFERENCES tb_agent
);
CREATE INDEX ON tb_ticket (org_id, requester_id);
CREATE INDEX ON tb_ticket (org_id, assignee_id);

-- A message without an agent is the customer's.
CREATE TABLE tb_message (
    org_id integer NOT NULL,
    id integer NOT NULL GENERATED ALWAYS AS IDENTITY,
    ticket_number integer NOT NULL,
    agent_id integer,
    body text NOT NULL CHECK (body <> ''),
    sent_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    FOREIGN KEY (org_id, ticket_number) REFERENCES tb_ticket ON DELETE CASCADE,
    FOREIGN KEY (org_id, agent_id) REFERENCES tb_agent
);
CREATE INDEX ON tb_message (org_id, ticket_number);
CREATE INDEX ON tb_message (org_id, agent_id);

CREATE TABLE tb_ticket_label (
    org_id integer NOT NULL,
    ticket_number integer NOT NULL,
    label_id integer NOT NULL,
    PRIMARY KEY (org_id, ticket_number, label_id),
    FOREIGN KEY (org_id, ticket_number) REFERENCES tb_ticket ON DELETE CASCADE,
    FOREIGN KEY (org_id, label_id) REFERENCES tb_label ON DELETE CASCADE
);
CREATE INDEX ON tb_ticket_label (org_id, label_id);

-- Tickets are numbered within their organization, whoever inserts them. Its row is locked until the end of the
-- transaction, so there are no gaps.
CREATE FUNCTION number_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tb_organization SET last_ticket = last_ticket + 1 WHERE id = NEW.org_id
    RETURNING last_ticket INTO NEW.number;
    RETURN NEW;
END $$;
CREATE TRIGGER number_ticket BEFORE INSERT ON tb_ticket FOR EACH ROW EXECUTE FUNCTION number_ticket();
