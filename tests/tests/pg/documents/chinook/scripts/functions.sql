-- A function and a trigger write, and a savepoint is rolled back.
CREATE FUNCTION place_order(customer int4, tracks int4[]) RETURNS int4 LANGUAGE plpgsql AS $$
DECLARE
    placed int4;
    track int4;
BEGIN
    INSERT INTO invoice (customer_id, invoice_date, total) VALUES (customer, '2026-02-02 12:00', 0)
    RETURNING invoice_id INTO placed;
    FOREACH track IN ARRAY tracks LOOP
        BEGIN
            INSERT INTO invoice_line (invoice_id, track_id, unit_price, quantity)
            SELECT placed, t.track_id, t.unit_price, 1 FROM track AS t WHERE t.track_id = track;
            IF track > 3000 THEN
                RAISE 'sold out';
            END IF;
        EXCEPTION WHEN raise_exception THEN
            NULL; -- This line is undone, the others are not.
        END;
    END LOOP;
    RETURN placed;
END $$;
CREATE FUNCTION add_to_total() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE invoice SET total = total + NEW.unit_price * NEW.quantity WHERE invoice_id = NEW.invoice_id;
    RETURN NULL;
END $$;
CREATE TRIGGER add_to_total AFTER INSERT ON invoice_line FOR EACH ROW EXECUTE FUNCTION add_to_total();
SELECT place_order(2, ARRAY[20, 21, 3100]);
SELECT place_order(c.customer_id, ARRAY[30, 31]) FROM customer AS c WHERE c.country = 'Brazil';
DO $$ BEGIN
    UPDATE customer SET company = 'DO' WHERE customer_id = 5;
    DELETE FROM invoice_line WHERE invoice_line_id = 1;
END $$;
BEGIN;
UPDATE customer SET first_name = 'kept' WHERE customer_id = 3;
SAVEPOINT before_mistake;
DELETE FROM invoice_line WHERE invoice_id < 50;
ROLLBACK TO before_mistake;
UPDATE customer SET last_name = 'kept' WHERE customer_id = 4;
COMMIT;
BEGIN;
DELETE FROM playlist;
ROLLBACK;
DROP TRIGGER add_to_total ON invoice_line;
