package convert

import "encoding/binary"

// Microseconds, PostgreSQL's unit of time.
const (
	microsecond = 1
	second      = 1_000_000 * microsecond
	minute      = 60 * second
	hour        = 60 * minute
	day         = 24 * hour
)

// epochDays is the number of days from 1970-01-01 to 2000-01-01, PostgreSQL's epoch.
const epochDays = 10957

// encodeDate makes a date of a DATE, or of a DATETIME at midnight.
func encodeDate(dst, src []byte) ([]byte, error) {
	days, clock, err := parseDatetime(src, "date")
	if err != nil {
		return dst, err
	}
	if clock != 0 {
		return dst, fault(NotExact, src, "date", "it has a time of day")
	}
	return binary.BigEndian.AppendUint32(dst, uint32(int32(days))), nil
}

// encodeTimestamp makes a timestamp, with or without time zone, that keeps the
// given digits of a second. PostgreSQL would round more of them away.
func encodeTimestamp(digits int) Encoder {
	unit := fractionUnit(digits)
	return func(dst, src []byte) ([]byte, error) {
		days, clock, err := parseDatetime(src, "timestamp")
		if err != nil {
			return dst, err
		}
		if clock%unit != 0 {
			return dst, fault(NotExact, src, "timestamp", "")
		}
		return binary.BigEndian.AppendUint64(dst, uint64(days*day+clock)), nil
	}
}

// encodeTime makes a time of a TIME between 00:00:00 and 24:00:00. TIME is a
// span that reaches from -838 to 838 hours; what is no time of day is an error.
func encodeTime(digits int) Encoder {
	unit := fractionUnit(digits)
	return func(dst, src []byte) ([]byte, error) {
		span, err := parseSpan(src, "time")
		if err != nil {
			return dst, err
		}
		if span < 0 || span > day {
			return dst, fault(OutOfRange, src, "time", "it is a span, not a time of day")
		}
		if span%unit != 0 {
			return dst, fault(NotExact, src, "time", "")
		}
		return binary.BigEndian.AppendUint64(dst, uint64(span)), nil
	}
}

// encodeInterval makes an interval of a TIME, which may be negative: all of it
// in microseconds, no days and no months, since a TIME knows hours only.
func encodeInterval(digits int) Encoder {
	unit := fractionUnit(digits)
	return func(dst, src []byte) ([]byte, error) {
		span, err := parseSpan(src, "interval")
		if err != nil {
			return dst, err
		}
		if span%unit != 0 {
			return dst, fault(NotExact, src, "interval", "")
		}
		dst = binary.BigEndian.AppendUint64(dst, uint64(span))
		return append(dst, 0, 0, 0, 0, 0, 0, 0, 0), nil
	}
}

// fractionUnit is the smallest step of a type with that many digits of a second.
func fractionUnit(digits int) int64 {
	unit := int64(second)
	for range digits {
		unit /= 10
	}
	return unit
}

// parseDatetime reads YYYY-MM-DD, then optionally a blank (or T), HH:MM:SS and
// up to six digits of a second. It returns days since 2000-01-01 and the
// microseconds since midnight.
func parseDatetime(src []byte, target string) (days, clock int64, err *ValueError) {
	if len(src) < 10 || src[4] != '-' || src[7] != '-' {
		return 0, 0, fault(BadSyntax, src, target, "")
	}
	year, ok1 := number(src[0:4])
	month, ok2 := number(src[5:7])
	dom, ok3 := number(src[8:10])
	if !ok1 || !ok2 || !ok3 {
		return 0, 0, fault(BadSyntax, src, target, "")
	}
	if len(src) > 10 {
		if src[10] != ' ' && src[10] != 'T' {
			return 0, 0, fault(BadSyntax, src, target, "")
		}
		var ok bool
		clock, ok = parseClock(src[11:], 2)
		if !ok {
			return 0, 0, fault(BadSyntax, src, target, "")
		}
		if clock >= day {
			return 0, 0, fault(BadDate, src, target, "")
		}
	}
	// PostgreSQL has no year 0: it would read as 1 BC.
	if year == 0 || month == 0 || dom == 0 {
		return 0, 0, fault(ZeroDate, src, target, "")
	}
	if month > 12 || dom > daysIn(year, month) {
		return 0, 0, fault(BadDate, src, target, "")
	}
	return civilDays(year, month, dom) - epochDays, clock, nil
}

// parseSpan reads a TIME: an optional sign, hours of two or three digits, MM:SS
// and up to six digits of a second.
func parseSpan(src []byte, target string) (int64, *ValueError) {
	text, negative := src, false
	if len(text) > 0 && text[0] == '-' {
		negative, text = true, text[1:]
	}
	width := 2
	if len(text) > 3 && text[3] == ':' {
		width = 3
	}
	span, ok := parseClock(text, width)
	if !ok {
		return 0, fault(BadSyntax, src, target, "")
	}
	if negative {
		span = -span
	}
	return span, nil
}

// parseClock reads H..H:MM:SS[.ffffff] with that many digits of hours, into microseconds.
func parseClock(s []byte, hours int) (int64, bool) {
	if len(s) < hours+6 || s[hours] != ':' || s[hours+3] != ':' {
		return 0, false
	}
	h, ok1 := number(s[:hours])
	m, ok2 := number(s[hours+1 : hours+3])
	sec, ok3 := number(s[hours+4 : hours+6])
	if !ok1 || !ok2 || !ok3 || m > 59 || sec > 59 {
		return 0, false
	}
	total := h*hour + m*minute + sec*second
	rest := s[hours+6:]
	if len(rest) == 0 {
		return total, true
	}
	if rest[0] != '.' || len(rest) < 2 || len(rest) > 7 {
		return 0, false
	}
	f, ok := number(rest[1:])
	if !ok {
		return 0, false
	}
	for range 7 - len(rest) {
		f *= 10
	}
	return total + f, true
}

// number reads a short run of digits, and nothing else.
func number(s []byte) (int64, bool) {
	var v int64
	for _, c := range s {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		v = v*10 + int64(d)
	}
	return v, true
}

// daysIn is the number of days of a month.
func daysIn(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// civilDays is the number of days from 1970-01-01 to a day of the proleptic
// Gregorian calendar, years 1 to 9999. Years are counted from March, so that
// the leap day comes last and months have a regular length.
func civilDays(year, month, dom int64) int64 {
	if month <= 2 {
		year--
	}
	era := year / 400
	yearOfEra := year - era*400
	dayOfYear := (153*((month+9)%12)+2)/5 + dom - 1
	dayOfEra := yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear
	return era*146097 + dayOfEra - 719468
}
