--
-- PostgreSQL database dump
--

\restrict VLnIOukqvQyDNYNNE4Vp53QBy1yeCGZ8Iqi3qaqELJXhQuLhY0l4winNaKahe2U

-- Dumped from database version 17.10
-- Dumped by pg_dump version 18.6 (Debian 18.6-3)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: app; Type: SCHEMA; Schema: -; Owner: app_owner
--

CREATE SCHEMA app;


ALTER SCHEMA app OWNER TO app_owner;

--
-- Name: SCHEMA app; Type: COMMENT; Schema: -; Owner: app_owner
--

COMMENT ON SCHEMA app IS 'the shop''s tables; with a "quote"
and a line break';


--
-- Name: ext; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA ext;


ALTER SCHEMA ext OWNER TO postgres;

--
-- Name: citext; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;


--
-- Name: EXTENSION citext; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION citext IS 'text without case; ours';


--
-- Name: hstore; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA ext;


--
-- Name: EXTENSION hstore; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION hstore IS 'data type for storing sets of (key, value) pairs';


--
-- Name: pair; Type: TYPE; Schema: app; Owner: postgres
--

CREATE TYPE app.pair AS (
	a integer,
	b text
);


ALTER TYPE app.pair OWNER TO postgres;

--
-- Name: positive; Type: DOMAIN; Schema: app; Owner: postgres
--

CREATE DOMAIN app.positive AS integer
	CONSTRAINT positive_check CHECK ((VALUE > 0));


ALTER DOMAIN app.positive OWNER TO postgres;

--
-- Name: state; Type: TYPE; Schema: app; Owner: postgres
--

CREATE TYPE app.state AS ENUM (
    'new',
    'it''s paid',
    'gone;'
);


ALTER TYPE app.state OWNER TO postgres;

--
-- Name: full_name(text, text); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.full_name(first text, last text) RETURNS text
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
 SELECT
         CASE
             WHEN (first IS NULL) THEN last
             ELSE ((first || ' '::text) || last)
         END AS "case";
END;


ALTER FUNCTION app.full_name(first text, last text) OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: customer; Type: TABLE; Schema: app; Owner: app_owner
--

CREATE TABLE app.customer (
    id integer NOT NULL,
    email public.citext NOT NULL,
    first text COLLATE pg_catalog."C",
    last text,
    name text GENERATED ALWAYS AS (app.full_name(first, last)) STORED,
    home app.pair,
    more ext.hstore DEFAULT '"a"=>"1"'::ext.hstore,
    spare app.positive,
    "Odd; name" text DEFAULT '$$ ;'::text
);


ALTER TABLE app.customer OWNER TO app_owner;

--
-- Name: COLUMN customer."Odd; name"; Type: COMMENT; Schema: app; Owner: app_owner
--

COMMENT ON COLUMN app.customer."Odd; name" IS 'tab	, backslash \ and $body$';


--
-- Name: number; Type: SEQUENCE; Schema: app; Owner: postgres
--

CREATE SEQUENCE app.number
    START WITH 1000
    INCREMENT BY 7
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER SEQUENCE app.number OWNER TO postgres;

--
-- Name: sale; Type: TABLE; Schema: app; Owner: app_owner
--

CREATE TABLE app.sale (
    id bigint NOT NULL,
    customer integer NOT NULL,
    at date NOT NULL,
    state app.state DEFAULT 'new'::app.state,
    number integer DEFAULT nextval('app.number'::regclass)
)
PARTITION BY RANGE (at);


ALTER TABLE app.sale OWNER TO app_owner;

--
-- Name: forget(integer); Type: PROCEDURE; Schema: app; Owner: postgres
--

CREATE PROCEDURE app.forget(IN who integer)
    LANGUAGE sql
    BEGIN ATOMIC
 DELETE FROM app.sale
   WHERE (sale.customer = forget.who);
 DELETE FROM app.customer
   WHERE (customer.id = forget.who);
END;


ALTER PROCEDURE app.forget(IN who integer) OWNER TO postgres;

--
-- Name: noted(); Type: FUNCTION; Schema: app; Owner: app_owner
--

CREATE FUNCTION app.noted() RETURNS trigger
    LANGUAGE plpgsql
    AS $_$
BEGIN
  IF NEW.spare IS NOT NULL THEN
    INSERT INTO app.journal VALUES (NEW.id, $$customer; 'new'$$);
  END IF;
  RETURN NEW;
END;
$_$;


ALTER FUNCTION app.noted() OWNER TO app_owner;

