package postgres

import (
	"strings"

	"github.com/moodledb/moodledb/schema"
)

// Statements returns everything that makes the objects of s in the schema
// schemaName, in an order that works: sequences, tables, comments, keys and
// indexes, foreign keys and checks, views. Foreign tables are left out, since
// their columns and servers are not known.
func Statements(schemaName string, s *schema.Schema) []string {
	var out []string
	for _, q := range s.Sequences {
		if !madeWithTable(s, q) {
			out = append(out, CreateSequence(schemaName, q))
		}
	}
	for i := range s.Tables {
		out = append(out, TableStatements(schemaName, s.Tables[i])...)
	}
	for _, q := range s.Sequences {
		if q.OwnedByTable != "" && !madeWithTable(s, q) {
			out = append(out, OwnSequence(schemaName, q.Name, q.OwnedByTable, q.OwnedByColumn))
		}
	}
	for i := range s.Tables {
		out = append(out, ConstraintStatements(schemaName, s.Tables[i])...)
	}
	for _, v := range s.Views {
		if !v.Foreign {
			out = append(out, CreateView(schemaName, v))
		}
	}
	return out
}

// TableStatements returns what makes one table: the table itself, comments,
// primary key and indexes. Constraints that may need other tables are left to
// [ConstraintStatements].
func TableStatements(schemaName string, t schema.Table) []string {
	out := createTable(schemaName, t)
	if t.Comment != "" {
		out = append(out, CommentTable(schemaName, t.Name, t.Comment))
	}
	for _, c := range t.Columns {
		if c.Comment != "" {
			out = append(out, CommentColumn(schemaName, t.Name, c.Name, c.Comment))
		}
	}
	for _, x := range t.Indexes {
		out = append(out, CreateIndex(schemaName, t.Name, x))
		if x.Comment != "" {
			out = append(out, CommentIndex(schemaName, x.Name, x.Comment))
		}
	}
	return out
}

// ConstraintStatements returns the foreign keys and checks of one table.
func ConstraintStatements(schemaName string, t schema.Table) []string {
	var out []string
	for _, c := range t.Checks {
		out = append(out, AddCheck(schemaName, t.Name, c))
	}
	for _, fk := range t.ForeignKeys {
		out = append(out, AddForeignKey(schemaName, t.Name, fk))
	}
	return out
}

// Script joins statements into a script for a command-line client, each closed by a semicolon.
func Script(statements []string) string {
	var b strings.Builder
	for _, s := range statements {
		b.WriteString(s)
		b.WriteString(";\n\n")
	}
	return b.String()
}

// madeWithTable reports whether CreateTable of some table of s makes the sequence q.
func madeWithTable(s *schema.Schema, q schema.Sequence) bool {
	for i := range s.Tables {
		t := &s.Tables[i]
		for j := range t.Columns {
			c := &t.Columns[j]
			if c.AutoIncrement && columnSequenceName(t.Name, c) == q.Name {
				return true
			}
		}
	}
	return false
}
