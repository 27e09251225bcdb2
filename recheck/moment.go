package recheck

import (
	"math"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/moodledb/moodledb/schema"
)

// The shapes of texts that package time and pgx would read more freely.
var (
	momentShape = regexp.MustCompile(`^\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\d(\.\d{1,6})?)?$`)
	spanShape   = regexp.MustCompile(`^-?\d{2,3}:[0-5]\d:[0-5]\d(\.\d{1,6})?$`)
	uuidShape   = regexp.MustCompile(`^([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$`)
)

// moment is a day, or a day and a time, in UTC.
type moment time.Time

// momentOf reads a DATE, DATETIME or TIMESTAMP, which the driver gives as text.
func momentOf(v any) (moment, error) {
	s, err := text(v)
	if err != nil {
		return moment{}, err
	}
	if !momentShape.MatchString(s) {
		return moment{}, refuse("%q is no date or time", s)
	}
	layout := time.DateOnly
	if len(s) > len(layout) {
		layout = time.DateTime
		s = s[:10] + " " + s[11:]
	}
	t, err := time.Parse(layout, s)
	if err != nil || t.Year() == 0 {
		return moment{}, refuse("%s is not in the calendar", s)
	}
	return moment(t), nil
}

// timestamp is the moment as a timestamp without time zone.
func (m moment) timestamp() pgtype.Timestamp {
	return pgtype.Timestamp{Time: time.Time(m), Valid: true}
}

// timestamptz is the moment as a timestamp with time zone.
func (m moment) timestamptz() pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: time.Time(m), Valid: true}
}

// dateValue makes a date; a time of day must be midnight.
func dateValue(v any) (any, error) {
	m, err := momentOf(v)
	if err != nil {
		return nil, err
	}
	t := time.Time(m)
	if !t.Equal(t.Truncate(24 * time.Hour)) {
		return nil, refuse("%s has a time of day", t)
	}
	return pgtype.Date{Time: t, Valid: true}, nil
}

// step is the smallest part of a second that a type keeps. A type without digits keeps
// microseconds: Precision alone cannot tell none (0) from those.
func step(t schema.Type) time.Duration {
	digits := 6
	if _, rest, ok := strings.Cut(t.Raw, "("); ok {
		digits = 0
		for rest != "" && rest[0] >= '0' && rest[0] <= '9' {
			digits = digits*10 + int(rest[0]-'0')
			rest = rest[1:]
		}
	} else if t.Precision > 0 {
		digits = t.Precision
	}
	return time.Second / time.Duration(math.Pow10(min(digits, 6)))
}

// timestampInto makes a timestamp that the type does not round.
func timestampInto(as func(m moment) any) func(src, dst schema.Type) turn {
	return func(_, dst schema.Type) turn {
		unit := step(dst)
		return func(v any) (any, error) {
			m, err := momentOf(v)
			if err != nil {
				return nil, err
			}
			if time.Duration(time.Time(m).Nanosecond())%unit != 0 {
				return nil, refuse("%s would be rounded", time.Time(m))
			}
			return as(m), nil
		}
	}
}

// spanOf reads a TIME, which the driver gives as text.
func spanOf(v any, unit time.Duration) (time.Duration, error) {
	s, err := text(v)
	if err != nil {
		return 0, err
	}
	if !spanShape.MatchString(s) {
		return 0, refuse("%q is no time", s)
	}
	s = strings.Replace(strings.Replace(s, ":", "h", 1), ":", "m", 1) + "s"
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, refusal(err.Error())
	}
	if d%unit != 0 {
		return 0, refuse("%s would be rounded", d)
	}
	return d, nil
}

// timeInto makes a time of day.
func timeInto(_, dst schema.Type) turn {
	unit := step(dst)
	return func(v any) (any, error) {
		d, err := spanOf(v, unit)
		if err != nil {
			return nil, err
		}
		if d < 0 || d > 24*time.Hour {
			return nil, refuse("%s is no time of day", d)
		}
		return pgtype.Time{Microseconds: d.Microseconds(), Valid: true}, nil
	}
}

// intervalInto makes an interval of microseconds only.
func intervalInto(_, dst schema.Type) turn {
	unit := step(dst)
	return func(v any) (any, error) {
		d, err := spanOf(v, unit)
		if err != nil {
			return nil, err
		}
		return pgtype.Interval{Microseconds: d.Microseconds(), Valid: true}, nil
	}
}

// uuidOfText reads a UUID with or without hyphens.
func uuidOfText(v any) (any, error) {
	s, err := text(v)
	if err != nil {
		return nil, err
	}
	var u pgtype.UUID
	if !uuidShape.MatchString(s) || u.Scan(s) != nil {
		return nil, refuse("%q is no UUID", s)
	}
	return u, nil
}

// uuidOfBytes takes 16 bytes.
func uuidOfBytes(v any) (any, error) {
	b, ok := v.([]byte)
	if !ok || len(b) != 16 {
		return nil, refuse("%d bytes are no UUID", len(b))
	}
	return pgtype.UUID{Bytes: [16]byte(b), Valid: true}, nil
}

// inetValue reads an address without zone and prefix.
func inetValue(v any) (any, error) {
	s, err := text(v)
	if err != nil {
		return nil, err
	}
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" {
		return nil, refuse("%q is no address", s)
	}
	return netip.PrefixFrom(addr, addr.BitLen()), nil
}

// bitString makes a bit string: what BIT has on the right, PostgreSQL has on the left.
func bitString(src, _ schema.Type) turn {
	width := uint(max(src.Length, 1))
	size := (width + 7) / 8
	return func(v any) (any, error) {
		n, err := bits(v)
		if err != nil {
			return nil, err
		}
		if b, _ := v.([]byte); uint(len(b)) != size || uint(n.BitLen()) > width {
			return nil, refuse("%s has not %d bits", n, width)
		}
		field := n.Lsh(n, 8*size-width).FillBytes(make([]byte, size))
		return pgtype.Bits{Bytes: field, Len: int32(width), Valid: true}, nil
	}
}
