-- A user may be forgotten: the account goes, the orders stay for the books, without a name.
ALTER TABLE orders ALTER COLUMN user_id DROP NOT NULL,
    DROP CONSTRAINT orders_user_id_fkey,
    ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE SET NULL;
