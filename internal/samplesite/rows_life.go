package samplesite

import (
	"fmt"
	"strings"
)

// blocks fills the blocks of pages, whose settings are serialized PHP.
func (b *builder) blocks() {
	for _, name := range []string{"html", "rss_client", "calendar_month"} {
		b.add("block", row{"name": name})
	}
	for i, c := range b.courses {
		id := b.add("block_instances", row{
			"blockname": []string{"html", "rss_client"}[i%2], "parentcontextid": c.context, "showinsubcontexts": i % 2,
			"pagetypepattern": "course-view-*", "subpagepattern": []any{nil, ""}[i%2], "defaultregion": "side-pre",
			"defaultweight": i%5 - 2, "configdata": []any{phpObject("Titel: \"Ü\"", b.html(1)), "", nil}[i%3],
			"timecreated": b.time(9), "timemodified": b.time(9),
		})
		b.contextOf(levelBlock, id, contextKey{levelCourse, c.id})
	}
	b.add("block_rss_client", row{
		"userid": 2, "title": "News & Nachrichten", "preferredtitle": "", "description": b.words(1), "shared": 1,
		"url": "https://example.org/feed?a=1&b=%C3%BC#'x'", "skiptime": 3600, "skipuntil": b.time(60),
	})
}

// talk fills messages, calendar and tags.
func (b *builder) talk() {
	for i := range 150 {
		text := b.words(1 + i%3)
		b.add("messages", row{
			"useridfrom": pick(&b.rand, b.users), "conversationid": 1 + i%12, "subject": []any{nil, "", "Hi \U0001F44B"}[i%3],
			"fullmessage": text, "fullmessagehtml": []any{"", nil, "<p>" + text + "</p>"}[i%3], "smallmessage": text,
			"timecreated": b.time(20 + i/5), "customdata": []any{nil, `{"k":"\"v\"","p":"C:\\x"}`}[i%2],
		})
	}
	for i := range 60 {
		c := pick(&b.rand, b.courses)
		b.add("event", row{
			"name": pick(&b.rand, sentences()), "description": b.html(1), "format": 1, "courseid": c.id, "userid": c.teacher,
			"modulename": []string{"", "assign"}[i%2], "eventtype": []string{"course", "due"}[i%2], "timestart": b.time(30 + i),
			"timeduration": []int{0, 3600}[i%2], "timesort": []any{nil, b.time(30 + i)}[i%2], "uuid": "", "priority": []any{nil, -1}[i%2],
		})
	}
	// Tags must differ in more than case and accents, or MySQL would hold them equal.
	for i, name := range []string{"databases", "資料庫", "قواعد البيانات", "straßenbau", "\U0001F680", "c++", "o'tag", "बिल्ली", "λ", "tag with spaces"} {
		t := b.add("tag", row{
			"userid": 2, "tagcollid": 1, "name": name, "rawname": strings.ToUpper(name), "isstandard": i % 2,
			"flag": []any{0, nil, -3}[i%3], "timemodified": []any{b.time(11), nil}[i%2],
		})
		for _, c := range b.courses[i : i+5] {
			b.add("tag_instance", row{
				"tagid": t, "component": "core", "itemtype": "course", "itemid": c.id, "contextid": c.context, "ordering": i,
				"timecreated": b.time(11), "timemodified": b.time(11),
			})
		}
	}
}

// fileStore fills the names of files; their bytes are not in the database.
func (b *builder) fileStore() {
	for i := range 180 {
		c := b.courses[i%len(b.courses)]
		hash := b.rand.hex(40)
		b.add("files", row{
			"contenthash": hash, "pathnamehash": b.rand.hex(40), "contextid": c.context, "component": "course", "filearea": "summary",
			"itemid": 0, "filepath": []string{"/", "/Ordner/", "/資料/", "/مجلد/"}[i%4],
			"filename": fmt.Sprintf("%s %03d.%s", []string{"report", "Übersicht", "写真", "it's a \"photo\""}[i%4], i, []string{"pdf", "png"}[i%2]),
			"userid":   []any{c.teacher, nil}[i%2], "filesize": int64(1) << (i % 40), "mimetype": []any{"application/pdf", "image/png", nil}[i%3],
			"source": []any{nil, `O:8:"stdClass":1:{s:6:"source";s:9:"a\b'c.pdf";}`}[i%2], "author": []any{"", nil}[i%2],
			"license": []any{"cc-4.0", nil}[i%2], "timecreated": b.time(12), "timemodified": b.time(12),
		})
	}
	b.gap("files", 7000)
}

