package diff

import (
	"math"
	"testing"

	"github.com/moodledb/moodledb/schema"
)

const probeSequence = "mdl_probe_id_seq"

// seq is the sequence of the table probe.
func seq(s *schema.Schema) *schema.Sequence {
	for i := range s.Sequences {
		if s.Sequences[i].Name == probeSequence {
			return &s.Sequences[i]
		}
	}
	panic("no sequence")
}

func dropSequence(s *schema.Schema, name string) {
	for i := range s.Sequences {
		if s.Sequences[i].Name == name {
			s.Sequences = append(s.Sequences[:i], s.Sequences[i+1:]...)
			return
		}
	}
}

func TestCounters(t *testing.T) {
	uncount := func(h *schema.Schema) {
		c := col(h, "id")
		c.AutoIncrement, c.Sequence, c.SequenceOwned = false, "", false
	}
	options := func(change func(*schema.Sequence)) func(*schema.Schema) {
		return func(h *schema.Schema) { change(seq(h)) }
	}
	warned := one("warning sequence-options probe " + probeSequence)
	runSite(t, []siteCase{
		{name: "missing", change: uncount, want: one("error column-auto-increment-missing probe id")},
		{name: "another default", change: func(h *schema.Schema) { uncount(h); col(h, "id").Default = schema.Literal("0") }, want: one("error column-auto-increment-missing probe id")},
		{name: "a type that cannot count", engines: onPostgres, change: func(h *schema.Schema) { uncount(h); col(h, "id").Type = schema.Type{Name: "uuid"} }, want: one("error column-type-unknown probe id")},
		{name: "a type that cannot count", engines: onMySQL, change: func(h *schema.Schema) {
			uncount(h)
			col(h, "id").Type = schema.Type{Name: "varchar", Length: 36}
		}, want: one("error column-type probe id")},
		{name: "extra", change: func(h *schema.Schema) {
			c := h.Table("mdl_plain").Column("id")
			c.AutoIncrement = true
			if h.Engine == schema.Postgres {
				c.Sequence, c.SequenceOwned = "mdl_plain_id_seq", true
				h.Sequences = append(h.Sequences, schema.Sequence{Name: c.Sequence, OwnedByTable: "mdl_plain", OwnedByColumn: "id"})
			}
		}, want: one("warning column-auto-increment-extra plain id")},
		{name: "sequence dropped", engines: onPostgres, change: func(h *schema.Schema) { uncount(h); dropSequence(h, probeSequence) }, want: one("error sequence-missing probe " + probeSequence)},
		{name: "identity", engines: onPostgres, change: func(h *schema.Schema) { col(h, "id").Identity = "by default" }, want: one("error column-identity probe id")},
		{name: "sequence renamed", engines: onPostgres, change: func(h *schema.Schema) { seq(h).Name, col(h, "id").Sequence = "mdl_x", "mdl_x" }, want: one("warning sequence-name probe mdl_x")},
		{name: "sequence of its own making", engines: onPostgres, change: func(h *schema.Schema) {
			col(h, "id").Sequence, col(h, "id").SequenceOwned = "mdl_x", false
			h.Sequences = append(h.Sequences, schema.Sequence{Name: "mdl_x", Type: "bigint", Increment: 1, Min: 1, Max: math.MaxInt64, Last: 1})
		}, want: one("warning sequence-name probe mdl_x")},
		{name: "not owned", engines: onPostgres, change: func(h *schema.Schema) {
			col(h, "id").SequenceOwned = false
			seq(h).OwnedByTable, seq(h).OwnedByColumn = "", ""
		}, want: one("warning sequence-not-owned probe " + probeSequence)},
		{name: "looked up at each insert", engines: onPostgres, change: func(h *schema.Schema) {
			uncount(h)
			col(h, "id").Default = schema.Expression("nextval(('public.mdl_probe_id_seq'::text)::regclass)")
		}},
		{name: "another schema's sequence", engines: onPostgres, change: func(h *schema.Schema) {
			uncount(h)
			dropSequence(h, probeSequence)
			col(h, "id").Default = schema.Expression("nextval('other.mdl_probe_id_seq'::regclass)")
		}, want: one("warning sequence-name probe other.mdl_probe_id_seq")},
		{name: "increment", engines: onPostgres, change: options(func(q *schema.Sequence) { q.Increment = 2 }), want: warned},
		{name: "cycle", engines: onPostgres, change: options(func(q *schema.Sequence) { q.Cycle = true }), want: warned},
		{name: "type", engines: onPostgres, change: options(func(q *schema.Sequence) { q.Type, q.Max = "integer", math.MaxInt32 }), want: warned},
		{name: "range", engines: onPostgres, change: options(func(q *schema.Sequence) { q.Max = 1000 }), want: warned},
		{name: "start", engines: onPostgres, change: options(func(q *schema.Sequence) { q.Start = 7 })},
		{name: "serial in place of bigserial is one change", engines: onPostgres, change: func(h *schema.Schema) {
			col(h, "id").Type.Name, seq(h).Type, seq(h).Max = "integer", "integer", math.MaxInt32
		}, want: one("error column-integer-narrow probe id")},
	})
}

