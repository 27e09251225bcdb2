//go:build integration

package rig

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/moodledb/moodledb/convert"
	"github.com/moodledb/moodledb/copy"
	"github.com/moodledb/moodledb/xmldb"
)

// BadColumn is a column of the source that can hold values that its target cannot.
type BadColumn struct {
	Name, source string // the source's definition
	declared     string // the FIELD of install.xml; empty when the column is not declared
	Kind         convert.ErrorKind
	good, bad    string // expressions of SQL
	// fixed is what the first rule for the kind makes of bad, as the target tells it; NULL is "NULL".
	Fixed string
}

// BadColumns has a column for each kind of bad value.
func BadColumns() []BadColumn {
	return []BadColumn{
		{"nul", "longtext", Field("nul", "text", ""), convert.NulByte, "'fine'", "CONCAT('a', CHAR(0), 'b')", "ab"},
		{"utf", "longblob", Field("utf", "text", ""), convert.InvalidUTF8, "'f\u00efne'", "UNHEX('61C3E9206465')", "aÃé de"},
		{"zero", "datetime", "", convert.ZeroDate, "'2024-02-29 12:00:00'", "'0000-00-00 00:00:00'", "NULL"},
		{"day", "date", "", convert.BadDate, "'2024-02-29'", "'2023-02-30'", "NULL"},
		{"wide", "int", Field("wide", "int", `LENGTH="4" NOTNULL="false"`), convert.OutOfRange, "32767", "40000", "32767"},
		{"exact", "decimal(12,5)", Field("exact", "number", `LENGTH="10" DECIMALS="2" NOTNULL="false"`), convert.NotExact, "1.25", "1.23456", "1.23"},
		{"long", "varchar(300)", Field("long", "char", `LENGTH="10" NOTNULL="false"`), convert.TooLong, "'tenletters'", "REPEAT('é', 15)", strings.Repeat("é", 10)},
		{"missing", "bigint", Field("missing", "int", `LENGTH="10" NOTNULL="true"`), convert.NullValue, "5", "NULL", "0"},
	}
}

// BadTables are the tables of the source with their numbers of rows: one that is
// divided when parts are small, and three that are copied in one transaction.
func BadTables() map[string]int {
	return map[string]int{"bad": 1200, "bad_few": 40, "bad_other": 30, "bad_none": 10}
}

// IsBad says which value is bad: each 23rd row has one, and each 230th has all.
func IsBad(table string, id, column int) bool {
	return table != "bad_none" && (id%23 == 0 && (id/23)%len(BadColumns()) == column || id%230 == 0)
}

// BadStatements make the source.
func BadStatements() []string {
	columns := BadColumns()
	var list []string
	for _, table := range slices.Sorted(maps.Keys(BadTables())) {
		name := "mdl_" + table
		definition := "CREATE TABLE " + name + " (id bigint NOT NULL AUTO_INCREMENT, pad varchar(200), "
		names := "id, pad"
		for _, c := range columns {
			definition += "`" + c.Name + "` " + c.source + ", "
			names += ", `" + c.Name + "`"
		}
		list = append(list, definition+"PRIMARY KEY (id)) ENGINE=InnoDB STATS_AUTO_RECALC=0", "SET sql_mode = 'ALLOW_INVALID_DATES'")
		list = append(list, InsertRows(name+" ("+names+")", BadTables()[table], func(i int) string {
			values := fmt.Sprintf("(%d, REPEAT('p', 150)", i+1)
			for n, c := range columns {
				if IsBad(table, i+1, n) {
					values += ", " + c.bad
				} else {
					values += ", " + c.good
				}
			}
			return values + ")"
		})...)
		list = append(list, "ANALYZE TABLE "+name)
	}
	return list
}

// BadCode declares the tables.
func BadCode(t *testing.T) *xmldb.Site {
	t.Helper()
	var fields, tables []string
	for _, c := range BadColumns() {
		if c.declared != "" {
			fields = append(fields, c.declared)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(BadTables())) {
		tables = append(tables, Table(name, append([]string{Field("pad", "char", `LENGTH="200" NOTNULL="false"`)}, fields...)...))
	}
	return TinyCode(t, tables...)
}

// Policies are those that are tested with every kind of value.
func Policies() map[string]copy.Policy {
	return map[string]copy.Policy{
		"fix":        {Mode: convert.FixBad},
		"quarantine": {Mode: convert.QuarantineBad},
		"rules by kind": {Fixes: convert.Fixes{
			convert.NulByte: convert.FixReplacement, convert.InvalidUTF8: convert.FixStrip, convert.ZeroDate: convert.FixEpoch,
			convert.BadDate: convert.FixClamp, convert.OutOfRange: convert.FixNull, convert.NotExact: convert.FixQuarantine,
			convert.TooLong: convert.FixQuarantine, convert.NullValue: convert.FixEmpty,
		}},
	}
}
