-- migrate:up
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.name := NEW.name || ';';
    RETURN NEW;
END;
$$;
CREATE TRIGGER touch BEFORE INSERT ON app.account FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE TABLE app.invoice (id int GENERATED ALWAYS AS IDENTITY, account int REFERENCES app.account DEFERRABLE INITIALLY DEFERRED);
INSERT INTO app.invoice (account) VALUES (7);
INSERT INTO app.account VALUES (7, 'Ada');

-- migrate:down
DROP TABLE app.invoice;
