package proof

import (
	"encoding/json"
	"testing"

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

// A key is spelled as the ledger has it: the source's names in the target's order, and no number quoted.
func TestLedgerKey(t *testing.T) {
	p := &pair{
		expected: half{table: &schema.Table{Columns: []schema.Column{{Name: "B"}, {Name: "a"}}}},
		found:    half{table: &schema.Table{Columns: []schema.Column{{Name: "a"}, {Name: "b"}}}},
	}
	d := &verify.Difference{Key: []verify.NamedValue{{Column: "b", Value: verify.Value{Text: `"12"`}}, {Column: "a", Value: verify.Value{Text: `"x y"`}}}}
	if got, want := p.ledgerKey(d), `a="x y" AND B=12`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestShows(t *testing.T) {
	tests := []struct {
		name  string
		value *verify.Value
		text  []byte
		typ   string
		want  bool
	}{
		{"NULL", &verify.Value{Null: true}, nil, "date", true},
		{"NULL for a value", &verify.Value{Null: true}, []byte("x"), "text", false},
		{"a value for NULL", &verify.Value{Text: "x"}, nil, "text", false},
		{"a side without the row", nil, nil, "text", false},
		{"a text", &verify.Value{Text: `"it's"`}, []byte("it's"), "text", true},
		{"another text", &verify.Value{Text: `"its"`}, []byte("it's"), "text", false},
		{"a number", &verify.Value{Text: "32767"}, []byte("32767"), "smallint", true},
		{"a zero date", &verify.Value{Text: `"0000-00-00" (no value of date)`}, []byte("0000-00-00"), "date", true},
		{"a time", &verify.Value{Text: "1970-01-01 00:00:00"}, []byte("1970-01-01 00:00:00"), "timestamp without time zone", true},
		{"a decimal", &verify.Value{Text: "1.20"}, []byte("1.2"), "numeric(10,2)", true},
	}
	for _, tt := range tests {
		if got := shows(tt.value, tt.text, int64(len(tt.text)), tt.typ); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
