package verify

import (
	"fmt"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"
)

const (
	// mostShown is how many bytes of a long value are shown.
	mostShown = 64
	// before is how many of them stand before the place where it parts from the other one.
	before = 12
)

// RenderPiece returns a [Column.Piece] for the values of a type, as PostgreSQL's
// DDL spells it; nil for types of which a piece tells nothing.
func RenderPiece(typ string) func(piece []byte) string {
	switch oidOf(typ) {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID, pgtype.JSONOID, pgtype.XMLOID:
		return func(piece []byte) string { return fmt.Sprintf("%q", piece) }
	case pgtype.ByteaOID:
		return func(piece []byte) string { return fmt.Sprintf("%x", piece) }
	}
	return nil
}

// part words two long values that begin alike anew, so that what is shown of them
// differs: by the place where they part, or, when that is further on than
// what is kept of them, by saying so.
func (c *Column) part(d *ColumnDifference, expected, found *shownField) {
	if expected.null || found.null || max(expected.size, found.size) <= mostShown {
		return
	}
	same := 0
	for same < len(expected.start) && same < len(found.start) && expected.start[same] == found.start[same] {
		same++
	}
	// Where equal values have different bytes, the first one that differs says nothing.
	if c.Piece != nil && c.Canon == nil && same > mostShown/2 && same < max(len(expected.start), len(found.start)) {
		cut := same - before
		for cut > same-before-4 && !utf8.RuneStart(expected.start[cut]) {
			cut--
		}
		d.Expected.Text, d.Found.Text = c.pieceFrom(expected, cut), c.pieceFrom(found, cut)
		return
	}
	if d.Expected.Text == d.Found.Text {
		alike := fmt.Sprintf("(alike up to byte %d) ", same)
		d.Expected.Text, d.Found.Text = alike+d.Expected.Text, alike+d.Found.Text
	}
}

// pieceFrom shows a value from a byte on.
func (c *Column) pieceFrom(f *shownField, cut int) string {
	end := min(cut+mostShown, len(f.start))
	for end > cut+mostShown-4 && end < len(f.start) && !utf8.RuneStart(f.start[end]) {
		end--
	}
	more := ""
	if int64(end) < f.size {
		more = "…"
	}
	return fmt.Sprintf("…%s%s (from byte %d of %d)", c.Piece(f.start[cut:end]), more, cut+1, f.size)
}
