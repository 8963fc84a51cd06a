SET search_path = app, public;
CREATE VIEW payer AS SELECT name FROM account;
