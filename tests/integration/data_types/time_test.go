package datatypes_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// timestamptz stores an instant, not a zone: what comes back is the same instant, shown in the zone of the
// reader's session.
func TestTimestamptzIsAnInstant(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TABLE items (at timestamptz)`)
	tokyo := time.FixedZone("+09", 9*3600)
	want := time.Date(2024, 2, 29, 23, 59, 59, 123456000, tokyo)
	check.Exec(t, conn, `INSERT INTO items VALUES ($1)`, want)

	got := check.One[time.Time](t, conn, `SELECT at FROM items`)
	if !got.Equal(want) {
		t.Errorf("instant: got %v, want %v", got, want)
	}
	for zone, want := range map[string]string{
		"UTC": "2024-02-29 14:59:59.123456+00", "Asia/Tokyo": "2024-02-29 23:59:59.123456+09",
		"America/New_York": "2024-02-29 09:59:59.123456-05"} {
		check.Exec(t, conn, `SELECT set_config('TimeZone', $1, false)`, zone)
		check.Value(t, conn, want, `SELECT at::text FROM items`)
	}
}

// timestamp without time zone drops a given offset without a word, the reason to prefer timestamptz.
func TestTimestampDropsTheOffset(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Value(t, db, "2024-01-01 12:00:00", `SELECT '2024-01-01 12:00:00+09'::timestamp::text`)
	check.Value(t, db, time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC), `SELECT '2024-01-01 12:00:00+09'::timestamp`)
}

// AT TIME ZONE turns a local time into an instant, and an instant into a local time, summer time included.
func TestAtTimeZone(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `SET TimeZone = 'UTC'`)
	for expression, want := range map[string]string{
		`timestamp '2024-07-01 12:00' AT TIME ZONE 'Europe/Berlin'`:      "2024-07-01 10:00:00+00",
		`timestamp '2024-01-01 12:00' AT TIME ZONE 'Europe/Berlin'`:      "2024-01-01 11:00:00+00",
		`timestamptz '2024-07-01 12:00+00' AT TIME ZONE 'Europe/Berlin'`: "2024-07-01 14:00:00",
		// 02:30 does not exist on the day when clocks go forward: PostgreSQL takes the offset from before the change.
		`timestamp '2024-03-31 02:30' AT TIME ZONE 'Europe/Berlin'`: "2024-03-31 01:30:00+00",
	} {
		check.Equal(t, expression, check.One[string](t, conn, `SELECT (`+expression+`)::text`), want)
	}
}

// In a zone with summer time one day may have 23 hours: adding '1 day' and adding '24 hours' differ.
func TestADayIsNot24Hours(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `SET TimeZone = 'Europe/Berlin'`)
	check.Value(t, conn, "2024-03-31 12:00:00+02", `SELECT (timestamptz '2024-03-30 12:00' + interval '1 day')::text`)
	check.Value(t, conn, "2024-03-31 13:00:00+02",
		`SELECT (timestamptz '2024-03-30 12:00' + interval '24 hours')::text`)
}

// Times know infinity on both sides, greater and less than all others; pgtype carries it where time.Time cannot.
func TestInfiniteTimes(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (valid_until timestamptz, day date)`)
	check.Exec(t, db, `INSERT INTO items VALUES ($1, $2)`,
		pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true},
		pgtype.Date{InfinityModifier: pgtype.NegativeInfinity, Valid: true})
	check.Value(t, db, true, `SELECT valid_until > now() AND day < date '4713-01-01 BC' FROM items`)
	check.Value(t, db, pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true},
		`SELECT valid_until FROM items`)

	var plain time.Time
	if err := db.QueryRow(t.Context(), `SELECT valid_until FROM items`).Scan(&plain); err == nil {
		t.Errorf("scan of infinity into time.Time: got %v, want an error", plain)
	}
}

// The range of timestamps goes from 4713 BC to 294276 AD; the year before 1 AD is 1 BC.
func TestTimestampLimits(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Value(t, db, "294276-12-31 23:59:59.999999", `SELECT '294276-12-31 23:59:59.999999'::timestamp::text`)
	check.Fails(t, db, "22008", `SELECT '294277-01-01'::timestamp`)
	check.Value(t, db, "0001-12-31 BC", `SELECT (date '0001-01-01' - 1)::text`)
	// the Ides of March
	check.Value(t, db, time.Date(-43, 3, 15, 0, 0, 0, 0, time.UTC), `SELECT date '0044-03-15 BC'`)
	check.Fails(t, db, "22008", `SELECT '2023-02-29'::date`)
}

