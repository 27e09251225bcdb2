package samplesite

import (
	"fmt"
	"strings"
)

// allCourses fills the categories, the front page and the courses.
func (b *builder) allCourses() {
	system := contextKey{levelSystem, 0}
	var categories []int64
	for i, name := range []string{"Miscellaneous", "العلوم", "文学部", "Ingenieurwesen", "Archive & \"old\" things"} {
		id := b.add("course_categories", row{
			"name": name, "sortorder": (i + 1) * 10000, "depth": 1, "timemodified": b.time(i),
			"idnumber": []any{nil, "", "cat-3"}[i%3], "path": fmt.Sprintf("/%d", i+1), "description": b.words(1),
		})
		b.contextOf(levelCategory, id, system)
		categories = append(categories, id)
	}
	front := b.add("course", row{
		"fullname": "Sample site", "shortname": "sample", "format": "site", "summary": "",
		"timecreated": b.time(0), "timemodified": b.time(0),
	})
	b.contextOf(levelCourse, front, system)
	for i, name := range courseNames() {
		category := categories[i%len(categories)]
		id := b.add("course", row{
			"category": category, "sortorder": int64(i+1) + category*10000, "fullname": name, "shortname": fmt.Sprintf("C%02d", i+1),
			"idnumber": []string{"", fmt.Sprintf("2026/%02d", i)}[i%2], "summary": b.html(1), "summaryformat": 1,
			"format": []string{"topics", "weeks"}[i%2], "startdate": b.time(5), "visible": 1 - i%9/8, "groupmode": i % 3,
			"enablecompletion": 1, "marker": -(i % 2), "timecreated": b.time(2), "timemodified": b.time(2 + i),
		})
		c := course{id: id, context: b.contextOf(levelCourse, id, contextKey{levelCategory, category}).id}
		for s := range 5 {
			c.sections = append(c.sections, b.add("course_sections", row{
				"course": id, "section": s, "name": []any{nil, "", "Thema \"2\"", "第三週", "Dernier\tcours"}[s],
				"summary": b.words(1), "summaryformat": 1, "sequence": "", "timemodified": b.time(3),
				"availability": []any{nil, `{"op":"&","c":[{"type":"date","d":">=","t":1767600000}],"showc":[true]}`}[s/4],
			}))
		}
		b.courses = append(b.courses, c)
		if i == 12 {
			b.skip("course", 230)
		}
	}
	b.gap("course", 9)
}

// enrolments fills who is in which course, in which role and in which group.
func (b *builder) enrolments() {
	for i := range b.courses {
		c := &b.courses[i]
		manual := b.add("enrol", row{
			"enrol": "manual", "courseid": c.id, "roleid": b.roles["student"], "timecreated": b.time(2), "timemodified": b.time(2),
		})
		b.add("enrol", row{
			"enrol": "fee", "status": 1, "courseid": c.id, "sortorder": 1, "name": "Gebühr / 料金", "cost": "12.50", "currency": "NZD",
			"customdec1": []any{nil, number("99999.9999999"), number("-0.0000001")}[i%3], "customtext1": b.words(1),
			"customint1": -1, "customchar1": "",
		})
		c.teacher = b.users[3+i]
		b.assign(*c, manual, c.teacher, "editingteacher")
		first := 5 + b.rand.below(90)
		for _, u := range b.users[first : first+20] {
			if u != c.teacher {
				c.students = append(c.students, u)
				b.assign(*c, manual, u, "student")
			}
		}
		for g, name := range []string{"Group A", "المجموعة ب"} {
			id := b.add("groups", row{
				"courseid": c.id, "name": name, "idnumber": "", "enrolmentkey": []any{"", nil}[g],
				"timecreated": b.time(6), "timemodified": b.time(6), "description": []any{nil, b.words(1)}[g], "visibility": g * 3,
			})
			for j, u := range c.students {
				if j%3 == g {
					b.add("groups_members", row{"groupid": id, "userid": u, "timeadded": b.time(7)})
				}
			}
		}
	}
	b.gap("role_assignments", 400)
}

func (b *builder) assign(c course, enrol, user int64, role string) {
	b.add("user_enrolments", row{
		"enrolid": enrol, "userid": user, "timestart": b.time(5), "timeend": 0, "modifierid": 2,
		"timecreated": b.time(5), "timemodified": b.time(5), "status": user % 13 / 12,
	})
	b.add("role_assignments", row{
		"roleid": b.roles[role], "contextid": c.context, "userid": user, "timemodified": b.time(5), "modifierid": 2,
	})
}

