package drift

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// usualCollation is the collation that most tables of the site have, among those
// of UTF-8 where there are any: Moodle takes no other. Of equals it is that of
// config.value, from which Moodle takes the collation of new tables.
func usualCollation(s *schema.Schema, prefix string) string {
	count := map[string]int{}
	for i := range s.Tables {
		t := &s.Tables[i]
		if collation := tableCollation(t); strings.HasPrefix(t.Name, prefix) && collation != "" {
			count[collation]++
		}
	}
	whole := maps.Clone(count)
	maps.DeleteFunc(count, func(collation string, _ int) bool { return !isUTF8(collation) })
	if len(count) == 0 {
		count = whole
	}
	usual := most(count)
	if t := s.Table(prefix + "config"); t != nil {
		if c := t.Column("value"); c != nil && count[c.Collation] > 0 && count[c.Collation] == count[usual] {
			return c.Collation
		}
	}
	if usual == "" {
		return s.Collation
	}
	return usual
}

// tableCollation is the collation that most text columns of a table have.
func tableCollation(t *schema.Table) string {
	count := map[string]int{}
	for _, c := range t.Columns {
		if c.Collation != "" {
			count[c.Collation]++
		}
	}
	return most(count)
}

// isUTF8 reports whether a collation is of a character set of UTF-8; those of
// MariaDB's newest kind go with any.
func isUTF8(collation string) bool {
	charset, _, _ := strings.Cut(collation, "_")
	return strings.HasPrefix(charset, "utf8") || charset == "uca1400"
}

// most returns the key with the highest count; of equals, the first.
func most(count map[string]int) string {
	var best string
	keys := make([]string, 0, len(count))
	for k := range count {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if best == "" || count[k] > count[best] {
			best = k
		}
	}
	return best
}

// textSearch finds the configuration in the expression of a text search index.
var textSearch = regexp.MustCompile(`to_tsvector\('([^']+)'`)

// simpleSearch is the table whose text search indexes do not follow the site's language.
const simpleSearch = "search_simpledb_index"

// fullTextLanguage is the language that the site's full-text indexes were made
// for, which Totara's config.php chooses; empty where there are none.
func fullTextLanguage(s *schema.Schema, prefix string) string {
	count := map[string]int{}
	for i := range s.Tables {
		t := &s.Tables[i]
		if short, ok := strings.CutPrefix(t.Name, prefix); !ok || short == simpleSearch {
			continue
		}
		for _, x := range t.Indexes {
			for _, p := range x.Parts {
				if m := textSearch.FindStringSubmatch(p.Expression); m != nil {
					count[m[1]]++
				}
				if c := t.Column(p.Column); x.Method == "fulltext" && c != nil && c.Collation != "" {
					count[c.Collation]++
				}
			}
		}
	}
	return most(count)
}

// asPostgres is what a migration would make of a database of MySQL or MariaDB.
func asPostgres(site *xmldb.Site, side *Side) schema.Schema {
	declared := schema.Schema{Engine: schema.Postgres}
	if site != nil {
		declared, _ = convert.Declared(site, convert.DeclaredOptions{Engine: schema.Postgres, Prefix: side.Prefix})
	}
	live := side.Schema
	live.Views = nil
	plan, _ := convert.Target(declared, live, convert.TargetOptions{
		Prefix: side.Prefix,
		Create: func(t schema.Table) bool {
			_, ok := side.installed[t.Origin.Component]
			return ok || side.installed == nil || t.Origin.Component == "core"
		},
	})
	s := plan.Schema()
	s.Name = side.Schema.Name
	return s
}

// deprecated lists the tables of plugins whose type is no longer installed.
func deprecated(site *xmldb.Site) []string {
	var names []string
	for _, f := range site.Deprecated {
		for _, t := range f.Tables {
			names = append(names, t.Name)
		}
	}
	return names
}

// withoutOwnIndexes leaves out the indexes that Moodle makes on PostgreSQL alone,
// those for LIKE and the text search of search_simpledb, and of indexes on the
// same columns all but one: a conversion makes no doubles.
func withoutOwnIndexes(s schema.Schema, prefix string) schema.Schema {
	s.Tables = slices.Clone(s.Tables)
	for i := range s.Tables {
		t := &s.Tables[i]
		seen := map[string]bool{}
		t.Indexes = slices.DeleteFunc(slices.Clone(t.Indexes), func(x schema.Index) bool {
			if t.Name == prefix+simpleSearch && x.Method != "btree" {
				return true
			}
			if !x.Unique && len(x.Parts) == 1 && strings.HasSuffix(x.Parts[0].OpClass, "_pattern_ops") {
				return true
			}
			x.Name, x.Comment, x.Definition, x.Constraint, x.Origin = "", "", "", false, schema.Origin{}
			same := fmt.Sprintf("%+v", x)
			double := seen[same] && !x.Primary
			seen[same] = true
			return double
		})
	}
	return s
}

// withPrefix renames the tables and sequences of a site, as if it had been
// installed with another prefix.
func withPrefix(s schema.Schema, from, to string) schema.Schema {
	rename := func(name string) string {
		if short, ok := strings.CutPrefix(name, from); ok {
			return to + short
		}
		return name
	}
	s.Tables, s.Sequences, s.Views = slices.Clone(s.Tables), slices.Clone(s.Sequences), slices.Clone(s.Views)
	for i := range s.Tables {
		t := &s.Tables[i]
		t.Name = rename(t.Name)
		t.Columns, t.ForeignKeys = slices.Clone(t.Columns), slices.Clone(t.ForeignKeys)
		for j := range t.Columns {
			t.Columns[j].Sequence = rename(t.Columns[j].Sequence)
		}
		for j := range t.ForeignKeys {
			t.ForeignKeys[j].RefTable = rename(t.ForeignKeys[j].RefTable)
		}
	}
	for i := range s.Sequences {
		s.Sequences[i].Name, s.Sequences[i].OwnedByTable = rename(s.Sequences[i].Name), rename(s.Sequences[i].OwnedByTable)
	}
	for i := range s.Views {
		s.Views[i].Name = rename(s.Views[i].Name)
	}
	s.Sort()
	return s
}

// place tells for tables and columns of a live schema where the code declares them.
func place(s *schema.Schema, site *xmldb.Site, prefix string) {
	declared, _ := convert.Declared(site, convert.DeclaredOptions{Engine: s.Engine, Prefix: prefix})
	s.Tables = slices.Clone(s.Tables)
	for i := range s.Tables {
		t := &s.Tables[i]
		d := declared.Table(t.Name)
		if d == nil || t.Origin.Declared() {
			continue
		}
		t.Origin = d.Origin
		t.Columns = slices.Clone(t.Columns)
		for j := range t.Columns {
			if c := d.Column(t.Columns[j].Name); c != nil {
				t.Columns[j].Origin = c.Origin
			}
		}
	}
}
