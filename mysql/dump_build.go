package mysql

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/pingcap/tidb/pkg/parser"
	"github.com/pingcap/tidb/pkg/parser/ast"
	parsermysql "github.com/pingcap/tidb/pkg/parser/mysql"
	_ "github.com/pingcap/tidb/pkg/parser/test_driver" // the values of literals; the parser needs some implementation

	"github.com/moodledb/moodledb/schema"
)

// tableBuilder turns what the parser has read into a table as the catalogs
// would show it.
type tableBuilder struct {
	charsets
	parser *parser.Parser
	// fromCharset and fromCollation are the defaults of the database.
	fromCharset, fromCollation string
}

// parse runs the parser, which must not end the program over a strange text.
func (p *tableBuilder) parse(text string) (stmt ast.StmtNode, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the parser gave up: %v", r)
		}
	}()
	return p.parser.ParseOneStmt(strings.ToValidUTF8(text, "\uFFFD"), "", "")
}

// define parses the columns and keys of b.
func (p *tableBuilder) define(b *tableSource) (*ast.CreateTableStmt, error) {
	stmt, err := p.parse(b.definition())
	if err != nil {
		return nil, err
	}
	created, ok := stmt.(*ast.CreateTableStmt)
	if !ok || len(created.Constraints) != len(b.keys) || len(b.columns) > 0 && len(created.Cols) != len(b.columns) {
		return nil, fmt.Errorf("the parser read %T of it", stmt)
	}
	if len(b.columns) == 0 {
		created.Cols = nil
	}
	return created, nil
}

// create makes a table of its definition.
func (p *tableBuilder) create(name string, b *tableSource) (schema.Table, error) {
	created, err := p.define(b)
	if err != nil {
		return schema.Table{}, err
	}
	o := b.options
	t := schema.Table{
		Name: name, Comment: o.comment, StorageEngine: cmp.Or(o.engine, "InnoDB"),
		Partitioned: o.partitioned, SystemVersioned: o.versioned, Rows: -1, Bytes: -1,
	}
	t.Charset, t.Collation = p.resolve(o.charset, o.collation, p.fromCharset, p.fromCollation)
	t.AutoIncrement, _ = strconv.ParseUint(o.autoIncrement, 10, 64)
	for i, def := range created.Cols {
		c, err := p.column(&t, def, b.columns[i])
		if err != nil {
			return t, err
		}
		t.Columns = append(t.Columns, c)
		p.columnKeys(&t, def)
	}
	p.constraints(&t, created, b)
	t.RowFormat = rowFormat(o, &t)
	for i := range t.Columns {
		p.columnCheck(&t, &t.Columns[i], b.columns[i])
	}
	dropMeaninglessCounter(&t)
	return t, nil
}

// column makes a column.
func (p *tableBuilder) column(t *schema.Table, def *ast.ColumnDef, cl columnClauses) (schema.Column, error) {
	name := def.Name.Name.O
	kind := cl.typeText
	if cl.typeKnown {
		kind = def.Tp.InfoSchemaStr()
		if parsermysql.HasZerofillFlag(def.Tp.GetFlag()) {
			kind += " zerofill"
		}
	}
	typ, err := p.columnType(kind, cl)
	if err != nil {
		return schema.Column{}, fmt.Errorf("column %s: %w", QuoteIdent(name), err)
	}
	c := schema.Column{Name: name, Type: typ, Invisible: cl.invisible, OnUpdate: normalExpression(cl.onUpdate)}
	if typ.Name == "json" {
		cl.charset, cl.collation = "", ""
	}
	if hasCharset(typ.Name) {
		c.Charset, c.Collation = p.resolve(cl.charset, cl.collation, t.Charset, t.Collation)
	}
	for _, o := range def.Options {
		switch o.Tp {
		case ast.ColumnOptionNotNull, ast.ColumnOptionPrimaryKey:
			c.NotNull = true
		case ast.ColumnOptionAutoIncrement:
			c.AutoIncrement = true
			c.NotNull = true
		case ast.ColumnOptionComment:
			c.Comment = commentText(o)
		default: // what is left says nothing about the column itself
		}
	}
	if strings.EqualFold(cl.typeText, "serial") {
		c.NotNull, c.AutoIncrement = true, true
	}
	if cl.expression == rowStart || cl.expression == rowEnd {
		c.NotNull = true
	}
	switch cl.generated {
	case "":
		c.Default = dumpDefault(typ, cl.value)
	case "VIRTUAL":
		c.Generated, c.Expression = schema.GeneratedVirtual, normalExpression(cl.expression)
	default:
		c.Generated, c.Expression = schema.GeneratedStored, normalExpression(cl.expression)
	}
	return c, nil
}

