INSERT INTO warehouses (name) VALUES ('Basel'), ('Bonn');
INSERT INTO stock (warehouse_id, product_id, quantity)
    SELECT w.id, p.id, CASE WHEN w.name = 'Basel' THEN 10 ELSE 3 END
    FROM warehouses w, products p WHERE p.sku <> 'TEA-001' OR w.name = 'Basel';