// Microseconds are the resolution: Go's nanoseconds are cut on the way in; timestamptz(0) rounds to seconds.
func TestTimestampResolution(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	nanos := time.Date(2024, 1, 1, 0, 0, 0, 1999, time.UTC)
	got := check.One[time.Time](t, db, `SELECT $1::timestamptz`, nanos)
	check.Equal(t, "after the round trip", got.UTC(), nanos.Truncate(time.Microsecond))
	check.Value(t, db, "2024-01-01 00:00:02", `SELECT '2024-01-01 00:00:01.5'::timestamp(0)::text`)
}

// An interval keeps months, days and microseconds apart, since no month and not every day has a fixed length.
func TestIntervalHasThreeParts(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Value(t, db, pgtype.Interval{Months: 14, Days: 3, Microseconds: 4*3_600_000_000 + 5, Valid: true},
		`SELECT interval '1 year 2 months 3 days 4 hours 0.000005 seconds'`)
	check.Value(t, db, "2024-02-29 00:00:00", `SELECT (timestamp '2024-01-31' + interval '1 month')::text`)
	check.Value(t, db, 90*time.Minute, `SELECT interval '1.5 hours'`)
	check.Value(t, db, "1 mon 1 day", `SELECT justify_interval('31 days')::text`)
	// for comparisons a month counts 30 days
	check.Value(t, db, true, `SELECT interval '1 month' = interval '30 days'`)
}

// An interval prints in four styles; all read back to the same value.
func TestIntervalStyles(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	value := pgtype.Interval{Months: 14, Days: 3, Microseconds: 14_706_000_000, Valid: true}
	for style, want := range map[string]string{
		"postgres": "1 year 2 mons 3 days 04:05:06", "iso_8601": "P1Y2M3DT4H5M6S",
		"sql_standard": "+1-2 +3 +4:05:06", "postgres_verbose": "@ 1 year 2 mons 3 days 4 hours 5 mins 6 secs"} {
		check.Exec(t, conn, `SET intervalstyle = `+style)
		check.Value(t, conn, want, `SELECT $1::interval::text`, value)
		check.Value(t, conn, value, `SELECT $1::text::interval`, want)
	}
}

// time is a time of day from 00:00 up to 24:00; time with time zone keeps an offset, of little use without a date.
func TestTimeOfDay(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Value(t, db, pgtype.Time{Microseconds: 86_400_000_000, Valid: true}, `SELECT time '24:00'`)
	check.Value(t, db, "01:30:00", `SELECT (time '23:30' + interval '2 hours')::text`)
	check.Value(t, db, "12:00:00+09", `SELECT timetz '12:00+09'::text`)
	check.Value(t, db, false, `SELECT timetz '12:00+09' = timetz '03:00+00'`) // the same moment, yet not equal
	check.Fails(t, db, "22008", `SELECT '24:00:01'::time`)
}

// now() is the start of the transaction and stands still in it; clock_timestamp() goes on.
func TestNowIsTheTransactionsStart(t *testing.T) {
	t.Parallel()
	tx := pgcell.Tx(t)
	first := check.One[time.Time](t, tx, `SELECT now()`)
	check.Exec(t, tx, `SELECT pg_sleep(0.002)`)
	check.Value(t, tx, first, `SELECT now()`)
	check.Value(t, tx, true, `SELECT clock_timestamp() > now()`)
}

// date_trunc, extract, date_bin and generate_series cut a time line into pieces.
func TestTimeArithmetic(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	for expression, want := range map[string]string{
		`date_trunc('month', timestamp '2024-05-17 10:11:12')`:                                 "2024-05-01 00:00:00",
		`date_bin('15 minutes', timestamp '2024-05-17 10:29:59', timestamp '2000-01-01')`:      "2024-05-17 10:15:00",
		`extract(isodow FROM date '2024-05-19')`:                                               "7",
		`extract(epoch FROM timestamptz '2001-09-09 01:46:40+00')::bigint`:                     "1000000000",
		`date '2024-03-01' - date '2024-02-01'`:                                                "29",
		`age(date '2024-05-17', date '2000-02-10')`:                                            "24 years 3 mons 7 days",
		`to_char(timestamp '2024-05-17 13:05', 'Dy DD Mon YYYY HH12 am')`:                      "Fri 17 May 2024 01 pm",
		`(date '2024-01-01', date '2024-02-01') OVERLAPS (date '2024-01-31', '1 d'::interval)`: "true",
	} {
		check.Equal(t, expression, check.One[string](t, db, `SELECT (`+expression+`)::text`), want)
	}
	check.Values(t, db, []int{31, 29, 31}, `SELECT extract(day FROM d + interval '1 month' - interval '1 day')::int
		FROM generate_series(timestamp '2024-01-01', '2024-03-01', '1 month') d`)
}
