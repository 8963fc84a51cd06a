INSERT INTO account (email, balance) VALUES ('ann@example.com', 100), ('bob@example.com', 0);
