DROP VIEW app.payer;
