package verify_test

import (
	"strings"
	"testing"

	"github.com/moodledb/moodledb/verify"
)

// Of two long values the place where they part is shown, wherever it is.
func TestLongValuesPart(t *testing.T) {
	same := strings.Repeat("same ", 100) // 500 bytes
	for _, c := range []struct{ name, typ, expected, found, showsExpected, showsFound string }{
		{"in the middle", "text", same + "A" + same, same + "B" + same, `…"e same same A` + same[:51] + `"… (from byte 489 of 1001)`, `…"e same same B` + same[:51] + `"… (from byte 489 of 1001)`},
		{"at the end", "text", same, same + " ", `…"e same same " (from byte 489 of 500)`, `…"e same same  " (from byte 489 of 501)`},
		{"within a character", "text", same + "ä" + same, same + "ö" + same, "ä", "ö"},
		{"bytes", "bytea", same + "\x00", same + "\x01", "20" + "00 (from byte 489 of 501)", "20" + "01 (from byte 489 of 501)"},
		{"soon", "text", "A" + same, "B" + same, `"Asame`, `"Bsame`},
		{"beyond what is held", "text", strings.Repeat(same, 20) + "A", strings.Repeat(same, 20) + "B", `(alike up to byte 4096) "same`, `(alike up to byte 4096) "same`},
		{"a json that is not alike", "jsonb", "\x01" + same + "A", "\x01" + same + "B", `(alike up to byte 501) "same`, `(alike up to byte 501) "same`},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := verify.Table{Name: "user", Parts: []verify.Part{{}}, Columns: []verify.Column{
				{Name: "id", Type: "bigint", Key: true, Render: verify.Render("bigint")},
				{Name: "v", Type: c.typ, Render: verify.Render(c.typ), Piece: verify.RenderPiece(c.typ)},
			}}
			if c.typ == "jsonb" {
				table.Columns[1].Canon = func(dst, value []byte) ([]byte, error) { return append(dst, value...), nil }
			}
			r := compare(t, in([]row{{number(1), []byte(c.expected)}}), in([]row{{number(1), []byte(c.found)}}), verify.Options{}, table)
			if len(r[0].Differences) != 1 || len(r[0].Differences[0].Columns) != 1 {
				t.Fatalf("%+v", r[0])
			}
			d := r[0].Differences[0].Columns[0]
			if !strings.Contains(d.Expected.Text, c.showsExpected) || !strings.Contains(d.Found.Text, c.showsFound) {
				t.Errorf("shown are\n%s\n%s\nwant\n%s\n%s", d.Expected.Text, d.Found.Text, c.showsExpected, c.showsFound)
			}
			if !strings.HasPrefix(c.name, "beyond") && c.typ != "jsonb" && d.Expected.Text == d.Found.Text {
				t.Error("both are shown alike")
			}
		})
	}
}
