package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/proof"
	"github.com/moodledb/moodledb/report"
	"github.com/moodledb/moodledb/xmldb"
)

// verifyFlags are the flags of verify.
type verifyFlags struct {
	code, from, to, prefix string
	askFrom, askTo         bool
	tables, exclude        []string
	sample, memory         string
	seed                   uint64
	sinceID                int64
	jobs, maxDifferences   int
	snapshot               string
	mask, repair, yes      bool
	certificate, check     string
	format, progress       string
	outputs                []string
	// given has the flags that stand on the command line.
	given map[string]bool
}

func (f *verifyFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.from, "from", "", "what is expected: `URL` (mysql://user@host/db, mariadb://…, postgres://…) or path of a config.php")
	flags.StringVar(&f.to, "to", "", "what is compared with it: `URL` or path of a config.php")
	flags.BoolVar(&f.askFrom, "ask-from-password", false, "ask for the password of --from")
	flags.BoolVar(&f.askTo, "ask-to-password", false, "ask for the password of --to")
	flags.StringVar(&f.code, "code", "", "`directory` of the site's code: what is expected beyond rows is then what it declares")
	flags.StringVar(&f.prefix, "prefix", "", "`prefix` of the site's tables on both sides (default: that of config.php, or found in each database)")
	flags.StringSliceVar(&f.tables, "tables", nil, "only these tables: `globs` on names without the prefix")
	flags.StringSliceVar(&f.exclude, "exclude", nil, "leave these tables out: `globs` on names without the prefix")
	flags.StringVar(&f.sample, "sample", "100%", "compare this `share` of the parts of large tables, such as 5%, and at least one part of each table")
	flags.Uint64Var(&f.seed, "seed", 0, "`number` that chooses the sample (default: another one each time; the report names it)")
	flags.Int64Var(&f.sinceID, "since-id", 0, "compare only rows whose `id` is not less, in tables that have such a key")
	flags.IntVar(&f.jobs, "jobs", 0, "parts read at once on each side (default: by the number of cores)")
	flags.StringVar(&f.memory, "memory", "256MiB", "upper bound of the memory that the program allocates, as a `size` of at least 16MiB")
	flags.IntVar(&f.maxDifferences, "max-differences", 20, "how many differing rows of each table are listed; all are counted")
	flags.BoolVar(&f.mask, "mask", false, "hide the values of rows that differ, but for those of keys")
	flags.StringVar(&f.snapshot, "snapshot", string(mysql.SnapshotAuto),
		"`way` in which all readers of a MySQL or MariaDB see one moment: auto (shown without a lock, else by a lock of milliseconds), lock, none")
	flags.BoolVar(&f.repair, "repair", false, "copy the rows that differ again from --from to --to, after a question, and compare them again; --to must be PostgreSQL")
	flags.BoolVarP(&f.yes, "yes", "y", false, "do not ask before rows are repaired or a certificate is replaced")
	flags.StringVar(&f.certificate, "certificate", "", "write what was compared, and the outcome, to this `file` (JSON) and to a page beside it (file.html)")
	flags.StringVar(&f.check, "check-certificate", "", "check the certificate in this `file`; and read --from, --to or both again to compare them with it")
	flags.StringVar(&f.format, "format", "text", "`format` on standard output: text, json or html")
	flags.StringArrayVar(&f.outputs, "output", nil, "write a report to a file as well: `FORMAT=FILE`; may be given again")
	flags.StringVar(&f.progress, "progress", progressAuto,
		"`way` to show progress on standard error: auto (bar on a terminal, else plain), bar, plain, json (a line each), none")
}

