package samplesite

import (
	"fmt"
	"math"
)

// measurements fills the local plugin that uses every type at its limits.
func (b *builder) measurements() {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for i := range 24 {
		b.add("local_measure_station", row{
			"code": fmt.Sprintf("ST-%03d", i+1), "name": pick(&b.rand, courseNames()),
			"latitude": []any{number("-41.288900"), number("89.999999"), nil}[i%3], "longitude": []any{number("174.777200"), number("-180.000000")}[i%2],
			"elevation": doubles()[i%len(doubles())], "accuracy": []any{number("0.25"), number("1234.5"), number("-0.0625"), nil}[i%4],
			"drift": []any{number("0.00390625"), number("-123456.5"), nil}[i%3], "tolerance": []any{number("16777215"), number("0.1"), number("-99999999999999999"), number("0.001"), nil}[i%5],
			"note": []any{nil, "", b.words(3), expression("REPEAT('漢',1333)")}[i%4], "manual": []any{nil, "", b.html(2)}[i%3],
			"firmware": []any{all, []byte{}, nil, []byte{0}, b.rand.bytes(3000), []byte(`\x00\N'"`)}[i%6],
			"active":   []int{-128, -1, 0, 1, 2, 3, 127}[i%7], "rank": []int{-128, 0, 127}[i%3], "order": []int{-32768, 7, 32767}[i%3],
			"user": []any{nil, -8388608 + i, 8388607 - i}[i%3], "count": []int{math.MinInt32, -1, math.MaxInt32}[i%3],
			"offset": []int64{math.MinInt64, 0, math.MaxInt64}[i%3],
		})
		b.add("local_measure_state", row{"id": int64(i + 1), "payload": []any{nil, []byte{}, []byte{0xff, 0xfe, 0}}[i%3], "updated": b.time(70)})
	}
	// One value larger than any buffer, of all bytes.
	b.rows["local_measure_station"][4]["firmware"] = expression(fmt.Sprintf("REPEAT(0x%X,9000)", all))
	b.readings()
	for i := range 5 {
		b.add("measureprobe_serial", row{"stationid": i + 1, "device": fmt.Sprintf(`\\.\COM%d`, i+1), "baud": []int{9600, 1000000}[i%2], "parity": []any{"N", "", nil}[i%3]})
	}
	b.gap("local_measure_station", 1)
}

// readings have ids below zero, zero, and one far above the others.
func (b *builder) readings() {
	add := func(id int64, n int) {
		b.add("local_measure_reading", row{
			"id": id, "stationid": 1 + n%24, "recorded": epoch + int64(n)*60,
			"amount": []any{
				number("9999999999999999999.9999999999999999999"), number("-9999999999999999999.9999999999999999999"),
				number("0.0000000000000000001"), number("10000"), number("0"), number("100000000.0001"), nil,
			}[n%7],
			"price": []any{number("-0.5000000"), number("99999.9999999"), number("0.0000001")}[n%3], "ratio": []int{-99999, 0, 10000, 99999}[n%4],
			"share": []any{number("0.001"), number("-9.999"), nil}[n%3], "value": doubles()[n%len(doubles())],
			"raw":     []any{nil, b.rand.bytes(1 + n%32), []byte{}}[n%3],
			"counter": []int64{math.MinInt64, math.MinInt32 - 1, -1, 0, 1, math.MaxUint32, math.MaxInt64}[n%7],
			"label":   []any{nil, "", `\N`, `\.`, "NULL", " trailing ", "\t", "\n"}[n%8], "remark": []string{"", pick(&b.rand, sentences())}[n%2],
		})
	}
	n := 0
	for id := int64(-20); id <= 20; id++ {
		add(id, n)
		n++
	}
	for id := int64(1000); id < 4000; id += 11 {
		add(id, n)
		n++
	}
	add(9007199254740993, n) // the first integer that a double cannot hold
	b.gap("local_measure_reading", 100)
}

// doubles are values whose last bit gets lost easily.
func doubles() []any {
	return []any{
		0.1, -0.1, 1.0 / 3, math.Pi, math.MaxFloat64, -math.MaxFloat64, 2.2250738585072014e-308, 1e15 + 0.3, 123456789012345680.0,
		0.0, math.Copysign(0, -1), 1.0, -1.5, 1e21, 1e-7, nil, 9007199254740993.0, 2.5e-320,
	}
}
