CREATE TABLE transfer (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sender   bigint NOT NULL REFERENCES account,
    receiver bigint NOT NULL REFERENCES account,
    amount   numeric(12, 2) NOT NULL CHECK (amount > 0)
);

CREATE FUNCTION send(from_email text, to_email text, how_much numeric) RETURNS void
LANGUAGE sql AS $$
    UPDATE account SET balance = balance - how_much WHERE email = from_email;
    UPDATE account SET balance = balance + how_much WHERE email = to_email;
    INSERT INTO transfer (sender, receiver, amount)
    SELECT s.id, r.id, how_much FROM account s, account r WHERE s.email = from_email AND r.email = to_email;
$$;
