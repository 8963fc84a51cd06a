-- Third step: the new columns take over.
ALTER TABLE users ALTER COLUMN first_name SET NOT NULL, DROP COLUMN full_name,
    ADD CONSTRAINT users_first_name_check CHECK (first_name <> '');
