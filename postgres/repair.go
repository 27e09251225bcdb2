package postgres

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// RepairColumn is a column of the rows that a [RowRepair] is given.
type RepairColumn struct {
	Name string
	// Type is the type in which its values are given, as DDL spells it.
	Type string
	// Key marks the columns of the key. What they hold is not changed.
	Key bool
}

// RowRepair replaces rows of a table by others, in the transaction that is
// open. Rows to be taken away are named by their places, those that come are
// given with their columns. The two rows of one that is changed have the same number.
type RowRepair struct {
	conn    *Conn
	schema  string
	table   string
	columns []RepairColumn
	target  map[string]repairTarget
	all     []string // the columns that can be written, in the table's order
	refers  []reference
}

// repairTarget is a column as the table has it.
type repairTarget struct {
	// typ is its type without what limits it: an assignment to the column minds that, a cast would cut.
	typ       string
	generated bool
}

// reference is a foreign key of another table.
type reference struct {
	name, table string
	// onDelete and onUpdate say that it changes its own table's rows.
	onDelete, onUpdate bool
	columns            []string
}

// The names of the temporary tables.
const (
	repairOld  = `pg_temp."moodledb_old"`
	repairNew  = `pg_temp."moodledb_new"`
	repairKept = `pg_temp."moodledb_kept"`
)

// RowPlace is what names a row to be taken away: two columns to select after others.
func RowPlace() []string { return []string{"tableoid", "ctid"} }

// MayRepair reports whether the role may make the temporary tables of a [RowRepair]; the error says what is missing.
func (db *DB) MayRepair(ctx context.Context) error {
	c, err := db.Acquire(ctx)
	if err != nil {
		return err
	}
	defer c.Release()
	var may bool
	if err := c.conn.QueryRow(ctx, "SELECT has_database_privilege(current_database(), 'TEMPORARY')").Scan(&may); err != nil {
		return stepError(ended(ctx, c.conn, canceled(ctx, err)), "look at the rights of role %q", db.server.User)
	}
	if !may {
		return fmt.Errorf("rows are repaired by way of temporary tables, which the role %q may not make: let an administrator run: GRANT TEMPORARY ON DATABASE %s TO %s",
			db.server.User, QuoteIdent(db.server.Database), QuoteIdent(db.server.User))
	}
	return nil
}

// BeginRepair locks the table against writers until the transaction ends, and
// makes room for the rows. It must be called in a transaction.
func (c *Conn) BeginRepair(ctx context.Context, schemaName, table string, columns []RepairColumn) (*RowRepair, error) {
	r := &RowRepair{conn: c, schema: schemaName, table: table, columns: columns, target: map[string]repairTarget{}}
	// With row security, rows would be hidden in silence.
	prepare := CommitDurably + "; SET LOCAL row_security = off; LOCK TABLE " + qualify(schemaName, table) + " IN SHARE ROW EXCLUSIVE MODE"
	if err := c.Exec(ctx, prepare); err != nil {
		return nil, r.failed(err, "lock the table")
	}
	if err := r.look(ctx); err != nil {
		return nil, err
	}
	defs := []string{`"moodledb_number" bigint PRIMARY KEY`}
	for i, k := range columns {
		if _, ok := r.target[k.Name]; !ok {
			return nil, fmt.Errorf("the table has no column %q any more", k.Name)
		}
		defs = append(defs, repairColumn(i)+" "+k.Type)
	}
	create := "CREATE TEMPORARY TABLE " + repairOld + ` ("moodledb_number" bigint PRIMARY KEY, "part" oid, "place" tid) ON COMMIT DROP; ` +
		"CREATE TEMPORARY TABLE " + repairNew + " (" + strings.Join(defs, ", ") + ") ON COMMIT DROP"
	if err := c.Exec(ctx, create); err != nil {
		return nil, stepError(err, "make temporary tables for the rows")
	}
	return r, nil
}