--
-- Name: told(); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.told() RETURNS event_trigger
    LANGUAGE plpgsql
    AS $$BEGIN RETURN; END$$;


ALTER FUNCTION app.told() OWNER TO postgres;

--
-- Name: total(integer); Type: AGGREGATE; Schema: app; Owner: postgres
--

CREATE AGGREGATE app.total(integer) (
    SFUNC = int4pl,
    STYPE = integer,
    INITCOND = '0'
);


ALTER AGGREGATE app.total(integer) OWNER TO postgres;

--
-- Name: ===; Type: OPERATOR; Schema: app; Owner: postgres
--

CREATE OPERATOR app.=== (
    FUNCTION = texteq,
    LEFTARG = text,
    RIGHTARG = text
);


ALTER OPERATOR app.=== (text, text) OWNER TO postgres;

--
-- Name: buyer; Type: VIEW; Schema: app; Owner: postgres
--

CREATE VIEW app.buyer AS
SELECT
    NULL::integer AS id,
    NULL::text AS name,
    NULL::bigint AS sales;


ALTER VIEW app.buyer OWNER TO postgres;

--
-- Name: busy; Type: MATERIALIZED VIEW; Schema: app; Owner: postgres
--

CREATE MATERIALIZED VIEW app.busy AS
 SELECT id
   FROM app.buyer
  WHERE (sales > 1)
  WITH NO DATA;


ALTER MATERIALIZED VIEW app.busy OWNER TO postgres;

--
-- Name: customer_id_seq; Type: SEQUENCE; Schema: app; Owner: app_owner
--

ALTER TABLE app.customer ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME app.customer_id_seq
    START WITH 10
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: journal; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.journal (
    id integer,
    what text,
    at timestamp with time zone DEFAULT now()
);


ALTER TABLE app.journal OWNER TO postgres;

--
-- Name: note; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.note (
    id integer,
    body text,
    raw bytea,
    tags text[]
);


ALTER TABLE app.note OWNER TO postgres;

--
-- Name: long_note; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.long_note (
    stars integer
)
INHERITS (app.note);


ALTER TABLE app.long_note OWNER TO postgres;

--
-- Name: sale_2024; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.sale_2024 (
    id bigint NOT NULL,
    customer integer NOT NULL,
    at date NOT NULL,
    state app.state DEFAULT 'new'::app.state,
    number integer DEFAULT nextval('app.number'::regclass)
);


ALTER TABLE app.sale_2024 OWNER TO postgres;

--
-- Name: sale_id_seq; Type: SEQUENCE; Schema: app; Owner: app_owner
--

ALTER TABLE app.sale ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME app.sale_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: sale_other; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.sale_other (
    id bigint NOT NULL,
    customer integer NOT NULL,
    at date NOT NULL,
    state app.state DEFAULT 'new'::app.state,
    number integer DEFAULT nextval('app.number'::regclass)
);


ALTER TABLE app.sale_other OWNER TO postgres;

--
-- Name: scratch; Type: TABLE; Schema: app; Owner: postgres
--

CREATE UNLOGGED TABLE app.scratch (
    id integer
);


ALTER TABLE app.scratch OWNER TO postgres;

--
-- Name: sale_2024; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.sale ATTACH PARTITION app.sale_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');


--
-- Name: sale_other; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.sale ATTACH PARTITION app.sale_other DEFAULT;


--
-- Data for Name: customer; Type: TABLE DATA; Schema: app; Owner: app_owner
--

