package benchsite

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/moodledb/moodledb/schema"
)

// plan makes the code tree and the tables of a source.
func plan(t *testing.T, data Data) []tableData {
	t.Helper()
	data, err := data.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	_, site, err := writeCode(filepath.Join(t.TempDir(), "code"), data)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := tablesOf(site, schema.MariaDB, data)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// size is the number of bytes of a table's rows.
func size(t *testing.T, d *tableData) (int64, uint64) {
	t.Helper()
	h := fnv.New64a()
	n, err := io.Copy(h, &rowReader{rows: d.filler.rows(), left: d.rows})
	if err != nil {
		t.Fatal(err)
	}
	return n, h.Sum64()
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		data   Data
		tables int
		bytes  float64 // 0: any
	}{
		{Data{Profile: Mix, Bytes: 20_000_000}, 4, 20e6},
		{Data{Profile: Site, Bytes: 25_000_000}, siteTables, 25e6},
		{Data{Profile: Tables, Rows: 120}, 120, 0},
		{Data{Profile: Narrow, Rows: 5000}, 1, 0},
		{Data{Profile: Wide, Rows: 3, ValueBytes: 3_000_000}, 1, 9e6},
	} {
		t.Run(string(tc.data.Profile), func(t *testing.T) {
			t.Parallel()
			tables := plan(t, tc.data)
			if len(tables) != tc.tables {
				t.Errorf("%d tables, want %d", len(tables), tc.tables)
			}
			total, log := 0.0, 0.0
			for i := range tables {
				n, _ := size(t, &tables[i])
				total += float64(n)
				if tables[i].table.Name == prefix+siteLog {
					log = float64(n)
				}
			}
			if tc.bytes > 0 && math.Abs(total-tc.bytes) > 0.15*tc.bytes {
				t.Errorf("%.0f bytes, want %.0f", total, tc.bytes)
			}
			if tc.data.Profile == Site && (log < 0.4*total || log > 0.6*total) {
				t.Errorf("the log has %.0f of %.0f bytes, want half", log, total)
			}
		})
	}
}

func TestTheSameSeedGivesTheSameRows(t *testing.T) {
	t.Parallel()
	data := Data{Profile: Site, Bytes: 3_000_000, Seed: 7}
	first, second := plan(t, data), plan(t, data)
	data.Seed = 8
	other := plan(t, data)
	byName := map[string]uint64{}
	for i := range other {
		_, byName[other[i].table.Name] = size(t, &other[i])
	}
	different := 0
	for i := range first {
		a, b := &first[i], &second[i]
		if a.table.Name != b.table.Name || a.rows != b.rows {
			t.Fatalf("table %d: %s with %d rows, then %s with %d rows", i, a.table.Name, a.rows, b.table.Name, b.rows)
		}
		_, x := size(t, a)
		if _, y := size(t, b); x != y {
			t.Errorf("table %s has other rows the second time", a.table.Name)
		}
		if byName[a.table.Name] != x {
			different++
		}
	}
	if different < len(first)/3 {
		t.Errorf("another seed changed only %d of %d tables", different, len(first))
	}
}

// The first rows of a table are the same however many follow, so that a
// larger source is the same site with more of it.
func TestMoreRowsBeginAlike(t *testing.T) {
	t.Parallel()
	small, large := plan(t, Data{Profile: Mix, Bytes: 5_000_000}), plan(t, Data{Profile: Mix, Bytes: 50_000_000})
	byName := func(a, b tableData) int { return strings.Compare(a.table.Name, b.table.Name) }
	slices.SortFunc(small, byName)
	slices.SortFunc(large, byName)
	for i := range small {
		// Few rows are rounded.
		if small[i].rows > 10 && (small[i].rows*9 > large[i].rows || small[i].rows*11 < large[i].rows) {
			t.Errorf("%s: %d and %d rows, want ten times as many", small[i].table.Name, small[i].rows, large[i].rows)
		}
		a, b := small[i].filler.rows(), large[i].filler.rows()
		for range min(small[i].rows, 100) {
			if x, y := a.next(nil), b.next(nil); !bytes.Equal(x, y) {
				t.Fatalf("%s: rows differ:\n%.200q\n%.200q", small[i].table.Name, x, y)
			}
		}
	}
}