// columnType reads the type of a column, and adds what the catalogs always tell.
func (p *tableBuilder) columnType(kind string, cl columnClauses) (schema.Type, error) {
	kind = lowerOutsideQuotes(kind)
	typ, err := parseType(kind)
	if err != nil {
		return typ, err
	}
	bare := !strings.Contains(kind, "(")
	switch {
	case bare && (typ.Name == "char" || typ.Name == "binary" || typ.Name == "bit"):
		typ, err = parseType(typ.Name + "(1)")
	case typ.Name == "decimal" && !strings.Contains(kind, ","):
		precision := typ.Precision
		if bare {
			precision = 10
		}
		_, rest, ok := strings.Cut(kind, ")")
		if !ok {
			rest = strings.TrimPrefix(kind, "decimal")
		}
		typ, err = parseType(fmt.Sprintf("decimal(%d,0)%s", precision, rest))
	case typ.Name == "json" && p.engine == schema.MariaDB:
		typ.Raw = "longtext"
	}
	if cl.compressed {
		typ.Raw += " " + compressed
	}
	return typ, err
}

// lowerOutsideQuotes spells a type in lower case, but for the members of an enum or set.
func lowerOutsideQuotes(kind string) string {
	var b strings.Builder
	for kind != "" {
		if n := quotedLength(kind); n > 0 {
			b.WriteString(kind[:n])
			kind = kind[n:]
			continue
		}
		n := strings.IndexAny(kind, "'\"`")
		if n < 0 {
			n = len(kind)
		}
		b.WriteString(strings.ToLower(kind[:n]))
		kind = kind[n:]
	}
	return b.String()
}

// commentText returns the text of COMMENT.
func commentText(o *ast.ColumnOption) string {
	if v, ok := o.Expr.(ast.ValueExpr); ok {
		return v.GetString()
	}
	return o.StrValue
}

// dumpDefault reads what stands behind DEFAULT.
func dumpDefault(t schema.Type, text string) schema.Default {
	if text == "" || strings.EqualFold(text, "NULL") {
		return schema.Default{}
	}
	if bits, ok := bitLiteral(text); ok && t.Name == "bit" {
		return schema.Literal(bits)
	}
	if strings.HasPrefix(text, `"`) { // by hand; servers print single quotes
		text = QuoteString(strings.ReplaceAll(strings.Trim(text, `"`), `""`, `"`))
	}
	switch strings.ToUpper(text) {
	case "TRUE":
		text = "1"
	case "FALSE":
		text = "0"
	}
	if digits, ok := strings.CutPrefix(text, "0x"); ok && (t.Name == "binary" || t.Name == "varbinary") {
		return schema.Literal(normalLiteral(t, decodeHex(digits, text)))
	}
	return parseDefaultSQL(t, text)
}

// columnKeys makes the keys that a column's own definition asks for.
func (p *tableBuilder) columnKeys(t *schema.Table, def *ast.ColumnDef) {
	part := []schema.IndexPart{{Column: def.Name.Name.O}}
	for _, o := range def.Options {
		switch o.Tp {
		case ast.ColumnOptionPrimaryKey:
			t.Indexes = append(t.Indexes, schema.Index{Name: "PRIMARY", Primary: true, Unique: true, Method: "btree", Parts: part})
		case ast.ColumnOptionUniqKey:
			t.Indexes = append(t.Indexes, schema.Index{Name: freeIndexName(t, part[0].Column), Unique: true, Method: "btree", Parts: part})
		default: // no key
		}
	}
}

// columnCheck adds the CHECK of a column's own definition. MariaDB names it
// after the column, and makes JSON of it.
func (p *tableBuilder) columnCheck(t *schema.Table, c *schema.Column, cl columnClauses) {
	if cl.check == nil {
		return
	}
	name := cl.check.name
	if name == "" && p.engine == schema.MariaDB {
		name = c.Name
	}
	check := p.newCheck(t, *cl.check, name)
	if p.engine != schema.MariaDB || !markJSON(t, check.Name, check) {
		t.Checks = append(t.Checks, check)
	}
}

// newCheck makes a CHECK constraint.
func (p *tableBuilder) newCheck(t *schema.Table, cl checkClauses, name string) schema.Check {
	if name == "" {
		pattern := t.Name + "_chk_%d"
		if p.engine == schema.MariaDB {
			pattern = "CONSTRAINT_%d"
		}
		name = fmt.Sprintf(pattern, len(t.Checks)+1)
	}
	return schema.Check{Name: name, Expression: normalExpression(cl.expression), NotEnforced: cl.notEnforced}
}