func TestCountersThatAreBehind(t *testing.T) {
	at := func(last int64, called bool, highest int64) func(*schema.Schema) {
		return func(h *schema.Schema) {
			seq(h).Last, seq(h).Called = last, called
			col(h, "id").Highest, col(h, "id").HighestKnown = highest, true
		}
	}
	next := func(auto uint64, highest int64) func(*schema.Schema) {
		return func(h *schema.Schema) {
			probe(h).AutoIncrement = auto
			col(h, "id").Highest, col(h, "id").HighestKnown = highest, true
		}
	}
	behind := one("error sequence-behind probe " + probeSequence)
	runSite(t, []siteCase{
		{name: "just above", engines: onPostgres, change: at(10, true, 10)},
		{name: "equal", engines: onPostgres, change: at(10, false, 10), want: behind},
		{name: "below", engines: onPostgres, change: at(1, true, 10), want: behind},
		{name: "no rows", engines: onPostgres, change: at(1, false, 0)},
		{name: "no rows, and a sequence from 0", engines: onPostgres, change: func(h *schema.Schema) {
			at(0, true, 0)(h)
			seq(h).Min = 0
		}},
		{name: "unknown", engines: onPostgres, change: func(h *schema.Schema) { at(1, true, 10)(h); col(h, "id").HighestKnown = false }},
		{name: "unreadable", engines: onPostgres, change: at(0, false, 10)},
		{name: "unreadable, and from 0", engines: onPostgres, change: func(h *schema.Schema) { at(0, false, 10)(h); seq(h).Min = 0 }},
		{name: "used up", engines: onPostgres, change: at(math.MaxInt64, true, math.MaxInt64)},
		{
			name: "identity", engines: onPostgres, change: func(h *schema.Schema) { at(1, true, 10)(h); col(h, "id").Identity = "always" },
			want: []string{"error column-identity probe id", behind[0]},
		},
		{name: "just above, MySQL", engines: onMySQL, change: next(11, 10)},
		{name: "behind, MySQL", engines: onMySQL, change: next(10, 10), want: one("error sequence-behind probe id")},
		{name: "unknown counter", engines: onMySQL, change: next(0, 10)},
		{name: "beyond a signed number", engines: onMySQL, change: next(math.MaxUint64, math.MaxInt64)},
	})
}

func TestExtraSequences(t *testing.T) {
	add := func(q schema.Sequence) func(*schema.Schema) {
		return func(h *schema.Schema) { h.Sequences = append(h.Sequences, q) }
	}
	stray := schema.Sequence{Name: "mdl_stray", Type: "bigint"}
	runSite(t, []siteCase{
		{name: "nobody's", change: add(stray), want: one("info sequence-extra  mdl_stray")},
		{name: "of another prefix", change: add(schema.Sequence{Name: "wp_stray"})},
		{name: "of an extra table", engines: onPostgres, change: func(h *schema.Schema) {
			h.Tables = append(h.Tables, schema.Table{Name: "mdl_strange"})
			add(schema.Sequence{Name: "mdl_strange_id_seq", OwnedByTable: "mdl_strange", OwnedByColumn: "id"})(h)
		}, want: one("warning table-extra strange")},
		{name: "of an extra table, in a default", change: func(h *schema.Schema) {
			add(stray)(h)
			h.Tables = append(h.Tables, schema.Table{Name: "mdl_strange", Columns: []schema.Column{
				{Name: "id", Type: schema.Type{Name: "bigint"}, Default: schema.Expression("nextval(`site`.`mdl_stray`)")},
				{Name: "n", Type: schema.Type{Name: "bigint"}, Default: schema.Expression("nextval('mdl_stray'::text)")},
			}})
		}, want: one("warning table-extra strange")},
		{name: "on both sides", change: add(stray), prepare: func(w *schema.Schema, o *Options) { live(w, o); add(stray)(w) }},
	})
}
