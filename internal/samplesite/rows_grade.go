package samplesite

import "fmt"

// grades fills the gradebook of each course and its history.
func (b *builder) grades() {
	scale := b.add("scale", row{
		"userid": 2, "name": "Agreement", "scale": "disagree, 中立, أوافق, agree \"fully\"", "description": "", "timemodified": b.time(1),
	})
	for i := range b.courses {
		c := &b.courses[i]
		c.category = b.add("grade_categories", row{
			"courseid": c.id, "depth": 1, "fullname": "?", "aggregation": 13, "timecreated": b.time(2), "timemodified": b.time(2),
			"path": fmt.Sprintf("/%d/", b.next["grade_categories"]+1), "aggregateonlygraded": 1,
		})
		total := b.add("grade_items", row{
			"courseid": c.id, "itemtype": "course", "iteminstance": c.category, "timecreated": b.time(2), "timemodified": b.time(2),
			"gradepass": number("50.00000"),
		})
		essay := b.add("grade_items", row{
			"courseid": c.id, "categoryid": c.category, "itemname": "Essay «" + courseNames()[i] + "»", "itemtype": "mod",
			"itemmodule": "assign", "iteminstance": i + 1, "itemnumber": 0, "sortorder": 1, "idnumber": []any{nil, ""}[i%2],
			"scaleid": []any{nil, scale}[i%2], "gradetype": 1 + i%2, "calculation": []any{nil, "=([[a]]+##gi1##)/2"}[i%5/4],
			"aggregationcoef2": number("0.33333"), "timecreated": b.time(2), "timemodified": b.time(2), "decimals": i % 6,
		})
		for j, u := range c.students {
			for _, item := range []int64{total, essay} {
				b.grade(c, item, u, j)
			}
		}
	}
	b.gap("grade_grades", 5000)
}

func (b *builder) grade(c *course, item, user int64, n int) {
	value := []any{
		b.rand.decimal(100, 5), number("0.00000"), nil, number("100.00000"), number("99999.99999"), number("-12.50000"),
	}[n%6]
	g := b.add("grade_grades", row{
		"itemid": item, "userid": user, "rawgrade": value, "finalgrade": value, "usermodified": []any{c.teacher, nil}[n%2],
		"feedback": []any{nil, "", b.words(1)}[n%3], "feedbackformat": 1, "timecreated": []any{nil, b.time(41)}[n%2],
		"timemodified": b.time(42), "aggregationstatus": []string{"used", "novalue", "unknown"}[n%3],
		"aggregationweight": []any{number("1.00000"), nil, number("0.33333")}[n%3], "excluded": n % 17 / 16,
	})
	if n%4 == 0 {
		b.add("grade_grades_history", row{
			"action": 1 + n%3, "oldid": g, "source": []any{"mod/assign", nil, ""}[n%3], "timemodified": b.time(43),
			"loggeduser": c.teacher, "itemid": item, "userid": user, "rawgrade": value, "finalgrade": nil, "feedback": b.words(1),
		})
	}
}

// questions fills numerical questions; their units have the longest decimals of all.
func (b *builder) questions() {
	for i := range 36 {
		q := b.add("question", row{
			"name": fmt.Sprintf("Q%02d %s", i+1, pick(&b.rand, courseNames())), "questiontext": b.html(1), "questiontextformat": 1,
			"generalfeedback": "", "defaultmark": number("1.0000000"), "qtype": "numerical", "createdby": 2,
			"stamp": fmt.Sprintf("sample.example.org+26010508%02d00+%s", i, b.rand.hex(6)), "timecreated": b.time(9),
		})
		for j := range 2 {
			a := b.add("question_answers", row{
				"question": q, "answer": []string{"-273.15", "*"}[j], "fraction": []any{number("1.0000000"), number("-0.3333333")}[j],
				"feedback": b.words(1), "feedbackformat": 1,
			})
			b.add("question_numerical", row{"question": q, "answer": a, "tolerance": []string{"0.05", "1e-6"}[j]})
		}
		b.add("question_numerical_units", row{
			"question": q, "unit": []string{"µm", "°C", "Ω", "K"}[i%4],
			"multiplier": []any{
				number("0.0000010000000000000"), number("1234567890123456789.1234567890123456789"),
				number("-9999999999999999999.9999999999999999999"), number("1"),
			}[i%4],
		})
	}
}
