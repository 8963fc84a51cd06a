DROP INDEX app.account_name;