// Every row has a field for each column, unique indexes get unique values, and
// texts are UTF-8.
func TestRowsFitTheirTables(t *testing.T) {
	t.Parallel()
	tables := plan(t, Data{Profile: Site, Bytes: 3_000_000})
	for i := range tables {
		d := &tables[i]
		// Tables that are empty here have rows at a larger site.
		d.rows = min(300, d.filler.capacity)
		keys := map[string]bool{}
		s := d.filler.rows()
		var b []byte
		for n := range d.rows {
			b = s.next(b[:0])
			fields := fieldsOf(b)
			if len(fields) != len(d.table.Columns) {
				t.Fatalf("%s: row %d has %d fields, want %d: %.200q", d.table.Name, n, len(fields), len(d.table.Columns), b)
			}
			checkFields(t, &d.table, fields)
			for _, x := range d.table.Indexes {
				if !x.Unique && !x.Primary {
					continue
				}
				key := x.Name
				for j, c := range d.table.Columns {
					for _, p := range x.Parts {
						if p.Column == c.Name {
							key += "|" + strings.ToLower(fields[j])
						}
					}
				}
				if keys[key] {
					t.Fatalf("%s: row %d: %s comes twice in a unique index", d.table.Name, n, key)
				}
				keys[key] = true
			}
		}
	}
}

// fieldsOf takes a row apart, as LOAD DATA does.
func fieldsOf(line []byte) []string {
	var fields []string
	var field []byte
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			field = append(field, line[i], line[i+1])
			i++
		case '\t', '\n':
			fields = append(fields, string(field))
			field = field[:0]
		default:
			field = append(field, line[i])
		}
	}
	return fields
}

func checkFields(t *testing.T, table *schema.Table, fields []string) {
	t.Helper()
	for i, c := range table.Columns {
		switch {
		case fields[i] == null:
			if c.NotNull {
				t.Fatalf("%s.%s is NULL", table.Name, c.Name)
			}
		case strings.HasSuffix(c.Type.Name, "blob"):
		case !utf8.ValidString(fields[i]):
			t.Fatalf("%s.%s is not UTF-8: %q", table.Name, c.Name, fields[i])
		case c.Type.Name == "varchar" && int64(utf8.RuneCountInString(strings.ReplaceAll(fields[i], `\\`, `\`))) > c.Type.Length:
			t.Fatalf("%s.%s is longer than %d: %q", table.Name, c.Name, c.Type.Length, fields[i])
		}
	}
}

func TestIDsHaveGaps(t *testing.T) {
	t.Parallel()
	f := &filler{sparse: true}
	last := int64(0)
	gaps := 0
	for n := range int64(20000) {
		id := f.id(n)
		if id <= last {
			t.Fatalf("id %d after %d", id, last)
		}
		if id > last+1 {
			gaps++
		}
		last = id
	}
	if gaps == 0 {
		t.Error("no gaps")
	}
}

func TestUnknownProfile(t *testing.T) {
	t.Parallel()
	if _, err := (Data{Profile: "huge"}).withDefaults(); err == nil || !strings.Contains(err.Error(), "mix") {
		t.Errorf("error %v, want one that lists the profiles", err)
	}
	if _, err := (Data{Profile: Mix, Bytes: -1}).withDefaults(); err == nil {
		t.Error("a negative size is taken")
	}
}

func TestUniqueIndexBoundsTheRows(t *testing.T) {
	t.Parallel()
	table := schema.Table{
		Columns: []schema.Column{{Name: "level", Type: schema.Type{Name: "tinyint"}}},
		Indexes: []schema.Index{{Name: "u", Unique: true, Parts: []schema.IndexPart{{Column: "level"}}}},
	}
	u := uniqueColumns(&table)
	if u.capacity != 100 || u.columns["level"] != whole {
		t.Errorf("capacity %d, part %d", u.capacity, u.columns["level"])
	}
}

func BenchmarkRows(b *testing.B) {
	data, err := Data{Profile: Mix, Bytes: 10_000_000}.withDefaults()
	if err != nil {
		b.Fatal(err)
	}
	_, site, err := writeCode(filepath.Join(b.TempDir(), "code"), data)
	if err != nil {
		b.Fatal(err)
	}
	tables, err := tablesOf(site, schema.MariaDB, data)
	if err != nil {
		b.Fatal(err)
	}
	for i := range tables {
		b.Run(fmt.Sprint(tables[i].table.Name), func(b *testing.B) {
			b.ReportAllocs()
			s := tables[i].filler.rows()
			var line []byte
			for b.Loop() {
				line = s.next(line[:0])
				b.SetBytes(int64(len(line)))
			}
		})
	}
}
