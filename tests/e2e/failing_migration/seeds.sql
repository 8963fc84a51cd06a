INSERT INTO users VALUES (1, 'ann');
INSERT INTO users VALUES (1, 'bob');