// background fills sessions, jobs and marks.
func (b *builder) background() {
	for i, u := range b.users[2:12] {
		b.add("sessions", row{
			"sid": b.rand.hex(26), "userid": u, "sessdata": []any{phpObject("USER", strings.Repeat("x", 300)), nil}[i%2],
			"timecreated": b.time(60), "timemodified": b.time(60), "firstip": "192.0.2.7", "lastip": "2001:db8::1",
		})
	}
	b.gap("sessions", 90000)
	for i, class := range []string{`\core\task\cache_cleanup_task`, `\mod_forum\task\cron_task`, `\logstore_standard\task\cleanup_task`} {
		b.add("task_scheduled", row{
			"component": []string{"moodle", "mod_forum", "logstore_standard"}[i], "classname": class, "minute": "*/5", "hour": "*",
			"day": "*", "month": "*", "dayofweek": "*", "lastruntime": b.time(60), "faildelay": []any{nil, 60, 0}[i],
		})
		for j := range 30 {
			b.add("task_log", row{
				"type": 0, "component": "moodle", "classname": class, "userid": 0, "dbreads": b.rand.below(400), "dbwrites": b.rand.below(20),
				"timestart": number(fmt.Sprintf("%d.%010d", epoch+j*3600, b.rand.below(1e9))),
				"timeend":   number(fmt.Sprintf("%d.9999999999", epoch+j*3600+2)), "result": j % 11 / 10,
				"output": "Execute scheduled task\n... used 3 dbqueries\r\n... \"done\"\\\n", "hostname": []any{"web-1", nil}[j%2],
				"pid": []any{nil, 4711}[j%2],
			})
		}
	}
	for i, action := range []string{"add discussion", "add post", "view \"all\""} {
		b.add("log_display", row{
			"module": "forum", "action": action, "mtable": "forum", "field": []string{"name", "subject", "CONCAT(a,' ',b)"}[i], "component": "mod_forum",
		})
	}
	for i := range 12 {
		b.add("cache_flags", row{
			"flagtype": "accesslib/dirtycontexts", "name": fmt.Sprintf("/1/%d", i+3), "timemodified": b.time(61), "value": "1", "expiry": b.time(62),
		})
	}
}

// log fills the standard log, the largest table of most sites.
func (b *builder) log() {
	for i := range 1600 {
		c := pick(&b.rand, b.courses)
		user := pick(&b.rand, c.students)
		b.add("logstore_standard_log", row{
			"eventname": []string{`\core\event\course_viewed`, `\mod_forum\event\post_created`}[i%2], "component": []string{"core", "mod_forum"}[i%2],
			"action": []string{"viewed", "created"}[i%2], "target": []string{"course", "post"}[i%2], "objecttable": []any{nil, "forum_posts"}[i%2],
			"objectid": []any{nil, 1 + i/2}[i%2], "crud": []string{"r", "c"}[i%2], "edulevel": i % 3, "contextid": c.context,
			"contextlevel": levelCourse, "contextinstanceid": c.id, "userid": []int64{user, 0, -10}[i%23/21], "courseid": []any{c.id, nil}[i%50/49],
			"relateduserid": []any{nil, c.teacher}[i%9/8],
			"other":         []any{nil, "N;", `a:1:{s:4:"path";s:8:"C:\a\"b\"";}`, `{"q":"\u00e9 it's"}`, ""}[i%5],
			"timecreated":   epoch + int64(i)*1900, "origin": []any{"web", "cli", nil, ""}[i%31/28],
			"ip": []any{"192.0.2.1", "2001:db8:0:1:2:3:4:5", nil}[i%3], "realuserid": nil,
		})
	}
	b.gap("logstore_standard_log", 1000000)
}

// searchIndex fills the documents of the search inside the database.
func (b *builder) searchIndex() {
	for i := range 60 {
		c := b.courses[i%len(b.courses)]
		b.add("search_simpledb_index", row{
			"docid": fmt.Sprintf("mod_forum-post-%d", i+1), "itemid": i + 1, "title": pick(&b.rand, sentences()), "content": b.words(4),
			"contextid": c.context, "areaid": "mod_forum-post", "type": 1, "courseid": c.id, "owneruserid": []any{nil, c.teacher}[i%2],
			"modified": b.time(50), "userid": nil, "description1": []any{nil, "", b.words(1)}[i%3], "description2": nil,
		})
	}
}
