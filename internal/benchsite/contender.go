package benchsite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/moodledb/moodledb/postgres"
)

// The names of those who migrate.
const (
	nameUs       = "moodledb"
	nameUs4      = "moodledb --jobs 4"
	nameVerified = "moodledb, verified"
	namePipe     = "raw pipe"
	namePgloader = "pgloader"
	namePgferry  = "pgferry"
)

// The names of what is measured of the comparison.
const (
	nameVerify = "verify alone"
	namePlain  = "floor: verify"
)

// contender is one way of migrating the source into an empty database.
type contender struct {
	name string
	// note says how it was run.
	note string
	// runs is how often it runs; 0 means as often as all.
	runs int
	run  func(ctx context.Context, database string) (usage, error)
}

// tableName is a table's qualified and quoted name in PostgreSQL.
func tableName(schemaName, table string) string {
	return postgres.QuoteIdent(schemaName) + "." + postgres.QuoteIdent(table)
}

// contenders returns those who take part, moodledb first.
func (b *bench) contenders() []contender {
	list := []contender{b.us(nameUs, 0, "--verify", "none"), b.us(nameVerified, 0, "--verify", "all")}
	if b.opts.Alone {
		return list
	}
	switch b.data.Profile {
	case Mix:
		list = append(list, b.us(nameUs4, 1, "--verify", "none", "--jobs", "4"))
	case Site:
		list = append(list, b.pipe())
	default:
		return list
	}
	if b.opts.PGLoader != "" {
		if b.source.engine != "mariadb" {
			b.say("pgloader is left out: it cannot log in to MySQL 9")
		} else {
			list = append(list, b.pgloader())
		}
	}
	if b.opts.PGFerry != "" {
		list = append(list, b.pgferry())
	}
	return list
}

// environment is that of a program of ours: nothing of the user's settings for
// servers of his own.
func (b *bench) environment(more ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir, "TMPDIR=" + b.dir, "LC_ALL=C.UTF-8", "TZ=UTC"}, more...)
}

// us is moodledb with flags of migrate. Where it is compared with others, verification is left out, as they have none.
func (b *bench) us(name string, runs int, flags ...string) contender {
	args := append([]string{"migrate", "--yes", "--prefix", prefix}, flags...)
	args = append(args, b.opts.Flags...)
	return contender{
		name: name, note: strings.Join(args, " "), runs: runs,
		run: func(ctx context.Context, database string) (usage, error) {
			full := append(append([]string{}, args...), "--code", b.code, "--from", b.source.placeOf(sourceDatabase), "--to", b.target.placeOf(database))
			cmd := exec.CommandContext(ctx, b.opts.Binary, full...)
			cmd.Env = b.environment("MOODLEDB_FROM_PASSWORD="+b.source.Password, "MOODLEDB_TO_PASSWORD="+b.target.Password)
			return runChild(ctx, cmd)
		},
	}
}

// pgloader is pgloader as it was found to be fastest, with the casts that Moodle's types need. It reads so many
// tables at once that the source would hang up on those that wait for their turn.
func (b *bench) pgloader() contender {
	const heap = "12288" // MiB: it exhausts less, also on the mix of 1.1 GB
	return contender{
		name: namePgloader,
		note: "workers = 4, concurrency = 2, batch rows = 25000, batch size = 64MB, prefetch rows = 25000, --dynamic-space-size " + heap,
		run: func(ctx context.Context, database string) (usage, error) {
			file := filepath.Join(b.dir, "bench.load")
			text := fmt.Sprintf(`LOAD DATABASE
     FROM mysql://%s:%s@%s:%d/%s
     INTO postgresql://%s:%s@%s:%d/%s
 WITH workers = 4, concurrency = 2, batch rows = 25000, batch size = 64MB, prefetch rows = 25000
  SET MySQL PARAMETERS net_read_timeout = '86400', net_write_timeout = '86400'
 CAST type tinyint to smallint drop typemod, type bigint to bigint drop typemod
;
`, b.source.User, b.source.Password, b.source.Host, b.source.Port, sourceDatabase,
				b.target.User, b.target.Password, b.target.Host, b.target.Port, database)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				return usage{}, err
			}
			root := filepath.Join(b.dir, "pgloader")
			cmd := exec.CommandContext(ctx, b.opts.PGLoader, "--dynamic-space-size", heap, "--root-dir", root, file)
			cmd.Env = b.environment()
			u, err := runChild(ctx, cmd)
			return u, errors.Join(err, os.RemoveAll(root))
		},
	}
}

// pgferry is pgferry with its own defaults, which were found to be its fastest.
func (b *bench) pgferry() contender {
	return contender{
		name: namePgferry,
		note: "its defaults: unlogged tables, no snapshot, no validation",
		run: func(ctx context.Context, database string) (usage, error) {
			file := filepath.Join(b.dir, "migration.toml")
			text := fmt.Sprintf(`schema = "app"

[source]
type = "mysql"
dsn = "%s:%s@tcp(%s:%d)/%s"

[target]
dsn = "postgres://%s:%s@%s:%d/%s?sslmode=disable"
`, b.source.User, b.source.Password, b.source.Host, b.source.Port, sourceDatabase,
				b.target.User, b.target.Password, b.target.Host, b.target.Port, database)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				return usage{}, err
			}
			cmd := exec.CommandContext(ctx, b.opts.PGFerry, "migrate", file)
			cmd.Env, cmd.Dir = b.environment(), b.dir
			return runChild(ctx, cmd)
		},
	}
}
