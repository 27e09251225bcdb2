package diff

import (
	"strings"
	"testing"

	"github.com/moodledb/moodledb/schema"
)

// probe is the table that the cases spoil.
func probe(s *schema.Schema) *schema.Table { return s.Table("mdl_probe") }

func dropTable(s *schema.Schema, name string) {
	for i := range s.Tables {
		if s.Tables[i].Name == name {
			s.Tables = append(s.Tables[:i], s.Tables[i+1:]...)
			break
		}
	}
	for i := range s.Sequences {
		if s.Sequences[i].OwnedByTable == name {
			s.Sequences = append(s.Sequences[:i], s.Sequences[i+1:]...)
			break
		}
	}
}

func live(_ *schema.Schema, o *Options) { o.Declared = false }

func TestTables(t *testing.T) {
	runSite(t, []siteCase{
		{name: "missing", change: func(h *schema.Schema) { dropTable(h, "mdl_probe") }, want: one("error table-missing probe")},
		{
			name: "not installed", change: func(h *schema.Schema) { dropTable(h, "mdl_probe") }, want: one("info table-not-installed probe"),
			prepare: func(_ *schema.Schema, o *Options) { o.Installed = map[string]string{"core": "1"} },
		},
		{
			name: "installed, but missing", change: func(h *schema.Schema) { dropTable(h, "mdl_probe") }, want: one("error table-missing probe"),
			prepare: func(_ *schema.Schema, o *Options) { o.Installed = map[string]string{"mod_probe": "1"} },
		},
		{name: "not read", change: func(h *schema.Schema) { dropTable(h, "mdl_probe") }, prepare: func(_ *schema.Schema, o *Options) { o.Unread = []string{"mdl_probe"} }},
		{
			name: "not read, as a view", change: func(h *schema.Schema) { h.Views = []schema.View{{Name: "mdl_strange"}} },
			prepare: func(_ *schema.Schema, o *Options) { o.Unread = []string{"mdl_strange"} },
		},
		{name: "extra", change: func(h *schema.Schema) { h.Tables = append(h.Tables, schema.Table{Name: "mdl_strange"}) }, want: one("warning table-extra strange")},
		{name: "a view in its place", change: func(h *schema.Schema) {
			dropTable(h, "mdl_probe")
			h.Views = []schema.View{{Name: "mdl_probe"}}
		}, want: one("error table-is-view probe")},
		{name: "view", change: func(h *schema.Schema) {
			h.Views = []schema.View{{Name: "mdl_report"}, {Name: "other_report"}}
		}, want: one("info view-extra report")},
		{
			name: "the same view", change: func(h *schema.Schema) { h.Views = []schema.View{{Name: "mdl_report"}} },
			prepare: func(w *schema.Schema, o *Options) { live(w, o); w.Views = []schema.View{{Name: "mdl_report"}} },
		},
		{
			name: "missing view", want: one("error table-missing report"),
			prepare: func(w *schema.Schema, o *Options) {
				live(w, o)
				w.Views = []schema.View{{Name: "mdl_report"}, {Name: "other_report"}}
			},
		},
		{
			name: "another application's table is not looked at", want: nil,
			prepare: func(w *schema.Schema, o *Options) {
				live(w, o)
				w.Tables = append(w.Tables, schema.Table{Name: "wp_posts"})
			},
		},
		{name: "partitions, MySQL", engines: onMySQL, change: func(h *schema.Schema) { probe(h).Partitioned = true }, want: one("warning table-partitioned probe")},
		{name: "partitions, PostgreSQL", engines: onPostgres, change: func(h *schema.Schema) {
			part := *probe(h)
			probe(h).Partitioned = true
			part.Name, part.Inherited = "mdl_probe_2024", true
			h.Tables = append(h.Tables, part)
		}, want: one("error table-partitioned probe")},
		{name: "inherited", engines: onPostgres, change: func(h *schema.Schema) { probe(h).Inherited = true }, want: one("warning table-inherited probe")},
		{name: "versioned", engines: onMySQL, change: func(h *schema.Schema) {
			p := probe(h)
			p.SystemVersioned = true
			p.Columns = append(p.Columns,
				schema.Column{Name: "since", Type: schema.Type{Name: "timestamp", Precision: 6}, NotNull: true, Generated: schema.GeneratedStored, Expression: "ROW START"},
				schema.Column{Name: "until", Type: schema.Type{Name: "timestamp", Precision: 6}, NotNull: true, Generated: schema.GeneratedStored, Expression: "ROW END"})
		}, want: one("warning table-versioned probe")},
		{name: "unlogged", engines: onPostgres, change: func(h *schema.Schema) { probe(h).Unlogged = true }, want: one("error table-unlogged probe")},
		{
			name: "unlogged on both sides", engines: onPostgres, change: func(h *schema.Schema) { probe(h).Unlogged = true },
			prepare: func(w *schema.Schema, o *Options) { live(w, o); probe(w).Unlogged = true },
		},
		{name: "row security", engines: onPostgres, change: func(h *schema.Schema) { probe(h).RowSecurity = true }, want: one("error table-row-security probe")},
		{name: "engine", engines: onMySQL, change: func(h *schema.Schema) { probe(h).StorageEngine, probe(h).RowFormat = "MyISAM", "Fixed" }, want: one("error table-engine probe")},
		{name: "engine spelt otherwise", engines: onMySQL, change: func(h *schema.Schema) { probe(h).StorageEngine = "INNODB" }},
		{name: "cannot be opened", engines: onMySQL, change: func(h *schema.Schema) {
			*probe(h) = schema.Table{Name: "mdl_probe", Comment: "Tablespace is missing"}
		}, want: one("error table-engine probe")},
		{name: "cannot be opened, but its columns are known", engines: onMySQL, change: func(h *schema.Schema) {
			p := probe(h)
			p.StorageEngine, p.RowFormat, p.Collation, p.Indexes, p.Comment = "", "", "", nil, "Tablespace is missing"
		}, want: one("error table-engine probe")},
		{name: "row format", engines: onMySQL, change: func(h *schema.Schema) { probe(h).RowFormat = "Compact" }, want: one("error table-row-format probe")},
		{name: "the other good row format", engines: onMySQL, change: func(h *schema.Schema) { probe(h).RowFormat = "Dynamic" }},
	})
}

