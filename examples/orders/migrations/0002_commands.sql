-- The commands. Each takes its locks in one order, so that no two wait for each other in a circle: first
-- the row of the order, then the rows of its products, by ascending id.
--
-- A command that its rules forbid raises an error of class OR, with values for programs as JSON in DETAIL:
--
--   OR001  a row does not exist             {"what": "order", "id": ..}
--   OR002  the order was changed meanwhile  {"expected": 3, "found": 4}
--   OR003  too little stock                 {"product": .., "requested": 5, "available": 2}
--   OR004  not in this status               {"status": "shipped"}
--   OR005  more than the amount due         {"amount": "20.00", "due": "12.50"}
--   OR006  an argument is invalid           {"argument": "quantity"}
--
-- `expected_version` is the version of the order that the caller has read; null compares nothing. `who` is
-- written to the audit log; null is the user of the session. Every command but fn_create_order returns the
-- new version of the order.

CREATE FUNCTION fn_refuse(code text, message text, detail jsonb, hint text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = code, MESSAGE = message, DETAIL = detail::text, HINT = hint;
END $$;

-- One row of the audit log.
CREATE FUNCTION fn_audit(operation text, who text, before jsonb, after jsonb) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO tb_audit_log (operation, entity, entity_id, who, changes)
    VALUES (operation, 'order', (after ->> 'id')::uuid, coalesce(who, session_user),
            jsonb_build_object('before', before, 'after', after));
$$;

-- Locks an order, and compares its version.
CREATE FUNCTION fn_lock_order(order_id uuid, expected_version integer) RETURNS tb_orders
LANGUAGE plpgsql AS $$
DECLARE
    locked tb_orders;
BEGIN
    SELECT * INTO locked FROM tb_orders WHERE id = order_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM fn_refuse('OR001', format('there is no order %s', order_id),
            jsonb_build_object('what', 'order', 'id', order_id),
            'Take the id from a query.');
    END IF;
    IF locked.version <> expected_version THEN
        PERFORM fn_refuse('OR002',
            format('order %s was changed meanwhile: it is at version %s, you have read version %s',
                locked.number, locked.version, expected_version),
            jsonb_build_object('expected', expected_version, 'found', locked.version),
            'Read the order again, and retry with its version.');
    END IF;
    RETURN locked;
END $$;

CREATE FUNCTION fn_refuse_status(refused tb_orders, wanted text, hint text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM fn_refuse('OR004',
        format('order %s is %s: it cannot be %s', refused.number, refused.status, wanted),
        jsonb_build_object('status', refused.status), hint);
END $$;

-- Reserves the products of some items, [{"product_id": .., "quantity": 2}], and adds them to an order
-- that the caller has locked or inserted. Returns the sum of their prices.
CREATE FUNCTION fn_insert_items(for_order uuid, items jsonb) RETURNS numeric
LANGUAGE plpgsql AS $$
DECLARE
    products uuid[];
    quantities bigint[];
    short record;
    price_of_items numeric;
BEGIN
    IF jsonb_typeof(items) IS DISTINCT FROM 'array' THEN
        PERFORM fn_refuse('OR006', 'the items are not a list', '{"argument": "items"}',
            'Pass [{"product_id": "..", "quantity": 1}].');
    END IF;
    PERFORM FROM jsonb_to_recordset(items) AS item (quantity integer)
    WHERE (quantity BETWEEN 1 AND 1000000) IS NOT TRUE;
    IF FOUND THEN
        PERFORM fn_refuse('OR006', 'a quantity is not between 1 and 1000000',
            '{"argument": "quantity"}', 'Order at least one.');
    END IF;
    -- A product that is named twice is one item.
    SELECT array_agg(product_id ORDER BY product_id), array_agg(quantity ORDER BY product_id)
    INTO products, quantities
    FROM (
        SELECT product_id, sum(quantity) AS quantity
        FROM jsonb_to_recordset(items) AS item (product_id uuid, quantity integer)
        GROUP BY product_id
    ) AS wanted;

    -- All locks before the first look at the stock, in the order of all commands.
    PERFORM FROM tb_products WHERE id = ANY (products) ORDER BY id FOR NO KEY UPDATE;
    SELECT wanted.*, product.name, product.stock INTO short
    FROM unnest(products, quantities) AS wanted (product_id, quantity)
    LEFT JOIN tb_products AS product ON product.id = wanted.product_id
    WHERE product.id IS NULL OR product.stock < wanted.quantity
    ORDER BY wanted.product_id
    LIMIT 1;
    IF FOUND AND short.stock IS NULL THEN
        PERFORM fn_refuse('OR001', format('there is no product %s', short.product_id),
            jsonb_build_object('what', 'product', 'id', short.product_id),
            'Take the id from a query.');
    ELSIF FOUND THEN
        PERFORM fn_refuse('OR003',
            format('%s of "%s" are in stock, and %s were ordered', short.stock, short.name, short.quantity),
            jsonb_build_object('product', short.product_id, 'requested', short.quantity,
                'available', short.stock),
            'Order fewer, or wait until there are more.');
    END IF;

    UPDATE tb_products AS product
    SET stock = product.stock - wanted.quantity,
        reserved = product.reserved + wanted.quantity,
        version = product.version + 1
    FROM unnest(products, quantities) AS wanted (product_id, quantity)
    WHERE product.id = wanted.product_id;
    WITH item AS (
        INSERT INTO tb_order_items (order_id, product_id, sku, name, quantity, unit_price)
        SELECT for_order, product.id, product.sku, product.name, wanted.quantity, product.price
        FROM unnest(products, quantities) AS wanted (product_id, quantity)
        JOIN tb_products AS product ON product.id = wanted.product_id
        ORDER BY product.id
        RETURNING line_total
    )
    SELECT coalesce(sum(line_total), 0) INTO price_of_items FROM item;
    RETURN price_of_items;
END $$;

-- Moves what an order has reserved: back to the stock, or to what is sold.
CREATE FUNCTION fn_release_items(of_order uuid, sell boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM tb_products
    WHERE id IN (SELECT product_id FROM tb_order_items WHERE order_id = of_order)
    ORDER BY id
    FOR NO KEY UPDATE;
    UPDATE tb_products AS product
    SET stock = product.stock + CASE WHEN sell THEN 0 ELSE item.quantity END,
        sold = product.sold + CASE WHEN sell THEN item.quantity ELSE 0 END,
        reserved = product.reserved - item.quantity,
        version = product.version + 1
    FROM (
        SELECT product_id, sum(quantity) AS quantity
        FROM tb_order_items
        WHERE order_id = of_order
        GROUP BY product_id
    ) AS item
    WHERE product.id = item.product_id;
END $$;

-- Creates an order with items, which may be none. Returns its id.
CREATE FUNCTION fn_create_order(customer_id uuid, items jsonb DEFAULT '[]', who text DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    created tb_orders;
    price_of_items numeric;
BEGIN
    PERFORM FROM tb_customers WHERE id = customer_id FOR KEY SHARE;
    IF NOT FOUND THEN
        PERFORM fn_refuse('OR001', format('there is no customer %s', customer_id),
            jsonb_build_object('what', 'customer', 'id', customer_id),
            'Take the id from a query.');
    END IF;
    INSERT INTO tb_orders (customer_id) VALUES (customer_id) RETURNING * INTO created;
    price_of_items := fn_insert_items(created.id, items);
    UPDATE tb_orders SET total = price_of_items WHERE id = created.id RETURNING * INTO created;
    PERFORM fn_audit('create_order', who, NULL, to_jsonb(created) || jsonb_build_object('items', items));
    RETURN created.id;
END $$;

-- Adds a product to a pending order, at its price of today.
CREATE FUNCTION fn_add_order_item(
    order_id uuid, product_id uuid, quantity integer,
    expected_version integer DEFAULT NULL, who text DEFAULT NULL
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    item jsonb := jsonb_build_object('product_id', product_id, 'quantity', quantity);
    before tb_orders := fn_lock_order(order_id, expected_version);
    after tb_orders;
    price_of_item numeric;
BEGIN
    IF before.status <> 'pending' THEN
        PERFORM fn_refuse_status(before, 'given items', 'Create another order.');
    END IF;
    price_of_item := fn_insert_items(before.id, jsonb_build_array(item));
    UPDATE tb_orders SET total = total + price_of_item, version = version + 1
    WHERE id = before.id
    RETURNING * INTO after;
    PERFORM fn_audit('add_order_item', who, to_jsonb(before),
        to_jsonb(after) || jsonb_build_object('item', item));
    RETURN after.version;
END $$;

-- Takes a payment of the amount due, or of a part of it. The last one makes the order paid.
CREATE FUNCTION fn_process_payment(
    order_id uuid, amount numeric,
    expected_version integer DEFAULT NULL, who text DEFAULT NULL
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    before tb_orders := fn_lock_order(order_id, expected_version);
    due numeric := before.total - before.paid;
    after tb_orders;
BEGIN
    IF before.status <> 'pending' THEN
        PERFORM fn_refuse_status(before, 'paid', 'Only a pending order has an amount due.');
    END IF;
    -- An infinite amount, and one that is not a number, is more than what is due.
    IF amount IS NULL OR amount <= 0 OR amount <> round(amount, 2) THEN
        PERFORM fn_refuse('OR006', format('%s is not an amount', coalesce(amount::text, 'null')),
            '{"argument": "amount"}', 'Pay a positive amount with two decimals.');
    END IF;
    IF amount > due THEN
        PERFORM fn_refuse('OR005', format('%s is more than the %s that are due', amount, due),
            jsonb_build_object('amount', amount::text, 'due', due::text), 'Pay the amount due, or less.');
    END IF;
    INSERT INTO tb_payments (order_id, kind, amount) VALUES (before.id, 'payment', amount);
    UPDATE tb_orders
    SET paid = paid + amount,
        status = CASE WHEN paid + amount = total THEN 'paid' ELSE status END,
        version = version + 1
    WHERE id = before.id
    RETURNING * INTO after;
    PERFORM fn_audit('process_payment', who, to_jsonb(before),
        to_jsonb(after) || jsonb_build_object('payment', amount));
    RETURN after.version;
END $$;

-- Cancels an order that is not shipped: gives its products back to the stock, and refunds what was paid.
CREATE FUNCTION fn_cancel_order(
    order_id uuid, expected_version integer DEFAULT NULL, who text DEFAULT NULL
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    before tb_orders := fn_lock_order(order_id, expected_version);
    after tb_orders;
BEGIN
    IF before.status NOT IN ('pending', 'paid') THEN
        PERFORM fn_refuse_status(before, 'cancelled', 'Only orders that are not shipped can be cancelled.');
    END IF;
    PERFORM fn_release_items(before.id, sell => false);
    IF before.paid > 0 THEN
        INSERT INTO tb_payments (order_id, kind, amount) VALUES (before.id, 'refund', -before.paid);
    END IF;
    UPDATE tb_orders SET status = 'cancelled', paid = 0, version = version + 1
    WHERE id = before.id
    RETURNING * INTO after;
    PERFORM fn_audit('cancel_order', who, to_jsonb(before),
        to_jsonb(after) || jsonb_build_object('refund', before.paid));
    RETURN after.version;
END $$;

-- Moves an order to its next status: pending, paid, shipped, delivered.
CREATE FUNCTION fn_update_order_status(
    order_id uuid, new_status text,
    expected_version integer DEFAULT NULL, who text DEFAULT NULL
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    before tb_orders := fn_lock_order(order_id, expected_version);
    next_status text := CASE before.status
        WHEN 'pending' THEN 'paid' WHEN 'paid' THEN 'shipped' WHEN 'shipped' THEN 'delivered' END;
    after tb_orders;
BEGIN
    IF (new_status IN ('pending', 'paid', 'shipped', 'delivered', 'cancelled')) IS NOT TRUE THEN
        PERFORM fn_refuse('OR006', format('there is no status "%s"', new_status),
            '{"argument": "status"}', 'Pass paid, shipped or delivered.');
    ELSIF new_status = 'cancelled' THEN
        PERFORM fn_refuse_status(before, 'cancelled this way', 'Call fn_cancel_order.');
    ELSIF new_status IS DISTINCT FROM next_status THEN
        PERFORM fn_refuse_status(before, new_status,
            coalesce(format('The next status is %s.', next_status), 'This status is the last one.'));
    ELSIF new_status = 'paid' AND before.paid < before.total THEN
        PERFORM fn_refuse_status(before, 'paid', format('%s are due: call fn_process_payment.',
            before.total - before.paid));
    ELSIF new_status = 'paid' AND NOT EXISTS (SELECT FROM tb_order_items AS i WHERE i.order_id = before.id) THEN
        PERFORM fn_refuse_status(before, 'paid', 'It has no items: call fn_add_order_item.');
    END IF;
    IF new_status = 'shipped' THEN
        PERFORM fn_release_items(before.id, sell => true);
    END IF;
    UPDATE tb_orders SET status = new_status, version = version + 1
    WHERE id = before.id
    RETURNING * INTO after;
    PERFORM fn_audit('update_order_status', who, to_jsonb(before), to_jsonb(after));
    RETURN after.version;
END $$;
