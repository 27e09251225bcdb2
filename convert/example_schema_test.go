package convert_test

import (
	"fmt"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/schema"
	"github.com/moodledb/moodledb/xmldb"
)

// A site's code gives the schema that its installer makes.
func ExampleDeclared() {
	site, err := xmldb.Load("../testdata/site/code", xmldb.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	declared, _ := convert.Declared(site, convert.DeclaredOptions{Engine: schema.Postgres, Prefix: "mdl_"})
	context := declared.Table("mdl_context")
	for _, x := range context.Indexes {
		fmt.Println(x.Name, x.Columns())
	}
	// Output:
	// mdl_cont_id_pk [id]
	// mdl_cont_conins_uix [contextlevel instanceid]
	// mdl_cont_ins_ix [instanceid]
	// mdl_cont_pat_ix [path]
	// mdl_cont_pat_ix_pattern [path]
}

// What no install.xml declares is converted as it is.
func ExampleLive() {
	table, findings := convert.Live(schema.Table{
		Name: "mdl_leftover",
		Columns: []schema.Column{
			{Name: "id", Type: schema.Type{Name: "int", Unsigned: true}, AutoIncrement: true},
			{Name: "state", Type: schema.Type{Name: "enum", Values: []string{"on", "off"}}},
			{Name: "place", Type: schema.Type{Name: "point"}},
		},
		Indexes: []schema.Index{{Name: "place", Method: "spatial", Parts: []schema.IndexPart{{Column: "place"}}}},
	}, convert.LiveOptions{Prefix: "mdl_"})
	for _, c := range table.Columns {
		fmt.Println(c.Name, c.Type.Raw)
	}
	for _, f := range findings {
		fmt.Println(f.Severity, f.Code+":", f.Message)
	}
	// Output:
	// id bigint
	// state character varying(3)
	// place bytea
	// warning index-skipped: index "place" is left out: PostgreSQL itself has no spatial index
}