func TestNamesThatDifferInCase(t *testing.T) {
	rename := func(h *schema.Schema) {
		h.Sequences = nil
		p := probe(h)
		p.Name = "mdl_Probe"
	}
	runSite(t, []siteCase{
		{name: "one", engines: onMySQL, change: rename, want: one("error table-missing probe")},
		{name: "two cannot be told apart", engines: onMySQL, change: func(h *schema.Schema) {
			rename(h)
			h.Tables = append(h.Tables, schema.Table{Name: "mdl_PROBE"})
		}, want: []string{"error table-missing probe", "warning table-extra PROBE", "warning table-extra Probe"}},
	})
	want, have := siteSchema(schema.MySQL), siteSchema(schema.MySQL)
	rename(have)
	have.Sort()
	c := Schemas(want, have, Options{Prefix: "mdl_", Declared: true})[0]
	if c.Found != "mdl_Probe" || c.Have != "mdl_Probe" || !strings.Contains(c.Message, "differs in case") {
		t.Errorf("change %+v", c)
	}
}

func TestOwner(t *testing.T) {
	give := func(names ...string) func(*schema.Schema) {
		return func(h *schema.Schema) {
			for _, n := range names {
				h.Table(n).Owner = "other"
			}
		}
	}
	runSite(t, []siteCase{
		{name: "another", engines: onPostgres, change: give("mdl_probe"), want: one("warning table-owner probe")},
		{name: "config itself", engines: onPostgres, change: give("mdl_config"), want: one("warning table-owner config")},
		{name: "all", engines: onPostgres, change: give("mdl_probe", "mdl_plain", "mdl_config")},
		{
			name: "named", engines: onPostgres, prepare: func(_ *schema.Schema, o *Options) { o.Owner = "boss" },
			want: []string{"warning table-owner config", "warning table-owner plain", "warning table-owner probe"},
		},
		{
			name: "the same in both databases", engines: onPostgres, change: give("mdl_probe"),
			prepare: func(w *schema.Schema, o *Options) { live(w, o); give("mdl_probe")(w) },
		},
		{name: "unknown", engines: onPostgres, change: func(h *schema.Schema) { probe(h).Owner = "" }},
	})
}

