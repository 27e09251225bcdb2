package postgres

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	pgtree "github.com/pganalyze/pg_query_go/v6"

	"github.com/moodledb/moodledb/schema"
)

// createSequence makes a sequence of its options. What q holds already is kept.
func (d *dumpReader) createSequence(r relation, options []*pgtree.Node, q schema.Sequence) error {
	q.Name, q.Increment = r.name, 1
	var least, most, start *int64
	for _, o := range options {
		def := o.GetDefElem()
		n, isNumber := integerOf(def.GetArg())
		if !isNumber && def.GetArg().GetNode() != nil && slices.Contains([]string{"increment", "start", "minvalue", "maxvalue"}, def.GetDefname()) {
			return fmt.Errorf("sequence %q: %s is no number", r.name, def.GetDefname())
		}
		switch def.GetDefname() {
		case "as":
			if names := namesOf(def.GetArg().GetTypeName().GetNames()); len(names) > 0 {
				q.Type = integerType(names[len(names)-1])
			}
		case "increment":
			q.Increment = n
		case "start":
			start = &n
		case "minvalue":
			if isNumber {
				least = &n
			}
		case "maxvalue":
			if isNumber {
				most = &n
			}
		case "cycle":
			q.Cycle = def.GetArg().GetBoolean().GetBoolval()
		}
	}
	if q.Type == "" {
		q.Type = "bigint"
	}
	limit(&q, least, most, start)
	s := d.schema(r.schema)
	s.schema.Sequences = slices.DeleteFunc(s.schema.Sequences, func(x schema.Sequence) bool { return x.Name == r.name })
	s.schema.Sequences = append(s.schema.Sequences, q)
	return nil
}

// limit sets the bounds of a sequence and where it begins, with the server's defaults.
func limit(q *schema.Sequence, least, most, start *int64) {
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	switch q.Type {
	case "smallint":
		low, high = math.MinInt16, math.MaxInt16
	case "integer":
		low, high = math.MinInt32, math.MaxInt32
	}
	q.Min, q.Max = 1, high
	if q.Increment < 0 {
		q.Min, q.Max = low, -1
	}
	if least != nil {
		q.Min = *least
	}
	if most != nil {
		q.Max = *most
	}
	q.Start = q.Min
	if q.Increment < 0 {
		q.Start = q.Max
	}
	if start != nil {
		q.Start = *start
	}
	q.Last = q.Start
}

// integerType spells the parser's name of an integer type.
func integerType(name string) string {
	switch name {
	case "int2":
		return "smallint"
	case "int4":
		return "integer"
	case "int8":
		return "bigint"
	default:
		return name
	}
}

// integerOf reads a number; the parser keeps large ones as texts.
func integerOf(n *pgtree.Node) (int64, bool) {
	switch v := n.GetNode().(type) {
	case *pgtree.Node_Integer:
		return int64(v.Integer.GetIval()), true
	case *pgtree.Node_Float:
		i, err := strconv.ParseInt(v.Float.GetFval(), 10, 64)
		return i, err == nil
	case *pgtree.Node_AConst:
		if f := v.AConst.GetFval(); f != nil {
			i, err := strconv.ParseInt(f.GetFval(), 10, 64)
			return i, err == nil
		}
		return int64(v.AConst.GetIval().GetIval()), v.AConst.GetIval() != nil
	default:
		return 0, false
	}
}

// ownSequence carries out ALTER SEQUENCE OWNED BY.
func (d *dumpReader) ownSequence(r relation, options []*pgtree.Node) error {
	for _, o := range options {
		def := o.GetDefElem()
		names := namesOf(def.GetArg().GetList().GetItems())
		if def.GetDefname() != "owned_by" || len(names) < 2 {
			continue
		}
		q := d.schema(r.schema).sequence(r.name)
		if q == nil {
			return fmt.Errorf("it is about the sequence %q, which the dump does not make", r.name)
		}
		q.OwnedByTable, q.OwnedByColumn = names[len(names)-2], names[len(names)-1]
	}
	return nil
}

// drawFromSequences notes which columns own the sequence that they draw from.
func (s *dumpSchema) drawFromSequences() {
	sequences := map[string]schema.Sequence{}
	for _, q := range s.schema.Sequences {
		sequences[q.Name] = q
	}
	for i := range s.schema.Tables {
		t := &s.schema.Tables[i]
		for j := range t.Columns {
			c := &t.Columns[j]
			if q, ok := sequences[c.Sequence]; ok && c.Sequence != "" {
				c.SequenceOwned = q.OwnedByTable == t.Name && q.OwnedByColumn == c.Name
			}
		}
	}
}

