CREATE TABLE countries (
    code char(2) PRIMARY KEY,
    name text NOT NULL UNIQUE,
    vat  numeric(4,3) NOT NULL CHECK (vat BETWEEN 0 AND 1)
);
INSERT INTO countries VALUES ('DE', 'Germany', 0.19), ('FR', 'France', 0.20), ('CH', 'Switzerland', 0.081);