func TestShadows(t *testing.T) {
	shadow := func(first bool) func(*schema.Schema) {
		return func(h *schema.Schema) {
			h.Elsewhere = []schema.Elsewhere{{Schema: "backup", Name: "mdl_probe", First: first}}
		}
	}
	runSite(t, []siteCase{
		{name: "earlier", engines: onPostgres, change: shadow(true), want: one("error table-shadowed probe backup")},
		{name: "later", engines: onPostgres, change: shadow(false), want: one("warning table-shadowed probe backup")},
		{name: "in both databases", engines: onPostgres, change: shadow(true), prepare: func(w *schema.Schema, o *Options) { live(w, o); shadow(true)(w) }},
		{name: "of a missing table", engines: onPostgres, change: func(h *schema.Schema) {
			dropTable(h, "mdl_probe")
			shadow(true)(h)
		}, want: one("error table-missing probe")},
		{name: "of what is not declared", engines: onPostgres, change: func(h *schema.Schema) {
			h.Elsewhere = []schema.Elsewhere{{Schema: "backup", Name: "mdl_strange", First: true}}
		}},
	})
}

func TestCollations(t *testing.T) {
	convert := func(charset, collation string) func(*schema.Schema) {
		return func(h *schema.Schema) {
			p := probe(h)
			p.Charset, p.Collation = charset, collation
			for i := range p.Columns {
				if p.Columns[i].Collation != "" {
					p.Columns[i].Charset, p.Columns[i].Collation = charset, collation
				}
			}
		}
	}
	three := func(charset string) func(*schema.Schema) {
		return func(s *schema.Schema) {
			for i := range s.Tables {
				s.Tables[i].Charset, s.Tables[i].Collation = charset, charset+"_unicode_ci"
				for j := range s.Tables[i].Columns {
					if c := &s.Tables[i].Columns[j]; c.Collation != "" {
						c.Charset, c.Collation = charset, charset+"_unicode_ci"
					}
				}
			}
		}
	}
	runSite(t, []siteCase{
		{name: "default of the table", engines: onMySQL, change: func(h *schema.Schema) { probe(h).Collation = "utf8mb4_bin" }, want: one("warning table-collation probe")},
		{name: "whole table", engines: onMySQL, change: convert("utf8mb4", "utf8mb4_bin"), want: one("warning table-collation probe")},
		{
			name: "whole table, with a column of a language", engines: onMySQL, change: convert("utf8mb4", "utf8mb4_bin"), want: one("warning table-collation probe"),
			prepare: func(w *schema.Schema, _ *Options) { col(w, "note").Collation = "utf8mb4_german2_ci" },
		},
		{
			name: "column of a language", engines: onMySQL, change: func(h *schema.Schema) { col(h, "note").Collation = "utf8mb4_german2_ci" },
			prepare: func(w *schema.Schema, _ *Options) { col(w, "note").Collation = "utf8mb4_german2_ci" },
		},
		{name: "table and one column", engines: onMySQL, change: func(h *schema.Schema) {
			probe(h).Collation, col(h, "note").Collation = "utf8mb4_bin", "utf8mb4_bin"
		}, want: []string{"warning column-collation probe note", "warning table-collation probe"}},
		{name: "column", engines: onMySQL, change: func(h *schema.Schema) { col(h, "note").Collation = "utf8mb4_bin" }, want: one("warning column-collation probe note")},
		{name: "character set", engines: onMySQL, change: func(h *schema.Schema) {
			col(h, "note").Charset, col(h, "note").Collation = "latin1", "latin1_swedish_ci"
		}, want: one("warning column-charset probe note")},
		{name: "two names of three-byte UTF-8", engines: onMySQL, change: three("utf8mb3"), prepare: func(w *schema.Schema, _ *Options) { three("utf8")(w) }},
		{name: "PostgreSQL", engines: onPostgres, change: func(h *schema.Schema) { col(h, "note").Collation = "C" }, want: one("warning column-collation probe note")},
		{
			name: "PostgreSQL, on both sides", engines: onPostgres, change: func(h *schema.Schema) { col(h, "note").Collation = "C" },
			prepare: func(w *schema.Schema, o *Options) { live(w, o); col(w, "note").Collation = "C" },
		},
	})
}
