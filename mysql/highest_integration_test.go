//go:build integration

package mysql_test

import (
	"database/sql"
	"fmt"
	neturl "net/url"
	"testing"

	"github.com/moodledb/moodledb/internal/testdb"
	"github.com/moodledb/moodledb/mysql"
)

func TestReadHighest(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			s := testdb.Get(t, name)
			url := s.Database(t)
			s.Exec(t, url,
				"CREATE TABLE empty_one (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY)",
				"CREATE TABLE `Odd ``name` (`the id` int NOT NULL AUTO_INCREMENT PRIMARY KEY)",
				"INSERT INTO `Odd ``name` VALUES (3), (70)",
				"CREATE TABLE big (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY)",
				"INSERT INTO big VALUES (18446744073709551614)",
				"CREATE TABLE below (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY)",
				"INSERT INTO below VALUES (-5)",
				"CREATE TABLE plain (id bigint NOT NULL PRIMARY KEY)",
				"INSERT INTO plain VALUES (9)",
			)
			for i := range 310 { // more than one query
				s.Exec(t, url, fmt.Sprintf("CREATE TABLE t%03d (id int NOT NULL AUTO_INCREMENT PRIMARY KEY)", i))
			}
			s.Exec(t, url, "INSERT INTO t309 VALUES (12)")
			db := open(t, url)
			sc, err := db.Inspect(t.Context(), mysql.InspectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.ReadHighest(t.Context(), &sc); err != nil {
				t.Fatal(err)
			}
			for _, tc := range []struct {
				table string
				want  int64
				known bool
			}{
				{"empty_one", 0, true},
				{"Odd `name", 70, true},
				{"big", 0, false},
				{"below", -5, true},
				{"plain", 0, false},
				{"t309", 12, true},
			} {
				table := sc.Table(tc.table)
				if table == nil {
					t.Fatalf("no table %q", tc.table)
				}
				if c := table.Columns[0]; c.Highest != tc.want || c.HighestKnown != tc.known {
					t.Errorf("table %q: highest %d, known %t; want %d, %t", tc.table, c.Highest, c.HighestKnown, tc.want, tc.known)
				}
			}
		})
	}
}

func TestReadHighestWithoutRights(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			s := testdb.Get(t, name)
			url := s.Database(t)
			s.Exec(t, url,
				"CREATE TABLE a (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY)", "INSERT INTO a VALUES (5)",
				"CREATE TABLE b (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY)", "INSERT INTO b VALUES (6)",
			)
			sc, err := open(t, url).Inspect(t.Context(), mysql.InspectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			s.Exec(t, url, "DROP USER IF EXISTS 'highest'@'%'", "CREATE USER 'highest'@'%' IDENTIFIED BY 'pw'", "GRANT SELECT ON a TO 'highest'@'%'")
			place, err := neturl.Parse(url)
			if err != nil {
				t.Fatal(err)
			}
			place.User = neturl.UserPassword("highest", "pw")
			if err := open(t, place.String()).ReadHighest(t.Context(), &sc); err != nil {
				t.Fatal(err)
			}
			if c := sc.Table("a").Columns[0]; c.Highest != 5 || !c.HighestKnown {
				t.Errorf("a: %d, %t", c.Highest, c.HighestKnown)
			}
			if c := sc.Table("b").Columns[0]; c.HighestKnown {
				t.Errorf("b is known without a right on it: %d", c.Highest)
			}
		})
	}
}

// Ids that are given out between the two looks do not leave a counter behind.
func TestReadHighestOfSiteInUse(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			s := testdb.Get(t, name)
			url := s.Database(t)
			s.Exec(t, url, "CREATE TABLE busy (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY)", "INSERT INTO busy VALUES (1)",
				"CREATE TABLE idle (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY)", "INSERT INTO idle VALUES (7)")
			db := open(t, url)
			sc, err := db.Inspect(t.Context(), mysql.InspectOptions{})
			if err != nil {
				t.Fatal(err)
			}
			s.Exec(t, url, "INSERT INTO busy VALUES (NULL), (NULL), (40)")
			if err := db.ReadHighest(t.Context(), &sc); err != nil {
				t.Fatal(err)
			}
			for name, want := range map[string]uint64{"busy": 41, "idle": 8} {
				if table := sc.Table(name); table.AutoIncrement != want || uint64(table.Columns[0].Highest) != want-1 {
					t.Errorf("table %q: next %d, highest %d, want %d", name, table.AutoIncrement, table.Columns[0].Highest, want)
				}
			}
		})
	}
}

// questions returns how many statements the server has been sent so far.
func questions(t *testing.T, db *sql.DB) int {
	t.Helper()
	var name string
	var n int
	if err := db.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Questions'").Scan(&name, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// The number of queries must not grow with the number of tables.
func TestQueriesDoNotGrow(t *testing.T) {
	for _, name := range testdb.Sources() {
		t.Run(name, func(t *testing.T) {
			s := testdb.Get(t, name)
			url := s.Database(t)
			db, counter := open(t, url), s.SQL(t, url)
			add := func(from, to int) {
				for i := from; i < to; i++ {
					s.Exec(t, url, fmt.Sprintf(
						"CREATE TABLE t%[1]d (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, p bigint, a varchar(9) CHECK (a <> 'x'), KEY (a), FOREIGN KEY (p) REFERENCES t%[1]d (id))", i),
						fmt.Sprintf("CREATE TRIGGER g%[1]d BEFORE INSERT ON t%[1]d FOR EACH ROW SET NEW.a = 'y'", i),
						fmt.Sprintf("CREATE VIEW v%[1]d AS SELECT * FROM t%[1]d", i))
				}
			}
			read := func() int {
				before := questions(t, counter)
				sc, err := db.Inspect(t.Context(), mysql.InspectOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if err := db.ReadHighest(t.Context(), &sc); err != nil {
					t.Fatal(err)
				}
				return questions(t, counter) - before
			}
			add(0, 1)
			read() // opens a connection, which takes statements too
			few := read()
			add(1, 40)
			// The goodbyes of connections that have just been closed may be counted too.
			if many := read(); many > few+3 || few > 20 {
				t.Errorf("%d queries for 1 table, %d for 40", few, many)
			}
		})
	}
}
