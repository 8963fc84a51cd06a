-- A tree: the root's parent is NULL.
CREATE TABLE categories (
    id        int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent_id int REFERENCES categories,
    name      text NOT NULL,
    UNIQUE (parent_id, name),
    CHECK (parent_id <> id)
);