// failed names the step that failed, and the rights that the role lacks on the table.
func (r *RowRepair) failed(err error, step string) error {
	if denied(err) {
		return fmt.Errorf("%s: %w; let the owner run: GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s", step, err, qualify(r.schema, r.table), QuoteIdent(r.conn.db.server.User))
	}
	return stepError(err, "%s", step)
}

// denied reports whether the server refused for want of a right.
func denied(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "42501"
}

// repairColumn is the name in the temporary table of the i-th column that is given.
func repairColumn(i int) string { return fmt.Sprintf(`"c%d"`, i) }

// look reads what the table is.
func (r *RowRepair) look(ctx context.Context) error {
	const kind = `
SELECT c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid)
FROM pg_class c
WHERE c.oid = to_regclass($1)`
	name := qualify(r.schema, r.table)
	var parent bool
	if err := r.conn.conn.QueryRow(ctx, kind, name).Scan(&parent); err != nil {
		return stepError(err, "look at the table")
	}
	if parent {
		return errors.New("other tables inherit from it, so that nobody can tell into which of them a row belongs: repair it by hand")
	}
	const columns = `
SELECT a.attname, format_type(a.atttypid, -1), a.attgenerated <> ''
FROM pg_attribute a
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum`
	var (
		column string
		t      repairTarget
	)
	err := forEach(ctx, r.conn.conn, columns, []any{name}, []any{&column, &t.typ, &t.generated}, func() error {
		r.target[column] = t
		if !t.generated {
			r.all = append(r.all, column)
		}
		return nil
	})
	if err != nil {
		return stepError(err, "read the table's columns")
	}
	const references = `
SELECT k.conname, k.conrelid::regclass::text, k.confdeltype NOT IN ('a', 'r'), k.confupdtype NOT IN ('a', 'r'),
       ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey))
FROM pg_constraint k
WHERE k.contype = 'f' AND k.confrelid = to_regclass($1)
ORDER BY 2, 1`
	var f reference
	err = forEach(ctx, r.conn.conn, references, []any{name}, []any{&f.name, &f.table, &f.onDelete, &f.onUpdate, &f.columns}, func() error {
		r.refers = append(r.refers, f)
		f.columns = nil
		return nil
	})
	return stepError(err, "read the foreign keys that refer to the table")
}

// AddNew takes the rows that come, from a COPY (FORMAT binary) of the number and the columns.
func (r *RowRepair) AddNew(ctx context.Context, rows io.Reader) (int64, error) {
	n, err := r.conn.CopyFrom(ctx, "COPY "+repairNew+" FROM STDIN (FORMAT binary)", rows)
	return n, stepError(err, "send the rows")
}

// RowPlaces writes the places of rows that are to be taken away, for [RowRepair.AddOld].
type RowPlaces struct {
	w   *bufio.Writer
	row []byte
}

// NewRowPlaces writes to w.
func NewRowPlaces(w io.Writer) *RowPlaces {
	p := &RowPlaces{w: bufio.NewWriterSize(w, 64<<10)}
	_, _ = p.w.WriteString("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00") // an error stays with the writer
	return p
}

// Add adds a row by its number and the two fields of [RowPlace].
func (p *RowPlaces) Add(number int64, part, place []byte) error {
	p.row = binary.BigEndian.AppendUint16(p.row[:0], 3)
	p.row = binary.BigEndian.AppendUint32(p.row, 8)
	p.row = binary.BigEndian.AppendUint64(p.row, uint64(number))
	for _, f := range [][]byte{part, place} {
		p.row = binary.BigEndian.AppendUint32(p.row, uint32(len(f)))
		p.row = append(p.row, f...)
	}
	_, err := p.w.Write(p.row)
	return err
}

// End ends the list.
func (p *RowPlaces) End() error {
	_, _ = p.w.WriteString("\xff\xff") // an error stays with the writer
	return p.w.Flush()
}

// AddOld takes the places of the rows to be taken away, as [RowPlaces] writes them.
func (r *RowRepair) AddOld(ctx context.Context, places io.Reader) error {
	_, err := r.conn.CopyFrom(ctx, "COPY "+repairOld+" FROM STDIN (FORMAT binary)", places)
	return stepError(err, "send the places of rows")
}

