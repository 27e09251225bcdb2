package xmldb_test

import (
	"fmt"

	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

func ExampleLoad() {
	site, err := xmldb.Load("testdata/sites/moodle51", xmldb.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(site.Product, site.Release)
	for _, t := range site.Tables() {
		fmt.Printf("%s belongs to %s, see %s:%d\n", t.Name, t.Component, t.File, t.Line)
	}
	for _, f := range site.Findings {
		if f.Severity == xmldb.Error {
			fmt.Println(f)
		}
	}
	// Output:
	// moodle 5.1 (Build: 20251006)
	// config belongs to core, see public/lib/db/install.xml:7
	// quiz belongs to mod_quiz, see public/mod/quiz/db/install.xml:7
	// booktool_print belongs to booktool_print, see public/mod/book/tool/print/db/install.xml:7
	// quiz_grading belongs to quiz_grading, see public/mod/quiz/report/grading/db/install.xml:7
	// quizaccess_seb belongs to quizaccess_seb, see public/mod/quiz/accessrule/seb/db/install.xml:7
}

func ExampleSite_Names() {
	site, err := xmldb.Load("testdata/sites/totara13", xmldb.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range site.Names(schema.Postgres, "ttr_") {
		fmt.Println(n.Table, n.PrimaryKey, n.Indexes)
	}
	// Output:
	// config ttr_conf_id_pk []
	// perform ttr_perf_id_pk []
	// perform_section ttr_perfsect_id_pk [ttr_perfsect_con_fts]
	// container_perform ttr_contperf_id_pk []
	// tabexport_pdf ttr_tabepdf_id_pk []
}

func ExampleNamer_Name() {
	n := xmldb.NewNamer("mdl_", xmldb.Moodle, nil)
	fmt.Println(n.Name("course_modules", []string{"course"}, "ix"))
	fmt.Println(n.Name("course_modules", []string{"course"}, "ix"))
	// Output:
	// mdl_courmodu_cou_ix
	// mdl_courmodu_cou2_ix
}