// place puts an activity on the page of a course and records who completed it.
func (b *builder) place(c course, module string, instance int64, section int) {
	id := b.add("course_modules", row{
		"course": c.id, "module": b.modules[module], "instance": instance, "section": c.sections[section], "added": b.time(4),
		"completion": 1 + section%2, "idnumber": []any{nil, ""}[section%2], "indent": section % 2,
	})
	b.contextOf(levelModule, id, contextKey{levelCourse, c.id})
	for i, s := range b.rows["course_sections"] {
		if s["id"] == c.sections[section] {
			seq := strings.TrimPrefix(fmt.Sprintf("%s,%d", s["sequence"], id), ",")
			b.rows["course_sections"][i]["sequence"] = seq
		}
	}
	for j, u := range c.students {
		if j%4 == section%4 {
			b.add("course_modules_completion", row{
				"coursemoduleid": id, "userid": u, "completionstate": j % 4, "timemodified": b.time(10 + j),
			})
		}
	}
}

// forums fills forums, threads and posts.
func (b *builder) forums() {
	for i, c := range b.courses {
		f := b.add("forum", row{
			"course": c.id, "name": []string{"Announcements", "منتدى النقاش", "討論區", "Foire aux questions"}[i%4], "intro": b.html(1),
			"introformat": 1, "type": []string{"news", "general", "qanda"}[i%3], "forcesubscribe": i % 4, "scale": -(i % 3),
			"maxbytes": 512000, "timemodified": b.time(6), "completionposts": i % 5,
		})
		b.place(c, "forum", f, 0)
		for d := range 3 {
			b.thread(c, f, d)
		}
		for _, u := range c.students[:6] {
			b.add("forum_subscriptions", row{"userid": u, "forum": f})
		}
	}
	b.gap("forum_posts", 1200)
	b.gap("forum_discussions", 3)
}

func (b *builder) thread(c course, forum int64, n int) {
	starter := pick(&b.rand, c.students)
	created := b.time(10 + n)
	first := b.next["forum_posts"] + 1
	d := b.add("forum_discussions", row{
		"course": c.id, "forum": forum, "name": pick(&b.rand, sentences()), "firstpost": first, "userid": starter,
		"timemodified": created + 9000, "usermodified": starter, "pinned": n % 2,
	})
	parent := int64(0)
	for p := range 4 + b.rand.below(8) {
		author := pick(&b.rand, c.students)
		if p == 0 {
			author = starter
		}
		message := b.html(1 + b.rand.below(3))
		id := b.add("forum_posts", row{
			"discussion": d, "parent": parent, "userid": author, "created": created + int64(p)*600, "modified": created + int64(p)*600,
			"mailed": p % 3, "subject": pick(&b.rand, []string{"", "Re: ", "回复：", "رد: "}) + pick(&b.rand, sentences()),
			"message": message, "messageformat": 1, "wordcount": []any{nil, len(strings.Fields(message))}[p%2],
			"charcount": []any{nil, len([]rune(message))}[p%2], "deleted": p % 7 / 6,
		})
		parent = []int64{first, id}[b.rand.below(2)]
		if p%2 == 0 {
			b.add("forum_read", row{
				"userid": pick(&b.rand, c.students), "forumid": forum, "discussionid": d, "postid": id,
				"firstread": created + 700, "lastread": created + 7000,
			})
		}
	}
	b.skip("forum_posts", int64(b.rand.below(4)))
}

// pages fills pages, one of them larger than any read buffer.
func (b *builder) pages() {
	for i, c := range b.courses {
		var content any = b.html(3)
		switch i {
		case 1:
			content = expression("REPEAT('<p>長い頁 – صفحة طويلة – \U0001F4DA it\\'s long\\\\</p>\\n',40000)")
		case 2:
			content = ""
		case 3:
			content = nil
		}
		id := b.add("page", row{
			"course": c.id, "name": "Handout " + fmt.Sprint(i+1), "intro": []any{nil, "", b.words(1)}[i%3], "content": content,
			"contentformat": 1, "display": 5, "revision": i, "timemodified": b.time(8),
		})
		b.place(c, "page", id, 2)
	}
}

// assignments fills assignments and what was handed in.
func (b *builder) assignments() {
	for i, c := range b.courses {
		a := b.add("assign", row{
			"course": c.id, "name": []string{"Essay", "作文", "مقال قصير", "Aufsatz"}[i%4], "intro": b.html(1), "introformat": 1,
			"duedate": b.time(40), "grade": []int{100, -1}[i%2], "timemodified": b.time(9), "maxattempts": -1,
		})
		b.place(c, "assign", a, 1)
		for j, u := range c.students {
			if j%2 == 1 {
				continue
			}
			s := b.add("assign_submission", row{
				"assignment": a, "userid": u, "timecreated": b.time(30), "timemodified": b.time(31), "latest": 1,
				"status": []any{"submitted", "draft", nil}[j%3],
			})
			b.add("assignsubmission_onlinetext", row{
				"assignment": a, "submission": s, "onlinetext": []any{b.html(2), "", nil}[j%3], "onlineformat": 1,
			})
			// Moodle keeps -1 for a grade that was taken away.
			b.add("assign_grades", row{
				"assignment": a, "userid": u, "timecreated": b.time(41), "timemodified": b.time(41), "grader": c.teacher,
				"grade": []any{b.rand.decimal(100, 5), number("-1.00000"), nil}[j%3],
			})
		}
	}
	b.gap("assign_submission", 88)
}
