package benchsite

import "strconv"

// The tables that are made for the benchmark alone.
const (
	tableNarrow = "bench_narrow"
	tableWide   = "bench_wide"
	tableFile   = "bench_file"
)

// special returns the values of a column whose shape decides how much the work
// of its table is; nil for the others.
func (m maker) special(column string) value {
	switch m.table {
	case "logstore_standard_log":
		return m.logValue(column)
	case "forum_posts":
		if column == "message" {
			return m.prose(512, 8<<10)
		}
	case tableFile:
		return m.fileValue(column)
	case tableWide:
		if column == "content" {
			return func(b []byte, r *row) []byte { return m.exact(b, r, m.opts.ValueBytes) }
		}
	}
	return nil
}

// prose is HTML of evenly distributed size.
func (m maker) prose(low, high int64) value {
	return func(b []byte, r *row) []byte { return cut(b, r.r, m.corpus.html, low+r.r.below(high-low)) }
}

// exact is HTML of about n bytes, n at most.
func (m maker) exact(b []byte, r *row, n int64) []byte {
	for n > 0 {
		piece := min(n, 1<<20)
		b = cut(b, r.r, m.corpus.html, piece)
		n -= piece
	}
	return b
}

// fileSize is the size of a value of bench_file: rows of 1 MB are the largest of an ordinary site.
const fileSize = 1 << 20

// fileValue are the columns of bench_file: each row has a text or bytes that do not compress.
func (m maker) fileValue(column string) value {
	switch column {
	case "contenttext":
		return func(b []byte, r *row) []byte {
			if r.n%2 == 1 {
				return append(b, null...)
			}
			return cut(b, r.r, m.corpus.html, fileSize)
		}
	case "contentbytes":
		return func(b []byte, r *row) []byte {
			if r.n%2 == 0 {
				return append(b, null...)
			}
			return randomBytes(b, r.r, fileSize)
		}
	default:
		return nil
	}
}

// event is one kind of entry of the standard log. The names belong together.
type event struct {
	name, component, action, target, object string
	crud                                    byte
	edulevel, contextlevel                  int64
}

// events are in the order of their frequency. Names have the backslashes that
// every real log is full of, doubled for LOAD DATA.
func events() []event {
	return []event{
		{`\\core\\event\\course_viewed`, "core", "viewed", "course", "", 'r', 2, 50},
		{`\\mod_quiz\\event\\attempt_viewed`, "mod_quiz", "viewed", "attempt", "quiz_attempts", 'r', 2, 70},
		{`\\mod_forum\\event\\discussion_viewed`, "mod_forum", "viewed", "discussion", "forum_discussions", 'r', 2, 70},
		{`\\mod_resource\\event\\course_module_viewed`, "mod_resource", "viewed", "course_module", "resource", 'r', 2, 70},
		{`\\mod_page\\event\\course_module_viewed`, "mod_page", "viewed", "course_module", "page", 'r', 2, 70},
		{`\\core\\event\\user_loggedin`, "core", "loggedin", "user", "user", 'r', 0, 10},
		{`\\mod_assign\\event\\submission_status_viewed`, "mod_assign", "viewed", "submission_status", "", 'r', 2, 70},
		{`\\core\\event\\dashboard_viewed`, "core", "viewed", "dashboard", "", 'r', 0, 30},
		{`\\mod_quiz\\event\\attempt_submitted`, "mod_quiz", "submitted", "attempt", "quiz_attempts", 'u', 2, 70},
		{`\\core\\event\\course_module_completion_updated`, "core", "updated", "course_module_completion", "course_modules_completion", 'u', 2, 70},
		{`\\core\\event\\user_graded`, "core", "graded", "user", "grade_grades", 'u', 1, 50},
		{`\\mod_forum\\event\\post_created`, "mod_forum", "created", "post", "forum_posts", 'c', 2, 70},
		{`\\core\\event\\webservice_function_called`, "core", "called", "webservice_function", "", 'r', 0, 10},
		{`\\core\\event\\user_enrolment_created`, "core", "created", "user_enrolment", "user_enrolments", 'c', 0, 50},
		{`\\mod_assign\\event\\assessable_submitted`, "mod_assign", "submitted", "assessable", "assign_submission", 'u', 2, 70},
		{`\\core\\event\\message_sent`, "core", "sent", "message", "messages", 'c', 0, 30},
		{`\\core\\event\\role_assigned`, "core", "assigned", "role", "role", 'c', 0, 50},
		{`\\core\\event\\calendar_event_deleted`, "core", "deleted", "calendar_event", "event", 'd', 0, 50},
	}
}

// logValue are the columns of the standard log.
func (m maker) logValue(column string) value {
	list := events()
	of := func(r *row) *event {
		// The square makes the first ones frequent.
		i := (r.kind % 1000) * (r.kind % 1000) * uint64(len(list)) / 1000000
		return &list[i]
	}
	number := func(get func(r *row) int64) value {
		return func(b []byte, r *row) []byte { return strconv.AppendInt(b, get(r), 10) }
	}
	text := func(get func(e *event) string) value {
		return func(b []byte, r *row) []byte { return append(b, get(of(r))...) }
	}
	switch column {
	case "eventname":
		return text(func(e *event) string { return e.name })
	case "component":
		return text(func(e *event) string { return e.component })
	case "action":
		return text(func(e *event) string { return e.action })
	case "target":
		return text(func(e *event) string { return e.target })
	case "objecttable":
		return func(b []byte, r *row) []byte {
			if e := of(r); e.object != "" {
				return append(b, e.object...)
			}
			return append(b, null...)
		}
	case "crud":
		return func(b []byte, r *row) []byte { return append(b, of(r).crud) }
	case "edulevel":
		return number(func(r *row) int64 { return of(r).edulevel })
	case "contextlevel":
		return number(func(r *row) int64 { return of(r).contextlevel })
	case "other":
		return m.logOther
	case "origin":
		return func(b []byte, r *row) []byte {
			return append(b, []string{"web", "web", "web", "web", "ws", "cli"}[r.kind>>32%6]...)
		}
	case "realuserid":
		return func(b []byte, r *row) []byte {
			if r.r.chance(98) {
				return append(b, null...)
			}
			return strconv.AppendInt(b, 2+r.r.below(20), 10)
		}
	default:
		return nil
	}
}

// logOther is what an event tells beyond its columns, as JSON; most tell nothing.
func (m maker) logOther(b []byte, r *row) []byte {
	switch r.kind >> 16 % 4 {
	case 0:
		b = append(b, `{"cmid":"`...)
		b = strconv.AppendInt(b, r.r.below(90000), 10)
		b = append(b, `","discussionid":`...)
		return append(strconv.AppendInt(b, r.r.below(9000), 10), '}')
	case 1:
		return append(b, null...)
	default:
		return append(b, `N;`...)
	}
}