// checked refuses what does not go together, and returns the reports to write
// and what to compare.
func (f *verifyFlags) checked() ([]output, proof.Options, error) {
	opts := proof.Options{Include: f.tables, Exclude: f.exclude, SinceID: f.sinceID, Jobs: f.jobs, MaxDifferences: f.maxDifferences}
	for _, need := range []struct{ flag, value string }{{"--from", f.from}, {"--to", f.to}} {
		if need.value == "" {
			return nil, opts, usageError{fmt.Errorf("%s is missing: a URL or the path of a config.php", need.flag)}
		}
	}
	outputs, err := f.reports()
	if err != nil {
		return nil, opts, err
	}
	switch {
	case f.jobs < 0:
		return nil, opts, usageError{fmt.Errorf("--jobs is a number of parts, not %d", f.jobs)}
	case f.sinceID < 0:
		return nil, opts, usageError{fmt.Errorf("--since-id is an id, not %d", f.sinceID)}
	case f.maxDifferences < 0:
		return nil, opts, usageError{fmt.Errorf("--max-differences is a number of rows, not %d", f.maxDifferences)}
	case f.maxDifferences == 0:
		opts.MaxDifferences = -1 // none
	}
	if opts.Sample, err = parseSample(f.sample); err != nil {
		return nil, opts, err
	}
	if opts.Seed = f.seed; opts.Sample < 100 && !f.given["seed"] {
		opts.Seed = uint64(rand.Uint32()) // short enough to be typed
	}
	if err := f.common(&opts); err != nil {
		return nil, opts, err
	}
	if f.code != "" {
		if opts.Site, err = xmldb.Load(f.code, xmldb.Options{}); err != nil {
			return nil, opts, err
		}
	}
	return outputs, opts, nil
}

// common checks the flags that a comparison and the check of a certificate share.
func (f *verifyFlags) common(opts *proof.Options) error {
	if err := checkProgress(f.progress); err != nil {
		return err
	}
	opts.Snapshot = mysql.SnapshotMode(f.snapshot)
	if !slices.Contains(mysql.SnapshotModes(), opts.Snapshot) {
		return usageError{fmt.Errorf("--snapshot is auto, lock or none, not %q", f.snapshot)}
	}
	size, err := humanize.ParseBytes(f.memory)
	if err != nil || size > 1<<50 {
		return usageError{fmt.Errorf("--memory is a size such as 256MiB or 1GB, not %q", f.memory)}
	}
	if opts.Memory = int64(size); opts.Memory < proof.MinMemory {
		return usageError{fmt.Errorf("--memory must be at least %d MiB, not %q", proof.MinMemory>>20, f.memory)}
	}
	// The runtime keeps what is allocated below the bound, the code's own tables included.
	debug.SetMemoryLimit(opts.Memory * 9 / 10)
	release, commit := buildVersion()
	opts.Tool = cmp.Or(release, commit, "(devel)")
	return nil
}

// parseSample reads a share in percent, with or without its sign.
func parseSample(text string) (float64, error) {
	percent, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
	if err != nil || !(percent > 0 && percent <= 100) {
		return 0, usageError{fmt.Errorf("--sample is a share above 0%% and up to 100%%, such as 5%%, not %q", text)}
	}
	return percent, nil
}

// reports are the one on standard output and those in files.
func (f *verifyFlags) reports() ([]output, error) {
	format, err := report.ParseVerifyFormat(f.format)
	if err != nil {
		return nil, usageError{fmt.Errorf("--format: %w", err)}
	}
	outputs := []output{{format: format}}
	for _, o := range f.outputs {
		name, file, ok := strings.Cut(o, "=")
		if !ok || file == "" {
			return nil, usageError{fmt.Errorf("--output is FORMAT=FILE, such as html=differences.html, not %q", o)}
		}
		format, err := report.ParseVerifyFormat(name)
		if err != nil {
			return nil, usageError{fmt.Errorf("--output: %w", err)}
		}
		// Before hours of reading, rather than after them.
		if err := writable(file); err != nil {
			return nil, fmt.Errorf("--output: %w", err)
		}
		outputs = append(outputs, output{format: format, file: file})
	}
	return outputs, nil
}

// sources are the places of both sides.
func (f *verifyFlags) sources(t *terminal) (expected, found proof.Source, err error) {
	if expected, err = f.source(t, "--from", f.from, fromPasswordEnv, f.askFrom); err != nil {
		return expected, found, err
	}
	if found, err = f.source(t, "--to", f.to, toPasswordEnv, f.askTo); err != nil {
		return expected, found, err
	}
	return expected, found, f.checkRepair(t, found)
}

// source is the place of one side.
func (f *verifyFlags) source(t *terminal, flag, value, env string, ask bool) (proof.Source, error) {
	d, err := place(t, flag, value, env, ask)
	if err != nil {
		return proof.Source{}, err
	}
	s := proof.Source{DSN: d, Schema: d.Schema}
	switch {
	case f.given["prefix"]:
		s.Prefix = &f.prefix
	case d.HasPrefix:
		s.Prefix = &d.Prefix
	}
	return s, nil
}
