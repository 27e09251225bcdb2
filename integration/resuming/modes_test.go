//go:build integration

package resuming

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/migrate"
)

// TestResume resumes runs from a source whose binary log shows what was written.
func TestResume(t *testing.T) {
	base := resumeSource(t, rig.LoggingSource(t, rig.FirstSource()), rig.FirstTarget())
	for name, test := range map[string]func(*testing.T, *rig.Pair){
		"modes": resumeModes, "at the end": resumeAtTheEnd, "several times": resumeSeveralTimes,
		"other sizes": resumeOtherSizes, "unverified": resumeUnverified, "refused": resumeRefused,
	} {
		t.Run(name, func(t *testing.T) { test(t, base.WithTarget(t)) })
	}
}

// resumeModes: a run of each mode is stopped amid a table and after one, and
// goes on with what is loaded, or begins anew when the source was written to.
func resumeModes(t *testing.T, base *rig.Pair) {
	t.Helper()
	for _, tc := range []struct {
		name    string
		opts    migrate.Options
		prepare func(t *testing.T, p *rig.Pair)
	}{
		{name: "staged", opts: migrate.Options{Owner: "moodle"}},
		{name: "staged, replacing", opts: migrate.Options{Replace: true}, prepare: func(t *testing.T, p *rig.Pair) {
			t.Helper()
			p.TargetServer.Exec(t, p.TargetURL, "CREATE TABLE public.precious (id int)", "INSERT INTO public.precious VALUES (42)")
		}},
		{name: "direct", opts: migrate.Options{Schema: "site"}, prepare: func(t *testing.T, p *rig.Pair) {
			t.Helper()
			p.TargetServer.Exec(t, p.TargetURL, "CREATE SCHEMA site")
		}},
		{name: "data only", opts: migrate.Options{DataOnly: true}, prepare: installed},
		{name: "data only, truncating", opts: migrate.Options{DataOnly: true, Truncate: true}, prepare: func(t *testing.T, p *rig.Pair) {
			t.Helper()
			installed(t, p)
			p.TargetServer.Exec(t, p.TargetURL, "INSERT INTO mdl_config (name, value) VALUES ('installed', 'by the installer')")
		}},
	} {
		for _, stop := range []struct {
			name  string
			chunk int64
			at    func(migrate.Event) bool
		}{
			{"amid a table", migrate.MinChunk, halfOfBig},
			{"after a table", 0, firstCopied},
		} {
			for _, written := range []bool{false, true} {
				if written && stop.chunk == 0 {
					continue // where it was stopped does not matter then
				}
				name := tc.name + " " + stop.name
				if written {
					name += ", written to"
				}
				t.Run(name, func(t *testing.T) {
					p := base.WithTarget(t)
					var schema []string
					if tc.prepare != nil {
						tc.prepare(t, p)
						schema = rig.SiteSchema(t, p)
					}
					opts := tc.opts
					opts.Site, opts.Chunk, opts.Jobs = resumeCode(t), stop.chunk, 2
					before := p.Stop(t, opts, stop.at)
					if before.Done == 0 && len(before.Copied) == 0 {
						t.Fatal("nothing was copied when the run was stopped")
					}
					if !opts.Truncate && !opts.Replace {
						if _, err := p.Try(t.Context(), opts); err == nil || !strings.Contains(err.Error(), "--resume") {
							t.Errorf("the same again: error %v, want one that names --resume", err)
						}
					}
					if written {
						p.SourceServer.Exec(t, p.SourceURL, oneRow()...)
					}
					opts.Resume = true
					w := p.Attempt(t, opts, nil)
					if w.Err != nil {
						t.Fatal(w.Err)
					}
					if written {
						p.Anew(t, before, w)
					} else {
						p.Kept(t, before, w)
					}
					if w.Result.Attempts != 2 {
						t.Errorf("%d attempts", w.Result.Attempts)
					}
					p.Whole(t, w)
					if w.Result.Schema == "public" {
						rig.CheckSequences(t, p, w.Result)
					}
					if opts.DataOnly {
						if diff := cmp.Diff(schema, rig.SiteSchema(t, p)); diff != "" {
							t.Errorf("loading data changed the schema (-before +after):\n%s", diff)
						}
					}
					if opts.Replace {
						if n := p.Count(t, `SELECT id FROM "`+w.Result.Kept+`".precious`); n != 42 {
							t.Errorf("what was there holds %d", n)
						}
					}
					if opts.Owner != "" {
						owners := p.Strings(t, "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
						if diff := cmp.Diff([]string{opts.Owner}, owners); diff != "" {
							t.Errorf("owners (-want +got):\n%s", diff)
						}
					}
				})
			}
		}
	}
}

// installed makes the tables of a site at the target, without rows.
func installed(t *testing.T, p *rig.Pair) {
	t.Helper()
	p.Migrate(t, migrate.Options{Site: resumeCode(t), SkipData: []string{"*"}})
	p.TargetServer.Exec(t, p.TargetURL, "DROP SCHEMA moodledb CASCADE")
}

// resumeAtTheEnd: a run that was stopped when all rows were in is brought to its end at once.
func resumeAtTheEnd(t *testing.T, base *rig.Pair) {
	t.Helper()
	for _, step := range []string{"add constraints", "hand over"} {
		t.Run(step, func(t *testing.T) {
			p := base.WithTarget(t)
			opts := resumeOptions(t)
			before := p.Stop(t, opts, rig.AtStep(step))
			opts.Resume = true
			w := p.Attempt(t, opts, nil)
			if w.Err != nil {
				t.Fatal(w.Err)
			}
			if len(w.Started) > 0 || len(w.Copied) > 0 {
				t.Errorf("tables were copied again: %v", w.Started)
			}
			for name, table := range w.Resumed {
				if !table.Done {
					t.Errorf("table %s was complete, and is %+v", name, table)
				}
			}
			p.Kept(t, before, w)
			p.Whole(t, w)
		})
	}
}

// resumeSeveralTimes: a run that is stopped again and again comes to its end.
func resumeSeveralTimes(t *testing.T, p *rig.Pair) {
	t.Helper()
	opts := resumeOptions(t)
	for attempt := 1; ; attempt++ {
		most := int64(700 * attempt)
		before := p.Attempt(t, opts, func(e migrate.Event) bool {
			at, ok := e.(migrate.TableProgress)
			return ok && at.Table == "mdl_big" && at.Rows >= most
		})
		if before.Err == nil {
			if attempt < 4 || before.Result.Attempts != attempt {
				t.Errorf("it took %d attempts, the result says %d", attempt, before.Result.Attempts)
			}
			p.Whole(t, before)
			return
		}
		rig.Stopped(t, p, before.Err)
		opts.Resume = true
	}
}

// resumeOtherSizes: jobs, parts and memory may differ from one attempt to the next.
func resumeOtherSizes(t *testing.T, base *rig.Pair) {
	t.Helper()
	small := migrate.Options{Jobs: 1, Chunk: migrate.MinChunk, Memory: migrate.MinMemory}
	large := migrate.Options{Jobs: 4, Chunk: 1 << 30, Memory: 1 << 30}
	for _, tc := range []struct {
		name        string
		first, then migrate.Options
		at          func(migrate.Event) bool
	}{
		{"small parts, then none", small, large, halfOfBig},
		{"none, then small parts", large, small, firstCopied},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := base.WithTarget(t)
			tc.first.Site = resumeCode(t)
			before := p.Stop(t, tc.first, tc.at)
			tc.then.Site, tc.then.Resume = tc.first.Site, true
			w := p.Attempt(t, tc.then, nil)
			if w.Err != nil {
				t.Fatal(w.Err)
			}
			p.Kept(t, before, w)
			p.Whole(t, w)
		})
	}
}

