package convert

import (
	"fmt"
	"time"
)

// clampDate is the nearest day that the calendar has: month and day at least
// one and at most what the year and the month have. A clock that goes beyond
// the day stands still at its end. nil when it is no date at all.
func clampDate(value []byte) []byte {
	if len(value) < 10 {
		return nil
	}
	year, ok1 := number(value[0:4])
	month, ok2 := number(value[5:7])
	dom, ok3 := number(value[8:10])
	if !ok1 || !ok2 || !ok3 {
		return nil
	}
	year, month = max(year, 1), min(max(month, 1), 12)
	dom = min(max(dom, 1), daysIn(year, month))
	rest := string(value[10:])
	if len(rest) > 0 {
		if clock, ok := parseClock([]byte(rest[1:]), 2); !ok || clock >= day {
			rest = " 23:59:59"
		}
	}
	return fmt.Appendf(nil, "%04d-%02d-%02d%s", year, month, dom, rest)
}

// roundTimestamp rounds to the nearest unit of time. What would be the year
// 10000, which MySQL does not have, is cut off instead.
func roundTimestamp(value []byte, unit int64) []byte {
	days, clock, err := parseDatetime(value, "")
	if err != nil {
		return nil
	}
	micros := days*day + clock
	rounded := nearest(micros, unit)
	if civil(rounded).Year() > 9999 {
		rounded = micros - clock%unit
	}
	return []byte(printTimestamp(rounded))
}

// roundSpan rounds a TIME to the nearest unit.
func roundSpan(value []byte, unit int64) []byte {
	span, err := parseSpan(value, "")
	if err != nil {
		return nil
	}
	return printSpan(nearest(span, unit))
}

// nearest is the multiple of unit that is nearest, away from zero when two are.
// Before the year 2000 that is the earlier one.
func nearest(v, unit int64) int64 {
	half := unit / 2
	if v < 0 {
		half = -half
	}
	return (v + half) / unit * unit
}

// civil is the moment of microseconds since 2000-01-01.
func civil(micros int64) time.Time {
	return time.UnixMicro(micros + epochDays*day).UTC()
}

// printTimestamp is the text of a timestamp without time zone.
func printTimestamp(micros int64) string { return civil(micros).Format("2006-01-02 15:04:05.999999") }

// printSpan is the text of a time or of an interval without days.
func printSpan(span int64) []byte {
	var sign string
	if span < 0 {
		span, sign = -span, "-"
	}
	text := fmt.Appendf(nil, "%s%02d:%02d:%02d", sign, span/hour, span/minute%60, span/second%60)
	if span%second == 0 {
		return text
	}
	text = fmt.Appendf(text, ".%06d", span%second)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	return text
}