COPY app.customer (id, email, first, last, home, more, spare, "Odd; name") FROM stdin;
10	User1@example.com	Zoë	\N	(1,"x, ""y""")	"a"=>"1"	1	$$ ;
11	User2@example.com	Zoë	O'Néill;	(2,"x, ""y""")	"a"=>"1"	2	$$ ;
12	User3@example.com	Zoë	\N	(3,"x, ""y""")	"a"=>"1"	3	$$ ;
13	User4@example.com	Zoë	O'Néill;	(4,"x, ""y""")	"a"=>"1"	4	$$ ;
14	User5@example.com	Zoë	\N	(5,"x, ""y""")	"a"=>"1"	5	$$ ;
15	User6@example.com	Zoë	O'Néill;	(6,"x, ""y""")	"a"=>"1"	6	$$ ;
16	User7@example.com	Zoë	\N	(7,"x, ""y""")	"a"=>"1"	7	$$ ;
17	User8@example.com	Zoë	O'Néill;	(8,"x, ""y""")	"a"=>"1"	8	$$ ;
18	User9@example.com	Zoë	\N	(9,"x, ""y""")	"a"=>"1"	9	$$ ;
19	User10@example.com	Zoë	O'Néill;	(10,"x, ""y""")	"a"=>"1"	10	$$ ;
20	User11@example.com	Zoë	\N	(11,"x, ""y""")	"a"=>"1"	11	$$ ;
21	User12@example.com	Zoë	O'Néill;	(12,"x, ""y""")	"a"=>"1"	12	$$ ;
22	User13@example.com	Zoë	\N	(13,"x, ""y""")	"a"=>"1"	13	$$ ;
23	User14@example.com	Zoë	O'Néill;	(14,"x, ""y""")	"a"=>"1"	14	$$ ;
24	User15@example.com	Zoë	\N	(15,"x, ""y""")	"a"=>"1"	15	$$ ;
25	User16@example.com	Zoë	O'Néill;	(16,"x, ""y""")	"a"=>"1"	16	$$ ;
26	User17@example.com	Zoë	\N	(17,"x, ""y""")	"a"=>"1"	17	$$ ;
27	User18@example.com	Zoë	O'Néill;	(18,"x, ""y""")	"a"=>"1"	18	$$ ;
28	User19@example.com	Zoë	\N	(19,"x, ""y""")	"a"=>"1"	19	$$ ;
29	User20@example.com	Zoë	O'Néill;	(20,"x, ""y""")	"a"=>"1"	20	$$ ;
\.


--
-- Data for Name: journal; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app.journal (id, what, at) FROM stdin;
11	customer; 'new'	2026-11-26 20:42:49.348787+00
13	customer; 'new'	2026-11-26 20:42:49.348787+00
15	customer; 'new'	2026-11-26 20:42:49.348787+00
17	customer; 'new'	2026-11-26 20:42:49.348787+00
19	customer; 'new'	2026-11-26 20:42:49.348787+00
21	customer; 'new'	2026-11-26 20:42:49.348787+00
23	customer; 'new'	2026-11-26 20:42:49.348787+00
25	customer; 'new'	2026-11-26 20:42:49.348787+00
27	customer; 'new'	2026-11-26 20:42:49.348787+00
29	customer; 'new'	2026-11-26 20:42:49.348787+00
\.


--
-- Data for Name: long_note; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app.long_note (id, body, raw, tags, stars) FROM stdin;
100	long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; long; 	\\x00ff	{}	5
\.


--
-- Data for Name: note; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app.note (id, body, raw, tags) FROM stdin;
1	tab\t	\\x74616209	{"tab\t",NULL,""}
2	two\nlines	\\x74776f0a6c696e6573	{"two\nlines",NULL,""}
3	return\r	\\x72657475726e0d	{"return\r",NULL,""}
4	\\.	\\x5c2e	{"\\\\.",NULL,""}
5	\\N	\\x5c4e	{"\\\\N",NULL,""}
6		\\x	{"",NULL,""}
7	\N	\N	{NULL,NULL,""}
8	日本語 🙂	\\xe697a5e69cace8aa9e20f09f9982	{"日本語 🙂",NULL,""}
9	\\.\n\\.	\\x5c2e0a5c2e	{"\\\\.\n\\\\.",NULL,""}
10	;'"$$	\\x3b27222424	{";'\\"$$",NULL,""}
11	\b\f\v	\\x080c0b7f	{"\b\f\v",NULL,""}
12	:name	\\x3a6e616d65	{:name,NULL,""}
\.


--
-- Data for Name: sale_2024; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app.sale_2024 (id, customer, at, state, number) FROM stdin;
1	11	2024-06-11	it's paid	1000
2	12	2024-06-21	it's paid	1007
3	13	2024-07-01	it's paid	1014
4	14	2024-07-11	it's paid	1021
5	15	2024-07-21	it's paid	1028
6	16	2024-07-31	it's paid	1035
7	17	2024-08-10	it's paid	1042
8	18	2024-08-20	it's paid	1049
9	19	2024-08-30	it's paid	1056
10	20	2024-09-09	it's paid	1063
11	21	2024-09-19	it's paid	1070
12	22	2024-09-29	it's paid	1077
13	23	2024-10-09	it's paid	1084
14	24	2024-10-19	it's paid	1091
15	25	2024-10-29	it's paid	1098
16	26	2024-11-08	it's paid	1105
17	27	2024-11-18	it's paid	1112
18	28	2024-11-28	it's paid	1119
19	29	2024-12-08	it's paid	1126
20	10	2024-12-18	it's paid	1133
21	11	2024-12-28	it's paid	1140
\.


