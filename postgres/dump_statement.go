package postgres

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	pgtree "github.com/pganalyze/pg_query_go/v6"
	pgparser "github.com/wasilibs/go-pgquery"

	"github.com/moodledb/moodledb/schema"
)

// relation is the name of a table, view, index or sequence.
type relation struct{ schema, name string }

// relationOf returns the name that the parser has read.
func relationOf(r *pgtree.RangeVar) relation {
	return relation{r.GetSchemaname(), r.GetRelname()}
}

// aboutSchema matches the statements that make a schema what it is. Others, about
// functions or rights, need no parsing.
var aboutSchema = regexp.MustCompile(`(?is)^(?:` +
	`CREATE\s+(?:OR\s+REPLACE\s+|UNLOGGED\s+|FOREIGN\s+|RECURSIVE\s+|MATERIALIZED\s+|CONSTRAINT\s+|UNIQUE\s+)*(?:TABLE|INDEX|SEQUENCE|VIEW|TRIGGER|RULE)\s` +
	`|ALTER\s+(?:FOREIGN\s+|MATERIALIZED\s+)?(?:TABLE|SEQUENCE|VIEW|INDEX)\s` +
	`|DROP\s+(?:FOREIGN\s+|MATERIALIZED\s+)?(?:TABLE|SEQUENCE|VIEW|INDEX)\s` +
	`|COMMENT\s+ON\s+(?:TABLE|COLUMN|INDEX)\s` +
	`|SELECT\s+(?:pg_catalog\.)?setval\s*\(` +
	`|SET\s+search_path\s*(?:=|TO\s))`)

// named finds the relation of a statement that cannot be parsed.
var named = regexp.MustCompile(`(?is)^(?:COPY|(?:CREATE|ALTER|DROP)\s[^("]*?\b(?:TABLE|VIEW|SEQUENCE|ON)|COMMENT\s+ON\s+(?:TABLE|COLUMN|INDEX))\s+` +
	`(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?:ONLY\s+)?((?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+))?)`)

// guessRelation returns the relation that the beginning of a statement names.
func guessRelation(text string) relation {
	m := named.FindStringSubmatch(text[:min(len(text), 1<<10)])
	if m == nil {
		return relation{}
	}
	names := splitName(m[1])
	if len(names) == 1 {
		return relation{"", names[0]}
	}
	return relation{names[0], names[1]}
}

// splitName reads a name as the server prints it: its parts may be in quotes.
func splitName(text string) (names []string) {
	for i := 0; i < len(text); {
		end := tokenEnd(text, i)
		part := text[i:end]
		if quoted, ok := strings.CutPrefix(part, `"`); ok {
			part = strings.ReplaceAll(strings.TrimSuffix(quoted, `"`), `""`, `"`)
		}
		if part != "." {
			names = append(names, part)
		}
		i = end
	}
	return names
}

// statement carries out one statement, if it is about the schema. An error is
// one that ends the reading.
func (d *dumpReader) statement(st statement) error {
	if st.problem != "" {
		d.unread(st, guessRelation(st.text), errors.New(st.problem))
		return nil
	}
	if !aboutSchema.MatchString(st.text) {
		return nil
	}
	text, node, err := parse(st.text)
	if errors.Is(err, errParserBroke) {
		return fmt.Errorf("line %d: %w", st.line, err)
	}
	if err != nil {
		d.unread(st, guessRelation(st.text), err)
		return nil
	}
	about, err := d.node(text, node)
	if errors.Is(err, ErrSeveralDatabases) {
		return err
	}
	if err != nil {
		d.unread(st, about, err)
	}
	return nil
}

// What is given to the parser, which is C code that calls itself for whatever
// stands within something else, and does not survive to have no memory left.
const (
	maxParsed = 1 << 20
	maxDepth  = 1000
)

