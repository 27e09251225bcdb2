package proof

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/fingerprint"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/verify"
)

// That the source changed since the migration is told only where it is known.
func TestBeyond(t *testing.T) {
	moment := func(gtid string) json.RawMessage {
		text, err := json.Marshal(struct{ Mark mysql.Mark }{mysql.Mark{Server: "s", GTID: gtid}})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, tt := range []struct {
		now    mysql.Mark
		then   json.RawMessage
		legal  int
		notice int
	}{
		{mysql.Mark{Server: "s", GTID: "a:1-5"}, moment("a:1-5"), 0, 0},
		{mysql.Mark{Server: "s", GTID: "a:1-6"}, moment("a:1-5"), 1, 0},
		{mysql.Mark{Server: "another", GTID: "a:1-6"}, moment("a:1-5"), 0, 0},
		{mysql.Mark{}, moment("a:1-5"), 0, 0},
		{mysql.Mark{Server: "s", GTID: "a:1-6"}, json.RawMessage("nonsense"), 0, 1},
	} {
		r := &run{}
		r.sides[0] = &mysqlSide{snapshot: &mysql.Snapshot{Mark: tt.now}}
		r.beyond(&ledger{run: postgres.RunRecord{ID: 7, Snapshot: tt.then}})
		if len(r.legal) != tt.legal || len(r.notices) != tt.notice {
			t.Errorf("%+v since %s: %+v, %q", tt.now, tt.then, r.legal, r.notices)
		}
	}
	r := &run{}
	r.beyond(nil)
	if r.legal != nil {
		t.Error(r.legal)
	}
}

// A key is spelled as the ledger has it: the source's names in the target's order, whole, no number
// quoted, and a value that no type holds as the source sent it.
func TestLedgerKey(t *testing.T) {
	long := strings.Repeat("long ", 40)
	for _, tt := range []struct {
		a, b string
		want string
	}{
		{"x y", "12", `a="x y" AND B=12`},
		{long, "-7.5", `a="` + long + `" AND B=-7.5`},
		{"a\x00b", "", `a="a\x00b" AND B=""`},
		{unfitMark + "12", "\xff", `a=12 AND B=0xff`},
		{strings.Repeat("x", 70000), "b", `B="b"`},
	} {
		p := &pair{
			Table: verify.Table{Columns: []verify.Column{
				{Name: "b", Type: "text", Key: true}, {Name: "v", Type: "text"}, {Name: "a", Type: "text", Key: true},
			}},
			expected: half{table: &schema.Table{Columns: []schema.Column{{Name: "B"}, {Name: "v"}, {Name: "a"}}}},
			found:    half{table: &schema.Table{Columns: []schema.Column{{Name: "a"}, {Name: "b"}, {Name: "v"}}}},
		}
		fields := []fingerprint.Field{{Start: []byte(tt.b)}, {Start: []byte("v")}, {Start: []byte(tt.a)}}
		if got := p.ledgerKey(fields); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

// fieldIn is the field of a text in a type.
func fieldIn(t *testing.T, typ, text string) fingerprint.Field {
	t.Helper()
	field, ok := encoded(textRule(typ), []byte(text))
	if !ok {
		t.Fatalf("%q is no %s", text, typ)
	}
	return fingerprint.Field{Size: int64(len(field)), Hash: hashOf(canonOf(typ), field), Start: field[:min(len(field), 100)]}
}

func TestIsValue(t *testing.T) {
	null, long := fingerprint.Field{Null: true}, strings.Repeat("x", 2<<20)
	tests := []struct {
		name  string
		field fingerprint.Field
		text  *string
		typ   string
		want  bool
	}{
		{"NULL", null, nil, "date", true},
		{"NULL for a value", null, new("x"), "text", false},
		{"a value for NULL", fieldIn(t, "text", "x"), nil, "text", false},
		{"a text", fieldIn(t, "text", "it's"), new("it's"), "text", true},
		{"another text", fieldIn(t, "text", "it's"), new("its"), "text", false},
		{"a text in quotes", fieldIn(t, "text", "its"), new(`"its"`), "text", false},
		{"a number", fieldIn(t, "smallint", "32767"), new("32767"), "smallint", true},
		{"another number", fieldIn(t, "smallint", "32767"), new("32766"), "smallint", false},
		{"a zero date", fieldIn(t, "date", "0000-00-00"), new("0000-00-00"), "date", true},
		{"a time", fieldIn(t, "timestamp without time zone", "1970-01-01 00:00:00"), new("1970-01-01 00:00:00"), "timestamp without time zone", true},
		{"a decimal", fieldIn(t, "numeric(10,2)", "1.20"), new("1.2"), "numeric(10,2)", true},
		{"a long text", fieldIn(t, "text", long), &long, "text", true},
		{"a longer text", fieldIn(t, "text", long+"y"), &long, "text", false},
	}
	for _, tt := range tests {
		p := &pair{Table: verify.Table{Columns: []verify.Column{{Name: "c", Type: tt.typ, Canon: canonOf(tt.typ)}}}}
		v := postgres.LedgerValue{Null: tt.text == nil}
		if !v.Null {
			v.Text, v.Size = []byte(*tt.text), int64(len(*tt.text))
			v.Text = v.Text[:min(len(v.Text), 1<<20)]
		}
		if got := p.isValue(0, &tt.field, v); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
