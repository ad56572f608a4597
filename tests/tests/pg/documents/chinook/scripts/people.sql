-- Employees report to others, customers change hands and leave.
UPDATE employee SET reports_to = 1 WHERE employee_id IN (3, 4);
UPDATE employee SET last_name = 'Lovelace', hire_date = NULL WHERE employee_id = 2;
UPDATE customer SET support_rep_id = CASE support_rep_id WHEN 3 THEN 4 WHEN 4 THEN NULL ELSE 3 END;
INSERT INTO employee (employee_id, first_name, last_name, reports_to) VALUES (9, 'Grace', 'Hopper', 2);
INSERT INTO customer (customer_id, first_name, last_name, email, support_rep_id)
VALUES (60, 'Ada', 'Byron', 'ada@example.org', 9), (61, 'Alan', 'Turing', 'alan@example.org', NULL);
UPDATE invoice SET customer_id = 60 WHERE customer_id = 10;
DELETE FROM customer WHERE customer_id = 10;
DELETE FROM invoice_line AS l USING invoice AS i WHERE i.invoice_id = l.invoice_id AND i.customer_id = 11;
DELETE FROM invoice WHERE customer_id = 11;
DELETE FROM customer WHERE customer_id = 11;
