package postgres

import "strings"

// CreateSchema makes an empty schema.
func CreateSchema(name string) string { return "CREATE SCHEMA " + QuoteIdent(name) }

// DropEmptySchema drops a schema; the server refuses when anything is left in it.
func DropEmptySchema(name string) string { return "DROP SCHEMA " + QuoteIdent(name) + " RESTRICT" }

// RenameSchema renames a schema with everything in it.
func RenameSchema(from, to string) string {
	return "ALTER SCHEMA " + QuoteIdent(from) + " RENAME TO " + QuoteIdent(to)
}

// SetSchemaOwner gives the schema itself, but nothing in it, to a role.
func SetSchemaOwner(name, owner string) string {
	return "ALTER SCHEMA " + QuoteIdent(name) + " OWNER TO " + QuoteIdent(owner)
}

// CommentSchema sets the comment of a schema; an empty one removes it.
func CommentSchema(name, comment string) string {
	return "COMMENT ON SCHEMA " + QuoteIdent(name) + " IS " + commentSQL(comment)
}

// GrantOnSchema gives a privilege on a schema.
func GrantOnSchema(name string, g Grant) string {
	return "GRANT " + g.Privilege + " ON SCHEMA " + QuoteIdent(name) + " TO " + grantee(g.Grantee) + grantOption(g.Grantable)
}

// RevokeOnSchema takes all privileges on a schema from a role; empty means PUBLIC.
func RevokeOnSchema(name, role string) string {
	return "REVOKE ALL ON SCHEMA " + QuoteIdent(name) + " FROM " + grantee(role)
}

// AlterDefaultPrivileges makes objects get a privilege when g.Role makes them in the schema.
func AlterDefaultPrivileges(name string, g DefaultGrant) string {
	return "ALTER DEFAULT PRIVILEGES FOR ROLE " + QuoteIdent(g.Role) + " IN SCHEMA " + QuoteIdent(name) +
		" GRANT " + g.Privilege + " ON " + g.Objects + " TO " + grantee(g.Grantee) + grantOption(g.Grantable)
}

// MoveExtension moves all objects of a relocatable extension to a schema.
func MoveExtension(extension, schemaName string) string {
	return "ALTER EXTENSION " + QuoteIdent(extension) + " SET SCHEMA " + QuoteIdent(schemaName)
}

// SetOwner gives an object to a role.
func SetOwner(o Object, owner string) string {
	return "ALTER " + o.Kind + " " + o.Identity + " OWNER TO " + QuoteIdent(owner)
}

// Batch joins statements into one string for Exec.
func Batch(statements []string) string { return strings.Join(statements, ";\n") }

func grantee(role string) string {
	if role == "" {
		return "PUBLIC"
	}
	return QuoteIdent(role)
}

func grantOption(grantable bool) string {
	if grantable {
		return " WITH GRANT OPTION"
	}
	return ""
}
