SELECT concat_ws(E'\n', session_user, current_user,
  (SELECT string_agg(CASE WHEN strpos(name, '.') = 0
     THEN concat_ws(' ', name, setting, CASE WHEN NOT starts_with(name, 'transaction_') THEN source END, reset_val)
     WHEN setting <> boot_val THEN name || ' ' || setting END, E'\n' ORDER BY name) FROM pg_show_all_settings()),
  (SELECT 'app.tenant ' || current_setting('app.tenant', true)),
  (SELECT 'app.user_id ' || current_setting('app.user_id', true)),
  (SELECT string_agg('statement ' || name, E'\n' ORDER BY name) FROM pg_prepared_statements),
  (SELECT string_agg('cursor ' || name, E'\n' ORDER BY name) FROM pg_cursors WHERE name <> ''),
  (SELECT string_agg('channel ' || c, E'\n' ORDER BY c) FROM pg_listening_channels() AS c),
  (SELECT string_agg('lock ' || mode, E'\n') FROM pg_locks JOIN pg_database d ON d.oid = database
   WHERE locktype = 'advisory' AND datname = current_database()),
  (SELECT 'temporary schema' WHERE pg_my_temp_schema() <> 0),
  (SELECT 'transaction' WHERE pg_current_xact_id_if_assigned() IS NOT NULL))
