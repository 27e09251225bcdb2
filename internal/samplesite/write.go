package samplesite

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/xmldb"
)

// Prefix is the prefix of the sample site's tables.
const Prefix = "mdl_"

// rowsPerInsert keeps a statement far below any server's max_allowed_packet.
const rowsPerInsert = 40

const header = `-- Database of moodledb's sample site, for MariaDB 10.6 or later and MySQL 8.4 or later.
-- Written by internal/samplesite from a fixed seed; do not edit.
-- Every statement ends with a semicolon at the end of a line, and no literal holds a line break.

SET NAMES utf8mb4;
SET SESSION sql_mode='STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO';
SET SESSION time_zone='+00:00';
`

// Write writes the database of site: the tables that site declares, with their
// rows, and then what a real site has beyond its declared schema.
func Write(w io.Writer, site *xmldb.Site) error {
	data := newBuilder()
	data.fill()
	out := bufio.NewWriter(w)
	fmt.Fprint(out, header)
	namer := xmldb.NewNamer(Prefix, site.Product, func(string, string, string) bool { return false })
	for _, t := range site.Tables() {
		rows, ok := data.rows[t.Name]
		if !ok {
			return fmt.Errorf("table %q has no rows; say so with none if that is meant", t.Name)
		}
		delete(data.rows, t.Name)
		create, err := createTable(t, namer, data.gaps[t.Name])
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "\nDROP TABLE IF EXISTS %s;\n%s;\n", quoteIdent(Prefix+t.Name), create)
		if err := insert(out, t, rows); err != nil {
			return err
		}
	}
	if len(data.rows) > 0 {
		return fmt.Errorf("rows for tables that are not declared: %s", strings.Join(slices.Sorted(maps.Keys(data.rows)), ", "))
	}
	fmt.Fprintf(out, "\n%s", drift())
	return out.Flush()
}

// insert writes the rows of t. A column that a row does not name gets the
// column's default; it is an error when there is none.
func insert(w io.Writer, t xmldb.Table, rows []row) error {
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		names[i] = f.Name
	}
	for chunk := range slices.Chunk(rows, rowsPerInsert) {
		fmt.Fprintf(w, "INSERT INTO %s %s VALUES\n", quoteIdent(Prefix+t.Name), columnList(names))
		for i, r := range chunk {
			values, err := rowValues(t, r)
			if err != nil {
				return fmt.Errorf("table %q, row %v: %w", t.Name, r["id"], err)
			}
			end := ",\n"
			if i == len(chunk)-1 {
				end = ";\n"
			}
			fmt.Fprintf(w, "(%s)%s", strings.Join(values, ","), end)
		}
	}
	return nil
}

func rowValues(t xmldb.Table, r row) ([]string, error) {
	values := make([]string, len(t.Fields))
	used := 0
	for i, f := range t.Fields {
		v, ok := r[f.Name]
		switch {
		case ok:
			used++
		case f.Default != nil && f.Type == xmldb.Char:
			v = *f.Default
		case f.Default != nil:
			v = number(*f.Default)
		case f.NotNull && f.Type == xmldb.Char:
			v = ""
		case f.NotNull:
			return nil, fmt.Errorf("field %q needs a value", f.Name)
		}
		s, err := literal(v)
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", f.Name, err)
		}
		values[i] = s
	}
	if used != len(r) {
		return nil, fmt.Errorf("%d of its values have no field", len(r)-used)
	}
	return values, nil
}