// RepairCounts says how many rows a repair has touched.
type RepairCounts struct{ Inserted, Deleted, Updated int64 }

// What the rows of the temporary tables are: one side only, or both.
const (
	onlyOld = "NOT EXISTS (SELECT FROM " + repairNew + ` n WHERE n."moodledb_number" = o."moodledb_number")`
	onlyNew = "NOT EXISTS (SELECT FROM " + repairOld + ` o WHERE o."moodledb_number" = n."moodledb_number")`
	atPlace = `t.tableoid = o."part" AND t.ctid = o."place"`
	both    = repairOld + " o JOIN " + repairNew + ` n ON n."moodledb_number" = o."moodledb_number"`
)

// Apply takes rows away, changes rows, and adds rows. Columns that are not
// given keep what they hold in rows that are changed, and get their defaults in new ones.
//
// Rows are changed in place. Where a unique index forbids that for a moment, as
// when two rows have to swap names, they are taken away and added again.
func (r *RowRepair) Apply(ctx context.Context) (RepairCounts, error) {
	var n RepairCounts
	analyze := "ANALYZE " + repairOld + "; ANALYZE " + repairNew
	if err := r.conn.Exec(ctx, analyze); err != nil {
		return n, stepError(err, "prepare the repair")
	}
	if err := r.refuse(ctx); err != nil {
		return n, err
	}
	name := qualify(r.schema, r.table)
	var err error
	n.Deleted, err = r.run(ctx, "DELETE FROM "+name+" t USING "+repairOld+" o WHERE "+atPlace+" AND "+onlyOld)
	if err != nil {
		return n, r.failed(err, "take away the rows that are too many")
	}
	if n.Updated, err = r.update(ctx); err != nil {
		return n, r.failed(err, "change the rows that differ")
	}
	given, values := r.given()
	n.Inserted, err = r.run(ctx, "INSERT INTO "+name+" ("+given+") OVERRIDING SYSTEM VALUE SELECT "+values+
		" FROM "+repairNew+" n WHERE "+onlyNew+` ORDER BY n."moodledb_number"`)
	return n, r.failed(err, "add the rows that are missing")
}

// refuse stops a repair that would change rows of other tables.
func (r *RowRepair) refuse(ctx context.Context) error {
	var extra, changed bool
	query := "SELECT EXISTS (SELECT FROM " + repairOld + " o WHERE " + onlyOld + "), EXISTS (SELECT FROM " + both + ")"
	if err := r.conn.conn.QueryRow(ctx, query).Scan(&extra, &changed); err != nil {
		return stepError(err, "look at the rows that differ")
	}
	for _, f := range r.refers {
		beyondKey := slices.ContainsFunc(f.columns, func(name string) bool {
			return !slices.ContainsFunc(r.columns, func(k RepairColumn) bool { return k.Key && k.Name == name })
		})
		if extra && f.onDelete || changed && f.onUpdate && beyondKey {
			return fmt.Errorf("the foreign key %s of table %s would change rows there too: repair these two tables by hand, or drop the foreign key for the time of the repair", QuoteIdent(f.name), f.table)
		}
	}
	return nil
}

// given lists the columns that are given and can be written, and their values.
func (r *RowRepair) given() (columns, values string) {
	var names, exprs []string
	for i, k := range r.columns {
		if !r.target[k.Name].generated {
			names = append(names, QuoteIdent(k.Name))
			exprs = append(exprs, r.value(i))
		}
	}
	return strings.Join(names, ", "), strings.Join(exprs, ", ")
}

// value is the value of a column in the table's type.
func (r *RowRepair) value(i int) string {
	return "n." + repairColumn(i) + "::" + r.target[r.columns[i].Name].typ
}

