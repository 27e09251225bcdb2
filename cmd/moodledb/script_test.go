package main

import (
	"context"
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output of scripts and the generated pages")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"moodledb": func() {
			os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		},
	})
}

// TestScripts runs the behaviour of the command line that needs no server; one
// behaviour is one file.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			// Nothing of the user's may leak in: no ~/.my.cnf, no PGPASSWORD.
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
	})
}
