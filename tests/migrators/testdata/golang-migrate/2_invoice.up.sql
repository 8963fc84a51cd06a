CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.name := NEW.name || ';';
    RETURN NEW;
END;
$$;
CREATE TRIGGER touch BEFORE INSERT ON app.account FOR EACH ROW EXECUTE FUNCTION app.touch();
SET LOCAL search_path = app, public;
CREATE TABLE invoice (id int GENERATED ALWAYS AS IDENTITY, account int REFERENCES account DEFERRABLE INITIALLY DEFERRED);
INSERT INTO invoice (account) VALUES (7);
INSERT INTO account VALUES (7, 'Ada');