// assignments set the columns that are given, but for those of the key.
func (r *RowRepair) assignments() string {
	var set []string
	for i, k := range r.columns {
		if !k.Key && !r.target[k.Name].generated {
			set = append(set, QuoteIdent(k.Name)+" = "+r.value(i))
		}
	}
	return strings.Join(set, ", ")
}

// update changes rows in place, or else replaces them.
func (r *RowRepair) update(ctx context.Context) (int64, error) {
	set := r.assignments()
	if set == "" {
		return 0, nil
	}
	if err := r.conn.Exec(ctx, "SAVEPOINT moodledb_update"); err != nil {
		return 0, err
	}
	n, err := r.run(ctx, "UPDATE "+qualify(r.schema, r.table)+" t SET "+set+" FROM "+both+" WHERE "+atPlace)
	if !replaceable(err) || len(r.refers) > 0 {
		return n, err
	}
	if err := r.conn.Exec(ctx, "ROLLBACK TO SAVEPOINT moodledb_update"); err != nil {
		return 0, err
	}
	return r.replace(ctx, set)
}

// replaceable reports whether rows that cannot be changed in place may be
// replaced: a key that another row still has, or an identity column that is no key.
func replaceable(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "23505" || e.Code == "23P01" || e.Code == "428C9")
}

// replace takes the rows that differ away and adds them changed, with all their columns.
func (r *RowRepair) replace(ctx context.Context, set string) (int64, error) {
	name := qualify(r.schema, r.table)
	keep := "CREATE TEMPORARY TABLE " + repairKept + ` ON COMMIT DROP AS SELECT o."moodledb_number", t.* FROM ` + name + " t, " + both + " WHERE " + atPlace +
		"; UPDATE " + repairKept + " t SET " + set + " FROM " + repairNew + ` n WHERE n."moodledb_number" = t."moodledb_number"`
	if err := r.conn.Exec(ctx, keep); err != nil {
		return 0, err
	}
	n, err := r.run(ctx, "DELETE FROM "+name+" t USING "+both+" WHERE "+atPlace)
	if err != nil {
		return 0, err
	}
	all := quoteIdents(r.all)
	m, err := r.run(ctx, "INSERT INTO "+name+" ("+all+") OVERRIDING SYSTEM VALUE SELECT "+all+" FROM "+repairKept+` ORDER BY "moodledb_number"`)
	if err == nil && m != n {
		err = fmt.Errorf("%d rows were taken away and %d added", n, m)
	}
	return m, err
}

// run executes a statement and returns the number of rows it touched.
func (r *RowRepair) run(ctx context.Context, statement string) (int64, error) {
	tag, err := r.conn.conn.PgConn().Exec(ctx, statement).ReadAll()
	if err != nil {
		return 0, ended(ctx, r.conn.conn, canceled(ctx, err))
	}
	return tag[len(tag)-1].CommandTag.RowsAffected(), nil
}

// RaiseSequence lets a sequence go on above the highest value of the column of
// whole numbers that it feeds, if it would not.
func (r *RowRepair) RaiseSequence(ctx context.Context, column, sequence string) error {
	name := quoteMaybeQualified(r.schema, sequence)
	statement := strings.Join([]string{
		"SELECT pg_catalog.setval(q.seqrelid, least(m.highest, q.seqmax)::bigint)",
		"FROM pg_catalog.pg_sequence q, " + name + " s, (SELECT max(" + QuoteIdent(column) + ")::numeric AS highest FROM " + qualify(r.schema, r.table) + ") m",
		"WHERE q.seqrelid = " + QuoteLiteral(name) + "::pg_catalog.regclass AND q.seqincrement > 0",
		"  AND m.highest >= s.last_value::numeric + CASE WHEN s.is_called THEN q.seqincrement ELSE 0 END",
	}, "\n")
	_, err := r.run(ctx, statement)
	if denied(err) {
		return fmt.Errorf("raise the sequence %q: %w; let its owner run: GRANT SELECT, UPDATE ON SEQUENCE %s TO %s", sequence, err, name, QuoteIdent(r.conn.db.server.User))
	}
	return stepError(err, "raise the sequence %q", sequence)
}
