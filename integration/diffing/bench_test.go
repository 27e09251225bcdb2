//go:build integration

package diffing

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/drift"
	"github.com/moodledb/moodledb/dsn"
	"github.com/moodledb/moodledb/integration/internal/rig"
	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/postgres"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// BenchmarkDiff compares databases of 512 tables, as many as Moodle 4.5 has,
// with their code. Beside the wall time of all, servers included, it tells the
// CPU time of this program alone, and the part of the wall time in which it
// waits for the server.
func BenchmarkDiff(b *testing.B) {
	code := manyTables(b, 512)
	for _, name := range append(testdb.Sources(), testdb.Targets()...) {
		b.Run(name, func(b *testing.B) {
			s := testdb.Get(b, name)
			url := s.Database(b)
			site, err := xmldb.Load(code, xmldb.Options{})
			if err != nil {
				b.Fatal(err)
			}
			s.Exec(b, url, declaredDDL(site, s.Engine)...)
			place, err := dsn.Parse(url, dsn.Options{})
			if err != nil {
				b.Fatal(err)
			}
			var reading time.Duration
			before := ownCPU(b)
			b.ResetTimer()
			for b.Loop() {
				site, err := xmldb.Load(code, xmldb.Options{})
				if err != nil {
					b.Fatal(err)
				}
				started := time.Now()
				side, err := drift.ReadServer(b.Context(), place, drift.ReadOptions{})
				if err != nil {
					b.Fatal(err)
				}
				reading += time.Since(started)
				result, err := drift.Declared(site, side, drift.Options{})
				if err != nil {
					b.Fatal(err)
				}
				if len(result.Changes) > 0 {
					b.Fatalf("%d changes, such as %+v", len(result.Changes), result.Changes[0])
				}
			}
			own := ownCPU(b) - before
			b.ReportMetric(float64(own.Microseconds())/1000/float64(b.N), "own-cpu-ms/op")
			b.ReportMetric(float64(reading)/float64(b.Elapsed()), "reading/wall")
		})
	}
}

// declaredDDL are the statements that make the tables of a site.
func declaredDDL(site *xmldb.Site, engine schema.Engine) []string {
	declared, _ := convert.Declared(site, convert.DeclaredOptions{Engine: engine, Prefix: "mdl_"})
	if engine == schema.Postgres {
		return postgres.Statements("", &declared)
	}
	statements := make([]string, len(declared.Tables))
	for i, t := range declared.Tables {
		statements[i] = mysql.CreateTable(t)
	}
	return statements
}

// manyTables is the code of a site with n tables, as wide as Moodle's are on average.
func manyTables(b *testing.B, n int) string {
	b.Helper()
	tables := []string{
		rig.Table("config", rig.Field("name", "char", `LENGTH="255" NOTNULL="true"`), rig.Field("value", "text", `NOTNULL="true"`)),
		rig.Table("config_plugins", rig.Field("plugin", "char", `LENGTH="100" NOTNULL="true"`), rig.Field("name", "char", `LENGTH="100" NOTNULL="true"`), rig.Field("value", "text", `NOTNULL="true"`)),
	}
	for i := range n - len(tables) {
		var fields, indexes []string
		for j := range 8 {
			fields = append(fields, rig.Field(fmt.Sprintf("number%d", j), "int", `LENGTH="10" NOTNULL="true" DEFAULT="0"`))
		}
		fields = append(fields, rig.Field("name", "char", `LENGTH="255" NOTNULL="true"`), rig.Field("text", "text", ""))
		for j := range 3 {
			indexes = append(indexes, fmt.Sprintf(`<INDEX NAME="i%d" UNIQUE="false" FIELDS="number%d, number%d"/>`, j, j, j+1))
		}
		xml := rig.Table(fmt.Sprintf("thing%d", i), fields...)
		tables = append(tables, strings.Replace(xml, "</TABLE>", "<INDEXES>"+strings.Join(indexes, "")+"</INDEXES></TABLE>", 1))
	}
	dir := b.TempDir()
	for name, text := range map[string]string{
		"version.php":         "<?php\n$version = 2024100705.00;\n$release = '4.5.5';\n$branch = '405';\n",
		"lib/components.json": `{"plugintypes": {"mod": "mod"}, "subsystems": {}}`,
		"lib/db/install.xml": `<?xml version="1.0" encoding="UTF-8" ?>
<XMLDB PATH="lib/db" VERSION="1" COMMENT="core"><TABLES>` + strings.Join(tables, "\n") + `</TABLES></XMLDB>`,
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// ownCPU is the CPU time that this process has used.
func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