// parse runs the parser over one statement, and returns it with the text that
// the parser's places are in. The parser is that of PostgreSQL 17; where it
// fails, the statement is tried again without the clauses that came later.
func parse(text string) (string, *pgtree.Node, error) {
	short := withoutBody(text)
	switch {
	case len(short) > maxParsed:
		return text, nil, fmt.Errorf("it is longer than %d KiB", maxParsed>>10)
	case depth(short) > maxDepth:
		return text, nil, errors.New("too much stands within something else")
	case strings.Contains(short, "\x00"):
		return text, nil, errors.New("it holds a NUL character")
	}
	node, err := parseOne(short)
	if err == nil || errors.Is(err, errParserBroke) {
		return text, node, err
	}
	older := withoutNewer(short)
	if older == short {
		return text, nil, err
	}
	if node, olderErr := parseOne(older); olderErr == nil {
		return older, node, nil
	}
	return text, nil, err
}

// body matches views and rules, whose queries say nothing to us but their text.
var body = regexp.MustCompile(`(?is)^CREATE\s+(?:OR\s+REPLACE\s+|RECURSIVE\s+|MATERIALIZED\s+)*(VIEW|RULE)\s`)

// withoutBody puts a short query in the place of one that may be large. What
// stands before it keeps its place.
func withoutBody(text string) string {
	m := body.FindStringSubmatch(text)
	if m == nil {
		return text
	}
	if strings.EqualFold(m[1], "VIEW") {
		if at := keywordAt(text, 0, "AS"); at >= 0 {
			return text[:at] + "AS SELECT 1"
		}
		return text
	}
	for _, word := range []string{"WHERE", "DO"} {
		if at := keywordAt(text, 0, word); at >= 0 {
			return text[:at] + "DO INSTEAD NOTHING"
		}
	}
	return text
}

// errParserBroke says that the parser cannot be used again.
var errParserBroke = errors.New("the parser broke")

// parseOne runs the parser, which must not end the program over a strange text.
func parseOne(text string) (node *pgtree.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %.80v", errParserBroke, r)
		}
	}()
	tree, err := pgparser.Parse(text)
	if err != nil {
		return nil, err
	}
	if len(tree.GetStmts()) != 1 {
		return nil, fmt.Errorf("the parser read %d statements of it", len(tree.GetStmts()))
	}
	return tree.GetStmts()[0].GetStmt(), nil
}

// virtual marks a generated column that is not stored, for the parser and for us.
const virtual = " STORED /*virtual*/"

// withoutNewer takes out what PostgreSQL 18 prints and 17 does not know: NOT
// ENFORCED, generated columns without STORED, and NOT NULL as a constraint of the table.
func withoutNewer(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		end := tokenEnd(text, i)
		word := text[i:end]
		rest := strings.TrimLeft(text[end:], " \n")
		switch {
		case strings.EqualFold(word, "NOT") && hasWord(rest, "ENFORCED"):
			end = len(text) - len(rest) + len("ENFORCED")
		case strings.EqualFold(word, "AS") && strings.HasPrefix(rest, "(") && hasWord(lastWords(text[:i]), "ALWAYS"):
			_, end = group(text, end)
			b.WriteString(text[i:end])
			if !hasWord(strings.TrimLeft(text[end:], " \n"), "STORED") {
				b.WriteString(virtual)
			}
		default:
			b.WriteString(word)
		}
		i = end
	}
	return b.String()
}

// hasWord reports whether text begins with a word.
func hasWord(text, word string) bool {
	return len(text) >= len(word) && strings.EqualFold(text[:len(word)], word) && (len(text) == len(word) || !isNameByte(text[len(word)]))
}

// lastWords returns the last word of text.
func lastWords(text string) string {
	text = strings.TrimRight(text, " \n")
	return text[strings.LastIndexAny(text, " \n")+1:]
}