--
-- Data for Name: sale_other; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app.sale_other (id, customer, at, state, number) FROM stdin;
22	12	2025-01-07	it's paid	1147
23	13	2025-01-17	it's paid	1154
24	14	2025-01-27	it's paid	1161
25	15	2025-02-06	it's paid	1168
26	16	2025-02-16	it's paid	1175
27	17	2025-02-26	it's paid	1182
28	18	2025-03-08	it's paid	1189
29	19	2025-03-18	it's paid	1196
30	20	2025-03-28	it's paid	1203
31	21	2025-04-07	it's paid	1210
32	22	2025-04-17	it's paid	1217
33	23	2025-04-27	it's paid	1224
34	24	2025-05-07	it's paid	1231
35	25	2025-05-17	it's paid	1238
36	26	2025-05-27	it's paid	1245
37	27	2025-06-06	it's paid	1252
38	28	2025-06-16	it's paid	1259
39	29	2025-06-26	it's paid	1266
40	10	2025-07-06	it's paid	1273
\.


--
-- Data for Name: scratch; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app.scratch (id) FROM stdin;
\.


--
-- Name: customer_id_seq; Type: SEQUENCE SET; Schema: app; Owner: app_owner
--

SELECT pg_catalog.setval('app.customer_id_seq', 29, true);


--
-- Name: number; Type: SEQUENCE SET; Schema: app; Owner: postgres
--

SELECT pg_catalog.setval('app.number', 1280, true);


--
-- Name: sale_id_seq; Type: SEQUENCE SET; Schema: app; Owner: app_owner
--

SELECT pg_catalog.setval('app.sale_id_seq', 40, true);


--
-- Name: 4711; Type: BLOB METADATA; Schema: -; Owner: postgres
--

SELECT pg_catalog.lo_create('4711');

ALTER LARGE OBJECT 4711 OWNER TO postgres;

--
-- Name: LARGE OBJECT 4711; Type: COMMENT; Schema: -; Owner: postgres
--

COMMENT ON LARGE OBJECT 4711 IS 'a picture; small';


--
-- Data for Name: 4711; Type: BLOBS; Schema: -; Owner: postgres
--

BEGIN;

SELECT pg_catalog.lo_open('4711', 131072);
SELECT pg_catalog.lowrite(0, '\x00010203ff');
SELECT pg_catalog.lo_close(0);

COMMIT;

--
-- Name: customer customer_email_key; Type: CONSTRAINT; Schema: app; Owner: app_owner
--

ALTER TABLE ONLY app.customer
    ADD CONSTRAINT customer_email_key UNIQUE (email);


--
-- Name: customer customer_pkey; Type: CONSTRAINT; Schema: app; Owner: app_owner
--

ALTER TABLE ONLY app.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (id);


--
-- Name: sale sale_pkey; Type: CONSTRAINT; Schema: app; Owner: app_owner
--

ALTER TABLE ONLY app.sale
    ADD CONSTRAINT sale_pkey PRIMARY KEY (id, at);


--
-- Name: sale_2024 sale_2024_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.sale_2024
    ADD CONSTRAINT sale_2024_pkey PRIMARY KEY (id, at);


--
-- Name: sale_other sale_other_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.sale_other
    ADD CONSTRAINT sale_other_pkey PRIMARY KEY (id, at);


--
-- Name: scratch scratch_id_excl; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.scratch
    ADD CONSTRAINT scratch_id_excl EXCLUDE USING btree (id WITH =);


--
-- Name: busy_id; Type: INDEX; Schema: app; Owner: postgres
--

CREATE UNIQUE INDEX busy_id ON app.busy USING btree (id);


--
-- Name: customer_last; Type: INDEX; Schema: app; Owner: app_owner
--

CREATE INDEX customer_last ON app.customer USING btree (lower(last) DESC NULLS LAST) INCLUDE (first) WHERE (spare IS NOT NULL);


--
-- Name: sale_2024_pkey; Type: INDEX ATTACH; Schema: app; Owner: app_owner
--

ALTER INDEX app.sale_pkey ATTACH PARTITION app.sale_2024_pkey;


--
-- Name: sale_other_pkey; Type: INDEX ATTACH; Schema: app; Owner: app_owner
--

ALTER INDEX app.sale_pkey ATTACH PARTITION app.sale_other_pkey;


--
-- Name: sale_stat; Type: STATISTICS; Schema: app; Owner: postgres
--

CREATE STATISTICS app.sale_stat (dependencies) ON customer, state FROM app.sale;


ALTER STATISTICS app.sale_stat OWNER TO postgres;

--
-- Name: buyer _RETURN; Type: RULE; Schema: app; Owner: postgres
--

