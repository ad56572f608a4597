-- The base tables. Only the functions of the next migration write orders, items, payments and the
-- audit log; their constraints hold for whoever else does.

CREATE TABLE tb_customers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email text NOT NULL UNIQUE,
    name text NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A unit is in exactly one of three places: in stock, reserved by an order that is not shipped, or sold.
CREATE TABLE tb_products (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    sku text NOT NULL UNIQUE,
    name text NOT NULL CHECK (name <> ''),
    price numeric(12, 2) NOT NULL CHECK (price BETWEEN 0 AND 1000000),
    stock integer NOT NULL CHECK (stock >= 0),
    reserved integer NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    sold integer NOT NULL DEFAULT 0 CHECK (sold >= 0),
    low_stock_threshold integer NOT NULL DEFAULT 5 CHECK (low_stock_threshold >= 0),
    version integer NOT NULL DEFAULT 1
);

-- `total` is the sum of the items, `paid` that of the payments. They are stored so that the constraints
-- below can say what a status means.
CREATE TABLE tb_orders (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    customer_id uuid NOT NULL REFERENCES tb_customers,
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'paid', 'shipped', 'delivered', 'cancelled')),
    total numeric(12, 2) NOT NULL DEFAULT 0 CHECK (total >= 0),
    paid numeric(12, 2) NOT NULL DEFAULT 0,
    placed_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CHECK (paid BETWEEN 0 AND total),
    CHECK (status NOT IN ('paid', 'shipped', 'delivered') OR paid = total),
    CHECK (status <> 'cancelled' OR paid = 0)
);

CREATE INDEX ON tb_orders (customer_id, placed_at DESC);

-- An item keeps what the product was called and what it cost when it was ordered.
CREATE TABLE tb_order_items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES tb_orders,
    product_id uuid NOT NULL REFERENCES tb_products,
    sku text NOT NULL,
    name text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    unit_price numeric(12, 2) NOT NULL CHECK (unit_price >= 0),
    line_total numeric(12, 2) NOT NULL GENERATED ALWAYS AS (quantity * unit_price) STORED
);

CREATE INDEX ON tb_order_items (order_id);
CREATE INDEX ON tb_order_items (product_id);

-- A refund is a negative amount.
CREATE TABLE tb_payments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES tb_orders,
    kind text NOT NULL CHECK (kind IN ('payment', 'refund')),
    amount numeric(12, 2) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (CASE kind WHEN 'payment' THEN amount > 0 ELSE amount < 0 END)
);

CREATE INDEX ON tb_payments (order_id);

-- One row for each command. `changes` is {"before": .., "after": ..}.
CREATE TABLE tb_audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operation text NOT NULL,
    entity text NOT NULL,
    entity_id uuid NOT NULL,
    who text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    changes jsonb NOT NULL
);

CREATE INDEX ON tb_audit_log (entity, entity_id, id DESC);
