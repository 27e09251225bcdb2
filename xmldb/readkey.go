package xmldb

import (
	"slices"
	"strings"

	"github.com/beevik/etree"
)

func keyType(s string) (KeyType, bool) {
	switch t := KeyType(strings.ToLower(s)); t {
	case Primary, Unique, Foreign, ForeignUnique:
		return t, true
	}
	return "", false
}

// IsForeign reports whether t refers to another table.
func (t KeyType) IsForeign() bool { return t == Foreign || t == ForeignUnique }

// Enforced reports whether the database checks a foreign key: only Totara's
// keys with an action are created as constraints.
func (k Key) Enforced() bool { return k.OnDelete != "" || k.OnUpdate != "" }

func (r *fileReader) readKey(e *etree.Element, table string) Key {
	k := Key{Line: r.tree.line(e)}
	at := place{line: k.Line, table: table}
	k.Name = r.required(e, at, "NAME")
	at.object = k.Name
	if v, ok := attribute(e, "TYPE"); !ok {
		r.refuse("attribute-missing", at, "key %q has no attribute TYPE", k.Name)
	} else if k.Type, ok = keyType(v); !ok {
		r.refuse("key-type", at, "the type %q of key %q is none of primary, unique, foreign, foreign-unique", v, k.Name)
	}
	k.Fields = r.readFieldList(e, at, "key")
	k.RefTable = r.readReference(e, at, k, "REFTABLE")
	if refs := r.readReference(e, at, k, "REFFIELDS"); refs != "" {
		k.RefFields = splitList(refs)
	}
	k.Comment, _ = attribute(e, "COMMENT")
	r.readActions(e, at, &k)
	return k
}

// readFieldList reads FIELDS of a key or index, in lower case as Moodle does.
func (r *fileReader) readFieldList(e *etree.Element, at place, what string) []string {
	v, ok := attribute(e, "FIELDS")
	switch {
	case !ok:
		r.refuse("attribute-missing", at, "%s %q has no attribute FIELDS", what, at.object)
		return nil
	case v == "":
		r.refuse("fields-empty", at, "FIELDS of %s %q is empty", what, at.object)
		return nil
	}
	return splitList(strings.ToLower(v))
}

// readReference reads REFTABLE or REFFIELDS, which foreign keys must have and
// others must not.
func (r *fileReader) readReference(e *etree.Element, at place, k Key, name string) string {
	v, ok := attribute(e, name)
	switch {
	case k.Type == "":
	case k.Type.IsForeign() && !ok:
		r.refuse("key-reference", at, "the %s key %q has no attribute %s", k.Type, k.Name, name)
	case k.Type.IsForeign() && v == "":
		r.refuse("key-reference", at, "%s of key %q is empty", name, k.Name)
	case !k.Type.IsForeign() && ok:
		r.refuse("key-reference", at, "the %s key %q has an attribute %s, which only foreign keys have", k.Type, k.Name, name)
	}
	return strings.ToLower(v)
}

// readActions reads what Totara 13 added to keys.
func (r *fileReader) readActions(e *etree.Element, at place, k *Key) {
	k.OnDelete = r.readAction(e, at, *k, "ONDELETE")
	k.OnUpdate = r.readAction(e, at, *k, "ONUPDATE")
	v, ok := attribute(e, "DEFERREDINSTALL")
	switch {
	case !ok:
	case !r.dialect.foreignKeys:
		r.foreignAttribute(at, "DEFERREDINSTALL", "key", k.Name)
	case k.Type.IsForeign():
		k.DeferredInstall = v == "true" // exactly so: Totara compares without folding
	case v != "" && k.Type != "":
		r.refuse("key-action", at, "the %s key %q has DEFERREDINSTALL, which only foreign keys have", k.Type, k.Name)
	}
}

func (r *fileReader) readAction(e *etree.Element, at place, k Key, name string) string {
	v, ok := attribute(e, name)
	switch {
	case !ok || v == "":
	case !r.dialect.foreignKeys:
		r.foreignAttribute(at, name, "key", k.Name)
	case k.Type != "" && !k.Type.IsForeign():
		r.refuse("key-action", at, "the %s key %q has %s, which only foreign keys have", k.Type, k.Name, name)
	case !slices.Contains([]string{"restrict", "cascade", "setnull"}, v):
		r.refuse("key-action", at, "%s of key %q is %q, not restrict, cascade or setnull", name, k.Name, v)
	default:
		return v
	}
	return ""
}

func (r *fileReader) readIndex(e *etree.Element, table string) Index {
	x := Index{Line: r.tree.line(e)}
	at := place{line: x.Line, table: table}
	x.Name = r.required(e, at, "NAME")
	at.object = x.Name
	var ok bool
	if x.Unique, ok = r.boolean(e, at, "UNIQUE"); !ok {
		r.refuse("attribute-missing", at, "index %q has no attribute UNIQUE", x.Name)
	}
	x.Fields = r.readFieldList(e, at, "index")
	if v, _ := attribute(e, "HINTS"); v != "" {
		x.Hints = splitList(strings.ToLower(v))
	}
	x.Comment, _ = attribute(e, "COMMENT")
	return x
}
