-- Second step, the data: the first word is the first name, the rest is the last name, which may be missing.
UPDATE users SET
    first_name = split_part(full_name, ' ', 1),
    last_name  = nullif(trim(substr(full_name, length(split_part(full_name, ' ', 1)) + 1)), '');
