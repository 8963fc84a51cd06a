CREATE TABLE app.t4 AS SELECT * FROM app.account;
