-- What products have brought in: the units and the money of orders that are paid.
CREATE VIEW v_product_revenue AS
SELECT product.id, product.sku, product.name,
       count(DISTINCT paid.order_id) AS order_count,
       coalesce(sum(paid.quantity), 0)::bigint AS units,
       coalesce(sum(paid.line_total), 0.00) AS revenue
FROM tb_products AS product
LEFT JOIN (
    SELECT item.*
    FROM tb_order_items AS item
    JOIN tb_orders AS placed ON placed.id = item.order_id
    WHERE placed.status IN ('paid', 'shipped', 'delivered')
) AS paid ON paid.product_id = product.id
GROUP BY product.id;
