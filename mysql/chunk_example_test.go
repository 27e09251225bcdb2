package mysql_test

import (
	"fmt"

	"github.com/moodledb/moodledb/mysql"
	"github.com/moodledb/moodledb/schema"
)

// A range of a table's key, read as the server keeps the rows.
func ExampleChunkKey_Selection() {
	table := schema.Table{
		Name: "mdl_tag_instance", StorageEngine: "InnoDB",
		Columns: []schema.Column{
			{Name: "contextid", NotNull: true, Type: schema.Type{Name: "bigint"}},
			{Name: "name", NotNull: true, Type: schema.Type{Name: "varchar"}},
		},
		Indexes: []schema.Index{{
			Name: "PRIMARY", Primary: true, Unique: true, Method: "btree",
			Parts: []schema.IndexPart{{Column: "contextid"}, {Column: "name"}},
		}},
	}
	key, ok := mysql.ChunkKeyOf(&table)
	if !ok {
		fmt.Println("the table is read in one stream")
		return
	}
	r := mysql.Range{Lower: mysql.Bound{"7", "_utf8mb4 X'61'"}, Upper: mysql.Bound{"9"}}
	fmt.Println(mysql.Select(table.Name, []string{"`name`"}, key.Selection(r)))
	// Output:
	// SELECT `name` FROM `mdl_tag_instance` FORCE INDEX (`PRIMARY`) WHERE (`contextid` > 7 OR (`contextid` = 7 AND `name` >= _utf8mb4 X'61')) AND `contextid` < 9 ORDER BY `contextid`, `name`
}
