DROP TABLE app.invoice;
