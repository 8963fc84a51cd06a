INSERT INTO categories (name) VALUES ('everything');
INSERT INTO categories (parent_id, name) SELECT id, n FROM categories, unnest('{office,food}'::text[]) n
    WHERE parent_id IS NULL;
INSERT INTO categories (parent_id, name) SELECT id, 'writing' FROM categories WHERE name = 'office';