// resumeUnverified: what was copied without verification has no fingerprint, and is not taken for verified.
func resumeUnverified(t *testing.T, base *rig.Pair) {
	t.Helper()
	resume := resumeOptions(t)
	resume.Resume = true
	without := resume
	without.Verify = migrate.VerifyNone
	for _, first := range []migrate.VerifyMode{migrate.VerifyNone, migrate.VerifyAll} {
		t.Run("begun with "+string(first), func(t *testing.T) {
			p := base.WithTarget(t)
			opts := resumeOptions(t)
			opts.Verify = first
			p.Stop(t, opts, halfOfBig)
			if first == migrate.VerifyAll {
				p.Stop(t, without, rig.AtStep("add constraints"))
			}
			w := p.Attempt(t, resume, nil)
			if w.Err == nil || !strings.Contains(w.Err.Error(), "resume-unverified") || !strings.Contains(w.Err.Error(), "--verify none") {
				t.Errorf("with verification: error %v", w.Err)
			}
			if w = p.Attempt(t, without, nil); w.Err != nil {
				t.Fatal(w.Err)
			}
			p.Whole(t, w)
			for i := range w.Result.Tables {
				if x := &w.Result.Tables[i]; x.Verified || first == migrate.VerifyNone && x.Sum.Rows != 0 {
					t.Errorf("table %s: verified %v, sum %s", x.Name, x.Verified, x.Sum)
				}
			}
		})
	}
}

