package benchsite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
)

// pipesAtOnce is how many tables a raw pipe moves at a time, and how many
// sessions build indexes.
const pipesAtOnce = 2

// pipe is what a careful administrator would write with the servers' own
// clients: make the tables, pipe the export of one client into COPY of the
// other, two tables at once and the largest first, then build the indexes. Its
// sessions have the same settings as ours; tables without rows are left out.
func (b *bench) pipe() contender {
	return contender{
		name: namePipe,
		note: "tables by psql; mariadb --quick --batch | psql COPY text, 2 at once; indexes by 2 psql",
		run: func(ctx context.Context, database string) (usage, error) {
			declared, _ := convert.Declared(b.site, convert.DeclaredOptions{Engine: schema.Postgres, Prefix: prefix})
			scripts, err := b.pipeScripts(&declared)
			if err != nil {
				return usage{}, err
			}
			total, err := b.psql(ctx, database, "-f", scripts[0])
			if err != nil {
				return total, err
			}
			loaded, err := b.pipeTables(ctx, database)
			total = total.add(loaded)
			if err != nil {
				return total, err
			}
			built, err := together(ctx, scripts[1:], pipesAtOnce, func(ctx context.Context, script string) (usage, error) {
				return b.psql(ctx, database, "-f", script)
			})
			return total.add(built), err
		},
	}
}

// pipeScripts writes the script that makes the tables, then those that build indexes.
func (b *bench) pipeScripts(declared *schema.Schema) ([]string, error) {
	texts := make([]strings.Builder, 1+pipesAtOnce)
	n := 0
	for i := range b.tables {
		t := declared.Table(b.tables[i].table.Name)
		if t == nil {
			return nil, fmt.Errorf("table %q is not declared for PostgreSQL", b.tables[i].table.Name)
		}
		texts[0].WriteString(postgres.CreateTable("public", *t) + ";\n")
		for _, x := range t.Indexes {
			statement := postgres.CreateIndex("public", t.Name, x)
			if x.Primary {
				statement = postgres.AddPrimaryKey("public", t.Name, x)
			}
			texts[1+n%pipesAtOnce].WriteString(statement + ";\n")
			n++
		}
	}
	files := make([]string, len(texts))
	for i := range texts {
		files[i] = filepath.Join(b.dir, fmt.Sprintf("pipe-%d.sql", i))
		if err := os.WriteFile(files[i], []byte(texts[i].String()), 0o600); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// psqlCommand runs psql in a database of the target, with the settings of a load session.
func (b *bench) psqlCommand(ctx context.Context, database string, args ...string) (*exec.Cmd, error) {
	args = append([]string{"--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname=" + database}, args...)
	cmd, err := b.target.Command(ctx, "psql", args...)
	if err != nil {
		return nil, err
	}
	options := "-c synchronous_commit=off -c maintenance_work_mem=256MB -c max_parallel_maintenance_workers=0"
	if b.lz4 {
		options += " -c default_toast_compression=lz4"
	}
	cmd.Env = append(cmd.Env, "PGOPTIONS="+options)
	return cmd, nil
}

func (b *bench) psql(ctx context.Context, database string, args ...string) (usage, error) {
	cmd, err := b.psqlCommand(ctx, database, args...)
	if err != nil {
		return usage{}, err
	}
	return runChild(ctx, cmd)
}

// pipeTables moves the rows of all tables.
func (b *bench) pipeTables(ctx context.Context, database string) (usage, error) {
	var list []*tableData
	for i := range b.tables {
		if b.tables[i].rows > 0 {
			list = append(list, &b.tables[i])
		}
	}
	return together(ctx, list, pipesAtOnce, func(ctx context.Context, t *tableData) (usage, error) {
		u, err := b.pipeTable(ctx, database, t)
		if err != nil {
			err = fmt.Errorf("pipe table %q: %w", t.table.Name, err)
		}
		return u, err
	})
}

// pipeTable moves the rows of one table. The client writes NULL as the word.
func (b *bench) pipeTable(ctx context.Context, database string, t *tableData) (usage, error) {
	var selected, names []string
	for _, c := range t.table.Columns {
		column := mysql.QuoteIdent(c.Name)
		if strings.HasSuffix(c.Type.Name, "blob") {
			column = `CONCAT('\\x', HEX(` + column + `))`
		}
		selected = append(selected, column)
		names = append(names, postgres.QuoteIdent(c.Name))
	}
	program := string(b.source.engine)
	from, err := b.source.Command(ctx, program, "--quick", "--batch", "--skip-column-names", "--default-character-set=utf8mb4", "--max-allowed-packet=1G",
		"--execute=SELECT "+strings.Join(selected, ", ")+" FROM "+mysql.QuoteIdent(t.table.Name), sourceDatabase)
	if err != nil {
		return usage{}, err
	}
	to, err := b.psqlCommand(ctx, database, "--command=COPY "+tableName("public", t.table.Name)+" ("+strings.Join(names, ", ")+") FROM STDIN WITH (NULL 'NULL')")
	if err != nil {
		return usage{}, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return usage{}, err
	}
	from.Stdout, to.Stdin = w, r
	done := make(chan error, 1)
	var exported usage
	go func() {
		var err error
		exported, err = runChild(ctx, from)
		done <- errors.Join(err, w.Close())
	}()
	imported, err := runChild(ctx, to)
	// Without a reader the other client ends.
	err = errors.Join(err, r.Close(), <-done)
	both := imported.add(exported)
	both.peak = imported.peak + exported.peak
	return both, err
}

// together does the work of a list, n at once, and adds up what it cost.
func together[T any](ctx context.Context, list []T, n int, do func(context.Context, T) (usage, error)) (usage, error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(n)
	var mu sync.Mutex
	var total usage
	for _, x := range list {
		group.Go(func() error {
			u, err := do(ctx, x)
			mu.Lock()
			defer mu.Unlock()
			total = total.add(u)
			return err
		})
	}
	err := group.Wait()
	return total, err
}
