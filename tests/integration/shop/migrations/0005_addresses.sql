CREATE TABLE addresses (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    street  text NOT NULL,
    city    text NOT NULL,
    zip     text NOT NULL,
    country text NOT NULL
);
CREATE INDEX addresses_user_id ON addresses (user_id);