// resumeRefused: a run only goes on as it was planned, and while nobody works on it.
func resumeRefused(t *testing.T, p *rig.Pair) {
	t.Helper()
	opts := resumeOptions(t)
	resume := opts
	resume.Resume = true
	if w := p.Attempt(t, resume, nil); !errors.Is(w.Err, migrate.ErrUsage) || !strings.Contains(w.Err.Error(), "no unfinished run") {
		t.Errorf("without a run: error %v", w.Err)
	}
	if _, err := p.Try(t.Context(), migrate.Options{Site: opts.Site, SourceFrozen: true}); !errors.Is(err, migrate.ErrUsage) {
		t.Errorf("source-frozen without resume: error %v", err)
	}
	var living error
	before := p.Stop(t, opts, func(e migrate.Event) bool {
		if !halfOfBig(e) {
			return false
		}
		living = p.Attempt(t, resume, nil).Err
		return true
	})
	if living == nil || !strings.Contains(living.Error(), "run-in-use") {
		t.Errorf("while the run lives: error %v", living)
	}

	other := rig.TinyCode(t, rig.Table("big", rig.Field("n", "int", `LENGTH="5" NOTNULL="true" DEFAULT="0"`), rig.Field("v", "text", "")))
	prefix := ""
	for name, tc := range map[string]struct {
		change func(o *migrate.Options)
		want   string
	}{
		"a table left out":  {func(o *migrate.Options) { o.Exclude = []string{"small_3"} }, "mdl_small_3"},
		"rows left out":     {func(o *migrate.Options) { o.SkipData = []string{"nokey"} }, "mdl_nokey"},
		"another owner":     {func(o *migrate.Options) { o.Owner = "moodle" }, "owner"},
		"other code":        {func(o *migrate.Options) { o.Site = other }, "mdl_big"},
		"another prefix":    {func(o *migrate.Options) { o.Prefix = &prefix }, "planned otherwise"},
		"another published": {func(o *migrate.Options) { o.Publish = "elsewhere" }, `to become "public"`},
		"another mode":      {func(o *migrate.Options) { o.Schema = "public" }, "no unfinished run"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := resume
			tc.change(&changed)
			w := p.Attempt(t, changed, nil)
			usage := strings.Contains(tc.want, "no unfinished run")
			if w.Err == nil || !strings.Contains(w.Err.Error(), tc.want) || usage != errors.Is(w.Err, migrate.ErrUsage) || !usage && !strings.Contains(w.Err.Error(), "resume-other-plan") {
				t.Errorf("error %v, want one with %q", w.Err, tc.want)
			}
		})
	}

	t.Run("the source's schema changed", func(t *testing.T) {
		p.SourceServer.Exec(t, p.SourceURL, "ALTER TABLE mdl_nokey MODIFY v varchar(251)")
		w := p.Attempt(t, resume, nil)
		if w.Err == nil || !strings.Contains(w.Err.Error(), "resume-other-plan") || !strings.Contains(w.Err.Error(), "mdl_nokey") {
			t.Errorf("error %v", w.Err)
		}
		p.SourceServer.Exec(t, p.SourceURL, "ALTER TABLE mdl_nokey MODIFY v varchar(250)")
	})

	if now := p.Standing(t); !maps.Equal(now.Transactions, before.Transactions) {
		t.Error("resumptions that were refused changed the target")
	}
	w := p.Attempt(t, resume, nil)
	if w.Err != nil {
		t.Fatal(w.Err)
	}
	p.Anew(t, before, w) // the schema was changed, and changed back
	p.Whole(t, w)
	if w := p.Attempt(t, resume, nil); !errors.Is(w.Err, migrate.ErrUsage) || !strings.Contains(w.Err.Error(), "no unfinished run") {
		t.Errorf("after the run's end: error %v", w.Err)
	}
}
