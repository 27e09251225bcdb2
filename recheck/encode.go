package recheck

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/moodledb/moodledb/schema"
)

// encoder makes the fields of one column by pgx.
type encoder struct {
	types   *pgtype.Map
	oid     uint32
	turn    turn
	target  schema.Type
	notNull bool
}

// newEncoder returns the encoder of a column; the error says why there is none.
func newEncoder(types *pgtype.Map, c *Column) (*encoder, error) {
	p, reason := find(c.Source.Type, c.Target.Type)
	if reason != "" {
		return nil, fmt.Errorf("column %q cannot be read again: %s", c.Source.Name, reason)
	}
	e := &encoder{types: types, oid: p.oid, target: c.Target.Type, notNull: c.Target.NotNull}
	if p.turn != nil {
		e.turn = p.turn(c.Source.Type, c.Target.Type)
	}
	return e, nil
}

// refusal is a value that the target does not have.
type refusal string

// Error says what is wrong with the value.
func (r refusal) Error() string { return string(r) }

// refuse makes a refusal.
func refuse(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

// field appends the binary form of a value that is not NULL, without its length.
func (e *encoder) field(dst []byte, v any) ([]byte, error) {
	if e.turn != nil {
		turned, err := e.turn(v)
		if err != nil {
			return dst, err
		}
		v = turned
	}
	start := len(dst)
	out, err := e.types.Encode(e.oid, pgtype.BinaryFormatCode, v, dst)
	if err != nil {
		return dst, refusal(err.Error())
	}
	if out == nil { // which is pgx's NULL
		return dst, refuse("there is no value in %T", v)
	}
	if e.oid == pgtype.NumericOID {
		return shortNumeric(out, start), nil
	}
	return out, nil
}