CREATE OR REPLACE VIEW app.buyer WITH (security_barrier='true') AS
 SELECT c.id,
    c.name,
    count(s.id) AS sales
   FROM (app.customer c
     LEFT JOIN app.sale s ON ((s.customer = c.id)))
  GROUP BY c.id;


--
-- Name: note note_log; Type: RULE; Schema: app; Owner: postgres
--

CREATE RULE note_log AS
    ON INSERT TO app.note
   WHERE (new.id < 0) DO ( INSERT INTO app.journal (id, what)
  VALUES (new.id, 'a; b'::text);
 UPDATE app.journal SET what = 'c'::text
  WHERE (journal.id = 0);
);


--
-- Name: customer customer_noted; Type: TRIGGER; Schema: app; Owner: app_owner
--

CREATE TRIGGER customer_noted AFTER INSERT OR UPDATE OF spare ON app.customer FOR EACH ROW WHEN ((new.last <> ';'::text)) EXECUTE FUNCTION app.noted();


--
-- Name: sale sale_customer_fkey; Type: FK CONSTRAINT; Schema: app; Owner: app_owner
--

ALTER TABLE app.sale
    ADD CONSTRAINT sale_customer_fkey FOREIGN KEY (customer) REFERENCES app.customer(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;


--
-- Name: customer all_of_it; Type: POLICY; Schema: app; Owner: app_owner
--

CREATE POLICY all_of_it ON app.customer AS RESTRICTIVE USING ((id > 0)) WITH CHECK (true);


--
-- Name: customer; Type: ROW SECURITY; Schema: app; Owner: app_owner
--

ALTER TABLE app.customer ENABLE ROW LEVEL SECURITY;

--
-- Name: customer own; Type: POLICY; Schema: app; Owner: app_owner
--

CREATE POLICY own ON app.customer FOR SELECT TO app_reader USING (((email)::text = (CURRENT_USER)::text));


--
-- Name: news; Type: PUBLICATION; Schema: -; Owner: postgres
--

CREATE PUBLICATION news WITH (publish = 'insert, update, delete, truncate');


ALTER PUBLICATION news OWNER TO postgres;

--
-- Name: news customer; Type: PUBLICATION TABLE; Schema: app; Owner: postgres
--

ALTER PUBLICATION news ADD TABLE ONLY app.customer;


--
-- Name: news sale; Type: PUBLICATION TABLE; Schema: app; Owner: postgres
--

ALTER PUBLICATION news ADD TABLE ONLY app.sale;


--
-- Name: SCHEMA app; Type: ACL; Schema: -; Owner: app_owner
--

GRANT USAGE ON SCHEMA app TO app_reader;


--
-- Name: TABLE customer; Type: ACL; Schema: app; Owner: app_owner
--

GRANT SELECT ON TABLE app.customer TO app_reader;


--
-- Name: COLUMN customer.first; Type: ACL; Schema: app; Owner: app_owner
--

GRANT UPDATE(first) ON TABLE app.customer TO app_reader WITH GRANT OPTION;


--
-- Name: COLUMN customer.last; Type: ACL; Schema: app; Owner: app_owner
--

GRANT UPDATE(last) ON TABLE app.customer TO app_reader WITH GRANT OPTION;


--
-- Name: TABLE sale; Type: ACL; Schema: app; Owner: app_owner
--

GRANT SELECT ON TABLE app.sale TO app_reader;


--
-- Name: FUNCTION noted(); Type: ACL; Schema: app; Owner: app_owner
--

REVOKE ALL ON FUNCTION app.noted() FROM PUBLIC;


--
-- Name: DEFAULT PRIVILEGES FOR TABLES; Type: DEFAULT ACL; Schema: app; Owner: app_owner
--

ALTER DEFAULT PRIVILEGES FOR ROLE app_owner IN SCHEMA app GRANT SELECT ON TABLES TO app_reader;


--
-- Name: telling; Type: EVENT TRIGGER; Schema: -; Owner: postgres
--

CREATE EVENT TRIGGER telling ON ddl_command_start
   EXECUTE FUNCTION app.told();

ALTER EVENT TRIGGER telling DISABLE;


ALTER EVENT TRIGGER telling OWNER TO postgres;

--
-- Name: busy; Type: MATERIALIZED VIEW DATA; Schema: app; Owner: postgres
--

REFRESH MATERIALIZED VIEW app.busy;


--
-- PostgreSQL database dump complete
--

\unrestrict VLnIOukqvQyDNYNNE4Vp53QBy1yeCGZ8Iqi3qaqELJXhQuLhY0l4winNaKahe2U