// setval carries out SELECT setval('sequence', value, called), which stands behind the rows.
func (d *dumpReader) setval(n *pgtree.SelectStmt) {
	for _, target := range n.GetTargetList() {
		call := target.GetResTarget().GetVal().GetFuncCall()
		args := call.GetArgs()
		names := namesOf(call.GetFuncname())
		if len(names) == 0 || names[len(names)-1] != "setval" || len(args) < 2 {
			continue
		}
		parts := splitName(args[0].GetAConst().GetSval().GetSval())
		value, ok := integerOf(args[1])
		if !ok || len(parts) == 0 {
			continue
		}
		r := relation{"", parts[len(parts)-1]}
		if len(parts) > 1 {
			r.schema = parts[0]
		}
		if q := d.schema(r.schema).sequence(r.name); q != nil {
			q.Last = value
			q.Called = len(args) < 3 || args[2].GetAConst().GetBoolval().GetBoolval()
		}
	}
}

// remark carries out COMMENT ON.
func (d *dumpReader) remark(n *pgtree.CommentStmt) {
	names := namesOf(n.GetObject().GetList().GetItems())
	column := ""
	if n.GetObjtype() == pgtree.ObjectType_OBJECT_COLUMN && len(names) > 1 {
		names, column = names[:len(names)-1], names[len(names)-1]
	}
	if len(names) == 0 {
		return
	}
	schemaName, name := "", names[len(names)-1]
	if len(names) > 1 {
		schemaName = names[len(names)-2]
	}
	s := d.schema(schemaName)
	if n.GetObjtype() == pgtree.ObjectType_OBJECT_INDEX {
		for i := range s.schema.Tables {
			for j := range s.schema.Tables[i].Indexes {
				if x := &s.schema.Tables[i].Indexes[j]; x.Name == name {
					x.Comment = n.GetComment()
				}
			}
		}
		return
	}
	t := s.table(name)
	switch {
	case t == nil: // of a view
	case column == "":
		t.Comment = n.GetComment()
	default:
		if c := t.Column(column); c != nil {
			c.Comment = n.GetComment()
		}
	}
}

// createView carries out CREATE VIEW. The definition is what pg_get_viewdef prints.
func (d *dumpReader) createView(text string, r relation, v schema.View) {
	if at := keywordAt(text, 0, "AS"); at >= 0 {
		v.Definition = strings.TrimPrefix(text[at+len("AS"):], "\n")
		for _, clause := range []string{"WITH NO DATA", "WITH LOCAL CHECK OPTION", "WITH CASCADED CHECK OPTION"} {
			v.Definition = strings.TrimRight(strings.TrimSuffix(v.Definition, clause), " \n")
		}
		v.Definition += ";"
	}
	d.addView(r, v)
}

// addView adds a view, in place of an earlier one: pg_dump makes views that
// need each other twice.
func (d *dumpReader) addView(r relation, v schema.View) {
	v.Name = r.name
	s := d.schema(r.schema)
	for i := range s.schema.Views {
		if s.schema.Views[i].Name == v.Name {
			v.Owner = s.schema.Views[i].Owner
			s.schema.Views[i] = v
			return
		}
	}
	s.schema.Views = append(s.schema.Views, v)
}

// createTrigger carries out CREATE TRIGGER.
func (d *dumpReader) createTrigger(n *pgtree.CreateTrigStmt) {
	r := relationOf(n.GetRelation())
	if t := d.schema(r.schema).table(r.name); t != nil {
		t.Triggers = append(t.Triggers, schema.Trigger{Name: n.GetTrigname(), Event: triggerEvent(int(n.GetTiming() | n.GetEvents()))})
	}
}

// createRule carries out CREATE RULE.
func (d *dumpReader) createRule(n *pgtree.RuleStmt) {
	r := relationOf(n.GetRelation())
	if t := d.schema(r.schema).table(r.name); t != nil {
		event := strings.ToLower(strings.TrimPrefix(n.GetEvent().String(), "CMD_"))
		t.Triggers = append(t.Triggers, schema.Trigger{Name: n.GetRulename(), Rule: true, Event: "on " + event})
	}
}