// node carries out a statement that the parser has read. It returns the
// relation that the statement is about.
func (d *dumpReader) node(text string, node *pgtree.Node) (relation, error) {
	switch n := node.GetNode().(type) {
	case *pgtree.Node_CreateStmt:
		r := relationOf(n.CreateStmt.GetRelation())
		return r, d.createTable(text, r, n.CreateStmt)
	case *pgtree.Node_AlterTableStmt:
		r := relationOf(n.AlterTableStmt.GetRelation())
		return r, d.alterTable(text, r, n.AlterTableStmt)
	case *pgtree.Node_IndexStmt:
		r := relationOf(n.IndexStmt.GetRelation())
		return r, d.createIndex(text, r, n.IndexStmt)
	case *pgtree.Node_CreateSeqStmt:
		r := relationOf(n.CreateSeqStmt.GetSequence())
		return r, d.createSequence(r, n.CreateSeqStmt.GetOptions(), schema.Sequence{})
	case *pgtree.Node_AlterSeqStmt:
		r := relationOf(n.AlterSeqStmt.GetSequence())
		return r, d.ownSequence(r, n.AlterSeqStmt.GetOptions())
	case *pgtree.Node_CommentStmt:
		d.remark(n.CommentStmt)
	case *pgtree.Node_ViewStmt:
		d.createView(text, relationOf(n.ViewStmt.GetView()), schema.View{})
	case *pgtree.Node_CreateTableAsStmt:
		if n.CreateTableAsStmt.GetObjtype() != pgtree.ObjectType_OBJECT_MATVIEW {
			return relationOf(n.CreateTableAsStmt.GetInto().GetRel()), errors.New("it makes a table without naming its columns")
		}
		d.createView(text, relationOf(n.CreateTableAsStmt.GetInto().GetRel()), schema.View{Materialized: true})
	case *pgtree.Node_CreateForeignTableStmt:
		r := relationOf(n.CreateForeignTableStmt.GetBaseStmt().GetRelation())
		d.addView(r, schema.View{Foreign: true})
	case *pgtree.Node_CreateTrigStmt:
		d.createTrigger(n.CreateTrigStmt)
	case *pgtree.Node_RuleStmt:
		d.createRule(n.RuleStmt)
	case *pgtree.Node_SelectStmt:
		d.setval(n.SelectStmt)
	case *pgtree.Node_VariableSetStmt:
		if args := n.VariableSetStmt.GetArgs(); len(args) > 0 {
			d.searchPath = args[0].GetAConst().GetSval().GetSval()
		}
	case *pgtree.Node_DropStmt:
		d.drop(n.DropStmt)
	case *pgtree.Node_RenameStmt:
		return relationOf(n.RenameStmt.GetRelation()), errors.New("it renames something")
	}
	return relation{}, nil
}

// namesOf returns the parts of a qualified name.
func namesOf(list []*pgtree.Node) []string {
	names := make([]string, len(list))
	for i, n := range list {
		names[i] = n.GetString_().GetSval()
	}
	return names
}

// drop carries out DROP, with which the scripts of pg_dump --clean begin.
func (d *dumpReader) drop(n *pgtree.DropStmt) {
	for _, o := range n.GetObjects() {
		names := namesOf(o.GetList().GetItems())
		if len(names) == 0 {
			continue
		}
		name := names[len(names)-1]
		s := d.schema("")
		if len(names) > 1 {
			s = d.schema(names[len(names)-2])
		}
		if i, ok := s.tables[name]; ok {
			s.schema.Tables = slices.Delete(s.schema.Tables, i, i+1)
			delete(s.tables, name)
			for other, at := range s.tables {
				if at > i {
					s.tables[other] = at - 1
				}
			}
		}
		s.schema.Views = slices.DeleteFunc(s.schema.Views, func(v schema.View) bool { return v.Name == name })
		s.schema.Sequences = slices.DeleteFunc(s.schema.Sequences, func(q schema.Sequence) bool { return q.Name == name })
	}
}
