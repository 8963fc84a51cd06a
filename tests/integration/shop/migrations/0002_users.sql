CREATE TABLE users (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email      email NOT NULL,
    full_name  text NOT NULL CHECK (full_name <> ''),
    created_at timestamptz NOT NULL DEFAULT now()
);
