-- One account an address, whatever its case.
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
