-- Countries were free text; they become codes with a foreign key.
ALTER TABLE addresses RENAME COLUMN country TO country_code;
ALTER TABLE addresses ALTER COLUMN country_code TYPE char(2) USING upper(country_code)::char(2),
    ADD FOREIGN KEY (country_code) REFERENCES countries;
