INSERT INTO products (sku, name, description, price) VALUES
    ('PEN-001', 'Fountain pen', 'Writes in blue, with a steel nib', 2450),
    ('INK-001', 'Bottle of ink', 'Blue ink for fountain pens', 799),
    ('PAP-001', 'Writing paper', 'A hundred sheets, unlined', 550),
    ('TEA-001', 'Green tea', 'Loose leaves from Uji', 1290);
INSERT INTO product_categories
    SELECT p.id, c.id FROM products p JOIN categories c
        ON c.name = CASE WHEN sku LIKE 'TEA%' THEN 'food' WHEN sku LIKE 'PAP%' THEN 'office' ELSE 'writing' END;
