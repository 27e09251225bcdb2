package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/moodledb/moodledb/migrate"
)

func TestMetricsAddress(t *testing.T) {
	for _, c := range []struct{ value, want string }{
		{"9187", "127.0.0.1:9187"},
		{":9187", "127.0.0.1:9187"},
		{"0.0.0.0:9187", "0.0.0.0:9187"},
		{"[::]:9187", "[::]:9187"},
		{"localhost:0", "localhost:0"},
		{"", ""},
		{":", ""},
		{"host:", ""},
		{"host", ""},
		{"host:http", ""},
		{"70000", ""},
		{"-1", ""},
		{"::1:9187", ""},
		{"http://x:9187/metrics", ""},
	} {
		got, err := metricsAddress(c.value)
		var usage usageError
		switch {
		case c.want == "" && !errors.As(err, &usage):
			t.Errorf("%q is taken as %q (%v)", c.value, got, err)
		case c.want != "" && (err != nil || got != c.want):
			t.Errorf("%q is taken as %q (%v), want %q", c.value, got, err, c.want)
		}
	}
}

// scrape asks for the figures as Prometheus does.
func scrape(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s\n%s", url, response.Status, body)
	}
	return string(body)
}

// figuresOf keeps the lines that are values of our own.
func figuresOf(body string) string {
	var b strings.Builder
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "moodledb_") && !strings.HasPrefix(line, "moodledb_build_info") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestMetrics(t *testing.T) {
	m, err := startMetrics(t.Context(), "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	before := scrape(t, m.url())
	for _, want := range []string{"moodledb_build_info{", "go_goroutines ", "process_cpu_seconds_total "} {
		if !strings.Contains(before, want) {
			t.Errorf("no %q in\n%s", want, before)
		}
	}
	if got := figuresOf(before); got != "" {
		t.Errorf("figures of no run:\n%s", got)
	}
	c := newClock()
	plan := &migrate.Plan{Tables: []migrate.Table{
		{Target: "mdl_log\"\\\n\xff", Copy: true, Rows: 1000, Bytes: 1 << 30, After: builds(2)},
		{Target: "mdl_user", Copy: true, Rows: 10, Bytes: 1 << 20, After: builds(1)},
	}}
	tr := newTracker(plan, c.time)
	m.show(tr)
	tr.handle(migrate.RunStarted{ID: 3})
	tr.handle(migrate.StepStarted{Name: "copy rows"})
	tr.handle(migrate.TableStarted{Table: plan.Tables[0].Target})
	c.sleep(8 * time.Second)
	tr.handle(migrate.TableProgress{Table: plan.Tables[0].Target, Rows: 600, Bytes: 1 << 29})
	tr.handle(migrate.Retrying{})
	tr.handle(migrate.TableProgress{Table: plan.Tables[0].Target, Rows: 500, Bytes: 1 << 28})
	const want = `moodledb_bytes 2.68435456e+08
moodledb_copied_bytes_total 5.36870912e+08
moodledb_copied_rows_total 600
moodledb_elapsed_seconds 8
moodledb_eta_seconds 12.018620
moodledb_expected_bytes 1.0747904e+09
moodledb_expected_rows 1010
moodledb_indexes 3
moodledb_indexes_built 0
moodledb_progress_ratio 0.249709
moodledb_read_bytes_total 0
moodledb_readers_lost_total 0
moodledb_retries_total 1
moodledb_rows 500
moodledb_run_info{run="3",step="copy rows"} 1
moodledb_table_bytes{table="mdl_log\"\\\n` + "\ufffd" + `"} 2.68435456e+08
moodledb_table_expected_bytes{table="mdl_log\"\\\n` + "\ufffd" + `"} 1.073741824e+09
moodledb_tables 2
moodledb_tables_copied 0
moodledb_tables_done 0
moodledb_tables_verified 0
moodledb_tables_working 1
`
	if got := figuresOf(scrape(t, m.url())); shorten(got) != want {
		t.Errorf("got\n%s\nwant\n%s", shorten(got), want)
	}
	if err := m.close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := net.DialTimeout("tcp", m.listener.Addr().String(), time.Second); err == nil {
		t.Error("the port is open after the run has ended")
	}
}

// shorten rounds the two figures that are fractions.
func shorten(body string) string {
	var b strings.Builder
	for line := range strings.Lines(body) {
		name, value, _ := strings.Cut(line, " ")
		var x float64
		if _, err := fmt.Sscan(value, &x); err == nil && (name == "moodledb_eta_seconds" || name == "moodledb_progress_ratio") {
			line = fmt.Sprintf("%s %.6f\n", name, x)
		}
		b.WriteString(line)
	}
	return b.String()
}

// A port that is taken stops the program before anything else is done: the places are never asked.
func TestMetricsPortTaken(t *testing.T) {
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var stdout, stderr strings.Builder
	code := run(context.Background(), []string{
		"migrate", "--code", "/nowhere", "--from", "mysql://root@127.0.0.1:1/m", "--to", "postgres://127.0.0.1:1/m",
		"--metrics", l.Addr().String(),
	}, strings.NewReader(""), &stdout, &stderr)
	if code != exitFailed || !strings.Contains(stderr.String(), "address already in use; choose another port") {
		t.Errorf("exit %d:\n%s", code, stderr.String())
	}
}

// A site has hundreds of tables, and each series costs Prometheus memory.
func TestMetricsOfFewTables(t *testing.T) {
	plan := &migrate.Plan{}
	for i := range 500 {
		plan.Tables = append(plan.Tables, migrate.Table{Target: fmt.Sprintf("t%03d", i), Copy: true, Bytes: int64(i) << 22})
	}
	large := newTracker(plan, time.Now).largest()
	if len(large) != mostFigures || large[0].name != "t499" {
		t.Errorf("%d tables have figures of their own, the first is %q", len(large), large[0].name)
	}
}
