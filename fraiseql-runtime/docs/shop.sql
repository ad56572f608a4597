CREATE SCHEMA shop;
CREATE TABLE shop.customer (
    customer_id int4 PRIMARY KEY,
    name varchar(80) NOT NULL,
    email text);
CREATE TABLE shop.product (
    sku text PRIMARY KEY,
    title text NOT NULL,
    price numeric(10,2) NOT NULL,
    deleted_at timestamptz);
CREATE TABLE shop."order" (
    order_id int8 PRIMARY KEY,
    customer_id int4 NOT NULL REFERENCES shop.customer,
    status text NOT NULL,
    placed_at timestamptz NOT NULL);
CREATE TABLE shop.order_line (
    line_id int8 PRIMARY KEY,
    order_id int8 NOT NULL REFERENCES shop."order",
    sku text NOT NULL REFERENCES shop.product,
    quantity int4 NOT NULL,
    unit_price numeric(10,2) NOT NULL);
