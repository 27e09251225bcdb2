package diff

// allowedColumn reports whether an installer of the product adds the column of
// the table, given without prefix, outside of install.xml.
func (d *differ) allowedColumn(table, column string) bool { return false }
