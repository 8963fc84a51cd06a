-- First of three steps from one name column to two: the new columns, empty still.
ALTER TABLE users ADD COLUMN first_name text, ADD COLUMN last_name text;
