INSERT INTO users (email, full_name) VALUES
    ('ada@shop.example', 'Ada Lovelace'),
    ('jean@shop.example', 'Jean  Le Rond d''Alembert'),
    ('plato@shop.example', 'Plato');
