//go:build integration

package benchsite

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// build builds moodledb.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "moodledb")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/moodledb").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// place is a directory below which servers of other users may have theirs.
func place(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "benchsite-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Error(err)
		}
		for _, e := range entries {
			t.Errorf("%s is left over", e.Name())
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// A small site goes through the floor, the pipe and moodledb, whole.
func TestMeasure(t *testing.T) {
	var log bytes.Buffer
	result, err := Measure(t.Context(), Options{
		Data: Data{Profile: Mix, Bytes: 8_000_000}, Source: "mariadb", Target: "postgres", Runs: 1,
		Binary: build(t), Dir: place(t), Log: &log,
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	if result.Bytes < 6e6 || result.Bytes > 10e6 {
		t.Errorf("the source sent %d bytes, want about 8 million", result.Bytes)
	}
	for _, run := range result.Runs {
		if run.Failure != "" || run.Rows != result.Rows {
			t.Errorf("%s: %d of %d rows, failure %q", run.Name, run.Rows, result.Rows, run.Failure)
		}
		if run.Median.Wall <= 0 || run.Median.Own <= 0 || run.Median.Target <= 0 || run.Median.Peak < 4<<20 {
			t.Errorf("%s: %+v", run.Name, run.Median)
		}
	}
	if run := result.run(nameVerified); run == nil || run.Rows != result.Rows {
		t.Errorf("no verified run of all rows: %+v", result.Runs)
	}
	if v := result.Verify; v == nil || v.Run.Rows != result.Rows || v.Run.Median.Peak < 4<<20 || v.Run.Median.Own <= 0 {
		t.Errorf("verify: %+v", v)
	} else if f := v.Floor; f == nil || f.Wall <= 0 || f.CPU() <= 0 {
		t.Errorf("the floor of verify: %+v", f)
	}
	if f := result.Floor; f == nil || f.Write.Target <= 0 || f.Index.Target <= 0 || f.All <= 0 || f.CPU > result.Runs[0].Median.CPU()*1.5 {
		t.Errorf("floor: %+v", f)
	}
}

// The raw pipe brings every row of every kind.
func TestPipe(t *testing.T) {
	machine, err := readMachine()
	if err != nil {
		t.Fatal(err)
	}
	data, err := Data{Profile: Tables, Rows: 64}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	err = with(t.Context(), Options{Source: "mariadb", Target: "postgres", Dir: place(t), Streams: 2}, data, machine, func(b *bench) error {
		if _, err := b.measureRun(t.Context(), b.pipe()); err != nil {
			return err
		}
		n, err := b.countRows(t.Context())
		if err == nil && n != b.rows() {
			t.Errorf("%d of %d rows", n, b.rows())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Ctrl-C ends both servers and leaves nothing behind.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err := Measure(ctx, Options{
		Data: Data{Profile: Mix, Bytes: 200_000_000}, Source: "mariadb", Target: "postgres",
		Binary: "none", Dir: place(t),
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the end of the context", err)
	}
}

// A disk that is too small is said before anything is made.
func TestNoRoom(t *testing.T) {
	_, err := Measure(t.Context(), Options{
		Data: Data{Profile: Mix, Bytes: 1 << 50}, Source: "mariadb", Target: "postgres", Binary: "none", Dir: place(t),
	})
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("SIZE")) {
		t.Errorf("error %v, want one about the size", err)
	}
}
