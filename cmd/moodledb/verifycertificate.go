package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/report"
)

// certificate is where a certificate is to be written; the zero value is nowhere.
type certificate struct{ file, page string }

// newCertificate looks, before hours of reading, whether the certificate can be
// written. It asks before it replaces one.
func (f *verifyFlags) newCertificate(ctx context.Context, t *terminal) (certificate, error) {
	if !f.given["certificate"] {
		return certificate{}, nil
	}
	if f.certificate == "" || strings.HasSuffix(f.certificate, ".html") {
		return certificate{}, usageError{fmt.Errorf("--certificate is the file of the JSON document, such as moodle.json, not %q; the page is written beside it", f.certificate)}
	}
	c := certificate{file: f.certificate, page: f.certificate + ".html"}
	for _, file := range []string{c.file, c.page} {
		switch _, err := os.Lstat(file); {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return c, fmt.Errorf("--certificate: %w", err)
		case !f.yes:
			if err := t.agree(ctx, file+" exists, and will be replaced.", "nothing was compared"); err != nil {
				return c, err
			}
		}
	}
	if err := writable(c.file); err != nil {
		return c, fmt.Errorf("--certificate: %w", err)
	}
	return c, nil
}

// writable looks whether a file can be made where it is to be written.
func writable(file string) error {
	probe, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		var reason *os.PathError
		if errors.As(err, &reason) {
			err = reason.Err // its path is of the probe, which nobody asked for
		}
		return fmt.Errorf("%s cannot be written: %w", file, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// write writes the certificate and its page.
func (c certificate) write(t *terminal, r *proof.Result) error {
	if c.file == "" {
		return nil
	}
	for _, o := range []output{{report.JSON, c.file}, {report.HTML, c.page}} {
		if err := writeFile(o.file, func(w io.Writer) error { return report.Certificate(w, r, o.format) }); err != nil {
			return fmt.Errorf("--certificate: %w", err)
		}
	}
	fmt.Fprintf(t.stderr, "certificate: %s, and to print: %s\n", c.file, c.page)
	return nil
}

// agree asks before something is overwritten. Its error says that the answer was
// not yes, or that there is nobody to ask.
func (t *terminal) agree(ctx context.Context, question, otherwise string) error {
	ok, err := t.confirm(ctx, question)
	if errors.Is(err, errNoTerminal) {
		return usageError{fmt.Errorf("%s\nThere is no terminal to ask on: pass --yes when that is wanted", question)}
	}
	if err == nil && !ok {
		return errors.New(otherwise + ": the answer was not yes")
	}
	return err
}

// checkable are the flags that go with --check-certificate.
func checkable() []string {
	return []string{
		"check-certificate", "from", "to", "ask-from-password", "ask-to-password", "prefix", "jobs", "memory", "snapshot", "format", "progress",
	}
}

// runCheckCertificate checks a certificate, and reads the sides that are given again.
func runCheckCertificate(ctx context.Context, t *terminal, f *verifyFlags) error {
	for _, name := range slices.Sorted(maps.Keys(f.given)) {
		if !slices.Contains(checkable(), name) {
			return usageError{fmt.Errorf("--%s does not go with --check-certificate: the certificate says what is read again", name)}
		}
	}
	format, err := report.ParseFormat(f.format)
	if err != nil {
		return usageError{fmt.Errorf("--format: %w", err)}
	}
	data, err := os.ReadFile(f.check)
	if err != nil {
		return fmt.Errorf("--check-certificate: %w", err)
	}
	file, err := report.ReadCertificate(data)
	if err != nil {
		return fmt.Errorf("--check-certificate: %s: %w", f.check, err)
	}
	reread, err := f.reread(ctx, t, file)
	if err != nil {
		return err
	}
	if err := report.CertificateCheck(t.stdout, f.check, file, reread, format); err != nil {
		return err
	}
	return exitOf(report.CheckState(file, reread))
}

// reread reads the sides that are given again. What an altered certificate
// says is not looked for.
func (f *verifyFlags) reread(ctx context.Context, t *terminal, file *report.CertificateFile) (*proof.Rereading, error) {
	var opts proof.Options
	if err := f.common(&opts); err != nil {
		return nil, err
	}
	var from, to *proof.Source
	for _, side := range []struct {
		flag, value, env string
		ask              bool
		source           **proof.Source
	}{{"--from", f.from, fromPasswordEnv, f.askFrom, &from}, {"--to", f.to, toPasswordEnv, f.askTo, &to}} {
		if side.value == "" {
			continue
		}
		s, err := f.source(t, side.flag, side.value, side.env, side.ask)
		if err != nil {
			return nil, err
		}
		*side.source = &s
	}
	if file.Altered() {
		from, to = nil, nil
	}
	shown := newVerifyProgress(f.progress, t.stderr, newVerifyTracker(time.Now))
	opts.Events = shown.handle
	opts.Jobs = f.jobs
	reread, err := proof.Reread(ctx, file.Result, from, to, opts)
	shown.close(err)
	return reread, err
}
